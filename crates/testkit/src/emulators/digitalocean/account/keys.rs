//! The SSH keys.

use std::time::Duration;

use serde_json::{Value, json};

use crate::emulators::digitalocean::problem::Problem;
use crate::emulators::fingerprint;

/// The keys, by id.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    issued: u64,
}

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    id: u64,
    name: String,
    public_key: String,
    fingerprint: String,
    /// Since the world began; `None` for one that was there before.
    added: Option<Duration>,
}

impl Keys {
    /// Adds a key.
    ///
    /// # Errors
    /// It is no public key, or there already.
    pub(crate) fn add(
        &mut self,
        name: &str,
        public_key: &str,
        added: Option<Duration>,
    ) -> Result<&Key, Problem> {
        let fingerprint = fingerprint::md5(public_key).ok_or_else(|| {
            Problem::unprocessable("Key invalid, key should be of the format `type key [comment]`")
        })?;
        if self.keys.iter().any(|key| key.fingerprint == fingerprint) {
            return Err(Problem::unprocessable("SSH Key is already in use on your account"));
        }
        self.issued += 1;
        self.keys.push(Key {
            id: 512_000 + self.issued,
            name: name.to_owned(),
            public_key: public_key.to_owned(),
            fingerprint,
            added,
        });
        Ok(&self.keys[self.keys.len() - 1])
    }

    /// Removes every key of this name.
    pub(crate) fn forget(&mut self, name: &str) {
        self.keys.retain(|key| key.name != name);
    }

    /// All keys.
    pub(crate) fn all(&self) -> Vec<&Key> {
        self.keys.iter().collect()
    }

    /// The key of this id or fingerprint.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn find(&self, given: &str) -> Result<&Key, Problem> {
        Ok(&self.keys[self.position(given)?])
    }

    /// Gives the key of this id or fingerprint another name.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn rename(&mut self, given: &str, name: String) -> Result<&Key, Problem> {
        let at = self.position(given)?;
        self.keys[at].name = name;
        Ok(&self.keys[at])
    }

    /// Removes the key of this id or fingerprint.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn remove(&mut self, given: &str) -> Result<(), Problem> {
        self.keys.remove(self.position(given)?);
        Ok(())
    }

    /// The public keys that an order names by id or fingerprint, if they have spread by `now`.
    ///
    /// # Errors
    /// Some of them cannot be used.
    pub(crate) fn ordered(
        &self,
        given: &[String],
        spread: Duration,
        now: Duration,
    ) -> Result<Vec<String>, Problem> {
        let usable = |key: &&Key| key.added.is_none_or(|added| added + spread <= now);
        let found = |given: &String| self.find(given).ok().filter(usable);
        let wrong: Vec<&str> =
            given.iter().filter(|given| found(given).is_none()).map(String::as_str).collect();
        if !wrong.is_empty() {
            let wrong = wrong.join(", ");
            let message = format!("{wrong} are invalid key identifiers for Droplet creation.");
            return Err(Problem::unprocessable(message));
        }
        Ok(given.iter().filter_map(found).map(|key| key.public_key.clone()).collect())
    }

    /// Where the key of this id or fingerprint is. Names are not accepted.
    fn position(&self, given: &str) -> Result<usize, Problem> {
        let fits = |key: &Key| key.id.to_string() == given || key.fingerprint == given;
        self.keys.iter().position(fits).ok_or_else(Problem::not_found)
    }
}

impl Key {
    /// The key as the API shows it.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "fingerprint": self.fingerprint,
            "public_key": self.public_key,
            "name": self.name,
        })
    }
}
