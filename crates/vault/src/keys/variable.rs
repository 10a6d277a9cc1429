use zeroize::Zeroizing;

use super::{KeyLock, KeySource};
use crate::error::VaultError;
use crate::key::{Key, KeyRing};

/// Keys in an environment variable. They are changed by changing the variable.
pub struct KeyVariable {
    name: String,
    value: Option<Zeroizing<String>>,
}

impl KeyVariable {
    /// The variable of this name, which has this value.
    #[must_use]
    pub fn new(name: &str, value: Option<Zeroizing<String>>) -> Self {
        Self { name: name.to_owned(), value }
    }

    fn cannot_be_written(&self) -> VaultError {
        VaultError::NoKey { keys: self.describe(), anew: None }
    }
}

impl std::fmt::Debug for KeyVariable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyVariable({}, ***)", self.name)
    }
}

impl KeySource for KeyVariable {
    fn describe(&self) -> String {
        format!("the environment variable `{}`", self.name)
    }

    fn load(&self) -> Result<Option<KeyRing>, VaultError> {
        let Some(value) = self.value.as_ref().filter(|value| !value.trim().is_empty()) else {
            return Ok(None);
        };
        let ring = KeyRing::parse(value);
        ring.map(Some).map_err(|why| VaultError::InvalidKey {
            keys: self.describe(),
            why,
            anew: None,
        })
    }

    fn create(&self, _: Key) -> Result<KeyRing, VaultError> {
        self.load()?.ok_or_else(|| self.cannot_be_written())
    }

    fn save(&self, _: &KeyRing) -> Result<(), VaultError> {
        Err(VaultError::NoNewKey { keys: self.describe() })
    }

    fn is_writable(&self) -> bool {
        false
    }

    fn lock(&self) -> Result<KeyLock, VaultError> {
        Ok(KeyLock::none())
    }
}
