//! Proves who we are: offers keys one after the other until the server takes one.
//!
//! Offering a key costs a round trip, and servers end the connection after a handful; so what is
//! most likely right comes first, and the agent is asked only when its keys are needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::Fingerprint;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, load_public_key};
use russh::{AgentAuthError, MethodKind};
use tokio::net::UnixStream;

use crate::client::Client;
use crate::keys::{KeyError, private_key, public_half};
use crate::login::{AgentUse, Identities};
use crate::settings::SshSettings;

/// How long the agent may take to list its keys.
const AGENT_TIMEOUT: Duration = Duration::from_secs(3);

/// RSA keys sign with this; SHA-1 is not offered.
const RSA_HASH: Option<HashAlg> = Some(HashAlg::Sha512);

/// Why nobody is logged in.
#[derive(Debug)]
pub(crate) enum AuthFailure {
    /// The server refused what was offered.
    Refused(String),
    /// There is nothing to offer.
    Local(String),
    /// The connection ended before the server said anything about a key.
    Closed,
}

/// A key that can be offered.
struct Offer {
    label: String,
    fingerprint: Fingerprint,
    signer: Signer,
}

enum Signer {
    File(Arc<PrivateKey>),
    Agent(Box<AgentIdentity>),
}

/// What the server answered to one offer.
enum Answer {
    Accepted,
    Refused,
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
    agent: Option<AgentClient<UnixStream>>,
    offered: Vec<String>,
    skipped: Vec<String>,
}

impl<'a> Authentication<'a> {
    pub(crate) fn new(
        handle: &'a mut Handle<Client>,
        user: &'a str,
        settings: &'a SshSettings,
    ) -> Self {
        Self { handle, user, settings, agent: None, offered: Vec::new(), skipped: Vec::new() }
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
                    if let Some(accepted) = self.offer_all(vec![self.file(path, key)]).await? {
                        return Ok(accepted);
                    }
                }
                Err(error) => self.skip(path, &error),
            }
        }
        let mut offers = match &identities.only {
            Some(path) => vec![self.only(path, identities.agent.as_deref()).await?],
            None => self.gather(identities).await,
        };
        offers.sort_by_key(|offer| Some(offer.fingerprint) != worked);
        if let Some(accepted) = self.offer_all(offers).await? {
            return Ok(accepted);
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

    /// The only key the user wants, from its file or, when it has a passphrase, from the agent.
    async fn only(&mut self, path: &Path, agent: Option<&Path>) -> Result<Offer, AuthFailure> {
        match private_key(path) {
            Ok(key) => Ok(self.file(path, key)),
            Err(KeyError::Encrypted { .. }) => {
                let wanted = public(path);
                let mut offers = self.agent_offers(agent).await.into_iter();
                let found = offers.find(|offer| Some(offer.fingerprint) == wanted);
                found.ok_or_else(|| {
                    let path = self.settings.show(path);
                    AuthFailure::Local(format!(
                        "the private key `{path}` has a passphrase and is not in an SSH agent; add it with `ssh-add {path}`"
                    ))
                })
            }
            Err(error) => Err(AuthFailure::Local(error.to_string())),
        }
    }

    /// All keys but those of the provider, each once, the agent's before those in files.
    async fn gather(&mut self, identities: &Identities) -> Vec<Offer> {
        let listed: Vec<&PathBuf> = identities.configured.iter().chain(&identities.usual).collect();
        let listed_keys: Vec<Fingerprint> = listed.iter().filter_map(|path| public(path)).collect();
        let mut offers = self.agent_offers(identities.agent.as_deref()).await;
        if identities.agent_use == AgentUse::Listed {
            offers.retain(|offer| listed_keys.contains(&offer.fingerprint));
        }
        offers.sort_by_key(|offer| !listed_keys.contains(&offer.fingerprint));
        for path in listed {
            match private_key(path) {
                Ok(key) => {
                    let offer = self.file(path, key);
                    if offers.iter().all(|other| other.fingerprint != offer.fingerprint) {
                        offers.push(offer);
                    }
                }
                Err(_)
                    if public(path).is_some_and(|wanted| {
                        offers.iter().any(|offer| offer.fingerprint == wanted)
                    }) => {}
                Err(error) => self.skip(path, &error),
            }
        }
        offers
    }

    /// The agent's keys; none when there is no agent or it does not answer.
    async fn agent_offers(&mut self, socket: Option<&Path>) -> Vec<Offer> {
        let Some(socket) = socket else {
            return Vec::new();
        };
        let listing = async {
            let mut agent = AgentClient::connect_uds(socket).await?;
            let identities = agent.request_identities().await?;
            Ok::<_, russh::keys::Error>((agent, identities))
        };
        match tokio::time::timeout(AGENT_TIMEOUT, listing).await {
            Ok(Ok((agent, identities))) => {
                self.agent = Some(agent);
                identities.into_iter().map(agent_offer).collect()
            }
            Ok(Err(_)) | Err(_) => {
                let socket = self.settings.show(socket);
                self.skipped.push(format!("the SSH agent at `{socket}` (it does not answer)"));
                Vec::new()
            }
        }
    }

    fn file(&self, path: &Path, key: PrivateKey) -> Offer {
        Offer {
            label: format!("`{}`", self.settings.show(path)),
            fingerprint: key.fingerprint(HashAlg::Sha256),
            signer: Signer::File(Arc::new(key)),
        }
    }

    /// Notes why a file is not offered; that it does not exist needs no mention.
    fn skip(&mut self, path: &Path, error: &KeyError) {
        let why = match error {
            KeyError::File(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            KeyError::File(_) => "it cannot be read",
            KeyError::Malformed { .. } => "it is not a private key",
            KeyError::Encrypted { .. } => "it has a passphrase and is not in the agent",
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

fn agent_offer(identity: AgentIdentity) -> Offer {
    let (key, comment) = match &identity {
        AgentIdentity::PublicKey { key, comment } => (key.clone(), comment),
        AgentIdentity::Certificate { certificate, comment } => {
            (PublicKey::from(certificate.public_key().clone()), comment)
        }
    };
    Offer {
        label: format!("`agent: {comment}`"),
        fingerprint: fingerprint(&key),
        signer: Signer::Agent(Box::new(identity)),
    }
}

/// The key a file stands for, which may also be only the public half of one in the agent.
fn public(path: &Path) -> Option<Fingerprint> {
    let key = public_half(path).or_else(|_| load_public_key(path)).ok()?;
    Some(fingerprint(&key))
}

fn fingerprint(key: &PublicKey) -> Fingerprint {
    key.fingerprint(HashAlg::Sha256)
}
