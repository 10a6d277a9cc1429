//! Where keys are.

mod file;
mod keyring;
mod variable;

pub use file::KeyFile;
pub use keyring::{KeyItem, SessionBus};
pub use variable::KeyVariable;

use std::fmt::Debug;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::VaultError;
use crate::key::{Key, KeyRing};

/// How long another run that changes keys is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(10);

/// A place that holds keys.
pub trait KeySource: Debug + Send {
    /// What it is, for messages, e.g. "the key file `/home/ada/key`".
    fn describe(&self) -> String;

    /// The keys that are there; `None` when there are none.
    ///
    /// # Errors
    /// When they cannot be read, are no keys, or are not safe there.
    fn load(&self) -> Result<Option<KeyRing>, VaultError>;

    /// Puts a first key there, so that it lasts; where there are keys already, these.
    ///
    /// # Errors
    /// When it cannot be written, or what is there is known to be of another store.
    fn create(&self, key: Key) -> Result<KeyRing, VaultError>;

    /// Puts these keys in the place of those that are there: all or nothing, and so that they last.
    ///
    /// # Errors
    /// When they cannot be written; those that were there are there then.
    fn save(&self, ring: &KeyRing) -> Result<(), VaultError>;

    /// Whether keys can be put there at all.
    fn is_writable(&self) -> bool;

    /// Refuses where changing these keys would take them from another store that needs them. A place that
    /// does not know whose its keys are refuses nothing.
    ///
    /// # Errors
    /// When they are of another store, or it cannot be found out.
    fn may_change(&self) -> Result<(), VaultError> {
        Ok(())
    }

    /// Keeps other runs from changing keys until it is dropped.
    ///
    /// # Errors
    /// When that is not possible.
    fn lock(&self) -> Result<KeyLock, VaultError>;
}

/// See [`KeySource::lock`].
#[derive(Debug)]
pub struct KeyLock {
    _held: Option<File>,
}

impl KeyLock {
    /// Holds nothing: for places where nobody changes keys.
    #[must_use]
    pub fn none() -> Self {
        Self { _held: None }
    }

    /// Locks a file or folder, waiting for another run that has, but not for ever: whoever may read
    /// a folder can lock it.
    fn of(file: File) -> io::Result<Self> {
        Self::within(file, PATIENCE)
    }

    fn within(file: File, patience: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _held: Some(file) }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(INTERVAL),
                Err(TryLockError::WouldBlock) => {
                    let why = format!(
                        "another program has it locked for more than {} s",
                        patience.as_secs()
                    );
                    return Err(io::Error::new(ErrorKind::WouldBlock, why));
                }
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                    return Ok(Self::none());
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_somebody_keeps_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let open = || File::open(folder.path()).unwrap();
        let held = KeyLock::of(open()).unwrap();
        let error = KeyLock::within(open(), INTERVAL * 3).unwrap_err();
        assert!(error.to_string().contains("has it locked"), "{error}");
        drop(held);
        assert!(KeyLock::within(open(), Duration::ZERO).is_ok());
    }
}
