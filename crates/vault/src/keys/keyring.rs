mod service;

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use stagecraft_core::name::KeyringName;
use zeroize::Zeroizing;

use self::service::{Patience, with_session};
use super::{KeyLock, KeySource};
use crate::error::KeyringError;
use crate::error::{LOCK, VaultError};
use crate::key::{InvalidKey, Key, KeyRing};

/// What begins the line of an item that says which store its keys are of. To whoever reads keys, it is
/// a remark.
const STORE: &str = "# store: ";

/// Keys in an item of the keyring of the user's session, which D-Bus's Secret Service keeps.
///
/// The service knows neither locks nor conditions, so a lock of our own keeps those who write apart.
/// Each call waits by running its own tasks, so it must not be made by an asynchronous task.
#[derive(Clone, Debug)]
pub struct KeyItem {
    name: KeyringName,
    bus: Option<SessionBus>,
    lock: PathBuf,
    store: String,
    patience: Patience,
}

/// Where the D-Bus of the user's session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionBus {
    /// At this address, in D-Bus's own form.
    Address(String),
    /// At this socket.
    Socket(PathBuf),
}

impl KeyItem {
    /// The item of this name, which need not be there, of a store that is to be told from others by
    /// this text. `lock` is a file of this user's that whoever writes locks.
    #[must_use]
    pub fn new(
        name: KeyringName,
        bus: Option<SessionBus>,
        lock: impl Into<PathBuf>,
        store: &str,
    ) -> Self {
        // One line, whatever a path is made of.
        let store = store.replace(char::is_control, "\u{fffd}");
        Self { name, bus, lock: lock.into(), store, patience: Patience::default() }
    }

    /// The same, waiting so long for an answer, and so long for somebody to unlock the keyring.
    #[must_use]
    pub fn with_patience(mut self, answer: Duration, person: Duration) -> Self {
        self.patience = Patience { answer, person };
        self
    }

    fn failed(&self, doing: &'static str, why: KeyringError) -> VaultError {
        VaultError::Keyring { doing, keys: self.describe(), why }
    }

    fn other_store(&self, store: &str) -> VaultError {
        VaultError::OtherStore { keys: self.describe(), store: store.to_owned() }
    }

    /// The text of the item.
    fn text(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let read = with_session(self.bus.as_ref(), self.patience, async |session| {
            session.read(&self.name).await
        });
        read.map_err(|why| self.failed("read", why))
    }

    fn parsed(&self, text: &[u8]) -> Result<KeyRing, VaultError> {
        let invalid = |why| VaultError::InvalidKey { keys: self.describe(), why, anew: None };
        let text = std::str::from_utf8(text).map_err(|_| invalid(InvalidKey::NotBase64(1)))?;
        KeyRing::parse(text).map_err(invalid)
    }

    fn locked(&self, path: &Path) -> std::io::Result<KeyLock> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut options = OpenOptions::new();
        // A pipe would be waited for until somebody reads from it.
        options.custom_flags(OFlags::NONBLOCK.union(OFlags::NOCTTY).bits() as i32);
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
        KeyLock::of(file)
    }
}

impl KeySource for KeyItem {
    fn describe(&self) -> String {
        format!("the item `{}` of the keyring", self.name)
    }

    fn load(&self) -> Result<Option<KeyRing>, VaultError> {
        self.text()?.map(|text| self.parsed(&text)).transpose()
    }

    fn create(&self, key: Key) -> Result<KeyRing, VaultError> {
        let _lock = self.lock()?;
        if let Some(text) = self.text()? {
            let ring = self.parsed(&text)?;
            return match store_of(&text).filter(|store| *store != self.store) {
                // When its key is changed there, nothing here would open any more.
                Some(store) => Err(self.other_store(store)),
                None => Ok(ring),
            };
        }
        let ring = KeyRing::new(key);
        self.save(&ring)?;
        Ok(ring)
    }

