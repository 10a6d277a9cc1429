use std::collections::BTreeMap;
use std::path::Path;

use stagecraft_clouds::http::InvalidToken;
use stagecraft_clouds::local::EngineAddress;
use stagecraft_core::cloud::Identity;
use stagecraft_core::config::{Config, CredentialSource};
use stagecraft_core::credential::{Field, Issuer};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::name::EnvironmentName;

use super::adapters::engine_address;
use super::identities::{
    NoToken, aws_identity, aws_may_be_there, check_credential, no_token, owner, token,
};
use super::{Environment, Secrets};
use crate::stop::{Stop, Trouble};

/// Which providers of a file a run looks at, and what it needs for that.
///
/// One that the file names the environment under is always looked at. One that it does not may
/// still hold hosts that were taken out of the file, so it is looked at where that is possible; where
/// it is not, the user is told.
#[derive(Debug, Default)]
pub(crate) struct Clouds {
    /// Whether containers on a Docker Engine are looked at.
    pub(super) local: bool,
    /// Who asks the others that are looked at.
    pub(super) identities: BTreeMap<ProviderId, Identity>,
    /// Why the rest is not looked at.
    left_out: BTreeMap<ProviderId, String>,
    /// How not to look at those under which the file does not name the environment.
    avoidable: BTreeMap<ProviderId, String>,
}

impl Clouds {
    /// What can be looked at for an environment. Asks nobody.
    ///
    /// # Errors
    /// All tokens that are needed and are missing or cannot be right.
    pub(crate) fn of(
        config: &Config,
        of: &EnvironmentName,
        secrets: &Secrets<'_>,
    ) -> Result<Self, Stop> {
        let environment = secrets.environment;
        let mut clouds = Self::default();
        let mut missing: Vec<Failure> = Vec::new();
        for (&id, provider) in &config.providers {
            let named = provider.environments.contains(of);
            if id == ProviderId::Local {
                match engine_is_there(environment) {
                    Err(why) if !named => clouds.left_out(id, why),
                    // What is wrong with one that is needed is told when it is used.
                    Ok(()) | Err(_) => clouds.local = true,
                }
                continue;
            }
            let source = provider.credentials.as_ref();
            match identity(id, source, secrets) {
                Ok(_) if !named && !aws_may_be_there(environment, source) => {
                    clouds.left_out(id, "no credentials are set up".to_owned());
                }
                Ok(identity) => {
                    clouds.identities.insert(id, identity);
                    if !named {
                        clouds.avoidable.insert(id, without(id, source, of));
                    }
                }
                Err(Missing { unset: Some(why), .. }) if !named => clouds.left_out(id, why),
                Err(Missing { failure, hint, .. }) => {
                    let hint = if named { hint } else { Some(without(id, source, of)) };
                    let failure = hint.into_iter().fold(failure, Failure::with_hint);
                    // A store that does not open is told once, however many need it.
                    if !missing.contains(&failure) {
                        missing.push(failure);
                    }
                }
            }
        }
        if missing.is_empty() {
            Ok(clouds)
        } else {
            let troubles = missing.into_iter().map(Trouble::from).collect();
            Err(Stop { exit: ExitCode::Usage, troubles })
        }
    }

    /// Hosts of this machine alone.
    #[cfg(test)]
    pub(super) fn local_only() -> Self {
        Self { local: true, ..Self::default() }
    }

    /// What is not looked at, for people; `None` when everything is.
    pub(crate) fn left_out_note(&self, of: &EnvironmentName) -> Option<String> {
        if self.left_out.is_empty() {
            return None;
        }
        // In the order of the providers, those for the same reason together.
        let mut by_reason: Vec<(Vec<&str>, &str)> = Vec::new();
        for (id, why) in &self.left_out {
            match by_reason.iter_mut().find(|(_, reason)| reason == why) {
                Some((ids, _)) => ids.push(id.as_str()),
                None => by_reason.push((vec![id.as_str()], why)),
            }
        }
        let all: Vec<String> =
            by_reason.iter().map(|(ids, why)| format!("{} ({why})", ids.join(" and "))).collect();
        Some(format!(
            "note: not looked at, as the file has no hosts of `{of}` there: {}",
            all.join(", ")
        ))
    }

