//! A process that is killed at any step of changing the key leaves a store that opens.
//!
//! This program starts itself: the child changes the key of a store, and kills itself with SIGKILL
//! before, and then after, each thing it asks of the database and of where the key is: a file, and a
//! real keyring where the programs for one are installed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed"
)]

#[path = "vault/session.rs"]
mod session;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stagecraft_core::Secret;
use stagecraft_core::credential::{Credential, Field, Issuer};
use stagecraft_core::name::CredentialName;
use stagecraft_vault::{
    Database, DatabaseError, Key, KeyFile, KeyItem, KeyLock, KeyRing, KeySource, KeyVariable, Row,
    SessionBus, Sqlite, Value, Vault, VaultError,
};

use session::Session;

const ENTRIES: usize = 4;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [child, folder, step, bus @ ..] = words.as_slice()
        && child == "--child"
    {
        let place = Place { folder: Path::new(folder), bus: bus.first().map(PathBuf::from) };
        rotate_and_die(&place, step.parse().unwrap());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    at_each_step(&Place { folder: folder.path(), bus: None }, "a file");
    if let Some(mut session) = Session::begin() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { folder: folder.path(), bus: Some(session.socket()) };
        at_each_step(&place, "the keyring");
        session.restart(true);
        all_open(&place, 0);
    }
}

/// Where a store and its key are: in a folder, or the key in the keyring of the session of this D-Bus.
struct Place<'a> {
    folder: &'a Path,
    bus: Option<PathBuf>,
}

fn at_each_step(place: &Place<'_>, what: &str) {
    let mut vault = vault(place);
    for number in 0..ENTRIES {
        vault.put(&name(number), &secret(number), false).unwrap();
    }
    drop(vault);
    let mut killed = 0;
    for step in 0.. {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--child".as_ref(), place.folder.as_os_str(), step.to_string().as_ref()])
            .args(&place.bus)
            .status()
            .unwrap();
        if child.success() {
            break;
        }
        assert_eq!(child.code(), None, "it was killed");
        killed += 1;
        all_open(place, step);
        with_exactly_one_key(place, step);
        self::vault(place).rotate().unwrap();
        all_open(place, step);
        let ring = keys(place).load().unwrap().unwrap();
        assert_eq!(ring.ids().len(), 1, "step {step}");
    }
    assert!(killed >= 20, "only {killed} steps");
    println!(
        "killed at each of {killed} steps, with the key in {what}: every entry opened, and the next run finished"
    );
}

/// Of the keys that are there, one opens everything, and others nothing.
fn with_exactly_one_key(place: &Place<'_>, step: usize) {
    let ring = keys(place).load().unwrap().unwrap();
    let opened = ring.ids().map(|id| {
        let only = KeyRing::new(ring.key(id).unwrap().clone());
        let key = KeyVariable::new("KEY", Some(only.to_text()));
        let database = Sqlite::create(&store(place)).unwrap();
        let mut vault = Vault::open(Box::new(database), Box::new(key)).unwrap();
        (0..ENTRIES).filter(|number| vault.get(&name(*number)).is_ok()).count()
    });
    let mut opened: Vec<usize> = opened.collect();
    opened.sort_unstable();
    assert!(opened == [ENTRIES] || opened == [0, ENTRIES], "step {step}: {opened:?}");
}

fn all_open(place: &Place<'_>, step: usize) {
    let mut vault = vault(place);
    for number in 0..ENTRIES {
        let opened = vault.get(&name(number)).unwrap_or_else(|error| panic!("{step}: {error:?}"));
        assert_eq!(opened, secret(number));
    }
}

fn rotate_and_die(place: &Place<'_>, step: usize) {
    let fuse = Fuse { seen: Arc::default(), step };
    let database = Fused(Sqlite::create(&store(place)).unwrap(), fuse.clone());
    let keys = FusedKeys(keys(place), fuse);
    Vault::open(Box::new(database), Box::new(keys)).unwrap().rotate().unwrap();
}

fn store(place: &Place<'_>) -> PathBuf {
    place.folder.join("store.db")
}

fn keys(place: &Place<'_>) -> Box<dyn KeySource> {
    let bus = place.bus.clone().map(SessionBus::Socket);
    match bus {
        Some(bus) => {
            let lock = place.folder.join("lock");
            Box::new(KeyItem::new("team".parse().unwrap(), Some(bus), lock, "s"))
        }
        None => Box::new(KeyFile::new(place.folder.join("key"))),
    }
}

fn vault(place: &Place<'_>) -> Vault {
    Vault::open(Box::new(Sqlite::create(&store(place)).unwrap()), keys(place)).unwrap()
}

fn name(number: usize) -> CredentialName {
    format!("n{number}").parse().unwrap()
}

fn secret(number: usize) -> Credential {
    let token = Secret::new(&format!("planted-{number}"));
    Credential::new(Issuer::Hetzner, [(Field::Token, token)]).unwrap()
}

/// Kills the process at the n-th step; each act is one before it and one after it.
#[derive(Clone, Debug)]
struct Fuse {
    seen: Arc<AtomicUsize>,
    step: usize,
}

impl Fuse {
    fn pass<T>(&self, act: impl FnOnce() -> T) -> T {
        self.step();
        let done = act();
        self.step();
        done
    }

    fn step(&self) {
        if self.seen.fetch_add(1, Ordering::SeqCst) == self.step {
            let own = rustix::process::getpid();
            let _dead = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        }
    }
}

#[derive(Debug)]
struct Fused(Sqlite, Fuse);

impl Database for Fused {
    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.1.clone().pass(|| self.0.begin())
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.1.clone().pass(|| self.0.commit())
    }

    fn rollback(&mut self) {
        self.1.clone().pass(|| self.0.rollback());
    }

    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        self.1.clone().pass(|| self.0.execute(sql, values))
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError> {
        self.1.clone().pass(|| self.0.query(sql, values))
    }

    fn has_table(&mut self, name: &str) -> Result<bool, DatabaseError> {
        self.1.clone().pass(|| self.0.has_table(name))
    }

    fn bytes_type(&self) -> &'static str {
        self.0.bytes_type()
    }

    fn anew(&self) -> String {
        self.0.anew()
    }
}

#[derive(Debug)]
struct FusedKeys(Box<dyn KeySource>, Fuse);

impl KeySource for FusedKeys {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn load(&self) -> Result<Option<KeyRing>, VaultError> {
        self.1.pass(|| self.0.load())
    }

    fn create(&self, key: Key) -> Result<KeyRing, VaultError> {
        self.1.pass(|| self.0.create(key))
    }

    fn save(&self, ring: &KeyRing) -> Result<(), VaultError> {
        self.1.pass(|| self.0.save(ring))
    }

    fn is_writable(&self) -> bool {
        self.0.is_writable()
    }

    fn lock(&self) -> Result<KeyLock, VaultError> {
        self.1.pass(|| self.0.lock())
    }
}
