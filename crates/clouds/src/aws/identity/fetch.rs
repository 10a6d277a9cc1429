//! Gets credentials from where they are. One look each: nothing waits or tries again here.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use reqwest::header::{AUTHORIZATION, HeaderName};
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::name::Region;

use super::environment::{self as names, AwsEnvironment};
use super::exchange::{self, Answered, Assumed, METADATA_TOKEN, Renewed, SIGN_ON_TOKEN, SignedOn};
use super::sign_on::{self, Kept};
use super::source::{Base, Pass, Role, SignOn, Source, Trouble};
use super::{AwsCredentials, Identity, Seal, files, process};
use crate::Doing;
use crate::aws::account::own_url;
use crate::aws::refusal::Aws;
use crate::http::{Api, BaseUrl, Carried, Token};

/// A machine answers about itself within milliseconds; elsewhere nobody does.
const AT_ONCE: Duration = Duration::from_secs(2);
const TRUST: &str = "check `role_arn`, and whom the role trusts";
const TRUST_WEB: &str = "check the role's ARN, and that it trusts this identity provider, audience and \
                         subject";

/// What is needed to get credentials, besides where they are.
#[derive(Debug)]
pub(super) struct Fetch<'a> {
    pub(super) doing: &'a Doing,
    pub(super) environment: &'a AwsEnvironment,
    /// Where the Security Token Service is asked.
    pub(super) region: &'a Region,
    /// Where it is, if the file says so.
    pub(super) sts: Option<&'a BaseUrl>,
    pub(super) now: SystemTime,
}

