//! Proves who we are: offers keys one after the other until the server takes one.
//!
//! Offering a key costs a round trip, and servers end the connection after a handful; so what is
//! most likely right comes first, and the agent is asked only when its keys are needed.

pub(crate) mod agent;
mod offer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::Fingerprint;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{AgentAuthError, MethodKind};
use tokio::net::UnixStream;

use crate::client::Client;
use crate::keyring::{Keyring, Lock};
use crate::keys::{KeyError, private_key};
use crate::login::{AgentUse, Identities};
use crate::settings::SshSettings;
use offer::{Nobody, Offer, Signer, Unsigned, public, public_key};

/// RSA keys sign with this; SHA-1 is not offered.
const RSA_HASH: Option<HashAlg> = Some(HashAlg::Sha512);

/// Why nobody is logged in.
#[derive(Debug)]
pub(crate) enum AuthFailure {
    /// The server refused what was offered.
    Refused(String),
    /// There is nothing to offer.
    Local(String),
    /// The passphrase of this key is needed; it can be asked for.
    Locked(PathBuf),
    /// The passphrase of the only key to use is needed, and there is no way to get it.
    Stuck { key: String, why: String },
    /// The connection ended before the server said anything about a key.
    Closed,
}

/// What the server answered to one offer.
enum Answer {
    Accepted,
    Refused,
    /// Would be accepted, if it were unlocked.
    Locked(PathBuf),
    /// Accepted, and something else is wanted besides.
    Partly(String),
    /// No key will do.
    NoKeys(String),
    Ended,
}

/// The offers of one connection.
pub(crate) struct Authentication<'a> {
    handle: &'a mut Handle<Client>,
    user: &'a str,
    settings: &'a SshSettings,
    keyring: &'a Keyring,
    agent: Option<AgentClient<UnixStream>>,
    offered: Vec<String>,
    skipped: Vec<String>,
}

impl<'a> Authentication<'a> {
    pub(crate) fn new(
        handle: &'a mut Handle<Client>,
        user: &'a str,
        settings: &'a SshSettings,
        keyring: &'a Keyring,
    ) -> Self {
        let (offered, skipped) = (Vec::new(), Vec::new());
        Self { handle, user, settings, keyring, agent: None, offered, skipped }
    }

    /// Logs in with one of `identities`; `worked` is the key that did the last time.
    pub(crate) async fn run(
        mut self,
        identities: &Identities,
        worked: Option<Fingerprint>,
    ) -> Result<Fingerprint, AuthFailure> {
        if let Some(path) = &identities.provider_key {
            match private_key(path) {
                Ok(key) => {
                    let offer = Offer::file(&self.settings.show(path), Arc::new(key));
                    if let Some(accepted) = self.offer_all(vec![offer]).await? {
                        return Ok(accepted);
                    }
                }
                Err(error) => self.skip(path, &error),
            }
        }
        let (mut offers, unknown) = match &identities.only {
            Some(path) => (vec![self.only(path, identities.agent.as_deref()).await?], None),
            None => self.gather(identities).await,
        };
        offers.sort_by_key(|offer| Some(offer.fingerprint) != worked);
        if let Some(accepted) = self.offer_all(offers).await? {
            return Ok(accepted);
        }
        if let Some(path) = unknown {
            return Err(AuthFailure::Locked(path));
        }
        Err(if self.offered.is_empty() {
            AuthFailure::Local(format!("there is no private key to log in with{}", self.skipped()))
        } else {
            AuthFailure::Refused(format!("it accepts none of {}", self.tried()))
        })
    }

    /// Offers in order; `None` when the server refused each one.
    async fn offer_all(&mut self, offers: Vec<Offer>) -> Result<Option<Fingerprint>, AuthFailure> {
        for offer in offers {
            let answer = self.offer(&offer).await;
            let first = self.offered.is_empty();
            self.offered.push(offer.label.clone());
            match answer {
                Answer::Accepted => return Ok(Some(offer.fingerprint)),
                Answer::Refused => {}
                Answer::Locked(path) => return Err(AuthFailure::Locked(path)),
                Answer::Partly(wanted) => {
                    return Err(AuthFailure::Refused(format!(
                        "it accepts {} but wants {wanted} besides, which is not supported",
                        offer.label
                    )));
                }
                Answer::NoKeys(methods) => {
                    return Err(AuthFailure::Refused(format!(
                        "it accepts no keys, only {methods}"
                    )));
                }
                Answer::Ended if first => return Err(AuthFailure::Closed),
                Answer::Ended => {
                    return Err(AuthFailure::Refused(format!(
                        "it ended the connection after {}",
                        self.tried()
                    )));
                }
            }
        }
        Ok(None)
    }

