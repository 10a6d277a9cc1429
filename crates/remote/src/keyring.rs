//! The keys of a run that have a passphrase: those that were unlocked, and asking for the others.
//!
//! A key is asked for once a run, whoever needs it first; many hosts connect at once, so the rest
//! wait for the answer. What came of it is kept, also that nobody answered.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::keys::{KeyError, check_form};
use crate::settings::SshSettings;
use crate::unlocked::UnlockedKey;

/// How often a passphrase may be wrong.
const ATTEMPTS: u32 = 3;

/// Asks the user for the passphrases of private keys.
pub trait Passphrases: fmt::Debug + Send + Sync {
    /// Asks for the passphrase of `key` and waits for it; `None` when there is no answer. `again`
    /// says that the last one was wrong.
    fn ask(&self, key: &str, again: bool) -> Option<Zeroizing<String>>;
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

    /// Whether the user is being asked for a passphrase.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.try_lock().is_err()
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