    fn save(&self, ring: &KeyRing) -> Result<(), VaultError> {
        let text = text_of(ring, &self.store);
        let written = with_session(self.bus.as_ref(), self.patience, async |session| {
            session.write(&self.name, text.as_bytes()).await
        });
        written.map_err(|why| self.failed("write", why))
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn may_change(&self) -> Result<(), VaultError> {
        let text = self.text()?.unwrap_or_default();
        match store_of(&text).filter(|store| is_another(store, &self.store)) {
            Some(store) => Err(self.other_store(store)),
            None => Ok(()),
        }
    }

    fn lock(&self) -> Result<KeyLock, VaultError> {
        self.locked(&self.lock).map_err(|error| VaultError::Keys {
            doing: LOCK,
            keys: self.describe(),
            why: format!("`{}`: {error}", self.lock.display()),
        })
    }
}

/// An item: which store it is of, then its keys.
fn text_of(ring: &KeyRing, store: &str) -> Zeroizing<String> {
    let keys = ring.to_text();
    // Room for all of it: a text that grows leaves copies of itself behind.
    let mut text =
        Zeroizing::new(String::with_capacity(STORE.len() + store.len() + 1 + keys.len()));
    for part in [STORE, store, "\n", &keys] {
        text.push_str(part);
    }
    text
}

/// Which store an item says it is of; one that somebody else wrote may not say.
fn store_of(text: &[u8]) -> Option<&str> {
    let lines = std::str::from_utf8(text).ok()?.lines();
    lines.filter_map(|line| line.strip_prefix(STORE)).next()
}

/// Whether an item's store is in a file that is still there, and another than this one. Where the file is
/// gone, the store moved; whether a database elsewhere is still there cannot be told.
fn is_another(store: &str, own: &str) -> bool {
    let place = |store: &str| {
        let path = Path::new(store);
        path.is_absolute().then(|| std::fs::canonicalize(path).ok()).flatten()
    };
    place(store).is_some_and(|there| place(own) != Some(there))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_another_while_its_file_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (shop, copy, link) = (at("shop.db"), at("copy.db"), at("link.db"));
        std::fs::write(&shop, "").unwrap();
        std::fs::write(&copy, "").unwrap();
        std::os::unix::fs::symlink(&copy, &link).unwrap();
        let database = "PostgreSQL `shop` at db.example.com";
        for (store, own, another) in [
            (&*shop, &*copy, true),
            (&shop, database, true),
            (&shop, &shop, false),
            (&link, &copy, false),
            (&at("moved.db"), &copy, false),
            (database, &copy, false),
            ("Cargo.toml", &copy, false),
        ] {
            assert_eq!(is_another(store, own), another, "{store} for {own}");
        }
    }

    #[test]
    fn an_item_says_which_store_it_is_of_and_is_read_as_keys() {
        let ring = KeyRing::new(Key::new(&[1; 32])).with_newest(Key::new(&[2; 32]));
        let text = text_of(&ring, "/home/ada/a b.db");
        assert_eq!(text.capacity(), text.len(), "it never grew");
        assert_eq!(store_of(text.as_bytes()), Some("/home/ada/a b.db"));
        assert_eq!(KeyRing::parse(&text), Ok(ring.clone()));
        assert_eq!(store_of(ring.to_text().as_bytes()), None);
        assert_eq!(store_of(b"# store: \xff"), None);
    }

    #[test]
    fn what_is_no_session_is_told_at_once() {
        let item = |bus| KeyItem::new("team".parse().unwrap(), bus, "/nowhere/lock", "a\nb");
        assert_eq!(item(None).store, "a\u{fffd}b");
        let told = |bus| {
            let error = item(bus).load().unwrap_err();
            let VaultError::Keyring { doing: "read", why, .. } = error else { panic!("{error:?}") };
            why
        };
        assert_eq!(told(None), KeyringError::NoSession);
        for bus in [
            SessionBus::Address("nonsense".to_owned()),
            SessionBus::Address("unix:path=/nowhere/bus".to_owned()),
            SessionBus::Socket("/nowhere/bus".into()),
        ] {
            assert!(matches!(told(Some(bus)), KeyringError::NoBus(_)));
        }
    }

    #[test]
    fn who_accepts_and_never_answers_is_waited_for_until_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let wait = Duration::from_millis(50);
        let bus = Some(SessionBus::Socket(socket));
        let item = KeyItem::new("team".parse().unwrap(), bus, folder.path().join("lock"), "s");
        let error = item.with_patience(wait, wait).load().unwrap_err();
        let VaultError::Keyring { why, .. } = error else { panic!("{error:?}") };
        assert_eq!(why, KeyringError::Silent(wait));
    }
}