    /// How to go on without a provider that cannot be listed, where the file allows it.
    pub(crate) fn way_around(&self, provider: ProviderId) -> Option<&str> {
        self.avoidable.get(&provider).map(String::as_str)
    }

    fn left_out(&mut self, id: ProviderId, why: String) {
        self.left_out.insert(id, why);
    }
}

/// Whether there can be an engine, by what is seen without asking it.
fn engine_is_there(environment: &Environment) -> Result<(), String> {
    match engine_address(environment) {
        Ok(EngineAddress::Unix(socket)) if !Path::new(&socket).exists() => {
            Err(format!("there is no `{}`", socket.display()))
        }
        Ok(EngineAddress::Unix(_) | EngineAddress::Tcp { .. }) => Ok(()),
        Err(_) => Err("`DOCKER_HOST` cannot be used".to_owned()),
    }
}

/// Why nobody can ask a provider.
#[derive(Debug)]
struct Missing {
    /// For those who need it.
    failure: Failure,
    /// Where the file says what is missing.
    hint: Option<String>,
    /// For those who do not, in a few words; `None` where something is there and is wrong.
    unset: Option<String>,
}

/// Who asks a provider, by what the file says of its credentials. Asks nobody.
fn identity(
    id: ProviderId,
    source: Option<&CredentialSource>,
    secrets: &Secrets<'_>,
) -> Result<Identity, Missing> {
    let Some(issuer) = Issuer::of(id) else { return Ok(Identity::Anybody) };
    match source {
        Some(CredentialSource::Stored(name)) => {
            let stored = secrets.stored(name, issuer);
            let checked = stored.and_then(|credential| {
                check_credential(&credential, Some(name)).map(|()| credential)
            });
            checked.map(Identity::Owner).map_err(|failure| Missing {
                hint: None,
                unset: Some(failure.message.clone()),
                failure,
            })
        }
        Some(CredentialSource::Variable(name)) => match token(secrets.environment, name) {
            Ok(token) => Ok(owner(issuer, [(Field::Token, token)])),
            Err(why) => Err(Missing {
                failure: no_token(id, name, why),
                hint: Some("`token_env` in the file names the variable".to_owned()),
                unset: match why {
                    NoToken::NotSet => Some(format!("`{name}` is not set")),
                    NoToken::Invalid(InvalidToken::Empty) => Some(format!("`{name}` is empty")),
                    NoToken::Invalid(_) => None,
                },
            }),
        },
        Some(CredentialSource::AccessKey { .. } | CredentialSource::Chain { .. }) | None => {
            aws_identity(secrets.environment, source).map_err(|why| Missing {
                failure: Failure::new(
                    Code::CLOUD_UNAUTHENTICATED,
                    format!("{id} needs an access key, and {why}"),
                ),
                hint: Some(
                    "`access_key_id_env` and `secret_access_key_env` in the file name the variables; \
                     without both, AWS's usual chain is used"
                        .to_owned(),
                ),
                unset: Some(why),
            })
        }
    }
}

/// How not to look at a provider under which the file does not name the environment.
fn without(id: ProviderId, source: Option<&CredentialSource>, of: &EnvironmentName) -> String {
    let way = match source {
        Some(CredentialSource::Stored(_)) => "take it out of the file".to_owned(),
        Some(CredentialSource::Variable(name)) => format!("unset `{name}`"),
        Some(CredentialSource::AccessKey { .. } | CredentialSource::Chain { .. }) | None => {
            "unset its credentials".to_owned()
        }
    };
    format!("the file has no hosts of `{of}` on {id}: to leave it out, {way}")
}

#[cfg(test)]
mod tests;
