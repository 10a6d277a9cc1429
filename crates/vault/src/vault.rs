use std::collections::BTreeMap;
use std::fmt::Write as _;

use stagecraft_core::credential::{Credential, Issuer};
use stagecraft_core::name::CredentialName;

use crate::error::VaultError;
use crate::key::{Key, KeyId, KeyRing};
use crate::keys::KeySource;
use crate::seal::{Nonce, OpenError, open, seal};
use crate::store::{
    Column, Database, DatabaseError, DatabaseErrorKind, Row, Value, is_made, migrate,
};

/// How many records one statement writes: as many as both kinds of databases take at once.
const BATCH: usize = 500;

/// A credential store with its keys.
#[derive(Debug)]
pub struct Vault {
    database: Box<dyn Database>,
    keys: Box<dyn KeySource>,
}

/// What is known of an entry without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: CredentialName,
    /// Whose credential it is.
    pub issuer: Issuer,
}

/// What adding an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// There was none of that name.
    Added,
    /// It took the place of another.
    Replaced,
}

/// What changing the key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How many entries were sealed anew.
    pub records: usize,
    /// Whether an earlier change, which did not come to its end, came to it now.
    pub finished_earlier: bool,
}

/// A record as it rests.
#[derive(Debug)]
struct Record {
    entry: Entry,
    sealed: Vec<u8>,
}

