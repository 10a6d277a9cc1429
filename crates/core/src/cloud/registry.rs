//! The providers there are, and one client of each for everybody who comes with the same credentials.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::CloudProvider;
use crate::credential::{Credential, CredentialDigest};
use crate::desired::ProviderId;
use crate::error::{Code, Diagnose, Failure, Retry};
use crate::words::listed;

/// Who asks a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nobody in particular: the provider needs no credentials.
    Anybody,
    /// Whoever the provider's own tools find.
    Chain {
        /// A profile of their configuration files.
        profile: Option<String>,
    },
    /// The owner of a credential.
    Owner(Credential),
}

/// What tells identities apart without keeping their secrets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fingerprint {
    Anybody,
    Chain(Option<String>),
    Owner(CredentialDigest),
}

impl Identity {
    fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Anybody => Fingerprint::Anybody,
            Self::Chain { profile } => Fingerprint::Chain(profile.clone()),
            Self::Owner(credential) => Fingerprint::Owner(credential.digest()),
        }
    }
}

/// A client of a provider.
type Client = Arc<dyn CloudProvider>;
/// What makes one. It asks nobody, so it is quick.
type Maker<'a> = Box<dyn Fn(&Identity) -> Result<Client, Failure> + Send + Sync + 'a>;

/// What makes clients of providers, by name. Every thread may ask it at any time.
#[derive(Default)]
pub struct Registry<'a> {
    makers: BTreeMap<ProviderId, Maker<'a>>,
    clients: Mutex<BTreeMap<(ProviderId, Fingerprint), Client>>,
}

impl<'a> Registry<'a> {
    /// A registry without providers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider, or puts another in the place of one.
    #[must_use]
    pub fn with(
        mut self,
        provider: ProviderId,
        make: impl Fn(&Identity) -> Result<Client, Failure> + Send + Sync + 'a,
    ) -> Self {
        self.makers.insert(provider, Box::new(make));
        self
    }

    /// The providers there are, in order.
    pub fn providers(&self) -> impl ExactSizeIterator<Item = ProviderId> {
        self.makers.keys().copied()
    }

    /// The client of a provider for an identity: the same for the same credentials, another as soon as
    /// one of them changes.
    ///
    /// # Errors
    /// When there is no such provider, or none of its clients can be made of this identity.
    pub fn client(
        &self,
        provider: ProviderId,
        identity: &Identity,
    ) -> Result<Client, RegistryError> {
        let make = self.makers.get(&provider).ok_or_else(|| RegistryError::Unknown {
            provider,
            known: self.providers().collect(),
        })?;
        // Held while a client is made, so that nobody makes a second one.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (provider, identity.fingerprint());
        if let Some(client) = clients.get(&key) {
            return Ok(Arc::clone(client));
        }
        let client = make(identity).map_err(RegistryError::NotMade)?;
        clients.insert(key, Arc::clone(&client));
        Ok(client)
    }
}

impl fmt::Debug for Registry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.makers.keys()).finish()
    }
}

/// Why there is no client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// There is no such provider.
    #[error("there is no provider `{provider}` here; there {}", there_are(known))]
    Unknown {
        /// What was asked for.
        provider: ProviderId,
        /// What there is, in order.
        known: Vec<ProviderId>,
    },
    /// The provider makes no client of this identity.
    #[error("{}", .0.message)]
    NotMade(Failure),
}

impl Diagnose for RegistryError {
    fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::CLOUD_UNSUPPORTED,
            Self::NotMade(failure) => failure.code,
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown { .. } => Vec::new(),
            Self::NotMade(failure) => failure.hints.clone(),
        }
    }
}

fn there_are(known: &[ProviderId]) -> String {
    match known {
        [] => "are none".to_owned(),
        [_] => format!("is {}", listed(known, "and")),
        [_, ..] => format!("are {}", listed(known, "and")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_is_not_there_is_told_with_those_that_are() {
        let with = |registry: Registry<'static>, provider| registry.with(provider, |_| refusal());
        let told = |registry: Registry<'_>| {
            let error = registry.client(ProviderId::Aws, &Identity::Anybody).unwrap_err();
            assert_eq!((error.code(), error.retry()), (Code::CLOUD_UNSUPPORTED, Retry::Never));
            (error.to_string(), error.hints())
        };
        let none = Registry::new();
        let one = with(Registry::new(), ProviderId::Local);
        let two = with(with(Registry::new(), ProviderId::Local), ProviderId::Hetzner);
        for (registry, there) in
            [(none, "are none"), (one, "is `local`"), (two, "are `hetzner` and `local`")]
        {
            let message = format!("there is no provider `aws` here; there {there}");
            assert_eq!(told(registry), (message, vec![]));
        }
    }

    #[test]
    fn why_a_client_was_not_made_is_told_with_what_helps() {
        let registry = Registry::new().with(ProviderId::Local, |_| refusal());
        let error = registry.client(ProviderId::Local, &Identity::Anybody).unwrap_err();
        assert_eq!(Failure::from(&error), refusal().unwrap_err());
        assert_eq!(error.retry(), Retry::Never);
    }

    #[test]
    fn a_registry_shows_its_providers_and_no_client() {
        let registry = Registry::new().with(ProviderId::Local, |_| refusal());
        assert_eq!(format!("{registry:?}"), "Registry([Local])");
    }

    fn refusal() -> Result<Client, Failure> {
        Err(Failure::new(Code::CLOUD_UNREACHABLE, "no engine answers").with_hint("start it"))
    }
}
