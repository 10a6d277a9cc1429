//! Keys that can be offered, and who signs for them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::Fingerprint;
use russh::keys::{HashAlg, PrivateKey, PublicKey};

use crate::keys::{public_file, public_half};

/// A key that can be offered.
pub(super) struct Offer {
    /// What it is called in messages.
    pub(super) label: String,
    pub(super) fingerprint: Fingerprint,
    pub(super) signer: Signer,
}

/// What signs with a key.
pub(super) enum Signer {
    /// The key itself, from a file.
    File(Arc<PrivateKey>),
    /// A file whose public half is known, and whose passphrase is not.
    Locked(PathBuf, PublicKey),
    /// The agent.
    Agent(Box<AgentIdentity>),
}

impl Offer {
    /// The key of a file, called as the user knows it.
    pub(super) fn file(shown: &str, key: Arc<PrivateKey>) -> Self {
        Self {
            label: format!("`{shown}`"),
            fingerprint: key.fingerprint(HashAlg::Sha256),
            signer: Signer::File(key),
        }
    }

    /// The same for a file that takes a passphrase.
    pub(super) fn locked(shown: &str, path: &Path, key: PublicKey) -> Self {
        Self {
            label: format!("`{shown}`"),
            fingerprint: fingerprint(&key),
            signer: Signer::Locked(path.to_owned(), key),
        }
    }

    /// A key of the agent.
    pub(super) fn agent(identity: AgentIdentity) -> Self {
        let (key, comment) = match &identity {
            AgentIdentity::PublicKey { key, comment } => (key.clone(), comment),
            AgentIdentity::Certificate { certificate, comment } => {
                (PublicKey::from(certificate.public_key().clone()), comment)
            }
        };
        Self {
            label: format!("`agent: {comment}`"),
            fingerprint: fingerprint(&key),
            signer: Signer::Agent(Box::new(identity)),
        }
    }
}

/// Signs nothing: shows whether a key would be taken.
pub(super) struct Nobody;

/// Why [`Nobody`] did not sign.
pub(super) enum Unsigned {
    /// Its signature was wanted.
    Wanted,
    /// The connection ended.
    Ended,
}

impl From<russh::SendError> for Unsigned {
    fn from(_: russh::SendError) -> Self {
        Self::Ended
    }
}

impl russh::Signer for Nobody {
    type Error = Unsigned;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, Unsigned> {
        Err(Unsigned::Wanted)
    }
}

/// The key a file stands for, which may also be only the public half of one in the agent.
pub(super) fn public_key(path: &Path) -> Option<PublicKey> {
    public_half(path).or_else(|_| public_file(path)).ok()
}

/// The fingerprint of that key.
pub(super) fn public(path: &Path) -> Option<Fingerprint> {
    public_key(path).as_ref().map(fingerprint)
}

fn fingerprint(key: &PublicKey) -> Fingerprint {
    key.fingerprint(HashAlg::Sha256)
}
