//! A private key that was unlocked with its passphrase.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use russh::keys::PrivateKey;

use crate::keys::{KeyError, private_key, public_line, unlocked};

/// A private key without its passphrase. Never shows itself.
#[derive(Clone)]
pub struct UnlockedKey(Arc<PrivateKey>);

impl UnlockedKey {
    /// Reads the private key at `path`; one that has no passphrase is read all the same.
    ///
    /// # Errors
    /// When the file cannot be read or understood, or `passphrase` is not its passphrase.
    pub fn read(path: &Path, passphrase: &str) -> Result<Self, KeyError> {
        let key = match private_key(path) {
            Err(KeyError::Encrypted { .. }) => unlocked(path, passphrase)?,
            read => read?,
        };
        Ok(Self(Arc::new(key)))
    }

    /// The public half, one OpenSSH line.
    ///
    /// # Errors
    /// When it cannot be written so.
    pub fn public(&self) -> Result<String, KeyError> {
        public_line(self.0.public_key())
    }

    pub(crate) fn key(&self) -> Arc<PrivateKey> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for UnlockedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnlockedKey").finish_non_exhaustive()
    }
}
