//! What the errors of EC2, STS and SSM mean.
//!
//! An error has a code, and the code decides: rate limits come with 503, and shortages of machines
//! with 500. The status decides only where there is no code, or one that nobody has described. A
//! code may have `Client.` or `Server.` before it.

use std::time::Duration;

use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::name::Region;

use super::wire::{Problem, Refused};
use crate::http::{Answer, Dialect, Refusal};

/// Codes that the adapter acts on, in lower case.
pub(super) const NO_INSTANCE: &str = "invalidinstanceid.notfound";
pub(super) const BAD_INSTANCE: &str = "invalidinstanceid.malformed";
pub(super) const MISMATCH: &str = "idempotentparametermismatch";
pub(super) const NO_GROUP: &str = "invalidgroup.notfound";
pub(super) const GROUP_IS_THERE: &str = "invalidgroup.duplicate";
pub(super) const RULE_IS_THERE: &str = "invalidpermission.duplicate";
pub(super) const STILL_USED: &str = "dependencyviolation";
pub(super) const NO_PARAMETER: &str = "parameternotfound";

/// Keys that are no good, or not in this region.
const AUTH_FAILURE: &str = "authfailure";

/// What a spot instance may be refused for, so that one on demand is ordered instead, besides shortages.
const NO_SPOT: [&str; 4] = [
    "maxspotinstancecountexceeded",
    "spotmaxpricetoolow",
    "authfailure.servicelinkedrolecreationnotpermitted",
    "unsupportedoperation",
];

/// Buckets of requests are refilled with some every second.
const REFILLED: Duration = Duration::from_secs(2);
/// An instance on its way to another state arrives there after some seconds.
const BUSY: Duration = Duration::from_secs(5);

const CHECK_KEYS: &str = "check the access key and its secret; if they are temporary, get new ones, \
                          e.g. by `aws sso login`";
const CHECK_CLOCK: &str = "get new credentials if they are temporary, e.g. by `aws sso login`, and \
                           check the clock of this machine";
const ACCOUNT: &str = "sign in to the AWS console: the account or this region is not ready for use";
const POLICY: &str = "give this identity the permissions of docs/aws-iam-policy.json; `aws sts \
                      decode-authorization-message` explains an encoded message";
const RAISE_LIMIT: &str = "see Service Quotas in the AWS console, and ask there for a higher quota";
const ELSEWHERE: &str = "choose another `size` or `region`, or try again later";
const FREE_ADDRESSES: &str = "choose another `subnet_id`, or free addresses in the subnet";
const CHECK_KEY: &str = "check `ssh_key_name`: the key pair must exist in the region of the host";
const NO_VPC: &str = "give `subnet_id`, or make a default VPC in the region of the host by \
                      `aws ec2 create-default-vpc --region REGION`";
const UNPROTECT: &str = "take the termination protection off the instance in the AWS console if it \
                         is to go";
const ITS_STATUS: &str = "this is at AWS's end: see https://health.aws.amazon.com/health/status, \
                          and run the command again later";
const CHECK_URL: &str = "check `api_url` and `default_region`";

/// How AWS says no, in one of its regions.
#[derive(Debug)]
pub(super) struct Aws {
    pub(super) region: Region,
    /// Whether the region says where the service is.
    pub(super) at_its_own_url: bool,
}

impl Dialect for Aws {
    fn refusal(&self, answer: &Answer) -> Refusal {
        let problem = problem(answer);
        let code = plain(&problem.code);
        let mut refusal = meaning(answer.status, &code, &problem);
        if code == AUTH_FAILURE {
            refusal = refusal.with_hint(format!(
                "or check the region `{}`: one that does not exist, or that the account has not enabled \
                 (AWS console, under Account), refuses good keys like this",
                self.region
            ));
        }
        let in_doubt = answer.status >= 500
            && matches!((refusal.class)(String::new()), CloudErrorKind::ProviderFault(_));
        Refusal { code, maybe_done: in_doubt, ..refusal }
    }

    fn request_id(&self, answer: &Answer) -> Option<String> {
        let id = answer.header("x-amzn-requestid").or_else(|| answer.header("x-amz-request-id"));
        let id = id.map(str::to_owned).or_else(|| problem(answer).request_id)?;
        (!id.trim().is_empty()).then(|| id.trim().to_owned())
    }

    fn about_its_place(&self) -> Option<String> {
        let Self { region, at_its_own_url } = self;
        at_its_own_url
            .then(|| format!("if `{region}` is no region of AWS, change `default_region`"))
    }
}

/// Whether a refused spot instance is a reason to order one on demand.
pub(super) fn speaks_against_spot(code: &str) -> bool {
    NO_SPOT.contains(&code)
}

/// A code as it is compared.
fn plain(code: &str) -> String {
    let code = code.trim().to_ascii_lowercase();
    let bare = code.strip_prefix("client.").or_else(|| code.strip_prefix("server."));
    bare.unwrap_or(&code).to_owned()
}