    async fn offer(&mut self, offer: &Offer) -> Answer {
        let user = self.user;
        let result = match &offer.signer {
            Signer::File(key) => {
                let key = PrivateKeyWithHashAlg::new(Arc::clone(key), RSA_HASH);
                self.handle.authenticate_publickey(user, key).await
            }
            Signer::Locked(path, key) => {
                let hash = key.algorithm().is_rsa().then_some(RSA_HASH).flatten();
                let mut nobody = Nobody;
                let offering =
                    self.handle.authenticate_publickey_with(user, key.clone(), hash, &mut nobody);
                match offering.await {
                    Ok(result) => Ok(result),
                    Err(Unsigned::Wanted) => return Answer::Locked(path.clone()),
                    Err(Unsigned::Ended) => return Answer::Ended,
                }
            }
            Signer::Agent(identity) => {
                let Some(agent) = self.agent.as_mut() else {
                    return Answer::Refused;
                };
                let result = match identity.as_ref() {
                    AgentIdentity::PublicKey { key, .. } => {
                        let hash = key.algorithm().is_rsa().then_some(RSA_HASH).flatten();
                        self.handle
                            .authenticate_publickey_with(user, key.clone(), hash, agent)
                            .await
                    }
                    AgentIdentity::Certificate { certificate, .. } => {
                        let hash = certificate.algorithm().is_rsa().then_some(RSA_HASH).flatten();
                        self.handle
                            .authenticate_certificate_with(user, certificate.clone(), hash, agent)
                            .await
                    }
                };
                match result {
                    Ok(result) => Ok(result),
                    Err(AgentAuthError::Send(_)) => return Answer::Ended,
                    // The agent declined, for example because its user did.
                    Err(AgentAuthError::Key(_)) => return Answer::Refused,
                }
            }
        };
        match result {
            Ok(AuthResult::Success) => Answer::Accepted,
            Ok(AuthResult::Failure { remaining_methods, .. }) if remaining_methods.is_empty() => {
                Answer::Ended
            }
            Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
                let methods: Vec<String> = remaining_methods.iter().map(String::from).collect();
                let methods = methods.join(", ");
                if partial_success {
                    Answer::Partly(methods)
                } else if remaining_methods.contains(&MethodKind::PublicKey) {
                    Answer::Refused
                } else {
                    Answer::NoKeys(methods)
                }
            }
            Err(_) => Answer::Ended,
        }
    }

    /// Reads a private key that has no passphrase, or was unlocked.
    fn read(&self, path: &Path) -> Result<Arc<PrivateKey>, KeyError> {
        match private_key(path) {
            Ok(key) => Ok(Arc::new(key)),
            Err(KeyError::Encrypted { path }) => match self.keyring.lock(&path) {
                Lock::Open(unlocked) => Ok(unlocked.key()),
                Lock::Closed | Lock::Stuck(_) => Err(KeyError::Encrypted { path }),
            },
            Err(error) => Err(error),
        }
    }

    /// The only key the user wants: from its file or, when it has a passphrase, from the agent, or
    /// after asking for the passphrase.
    async fn only(&mut self, path: &Path, agent: Option<&Path>) -> Result<Offer, AuthFailure> {
        match self.read(path) {
            Ok(key) => Ok(Offer::file(&self.settings.show(path), key)),
            Err(KeyError::Encrypted { .. }) => {
                let wanted = public_key(path);
                let fingerprint = wanted.as_ref().map(|key| key.fingerprint(HashAlg::Sha256));
                let mut offers = self.agent_offers(agent).await.into_iter();
                if let Some(found) = offers.find(|offer| Some(offer.fingerprint) == fingerprint) {
                    return Ok(found);
                }
                match self.keyring.lock(path) {
                    Lock::Open(unlocked) => {
                        Ok(Offer::file(&self.settings.show(path), unlocked.key()))
                    }
                    Lock::Closed => wanted
                        .map(|key| Offer::locked(&self.settings.show(path), path, key))
                        .ok_or_else(|| AuthFailure::Locked(path.to_owned())),
                    Lock::Stuck(why) => {
                        Err(AuthFailure::Stuck { key: self.settings.show(path), why })
                    }
                }
            }
            Err(error) => Err(AuthFailure::Local(error.to_string())),
        }
    }

    /// All keys but those of the provider, each once, the agent's before those in files, and those
    /// that take a passphrase last. Besides one that has to be unlocked before it can be offered.
    async fn gather(&mut self, identities: &Identities) -> (Vec<Offer>, Option<PathBuf>) {
        let listed: Vec<&PathBuf> = identities.configured.iter().chain(&identities.usual).collect();
        let listed_keys: Vec<Fingerprint> = listed.iter().filter_map(|path| public(path)).collect();
        let mut offers = self.agent_offers(identities.agent.as_deref()).await;
        if identities.agent_use == AgentUse::Listed {
            offers.retain(|offer| listed_keys.contains(&offer.fingerprint));
        }
        offers.sort_by_key(|offer| !listed_keys.contains(&offer.fingerprint));
        let (mut locked, mut unknown) = (Vec::new(), None);
        for path in listed {
            match self.read(path) {
                Ok(key) => {
                    let offer = Offer::file(&self.settings.show(path), key);
                    if offers.iter().all(|other| other.fingerprint != offer.fingerprint) {
                        offers.push(offer);
                    }
                }
                Err(_)
                    if public(path).is_some_and(|wanted| {
                        offers.iter().any(|offer| offer.fingerprint == wanted)
                    }) => {}
                Err(error @ KeyError::Encrypted { .. }) => match self.keyring.lock(path) {
                    // Since it was read, another connection got its passphrase.
                    Lock::Open(unlocked) => {
                        offers.push(Offer::file(&self.settings.show(path), unlocked.key()));
                    }
                    Lock::Closed => match public_key(path) {
                        Some(key) => {
                            locked.push(Offer::locked(&self.settings.show(path), path, key));
                        }
                        None => unknown = unknown.or_else(|| Some(path.clone())),
                    },
                    Lock::Stuck(_) => self.skip(path, &error),
                },
                Err(error) => self.skip(path, &error),
            }
        }
        offers.extend(locked);
        (offers, unknown)
    }

    /// The agent's keys; none when there is no agent or it does not answer.
    async fn agent_offers(&mut self, socket: Option<&Path>) -> Vec<Offer> {
        let Some(socket) = socket else {
            return Vec::new();
        };
        let Some((agent, identities)) = agent::list(socket).await else {
            let socket = self.settings.show(socket);
            self.skipped.push(format!("the SSH agent at `{socket}` (it does not answer)"));
            return Vec::new();
        };
        self.agent = Some(agent);
        identities.into_iter().map(Offer::agent).collect()
    }

    /// Notes why a file is not offered; that it does not exist needs no mention.
    fn skip(&mut self, path: &Path, error: &KeyError) {
        let why = match error {
            KeyError::File(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            KeyError::File(_) => "it cannot be read",
            KeyError::Unsafe { .. } => "others may use it, or it is somebody else's",
            KeyError::Malformed { .. } => "it is not a private key",
            KeyError::Encrypted { .. } if self.keyring.was_asked_for(path) => {
                "it has a passphrase that was not given"
            }
            KeyError::Encrypted { .. } => "it has a passphrase and is not in the agent",
            KeyError::WrongPassphrase { .. } => "it has another passphrase",
            KeyError::Cipher { .. } => "it is encrypted in a way that is not supported",
        };
        self.skipped.push(format!("`{}` ({why})", self.settings.show(path)));
    }

    fn tried(&self) -> String {
        format!("{}{}", self.offered.join(", "), self.skipped())
    }

    fn skipped(&self) -> String {
        match self.skipped.as_slice() {
            [] => String::new(),
            skipped => format!("; not offered: {}", skipped.join(", ")),
        }
    }
}
