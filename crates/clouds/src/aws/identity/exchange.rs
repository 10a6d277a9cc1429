//! Requests for credentials, and what is answered.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use serde::Deserialize;
use serde_json::json;

use super::source::{Role, SignOn};
use crate::http::{Request, Token, since_1970};

/// How long what the machine is asked with is good for, in seconds.
const TOKEN_TTL: &str = "21600";
const ROLES: [&str; 5] = ["latest", "meta-data", "iam", "security-credentials", ""];

/// A role, for credentials that may take it on.
pub(super) fn assume(role: &Role) -> Request {
    Request::form(fields("AssumeRole", role))
}

/// A role, for a token of another identity provider.
pub(super) fn assume_with(role: &Role, token: Token) -> Request {
    Request::form(fields("AssumeRoleWithWebIdentity", role)).with_secret("WebIdentityToken", token)
}

fn fields(action: &str, role: &Role) -> Vec<(String, String)> {
    let Role { arn, session_name, external_id, duration_seconds } = role;
    let always = [("Action", action), ("Version", "2011-06-15"), ("RoleArn", arn)];
    let more = [
        ("RoleSessionName", Some(session_name)),
        ("ExternalId", external_id.as_ref()),
        ("DurationSeconds", duration_seconds.as_ref()),
    ];
    let more = more.into_iter().filter_map(|(name, value)| Some((name, value?.as_str())));
    let all = always.into_iter().chain(more);
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The role of a sign-on, for its token in the header [`SIGN_ON_TOKEN`].
pub(super) fn role_of(sign_on: &SignOn) -> Request {
    Request::get(["federation", "credentials"])
        .with("role_name", &sign_on.role_name)
        .with("account_id", &sign_on.account_id)
}

pub(super) const SIGN_ON_TOKEN: &str = "x-amz-sso_bearer_token";

/// A new token of a sign-on.
pub(super) fn renew(client_id: &str, client_secret: Token, refresh_token: Token) -> Request {
    Request::post(["token"], json!({ "clientId": client_id, "grantType": "refresh_token" }))
        .with_secret("clientSecret", client_secret)
        .with_secret("refreshToken", refresh_token)
}

/// What the machine wants to see before it says more, to be sent back in the header [`METADATA_TOKEN`].
pub(super) fn metadata_token() -> Request {
    Request::put_nothing(["latest", "api", "token"])
        .with_header("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_TTL)
        .for_text()
}

pub(super) const METADATA_TOKEN: &str = "x-aws-ec2-metadata-token";

/// The name of the role a machine has.
pub(super) fn role_of_machine() -> Request {
    Request::get(ROLES).for_text()
}

/// The credentials of the role of a machine.
pub(super) fn credentials_of_machine(role: &str) -> Request {
    Request::get(ROLES[..4].iter().copied().chain([role]))
}

/// The credentials of a container, at the address itself.
pub(super) fn credentials_of_container() -> Request {
    Request::get([])
}

/// What STS answers to both of its requests.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Assumed {
    #[serde(alias = "AssumeRoleWithWebIdentityResult")]
    assume_role_result: AssumedResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedResult {
    credentials: Told,
}

/// Credentials as STS, containers, machines and programs write them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Told {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "Token")]
    session_token: Option<String>,
    expiration: Option<String>,
}

/// What a container or machine says, which may be a reason instead.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Answered {
    Told(Told),
    Failed {
        #[serde(rename = "Code", alias = "code")]
        code: String,
        #[serde(rename = "Message", alias = "message", default)]
        message: String,
    },
}

/// What a sign-on answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedOn {
    role_credentials: SignedOnRole,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedOnRole {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    /// In milliseconds since 1970.
    expiration: u64,
}

/// A new token of a sign-on, and by what to get the next.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Renewed {
    pub(super) access_token: String,
    /// In seconds.
    pub(super) expires_in: u64,
    pub(super) refresh_token: Option<String>,
}

impl From<Assumed> for Credentials {
    fn from(of: Assumed) -> Self {
        of.assume_role_result.credentials.into()
    }
}

impl From<Told> for Credentials {
    fn from(of: Told) -> Self {
        let expiry = of.expiration.as_deref().and_then(since_1970).and_then(at);
        Self::new(of.access_key_id, of.secret_access_key, of.session_token, expiry, "stagecraft")
    }
}

impl From<SignedOn> for Credentials {
    fn from(of: SignedOn) -> Self {
        let of = of.role_credentials;
        let expiry = at(Duration::from_millis(of.expiration));
        Self::new(of.access_key_id, of.secret_access_key, of.session_token, expiry, "stagecraft")
    }
}

fn at(since: Duration) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_asked_for_with_what_its_profile_says() {
        let role = Role {
            arn: "arn:aws:iam::1:role/deploy".to_owned(),
            session_name: "ci".to_owned(),
            external_id: Some("ext".to_owned()),
            duration_seconds: None,
        };
        let said = [
            "Action=AssumeRole",
            "Version=2011-06-15",
            "RoleArn=arn:aws:iam::1:role/deploy",
            "RoleSessionName=ci",
            "ExternalId=ext",
        ];
        assert_eq!(assume(&role).fields(), said);
        let with = assume_with(&role, Token::made("s3cr3t-t0k3n"));
        assert_eq!(with.fields()[0], "Action=AssumeRoleWithWebIdentity");
        assert!(!format!("{with:?}").contains("s3cr3t"), "{with:?}");
    }

    #[test]
    fn credentials_are_read_from_every_way_they_are_written() {
        let json = r#"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"B","Token":"C",
                       "Expiration":"1970-01-01T00:01:40Z"}"#;
        let Answered::Told(told) = serde_json::from_str(json).unwrap() else { panic!("no answer") };
        let expected = Some(UNIX_EPOCH + Duration::from_secs(100));
        assert_eq!(facts(&told.into()), ("A", "B", Some("C"), expected));
        let failed = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"no"}"#;
        let read: Answered = serde_json::from_str(failed).unwrap();
        assert!(matches!(read, Answered::Failed { code, .. } if code.starts_with("AssumeRole")));

        for action in ["AssumeRole", "AssumeRoleWithWebIdentity"] {
            let xml = format!(
                "<{action}Response><{action}Result><AssumedRoleUser><Arn>x</Arn></AssumedRoleUser>\
                 <Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey>\
                 <SessionToken>C</SessionToken><Expiration>1970-01-01T00:01:40Z</Expiration>\
                 </Credentials></{action}Result></{action}Response>"
            );
            let read: Assumed = quick_xml::de::from_str(&xml).unwrap();
            assert_eq!(facts(&read.into()), ("A", "B", Some("C"), expected), "{action}");
        }

        let json = r#"{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"B",
                       "sessionToken":"C","expiration":100000}}"#;
        let read: SignedOn = serde_json::from_str(json).unwrap();
        assert_eq!(facts(&read.into()), ("A", "B", Some("C"), expected));
    }

    fn facts(of: &Credentials) -> (&str, &str, Option<&str>, Option<SystemTime>) {
        (of.access_key_id(), of.secret_access_key(), of.session_token(), of.expiry())
    }
}