/// Whether a signature was refused for the time it was made at.
fn is_of_another_time(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("signature expired") || message.contains("signature not yet current")
}

fn problem(answer: &Answer) -> Problem {
    let xml = || answer.xml::<Refused>().map(Problem::from);
    answer.json::<Problem>().or_else(|_| xml()).unwrap_or_default()
}

fn meaning(status: u16, code: &str, problem: &Problem) -> Refusal {
    use CloudErrorKind as Kind;

    let message = message(status, problem);
    let is = |class: fn(String) -> Kind| Refusal::new(class, message.clone());
    match code {
        // STS and SSM give no code of their own to a clock that is wrong.
        "signaturedoesnotmatch" | "invalidsignatureexception" if is_of_another_time(&message) => {
            is(Kind::InvalidCredentials).with_hint(CHECK_CLOCK)
        }
        AUTH_FAILURE
        | "invalidclienttokenid"
        | "signaturedoesnotmatch"
        | "invalidsignatureexception"
        | "unrecognizedclientexception"
        | "incompletesignature"
        | "missingauthenticationtoken" => is(Kind::InvalidCredentials).with_hint(CHECK_KEYS),
        "expiredtoken"
        | "expiredtokenexception"
        | "requestexpired"
        | "requestinthefuture"
        | "requesttimetooskewed" => is(Kind::InvalidCredentials).with_hint(CHECK_CLOCK),
        "optinrequired" | "pendingverification" | "blocked" => {
            is(Kind::InvalidCredentials).with_hint(ACCOUNT)
        }
        "unauthorizedoperation"
        | "accessdenied"
        | "accessdeniedexception"
        | "authfailure.servicelinkedrolecreationnotpermitted" => {
            is(Kind::Forbidden).with_hint(POLICY)
        }
        "vcpulimitexceeded"
        | "instancelimitexceeded"
        | "maxspotinstancecountexceeded"
        | "maxfleetcountexceeded"
        | "volumelimitexceeded"
        | "addresslimitexceeded"
        | "securitygrouplimitexceeded"
        | "rulespersecuritygrouplimitexceeded"
        | "networkinterfacelimitexceeded" => is(Kind::QuotaExceeded).with_hint(RAISE_LIMIT),
        "insufficientfreeaddressesinsubnet" => is(Kind::SoldOut).with_hint(FREE_ADDRESSES),
        "insufficientinstancecapacity"
        | "insufficienthostcapacity"
        | "insufficientcapacity"
        | "unfulfillablecapacity"
        | "unsupported"
        | "spotmaxpricetoolow" => is(Kind::SoldOut).with_hint(ELSEWHERE),
        "requestlimitexceeded"
        | "throttling"
        | "throttlingexception"
        | "ec2throttledexception"
        | "toomanyrequestsexception" => is(rate_limited).after(REFILLED),
        "invalidkeypair.notfound" => is(Kind::InvalidInput).with_hint(CHECK_KEY),
        "vpcidnotspecified" | "missinginput" | "defaultvpcdoesnotexist" => {
            is(Kind::InvalidInput).with_hint(NO_VPC)
        }
        "operationnotpermitted" => is(Kind::InvalidInput).with_hint(UNPROTECT),
        "incorrectinstancestate" => is(Kind::ProviderFault).after(BUSY),
        "invalidkeypair.duplicate"
        | GROUP_IS_THERE
        | RULE_IS_THERE
        | "invalidlaunchtemplatename.alreadyexistsexception" => is(Kind::Conflict),
        NO_INSTANCE | BAD_INSTANCE | NO_PARAMETER => is(Kind::NotFound),
        "dryrunoperation" => is(Kind::UnexpectedAnswer),
        "internalerror"
        | "internalfailure"
        | "internalservererror"
        | "unavailable"
        | "serviceunavailable" => is(Kind::ProviderFault).with_hint(ITS_STATUS),
        _ => match status {
            401 => is(Kind::InvalidCredentials).with_hint(CHECK_KEYS),
            403 => is(Kind::Forbidden).with_hint(POLICY),
            404 | 405 | 410 => is(Kind::UnexpectedAnswer).with_hint(CHECK_URL),
            429 => is(rate_limited).after(REFILLED),
            408 | 500.. => is(Kind::ProviderFault).with_hint(ITS_STATUS),
            _ => is(Kind::InvalidInput),
        },
    }
}

fn rate_limited(message: String) -> CloudErrorKind {
    CloudErrorKind::RateLimited { after: None, message }
}

/// What went wrong in the provider's words, with the code that its documentation knows it by.
fn message(status: u16, problem: &Problem) -> String {
    let (code, message) = (problem.code.trim(), problem.message.trim());
    match (code, message) {
        ("", "") => format!("status {status} without a word of explanation"),
        ("", words) | (words, "") => words.to_owned(),
        (code, words) => format!("{} ({code})", words.trim_end_matches('.')),
    }
}

#[cfg(test)]
mod tests;
