//! Stores to test with, each of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use stagecraft_core::Secret;
use stagecraft_core::credential::{Credential, Field, Issuer};
use stagecraft_core::name::CredentialName;
use stagecraft_vault::{
    Database, DatabaseError, DatabaseErrorKind, Key, KeyFile, KeyItem, KeyLock, KeyRing, KeySource,
    Postgres, Row, SessionBus, Sqlite, Url, Value, Vault, VaultError,
};
use tempfile::TempDir;

use crate::session::Session;

/// What a test of both kinds of databases is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A folder, and a store that belongs to it.
#[derive(Debug)]
pub(crate) struct Stage {
    kind: Kind,
    folder: TempDir,
    url: Option<String>,
    /// Where its key is, if not in a file.
    session: Option<Session>,
}

/// The URL of a server for tests.
pub(crate) fn postgres() -> Option<String> {
    let url = variable("STAGECRAFT_TEST_POSTGRES");
    if url.is_none() {
        eprintln!("skipped: on PostgreSQL, because STAGECRAFT_TEST_POSTGRES is not set");
    }
    url
}

#[expect(clippy::disallowed_methods, reason = "what `./test` has started")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Does the same on every kind of database that is there.
pub(crate) fn on_each(test: impl Fn(&Stage)) {
    test(&Stage::sqlite());
    if let Some(stage) = Stage::postgres() {
        test(&stage);
    }
}

/// The same, and with the key in a keyring where there is one.
pub(crate) fn on_each_and_a_keyring(test: impl Fn(&Stage)) {
    on_each(&test);
    if let Some(stage) = Stage::keyring() {
        test(&stage);
    }
}

impl Stage {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { kind: Kind::Sqlite, folder, url: None, session: None }
    }

    /// With its key in the keyring of a session of its own.
    pub(crate) fn keyring() -> Option<Self> {
        let session = Session::begin()?;
        Some(Self { session: Some(session), ..Self::sqlite() })
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("a stage with a keyring")
    }

    /// A schema of its own.
    pub(crate) fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = postgres()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let schema = format!("test_{}_{number}", std::process::id());
        let mut admin = Postgres::connect(&Url::parse(&server).unwrap(), None).unwrap();
        admin.execute(&format!("CREATE SCHEMA {schema}"), &[]).unwrap();
        let join = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{join}options=-csearch_path%3D{schema}");
        let folder = tempfile::tempdir().unwrap();
        Some(Self { kind: Kind::Postgres, folder, url: Some(url), session: None })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    pub(crate) fn database(&self) -> Box<dyn Database> {
        match &self.url {
            Some(url) => Box::new(Postgres::connect(&Url::parse(url).unwrap(), None).unwrap()),
            None => Box::new(Sqlite::create(&self.store()).unwrap()),
        }
    }

    pub(crate) fn vault(&self) -> Vault {
        Vault::open(self.database(), self.keys()).unwrap()
    }

    /// Where its key is.
    pub(crate) fn keys(&self) -> Box<dyn KeySource> {
        match &self.session {
            Some(session) => Box::new(item(session, self.folder.path(), "the store of a stage")),
            None => Box::new(KeyFile::new(self.key())),
        }
    }

    pub(crate) fn vault_with(&self, key: &Path) -> Vault {
        Vault::open(self.database(), Box::new(KeyFile::new(key))).unwrap()
    }

    /// The ring where its key is.
    pub(crate) fn ring(&self) -> KeyRing {
        self.keys().load().unwrap().unwrap()
    }

    /// Adds this many entries `n0`, `n1` and so on, each with a secret of its own.
    pub(crate) fn fill(&self, entries: usize) {
        let mut vault = self.vault();
        for number in 0..entries {
            let name = name(&format!("n{number}"));
            vault.put(&name, &token(&format!("planted-{number}")), false).unwrap();
        }
    }

    /// That all of [`Self::fill`] opens.
    pub(crate) fn all_open(&self, entries: usize) {
        let mut vault = self.vault();
        assert_eq!(vault.list().unwrap().len(), entries);
        for number in 0..entries {
            let opened = vault.get(&name(&format!("n{number}"))).unwrap();
            assert_eq!(opened, token(&format!("planted-{number}")));
        }
    }
}

