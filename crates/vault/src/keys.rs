//! Where keys are.

mod file;
mod keyring;
mod variable;

pub use file::KeyFile;
pub use keyring::{KeyItem, SessionBus};
pub use variable::KeyVariable;

use std::fmt::Debug;
use std::fs::File;

use crate::error::VaultError;
use crate::key::{Key, KeyRing};

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

    fn of(file: File) -> Self {
        Self { _held: Some(file) }
    }
}
