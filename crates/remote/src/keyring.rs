//! Private keys that have a passphrase: those that were unlocked, and asking for the others.
//!
//! A key is asked for once a run, whoever needs it first; many hosts connect at once, so the rest
//! wait for the answer. What came of it is kept, also that nobody answered.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::PrivateKey;
use zeroize::Zeroizing;

use crate::keys::{KeyError, check_form, private_key, public_line, unlocked};
use crate::settings::SshSettings;

/// How often a passphrase may be wrong.
const ATTEMPTS: u32 = 3;

/// Asks the user for the passphrases of private keys.
pub trait Passphrases: fmt::Debug + Send + Sync {
    /// Asks for the passphrase of `key` and waits for it; `None` when there is no answer. `again`
    /// says that the last one was wrong.
    fn ask(&self, key: &str, again: bool) -> Option<Zeroizing<String>>;
}

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

/// What is known of a key that has a passphrase.
#[derive(Clone, Debug)]
pub(crate) enum Lock {
    /// It was unlocked.
    Open(UnlockedKey),
    /// It can be asked for.
    Closed,
    /// It cannot be unlocked in this run, for this reason.
    Stuck(String),
}

/// The keys of a run.
#[derive(Debug)]
pub(crate) struct Keyring {
    settings: Arc<SshSettings>,
    passphrases: Option<Arc<dyn Passphrases>>,
    known: Mutex<BTreeMap<PathBuf, Lock>>,
    /// Held by whoever asks.
    asking: tokio::sync::Mutex<()>,
}

impl Keyring {
    pub(crate) fn new(
        settings: Arc<SshSettings>,
        passphrases: Option<Arc<dyn Passphrases>>,
    ) -> Self {
        let given = settings.unlocked.iter();
        let known = given.map(|(path, key)| (path.clone(), Lock::Open(key.clone()))).collect();
        let (known, asking) = (Mutex::new(known), tokio::sync::Mutex::default());
        Self { settings, passphrases, known, asking }
    }

    /// What can be done about the key at `path`, which has a passphrase.
    pub(crate) fn lock(&self, path: &Path) -> Lock {
        match self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            Some(known) => known.clone(),
            None if self.passphrases.is_some() => Lock::Closed,
            None => Lock::Stuck(format!(
                "the private key `{}` has a passphrase and is not in an SSH agent",
                self.settings.show(path)
            )),
        }
    }

    /// Whether somebody was asked for the passphrase of the key at `path`, or it was given before.
    pub(crate) fn was_asked_for(&self, path: &Path) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains_key(path)
    }

    /// Asks for the passphrase of the key at `path`, unless somebody did. Afterwards its lock is not
    /// [`Lock::Closed`] any more.
    pub(crate) async fn unlock(&self, path: &Path) {
        let _asks = self.asking.lock().await;
        let Some(passphrases) = self.passphrases.clone() else { return };
        if !matches!(self.lock(path), Lock::Closed) {
            return;
        }
        let (key, shown) = (path.to_owned(), self.settings.show(path));
        let asking = tokio::task::spawn_blocking(move || ask(passphrases.as_ref(), &key, &shown));
        let outcome = asking.await.unwrap_or_else(|error| Lock::Stuck(error.to_string()));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_owned(), outcome);
    }
}

fn ask(passphrases: &dyn Passphrases, path: &Path, shown: &str) -> Lock {
    if let Err(error) = check_form(path) {
        return Lock::Stuck(error.to_string());
    }
    for attempt in 0..ATTEMPTS {
        let Some(passphrase) = passphrases.ask(shown, attempt > 0) else {
            return Lock::Stuck(format!("no passphrase was given for the private key `{shown}`"));
        };
        match UnlockedKey::read(path, &passphrase) {
            Ok(key) => return Lock::Open(key),
            Err(KeyError::WrongPassphrase { .. }) => {}
            Err(error) => return Lock::Stuck(error.to_string()),
        }
    }
    Lock::Stuck(format!("{ATTEMPTS} passphrases for the private key `{shown}` were wrong"))
}