/// The item `team` in the keyring of a session, of a store that is told from others by this text.
pub(crate) fn item(session: &Session, folder: &Path, store: &str) -> KeyItem {
    let bus = SessionBus::Socket(session.socket());
    KeyItem::new("team".parse().unwrap(), Some(bus), folder.join("state/lock"), store)
}

pub(crate) fn name(text: &str) -> CredentialName {
    text.parse().unwrap()
}

pub(crate) fn token(text: &str) -> Credential {
    Credential::new(Issuer::Hetzner, [(Field::Token, Secret::new(text))]).unwrap()
}

/// Counts what a store and its keys are asked to do, and stops everything at one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fuse(Arc<Mutex<Counter>>);

#[derive(Debug, Default)]
struct Counter {
    seen: usize,
    burns_at: Option<usize>,
    /// Whether what it burns at has happened already, and only its answer is lost.
    late: bool,
}

impl Fuse {
    pub(crate) fn at(number: usize, late: bool) -> Self {
        let counter = Counter { seen: 0, burns_at: Some(number), late };
        Self(Arc::new(Mutex::new(counter)))
    }

    /// Whether it came to where it burns.
    pub(crate) fn has_burnt(&self) -> bool {
        let counter = self.0.lock().unwrap();
        counter.burns_at.is_some_and(|at| counter.seen > at)
    }

    fn pass<T, E>(
        &self,
        burnt: impl Fn() -> E,
        act: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let (at, burns_at, late) = {
            let mut counter = self.0.lock().unwrap();
            counter.seen += 1;
            (counter.seen - 1, counter.burns_at, counter.late)
        };
        match burns_at {
            Some(burns_at) if at == burns_at && late => act().and_then(|_| Err(burnt())),
            // Whoever is dead does nothing more.
            Some(burns_at) if at >= burns_at => Err(burnt()),
            Some(_) | None => act(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct FusedDatabase(pub(crate) Box<dyn Database>, pub(crate) Fuse);

fn dead() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Failed, "burnt")
}

impl Database for FusedDatabase {
    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.1.clone().pass(dead, || self.0.begin())
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.1.clone().pass(dead, || self.0.commit())
    }

    fn rollback(&mut self) {
        // What is dead says nothing: the connection is dropped instead.
    }

    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        self.1.clone().pass(dead, || self.0.execute(sql, values))
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError> {
        self.1.clone().pass(dead, || self.0.query(sql, values))
    }

    fn has_table(&mut self, name: &str) -> Result<bool, DatabaseError> {
        self.1.clone().pass(dead, || self.0.has_table(name))
    }

    fn bytes_type(&self) -> &'static str {
        self.0.bytes_type()
    }

    fn anew(&self) -> String {
        self.0.anew()
    }
}

#[derive(Debug)]
pub(crate) struct FusedKeys(pub(crate) Box<dyn KeySource>, pub(crate) Fuse);

fn lost() -> VaultError {
    VaultError::Keys { doing: "reach", keys: "the key".to_owned(), why: "burnt".to_owned() }
}

impl KeySource for FusedKeys {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn load(&self) -> Result<Option<KeyRing>, VaultError> {
        self.1.pass(lost, || self.0.load())
    }

    fn create(&self, key: Key) -> Result<KeyRing, VaultError> {
        self.1.pass(lost, || self.0.create(key))
    }

    fn save(&self, ring: &KeyRing) -> Result<(), VaultError> {
        self.1.pass(lost, || self.0.save(ring))
    }

    fn is_writable(&self) -> bool {
        self.0.is_writable()
    }

    fn lock(&self) -> Result<KeyLock, VaultError> {
        self.1.pass(lost, || self.0.lock())
    }
}
