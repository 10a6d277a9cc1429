//! Whose requests are, by two keys of the file's variables or by AWS's usual chain.
//!
//! ```text
//! environment, profiles ──source (pure)──> Source ──fetch──> credentials ──> signatures, until they expire
//! ```

mod environment;
mod exchange;
mod fetch;
mod files;
mod process;
mod profiles;
mod sign_on;
mod source;

pub use environment::AwsEnvironment;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::name::Region;
use tokio::sync::Mutex;

use crate::Doing;
use crate::http::{BaseUrl, Keys, Proof, Sending, Signer, Token, sign};
use fetch::Fetch;
use profiles::Profiles;

/// Temporary credentials are replaced this long before they expire.
const BEFORE_EXPIRY: Duration = Duration::from_secs(120);
const SET_UP: &str = "set `access_key_id_env` and `secret_access_key_env`, or sign in by `aws sso \
                      login` or `aws configure`; `profile` in the file names a profile";

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
        /// A profile of AWS's configuration files, which is then the only place that counts.
        profile: Option<String>,
        /// What the chain looks at.
        environment: AwsEnvironment,
    },
}

/// An identity that all requests of a provider share. Temporary credentials are asked for when they
/// are needed, and again before they expire.
pub(super) struct Identity {
    from: AwsCredentials,
    /// Where the Security Token Service is, if the file says so, and in which region it is asked.
    sts: Option<BaseUrl>,
    region: Region,
    held: Mutex<Option<Credentials>>,
    /// Every secret that was ever used.
    secrets: RwLock<Vec<Token>>,
}

impl Identity {
    pub(super) fn new(from: AwsCredentials, sts: Option<BaseUrl>, region: Region) -> Self {
        Self { from, sts, region, held: Mutex::default(), secrets: RwLock::default() }
    }

    async fn credentials(&self, doing: &Doing) -> Result<Credentials, CloudError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|of| is_fresh(of)) {
            return Ok(credentials.clone());
        }
        let credentials = match &self.from {
            AwsCredentials::Keys { access_key_id, secret_access_key, session_token } => {
                let session = session_token.as_ref().map(|token| token.reveal().to_owned());
                let secret = secret_access_key.reveal();
                Credentials::new(access_key_id, secret, session, None, "stagecraft")
            }
            AwsCredentials::Chain { profile, environment } => {
                self.of_chain(doing, profile.as_deref(), environment).await?
            }
        };
        self.remember(&credentials);
        *held = Some(credentials.clone());
        Ok(credentials)
    }

    /// What the chain leads to now: profiles and tokens may have changed since it was last asked.
    async fn of_chain(
        &self,
        doing: &Doing,
        profile: Option<&str>,
        environment: &AwsEnvironment,
    ) -> Result<Credentials, CloudError> {
        let in_files = profile.is_some() || !environment.has_keys();
        let profiles =
            if in_files { files::profiles(environment) } else { Ok(Profiles::default()) };
        let source = profiles.and_then(|profiles| source::choose(environment, &profiles, profile));
        let source = source.map_err(|trouble| {
            let kind = CloudErrorKind::InvalidCredentials(trouble.why);
            doing.failed(kind).with_hint(trouble.hint)
        })?;
        let doing = Doing::reading(doing.provider, format!("get credentials of {}", source.by));
        let (region, sts) = (&self.region, self.sts.as_ref());
        let fetch = Fetch { doing: &doing, environment, region, sts, now: now() };
        fetch.credentials(&source).await
    }

    fn remember(&self, credentials: &Credentials) {
        let secrets = [Some(credentials.secret_access_key()), credentials.session_token()];
        let secrets = secrets.into_iter().flatten().map(Token::made);
        self.secrets.write().unwrap_or_else(PoisonError::into_inner).extend(secrets);
    }

    fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_owned(), |text, secret| secret.redact(&text))
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
        let credentials = self.identity.credentials(doing).await?;
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
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| now() + BEFORE_EXPIRY < expiry)
}

#[expect(clippy::disallowed_methods, reason = "signatures hold the time, and credentials expire")]
fn now() -> SystemTime {
    SystemTime::now()
}
