//! SSH keys of the account.

use std::time::Duration;

use serde_json::{Value, json};

use super::body::Body;
use super::paging::paged;
use super::problem::Problem;
use super::turn::{Done, Turn};
use crate::emulators::fingerprint;

/// The keys, by id.
#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: Vec<Key>,
    issued: u64,
}

/// One key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: u64,
    name: String,
    pub(super) public_key: String,
    fingerprint: String,
    /// Since the world began; `None` for one that was there before.
    added: Option<Duration>,
}

impl Keys {
    /// Adds a key.
    ///
    /// # Errors
    /// It is no public key, or there already.
    pub(super) fn add(
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
    pub(super) fn forget(&mut self, name: &str) {
        self.keys.retain(|key| key.name != name);
    }

    /// The public keys that an order names by id or fingerprint, if they have spread by `now`.
    ///
    /// # Errors
    /// Some of them cannot be used.
    pub(super) fn ordered(
        &self,
        given: &[String],
        spread: Duration,
        now: Duration,
    ) -> Result<Vec<String>, Problem> {
        let usable = |key: &&Key| key.added.is_none_or(|added| added + spread <= now);
        let found = |given: &String| self.at(given).map(|index| &self.keys[index]).filter(usable);
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
    fn at(&self, given: &str) -> Option<usize> {
        let fits = |key: &Key| key.id.to_string() == given || key.fingerprint == given;
        self.keys.iter().position(fits)
    }
}

impl Key {
    fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "fingerprint": self.fingerprint,
            "public_key": self.public_key,
            "name": self.name,
        })
    }
}

impl Turn<'_> {
    /// `GET /account/keys`.
    pub(super) fn list_keys(&mut self) -> Done {
        self.ask_catalogue()?;
        let keys = self.account.keys.keys.iter().collect();
        Ok((200, paged(self.call, "ssh_keys", keys, Key::shown)?))
    }

    /// `POST /account/keys`.
    pub(super) fn add_key(&mut self) -> Done {
        self.ask_catalogue()?;
        let mut body = Body::read(self.call)?;
        let (name, public_key) = (body.required("name"), body.required("public_key"));
        body.finish()?;
        let now = self.now();
        let key = self.account.keys.add(&name, &public_key, Some(now))?;
        Ok((201, json!({ "ssh_key": key.shown() })))
    }

    /// `GET /account/keys/{id or fingerprint}`.
    pub(super) fn show_key(&mut self, given: &str) -> Done {
        self.ask_catalogue()?;
        let at = self.key(given)?;
        Ok((200, json!({ "ssh_key": self.account.keys.keys[at].shown() })))
    }

    /// `PUT /account/keys/{id or fingerprint}`.
    pub(super) fn rename_key(&mut self, given: &str) -> Done {
        self.ask_catalogue()?;
        let at = self.key(given)?;
        let mut body = Body::read(self.call)?;
        let name = body.required("name");
        body.finish()?;
        let key = &mut self.account.keys.keys[at];
        key.name = name;
        Ok((200, json!({ "ssh_key": key.shown() })))
    }

    /// `DELETE /account/keys/{id or fingerprint}`.
    pub(super) fn remove_key(&mut self, given: &str) -> Done {
        self.ask_catalogue()?;
        let at = self.key(given)?;
        self.account.keys.keys.remove(at);
        Ok((204, Value::Null))
    }

    fn key(&self, given: &str) -> Result<usize, Problem> {
        self.account.keys.at(given).ok_or_else(Problem::not_found)
    }
}