impl Fetch<'_> {
    pub(super) async fn credentials(&self, source: &Source) -> Result<Credentials, CloudError> {
        let mut credentials = match &source.base {
            Base::Keys(credentials) => credentials.clone(),
            Base::WebIdentity { token_file, role } => {
                let token = files::token(token_file).map_err(|of| self.failed(of))?;
                self.assume_with(role, token).await?
            }
            Base::SignOn(sign_on) => self.sign_on(sign_on).await?,
            Base::Process(command) => process::credentials(self.environment, command)
                .await
                .map_err(|of| self.failed(of))?,
            Base::Container { url, pass } => self.of_container(url, pass.as_ref()).await?,
            Base::Machine { url } => self.of_machine(url).await?,
        };
        for role in &source.roles {
            credentials = self.assume(role, &credentials).await?;
        }
        Ok(credentials)
    }

    async fn assume(&self, role: &Role, with: &Credentials) -> Result<Credentials, CloudError> {
        let keys = AwsCredentials::Keys {
            access_key_id: with.access_key_id().to_owned(),
            secret_access_key: Token::made(with.secret_access_key()),
            session_token: with.session_token().map(Token::made),
        };
        let identity = Identity::new(keys, None, self.region.clone());
        let seal = Seal { identity: identity.into(), service: "sts", region: self.region.clone() };
        let api = Api::new(Aws, self.sts()?, seal);
        let asked = api.ask::<Assumed>(self.doing, &exchange::assume(role)).await;
        asked.map(Credentials::from).map_err(|failed| because_of(role, failed.into(), TRUST))
    }

    async fn assume_with(&self, role: &Role, token: Token) -> Result<Credentials, CloudError> {
        let api = Api::new(Aws, self.sts()?, Carried(None));
        let asked = api.ask::<Assumed>(self.doing, &exchange::assume_with(role, token)).await;
        asked.map(Credentials::from).map_err(|failed| because_of(role, failed.into(), TRUST_WEB))
    }

    async fn sign_on(&self, of: &SignOn) -> Result<Credentials, CloudError> {
        let SignOn { profile, kept_as, region, account_id, role_name } = of;
        let again = format!("run `aws sso login --profile {profile}`");
        let expired = |why: &str| self.failed(Trouble::new(why, &again));
        let file = self.environment.sign_on_file(&sign_on::file_name(kept_as));
        let kept = file.as_deref().and_then(files::sign_on);
        let (Some(file), Some(kept)) = (file, kept) else {
            return Err(expired("nobody has signed on for it yet"));
        };
        let token = match sign_on::kept(&kept, self.now) {
            Kept::Fresh(token) => token,
            Kept::Renewable { client_id, client_secret, refresh_token } => {
                let url = self.service(names::OIDC_URL, "oidc", region)?;
                let request = exchange::renew(&client_id, client_secret, refresh_token);
                let asked = Api::new(Aws, url, Carried(None)).ask(self.doing, &request).await;
                let renewed: Renewed = match asked {
                    Ok(renewed) => renewed,
                    Err(failed) if failed.refused.is_some() && !is_passing(&failed.error) => {
                        return Err(expired("its sign-on has expired"));
                    }
                    Err(failed) => return Err(failed.into()),
                };
                let token = Token::made(&renewed.access_token);
                // The token before may not be renewed twice, so this one is kept first.
                let value = sign_on::with_renewed(kept, &renewed, self.now);
                files::keep_sign_on(&file, &value).map_err(|error| {
                    let why = format!("{} cannot be written: {error}", file.display());
                    self.failed(Trouble::new(why, &again))
                })?;
                token
            }
            Kept::Useless => return Err(expired("its sign-on has expired")),
        };
        let url = self.service(names::SSO_URL, "portal.sso", region)?;
        let name = HeaderName::from_static(SIGN_ON_TOKEN);
        let api = Api::new(Aws, url, Carried(Some((name, token))));
        let asked = api.ask::<SignedOn>(self.doing, &exchange::role_of(of)).await;
        asked.map(Credentials::from).map_err(|failed| {
            if failed.is_status(401) {
                return expired("its sign-on counts no more");
            }
            let is_not_yours = failed.is_status(403) || failed.is_status(404);
            let error = CloudError::from(failed);
            if !is_not_yours {
                return error;
            }
            let hint = format!(
                "you have no role `{role_name}` in the account {account_id}, or not any more"
            );
            CloudError { hints: vec![hint], ..error }
        })
    }

    async fn of_container(
        &self,
        url: &str,
        pass: Option<&Pass>,
    ) -> Result<Credentials, CloudError> {
        let base = self.metadata_url(url, "of the container's credentials")?;
        let pass = match pass {
            Some(Pass::Text(text)) => Some(Token::made(text)),
            Some(Pass::File(file)) => Some(files::token(file).map_err(|of| self.failed(of))?),
            None => None,
        };
        let api = Api::new(Aws, base, Carried(pass.map(|pass| (AUTHORIZATION, pass))));
        let asked = api.ask(self.doing, &exchange::credentials_of_container()).await;
        self.told(&api, asked?)
    }

    async fn of_machine(&self, url: &str) -> Result<Credentials, CloudError> {
        let base = self.metadata_url(url, "of the machine's metadata")?;
        let api = Api::new(Aws, base.clone(), Carried(None));
        let request = exchange::metadata_token();
        let asked = api.ask::<String>(self.doing, &request);
        let token = match tokio::time::timeout(AT_ONCE, asked).await {
            Ok(Ok(token)) => Token::made(&token),
            Ok(Err(failed)) if failed.refused.is_some() => return Err(failed.into()),
            Ok(Err(_)) | Err(_) => {
                let why = format!(
                    "there are none in the environment and in no profile, and this machine is none of \
                     EC2: nothing answers at {url}"
                );
                return Err(self.failed(Trouble::new(why, super::SET_UP)));
            }
        };
        let name = HeaderName::from_static(METADATA_TOKEN);
        let api = Api::new(Aws, base, Carried(Some((name, token))));
        let role: String = match api.ask(self.doing, &exchange::role_of_machine()).await {
            Ok(role) => role,
            Err(failed) if failed.is_status(404) => {
                let hint = format!("attach a role to the instance, or {}", super::SET_UP);
                return Err(self.failed(Trouble::new("this instance of EC2 has no role", hint)));
            }
            Err(failed) => return Err(failed.into()),
        };
        let role = role.lines().next().unwrap_or_default().trim().to_owned();
        let asked = api.ask(self.doing, &exchange::credentials_of_machine(&role)).await;
        self.told(&api, asked?)
    }

    fn told(&self, api: &Api, answered: Answered) -> Result<Credentials, CloudError> {
        match answered {
            Answered::Told(told) => Ok(told.into()),
            Answered::Failed { code, message } => {
                let why = api.clean(&format!("{message} ({code})"));
                let hint = "check the role, and whom it trusts";
                Err(self.failed(Trouble::new(why, hint)))
            }
        }
    }

    fn sts(&self) -> Result<BaseUrl, CloudError> {
        match self.sts {
            Some(url) => Ok(url.clone()),
            None => self.service(names::STS_URL, "sts", self.region.as_str()),
        }
    }

    /// Where a service is: where the environment says, or where AWS has it.
    fn service(&self, variable: &str, service: &str, region: &str) -> Result<BaseUrl, CloudError> {
        let Some(url) = self.environment.get(variable) else {
            return own_url(service, &region.into()).ok_or_else(|| {
                let hint = "correct it in the profile";
                self.failed(Trouble::new(format!("`{region}` is not the name of a region"), hint))
            });
        };
        BaseUrl::parse(url).map_err(|error| {
            let why = format!("`{variable}` cannot be used: {error}");
            self.failed(Trouble::new(why, format!("correct or unset `{variable}`")))
        })
    }

    fn metadata_url(&self, url: &str, what: &str) -> Result<BaseUrl, CloudError> {
        BaseUrl::parse_metadata(url).map_err(|error| {
            let hint = "correct the variable with the address, or unset it";
            self.failed(Trouble::new(format!("the address {what} cannot be used: {error}"), hint))
        })
    }

    fn failed(&self, trouble: Trouble) -> CloudError {
        let Trouble { why, hint } = trouble;
        self.doing.failed(CloudErrorKind::InvalidCredentials(why)).with_hint(hint)
    }
}

/// A role that was refused is explained by the role.
fn because_of(role: &Role, error: CloudError, hint: &str) -> CloudError {
    if is_passing(&error) {
        return error;
    }
    let hint = format!("the role is {}; {hint}", role.arn);
    CloudError { hints: vec![hint], ..error }
}

/// Whether it may be over soon.
fn is_passing(error: &CloudError) -> bool {
    match error.kind {
        CloudErrorKind::RateLimited { .. }
        | CloudErrorKind::Unreachable(_)
        | CloudErrorKind::ProviderFault(_) => true,
        CloudErrorKind::InvalidCredentials(_)
        | CloudErrorKind::Forbidden(_)
        | CloudErrorKind::QuotaExceeded(_)
        | CloudErrorKind::SoldOut(_)
        | CloudErrorKind::InvalidInput(_)
        | CloudErrorKind::NotFound(_)
        | CloudErrorKind::Conflict(_)
        | CloudErrorKind::UnexpectedAnswer(_)
        | CloudErrorKind::Unsupported(_) => false,
    }
}
