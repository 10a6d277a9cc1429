//! The SSH keys.

use serde_json::{Value, json};

use crate::emulators::fingerprint;
use crate::emulators::hetzner::problem::Problem;
use crate::emulators::hetzner::stamp::stamp;
use crate::world::Labels;

/// The keys, by id.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    issued: u64,
}

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) public_key: String,
    pub(crate) fingerprint: String,
    pub(crate) labels: Labels,
    created: u64,
}

impl Keys {
    /// The key of this name or id.
    pub(crate) fn find(&self, given: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == given || key.id.to_string() == given)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// It is no public key, or it or its name is there already.
    pub(crate) fn add(
        &mut self,
        name: &str,
        public_key: &str,
        labels: Labels,
        created: u64,
    ) -> Result<&Key, Problem> {
        let fingerprint = fingerprint::md5(public_key).ok_or_else(|| {
            Problem::invalid_field("public_key", "must be a valid SSH public key")
        })?;
        if self.keys.iter().any(|key| key.name == name || key.fingerprint == fingerprint) {
            return Err(Problem::taken("SSH key not unique"));
        }
        self.issued += 1;
        self.keys.push(Key {
            id: 2323 + self.issued,
            name: name.to_owned(),
            public_key: public_key.to_owned(),
            fingerprint,
            labels,
            created,
        });
        Ok(&self.keys[self.keys.len() - 1])
    }

    /// Removes the key of this name, if there is one.
    pub(crate) fn forget(&mut self, name: &str) {
        self.keys.retain(|key| key.name != name);
    }

    /// All keys.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The key of this id.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn get(&self, id: u64) -> Result<&Key, Problem> {
        Ok(&self.keys[self.position(id)?])
    }

    /// Changes what is given of the key of this id.
    ///
    /// # Errors
    /// There is none, or another has the name.
    pub(crate) fn change(
        &mut self,
        id: u64,
        name: Option<String>,
        labels: Option<Labels>,
    ) -> Result<&Key, Problem> {
        let at = self.position(id)?;
        if let Some(name) = name {
            if self.keys.iter().any(|key| key.name == name && key.id != id) {
                return Err(Problem::taken("SSH key not unique"));
            }
            self.keys[at].name = name;
        }
        if let Some(labels) = labels {
            self.keys[at].labels = labels;
        }
        Ok(&self.keys[at])
    }

    /// Removes the key of this id.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn remove(&mut self, id: u64) -> Result<(), Problem> {
        self.keys.remove(self.position(id)?);
        Ok(())
    }

    fn position(&self, id: u64) -> Result<usize, Problem> {
        let found = self.keys.iter().position(|key| key.id == id);
        found.ok_or_else(|| Problem::not_found("SSH key", id))
    }
}

impl Key {
    /// As the API shows it.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "fingerprint": self.fingerprint,
            "public_key": self.public_key,
            "labels": self.labels,
            "created": stamp(self.created),
        })
    }
}
