//! Whose requests are, by two keys of the file's variables or by AWS's usual chain.

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds::client::error::ImdsError;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::name::Region;
use stagecraft_core::remote::quote;
use tokio::sync::Mutex;

use crate::Doing;
use crate::http::{Keys, Proof, Sending, Signer, Token, sign};

/// Temporary credentials are replaced this long before they expire.
const BEFORE_EXPIRY: Duration = Duration::from_secs(120);
const SET_UP: &str = "run `export AWS_PROFILE=NAME` with a profile of `aws configure` or `aws sso \
                      login`, or `export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...`";

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum AwsCredentials {
    /// These.
    Keys {
        /// The id of the access key.
        access_key_id: String,
        /// Its secret.
        secret_access_key: Token,
        /// What makes temporary keys valid.
        session_token: Option<Token>,
    },
    /// AWS's usual chain: the environment, the profile, single sign-on, web identity, the container,
    /// the machine this runs on.
    Chain {
        /// A profile of AWS's configuration files; `None` is the default of AWS's tools.
        profile: Option<AwsProfile>,
    },
}

/// A profile of AWS's configuration files, and who names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsProfile {
    /// The settings do.
    OfSettings(String),
    /// `AWS_PROFILE` does, which AWS's own crate reads by itself.
    OfEnvironment(String),
}

impl AwsProfile {
    fn name(&self) -> &str {
        let (Self::OfSettings(name) | Self::OfEnvironment(name)) = self;
        name
    }

    /// What names it, as a user knows it.
    fn named_by(&self) -> &'static str {
        match self {
            Self::OfSettings(_) => "`profile` in the file",
            Self::OfEnvironment(_) => "`AWS_PROFILE`",
        }
    }
}

/// An identity that all requests of a provider share. Temporary credentials are asked for when they
/// are needed, and again before they expire.
pub(super) struct Identity {
    from: AwsCredentials,
    held: Mutex<Held>,
    /// Every secret that was ever used.
    secrets: RwLock<Vec<Token>>,
}

#[derive(Default)]
struct Held {
    chain: Option<DefaultCredentialsChain>,
    credentials: Option<Credentials>,
}

impl Identity {
    pub(super) fn new(from: AwsCredentials) -> Self {
        Self { from, held: Mutex::default(), secrets: RwLock::default() }
    }