impl Vault {
    /// The store in this database; `None` where nobody has made one yet, which stays so. One of an older
    /// version is brought up to the latest first, as otherwise its entries could not be read.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn existing(
        mut database: Box<dyn Database>,
        keys: Box<dyn KeySource>,
    ) -> Result<Option<Self>, VaultError> {
        if is_made(database.as_mut()).map_err(read)? {
            Self::open(database, keys).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The store in this database, which is made where there is none, and brought up to the latest
    /// version first.
    ///
    /// # Errors
    /// When it cannot be read, or was made by a newer version.
    pub fn open(
        mut database: Box<dyn Database>,
        keys: Box<dyn KeySource>,
    ) -> Result<Self, VaultError> {
        migrate(database.as_mut())?;
        Ok(Self { database, keys })
    }

    /// All entries, by name. No key is needed for that.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn list(&mut self) -> Result<Vec<Entry>, VaultError> {
        let rows = self.database.query("SELECT name, issuer FROM stagecraft_credential", &[]);
        let mut entries = BTreeMap::new();
        for row in rows.map_err(read)? {
            let entry = entry(&row)?;
            entries.insert(entry.name.clone(), entry);
        }
        Ok(entries.into_values().collect())
    }

    /// Opens one entry.
    ///
    /// # Errors
    /// When there is none of that name, its key is not there, or it is not as it was sealed.
    pub fn get(&mut self, name: &CredentialName) -> Result<Credential, VaultError> {
        let mut record = self.record(name)?;
        loop {
            let ring = self.ring()?;
            let error = match self.opened(&ring, &record) {
                Ok(credential) => return Ok(credential),
                Err(error) => error,
            };
            // Another run may have changed the key between the two looks.
            let now = self.record(name)?;
            if now.sealed == record.sealed {
                return Err(error);
            }
            record = now;
        }
    }

    fn record(&mut self, name: &CredentialName) -> Result<Record, VaultError> {
        let sql = "SELECT name, issuer, sealed FROM stagecraft_credential WHERE name = $1";
        let rows = self.database.query(sql, &[Value::Text(name.as_str())]);
        match rows.map_err(read)?.first() {
            Some(row) => record(row),
            None => Err(self.not_found(name)),
        }
    }

    /// Seals a credential under a name. The first one of a store makes its key, where keys can be
    /// made.
    ///
    /// # Errors
    /// When there is one of that name and it may not be replaced, or the key that counts is not there.
    pub fn put(
        &mut self,
        name: &CredentialName,
        credential: &Credential,
        replace: bool,
    ) -> Result<Put, VaultError> {
        let ring = match current(self.database.as_mut()).map_err(read)? {
            // A new key would open nothing that is there.
            Some(_) => self.ring()?,
            None => self.keys.create(Key::generate()?)?,
        };
        self.write(|vault| {
            let counts = current(vault.database.as_mut()).map_err(read)?;
            // Another run may have changed the key since it was read; now it cannot any more.
            let ring = match counts {
                Some(id) if ring.key(id).is_none() => vault.ring()?,
                Some(_) | None => ring,
            };
            let key = match counts {
                Some(id) => ring.key(id).ok_or_else(|| vault.wrong_key(id))?,
                None => {
                    let id = ring.newest().id().to_string();
                    let sql = "INSERT INTO stagecraft_key (id) VALUES ($1)";
                    vault.database.execute(sql, &[Value::Text(&id)]).map_err(write)?;
                    ring.newest()
                }
            };
            let there = vault.list()?.into_iter().find(|entry| entry.name == *name);
            if let Some(entry) = there.as_ref().filter(|_| !replace) {
                return Err(VaultError::Exists { name: name.clone(), issuer: entry.issuer });
            }
            let sealed = seal(key, Nonce::generate()?, name, credential);
            let entry = Entry { name: name.clone(), issuer: credential.issuer() };
            vault.keep(&[Record { entry, sealed }])?;
            Ok(if there.is_some() { Put::Replaced } else { Put::Added })
        })
    }

    /// Removes one entry, and says whose it was. No key is needed for that.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn remove(&mut self, name: &CredentialName) -> Result<Issuer, VaultError> {
        self.write(|vault| {
            let there = vault.list()?.into_iter().find(|entry| entry.name == *name);
            let Some(entry) = there else { return Err(vault.not_found(name)) };
            let sql = "DELETE FROM stagecraft_credential WHERE name = $1";
            vault.database.execute(sql, &[Value::Text(name.as_str())]).map_err(write)?;
            Ok(entry.issuer)
        })
    }

    /// Seals everything anew, with a new key.
    ///
    /// The new key is written beside the old one before any record is, and the old one goes when all
    /// records are written. Which of the two counts is part of the transaction. So wherever this ends
    /// early, all records open with one of the keys that are there, and the next call goes on: to the
    /// key that was made already, or, where only the old key was left behind, to its removal.
    ///
    /// # Errors
    /// When a record does not open, the keys are of another store, or anything cannot be written. Records are as they were then,
    /// except with [`VaultError::OldKeyKept`].
    pub fn rotate(&mut self) -> Result<Rotation, VaultError> {
        let keys = self.keys.describe();
        let _lock = self.keys.lock()?;
        let Some(counts) = current(self.database.as_mut()).map_err(read)? else {
            return Err(VaultError::Empty);
        };
        self.keys.may_change()?;
        let ring = self.ring()?;
        let old = ring.key(counts).ok_or_else(|| self.wrong_key(counts))?;
        let began = ring.newest().id() != counts;
        if !began && ring.ids().len() > 1 && self.keys.is_writable() {
            self.keys.save(&KeyRing::new(old.clone()))?;
            return Ok(Rotation { records: 0, finished_earlier: true });
        }
        let ring = match (began, self.keys.is_writable()) {
            (true, _) => ring,
            (false, true) => {
                let ring = ring.with_newest(Key::generate()?);
                self.keys.save(&ring)?;
                ring
            }
            (false, false) => return Err(VaultError::NoNewKey { keys }),
        };
        let records = self.write(|vault| vault.seal_anew(&ring, counts))?;
        if self.keys.is_writable() {
            let only = KeyRing::new(ring.newest().clone());
            let saved = self.keys.save(&only);
            saved.map_err(|why| VaultError::OldKeyKept { keys, why: Box::new(why) })?;
        }
        Ok(Rotation { records, finished_earlier: began && self.keys.is_writable() })
    }

    fn seal_anew(&mut self, ring: &KeyRing, counted: KeyId) -> Result<usize, VaultError> {
        let key = ring.newest();
        match current(self.database.as_mut()).map_err(read)? {
            Some(id) if id == counted => {}
            // Somebody else changed the key meanwhile.
            Some(id) => return Err(self.wrong_key(id)),
            None => return Err(VaultError::Empty),
        }
        let sql = "SELECT name, issuer, sealed FROM stagecraft_credential";
        let rows = self.database.query(sql, &[]).map_err(read)?;
        let mut anew = Vec::with_capacity(rows.len());
        for row in &rows {
            let record = record(row)?;
            let credential = self.opened(ring, &record)?;
            let sealed = seal(key, Nonce::generate()?, &record.entry.name, &credential);
            anew.push(Record { sealed, ..record });
        }
        self.keep(&anew)?;
        let id = key.id().to_string();
        let sql = "UPDATE stagecraft_key SET id = $1";
        self.database.execute(sql, &[Value::Text(&id)]).map_err(write)?;
        Ok(anew.len())
    }

    /// Writes records, each in the place of one of its name.
    fn keep(&mut self, records: &[Record]) -> Result<(), VaultError> {
        for batch in records.chunks(BATCH) {
            let mut sql =
                "INSERT INTO stagecraft_credential (name, issuer, sealed) VALUES ".to_owned();
            let mut values = Vec::with_capacity(batch.len() * 3);
            for (number, record) in batch.iter().enumerate() {
                let at = number * 3;
                let comma = if number > 0 { ", " } else { "" };
                let _infallible = write!(sql, "{comma}(${}, ${}, ${})", at + 1, at + 2, at + 3);
                values.push(Value::Text(record.entry.name.as_str()));
                values.push(Value::Text(record.entry.issuer.as_str()));
                values.push(Value::Bytes(&record.sealed));
            }
            sql.push_str(
                " ON CONFLICT (name) DO UPDATE SET issuer = excluded.issuer, sealed = excluded.sealed",
            );
            self.database.execute(&sql, &values).map_err(write)?;
        }
        Ok(())
    }

    /// Does work in one transaction: all of it happens, or nothing.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        self.database.begin().map_err(write)?;
        let done = work(self).and_then(|done| {
            self.database.commit().map_err(write)?;
            Ok(done)
        });
        if done.is_err() {
            self.database.rollback();
        }
        done
    }

    /// The keys of what is sealed already.
    fn ring(&self) -> Result<KeyRing, VaultError> {
        let anew = || Some(self.database.anew());
        match self.keys.load() {
            Ok(Some(ring)) => Ok(ring),
            Ok(None) => Err(VaultError::NoKey { keys: self.keys.describe(), anew: anew() }),
            Err(VaultError::InvalidKey { keys, why, .. }) => {
                Err(VaultError::InvalidKey { keys, why, anew: anew() })
            }
            Err(error) => Err(error),
        }
    }

    fn opened(&self, ring: &KeyRing, record: &Record) -> Result<Credential, VaultError> {
        let Entry { name, issuer } = &record.entry;
        open(ring, name, *issuer, &record.sealed).map_err(|why: OpenError| {
            let keys = self.keys.describe();
            VaultError::Sealed { name: name.clone(), issuer: *issuer, why, keys }
        })
    }

    fn wrong_key(&self, wanted: KeyId) -> VaultError {
        VaultError::WrongKey { wanted, keys: self.keys.describe() }
    }

    fn not_found(&mut self, name: &CredentialName) -> VaultError {
        match self.list() {
            Ok(entries) => {
                let known = entries.into_iter().map(|entry| entry.name).collect();
                VaultError::NotFound { name: name.clone(), known }
            }
            Err(error) => error,
        }
    }
}

