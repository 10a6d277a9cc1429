//! A process that is killed at any step of changing the key leaves a store that opens.
//!
//! This program starts itself: the child changes the key of a store, and kills itself with SIGKILL
//! before, and then after, each thing it asks of the database and the key file.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stagecraft_core::Secret;
use stagecraft_core::credential::{Credential, Field, Issuer};
use stagecraft_core::name::CredentialName;
use stagecraft_vault::{
    Database, DatabaseError, Key, KeyFile, KeyLock, KeyRing, KeySource, Row, Sqlite, Value, Vault,
    VaultError,
};

const ENTRIES: usize = 4;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [child, folder, step] = words.as_slice()
        && child == "--child"
    {
        rotate_and_die(Path::new(folder), step.parse().unwrap());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut vault = vault(path);
    for number in 0..ENTRIES {
        vault.put(&name(number), &secret(number), false).unwrap();
    }
    drop(vault);
    let mut killed = 0;
    for step in 0.. {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--child".as_ref(), path.as_os_str(), step.to_string().as_ref()])
            .status()
            .unwrap();
        if child.success() {
            break;
        }
        assert_eq!(child.code(), None, "it was killed");
        killed += 1;
        all_open(path, step);
        self::vault(path).rotate().unwrap();
        all_open(path, step);
        let ring = KeyFile::new(path.join("key")).load().unwrap().unwrap();
        assert_eq!(ring.ids().len(), 1, "step {step}");
    }
    assert!(killed >= 20, "only {killed} steps");
    println!("killed at each of {killed} steps: every entry opened, and the next run finished");
}

fn all_open(folder: &Path, step: usize) {
    let mut vault = vault(folder);
    for number in 0..ENTRIES {
        let opened = vault.get(&name(number)).unwrap_or_else(|error| panic!("{step}: {error:?}"));
        assert_eq!(opened, secret(number));
    }
}

fn rotate_and_die(folder: &Path, step: usize) {
    let fuse = Fuse { seen: Arc::default(), step };
    let database = Fused(Sqlite::create(&store(folder)).unwrap(), fuse.clone());
    let keys = FusedKeys(KeyFile::new(folder.join("key")), fuse);
    Vault::open(Box::new(database), Box::new(keys)).unwrap().rotate().unwrap();
}

fn store(folder: &Path) -> PathBuf {
    folder.join("store.db")
}

fn vault(folder: &Path) -> Vault {
    let keys = KeyFile::new(folder.join("key"));
    Vault::open(Box::new(Sqlite::create(&store(folder)).unwrap()), Box::new(keys)).unwrap()
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
}

#[derive(Debug)]
struct FusedKeys(KeyFile, Fuse);

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