    async fn credentials(&self, doing: &Doing, region: &Region) -> Result<Credentials, CloudError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.credentials.as_ref().filter(|of| is_fresh(of)) {
            return Ok(credentials.clone());
        }
        let credentials = match &self.from {
            AwsCredentials::Keys { access_key_id, secret_access_key, session_token } => {
                let session = session_token.as_ref().map(|token| token.reveal().to_owned());
                let secret = secret_access_key.reveal();
                Credentials::new(access_key_id, secret, session, None, "stagecraft")
            }
            AwsCredentials::Chain { profile } => {
                if held.chain.is_none() {
                    held.chain = Some(chain(profile.as_ref(), region).await);
                }
                let asked = async {
                    match &held.chain {
                        Some(chain) => chain.provide_credentials().await,
                        None => Err(CredentialsError::not_loaded_no_source()),
                    }
                };
                asked.await.map_err(|error| explained(doing, profile.as_ref(), &error))?
            }
        };
        self.remember(&credentials);
        held.credentials = Some(credentials.clone());
        Ok(credentials)
    }

    fn remember(&self, credentials: &Credentials) {
        let secrets = [Some(credentials.secret_access_key()), credentials.session_token()];
        let secrets = secrets.into_iter().flatten().filter_map(|text| Token::new(text).ok());
        self.secrets.write().unwrap_or_else(PoisonError::into_inner).extend(secrets);
    }

    fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_owned(), |text, secret| secret.redact(&text))
    }

    fn hide(&self, text: &str) -> Option<String> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(None, |hidden, secret| {
            let clean = secret.hide(hidden.as_deref().unwrap_or(text));
            clean.or(hidden)
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Signs for one service in one region.
#[derive(Clone, Debug)]
pub(super) struct Seal {
    pub(super) identity: Arc<Identity>,
    pub(super) service: &'static str,
    pub(super) region: Region,
}

#[async_trait]
impl Signer for Seal {
    async fn proof(&self, doing: &Doing, sending: &Sending<'_>) -> Result<Proof, CloudError> {
        let credentials = self.identity.credentials(doing, &self.region).await?;
        let (region, service) = (self.region.as_str(), self.service);
        let keys = Keys { credentials: &credentials, region, service };
        sign(&keys, sending, now()).map_err(|why| {
            let kind = CloudErrorKind::InvalidCredentials(self.redact(&why));
            doing.failed(kind).with_hint("check the access key and its secret")
        })
    }

    fn redact(&self, text: &str) -> String {
        self.identity.redact(text)
    }

    fn hide(&self, text: &str) -> Option<String> {
        self.identity.hide(text)
    }
}

async fn chain(profile: Option<&AwsProfile>, region: &Region) -> DefaultCredentialsChain {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let region = aws_config::Region::new(region.as_str().to_owned());
    let config = ProviderConfig::default().with_http_client(client);
    let building = DefaultCredentialsChain::builder().configure(config).region(region);
    match profile {
        Some(AwsProfile::OfSettings(name)) => building.profile_name(name).build().await,
        Some(AwsProfile::OfEnvironment(_)) | None => building.build().await,
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| now() + BEFORE_EXPIRY < expiry)
}

#[expect(clippy::disallowed_methods, reason = "signatures hold the time, and credentials expire")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Why the chain gave none.
fn explained(doing: &Doing, profile: Option<&AwsProfile>, error: &CredentialsError) -> CloudError {
    let why = stagecraft_core::error::chain(error);
    // It tells of each place on a line of its own.
    let why = why.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let is_none = has_none(error);
    let kind = if matches!(error, CredentialsError::ProviderTimedOut(_)) {
        CloudErrorKind::Unreachable(why)
    } else if is_none {
        let place = profile.map_or_else(
            || "no place that AWS's tools look at has any".to_owned(),
            |profile| match profile {
                AwsProfile::OfSettings(name) => format!("the profile `{name}` gives none"),
                AwsProfile::OfEnvironment(name) => {
                    format!("the profile `{name}`, which `AWS_PROFILE` names, gives none")
                }
            },
        );
        CloudErrorKind::NoCredentials(format!("{place} ({why})"))
    } else {
        CloudErrorKind::InvalidCredentials(why)
    };
    let hint = match profile {
        _ if !is_none => hint(error, profile),
        None => SET_UP.to_owned(),
        Some(profile) => format!(
            "run `aws configure{option}` or `aws sso login{option}`; {} may name another",
            profile.named_by(),
            option = option(Some(profile)),
        ),
    };
    doing.failed(kind).with_hint(hint)
}

/// Whether nobody was found who could have given any. The last who is asked is the machine this runs on:
/// one that refuses has none for us, and is seldom the one that was meant.
fn has_none(error: &CredentialsError) -> bool {
    let mut cause = error.source();
    while let Some(source) = cause {
        if source.is::<ImdsError>() {
            return true;
        }
        cause = source.source();
    }
    matches!(error, CredentialsError::CredentialsNotLoaded(_))
}

/// How AWS's tools are told of a profile that their variable does not name.
fn option(profile: Option<&AwsProfile>) -> String {
    profile.map(|profile| format!(" --profile {}", quote(profile.name()))).unwrap_or_default()
}

/// What to do when whoever could have given some did not.
fn hint(error: &CredentialsError, profile: Option<&AwsProfile>) -> String {
    let option = option(profile);
    if matches!(error, CredentialsError::ProviderTimedOut(_)) {
        return format!(
            "run the command again; `aws sts get-caller-identity{option}` asks in the same places"
        );
    }
    format!(
        "sign in again (`aws sso login{option}`), or check the profile or role that AWS's tools use"
    )
}

#[cfg(test)]
mod tests {
    use stagecraft_core::desired::ProviderId;
    use stagecraft_core::error::{Code, Failure};

    use super::*;

    #[test]
    fn a_profile_is_quoted_in_commands() {
        let profile = |name: &str| Some(AwsProfile::OfSettings(name.to_owned()));
        let none = told(profile("team prod"), &CredentialsError::not_loaded("nothing there"));
        assert!(none.message.contains("the profile `team prod` gives none"), "{none:?}");
        assert_eq!(
            none.hints,
            [
                "run `aws configure --profile 'team prod'` or `aws sso login --profile 'team prod'`; \
                 `profile` in the file may name another"
            ]
        );
        let over = told(profile("it's"), &CredentialsError::provider_error("the token is over"));
        assert!(over.hints[0].contains(r"(`aws sso login --profile 'it'\''s'`)"), "{over:?}");
    }

    #[test]
    fn a_profile_that_the_environment_names_is_told_as_that() {
        let profile = AwsProfile::OfEnvironment("wrok".to_owned());
        let none = told(Some(profile), &CredentialsError::not_loaded("nothing there"));
        let why = "the profile `wrok`, which `AWS_PROFILE` names, gives none";
        assert!(none.message.contains(why), "{none:?}");
        assert!(none.hints[0].ends_with("; `AWS_PROFILE` may name another"), "{none:?}");
    }

    #[test]
    fn who_signs_in_again_is_whom_that_can_help() {
        let late = told(None, &CredentialsError::provider_timed_out(Duration::from_secs(5)));
        assert_eq!(late.code, Code::CLOUD_UNREACHABLE);
        assert!(!late.hints[0].contains("sign in") && !late.hints[0].contains("sso"), "{late:?}");
        for error in [
            CredentialsError::invalid_configuration("line 3 is no setting"),
            CredentialsError::provider_error("AccessDenied: not for this role"),
        ] {
            let failure = told(None, &error);
            assert_eq!(failure.code, Code::CLOUD_UNAUTHENTICATED);
            assert_eq!(
                failure.hints,
                [
                    "sign in again (`aws sso login`), or check the profile or role that AWS's tools use"
                ]
            );
        }
        let none = told(None, &CredentialsError::not_loaded_no_source());
        assert_eq!(none.hints, [SET_UP]);
    }

    fn told(profile: Option<AwsProfile>, error: &CredentialsError) -> Failure {
        let doing = Doing::reading(ProviderId::Aws, "list instances");
        Failure::from(&explained(&doing, profile.as_ref(), error))
    }
}