/// The key that counts; `None` in a store without entries.
fn current(database: &mut dyn Database) -> Result<Option<KeyId>, DatabaseError> {
    let rows = database.query("SELECT id FROM stagecraft_key", &[])?;
    let id = match rows.as_slice() {
        [] => return Ok(None),
        [row] => match row.as_slice() {
            [Column::Text(id)] => KeyId::parse(id),
            _ => None,
        },
        _ => None,
    };
    let damaged = "the table `stagecraft_key` does not hold the id of one key";
    id.map(Some).ok_or_else(|| DatabaseError::new(DatabaseErrorKind::Damaged, damaged))
}

fn entry(row: &Row) -> Result<Entry, VaultError> {
    let (Some(Column::Text(name)), Some(Column::Text(issuer))) = (row.first(), row.get(1)) else {
        return Err(VaultError::Damaged("an entry has no name".to_owned()));
    };
    let damaged = |why: String| VaultError::Damaged(format!("an entry cannot be read: {why}"));
    let name = name.parse().map_err(|error| damaged(format!("{error}")))?;
    let issuer = issuer.parse().map_err(|error| damaged(format!("{error}")))?;
    Ok(Entry { name, issuer })
}

fn record(row: &Row) -> Result<Record, VaultError> {
    let entry = entry(row)?;
    match row.get(2) {
        Some(Column::Bytes(sealed)) => Ok(Record { entry, sealed: sealed.clone() }),
        Some(Column::Text(_) | Column::Number(_) | Column::Other) | None => {
            Err(VaultError::Damaged(format!("the entry `{}` has no record", entry.name)))
        }
    }
}

fn read(why: DatabaseError) -> VaultError {
    VaultError::Database { doing: "read", why }
}

fn write(why: DatabaseError) -> VaultError {
    VaultError::Database { doing: "write to", why }
}
