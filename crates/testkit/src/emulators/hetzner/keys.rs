//! SSH keys of the account.

use serde_json::{Value, json};

use super::body::Body;
use super::paging::sorted;
use super::problem::Problem;
use super::stamp::stamp;
use super::turn::{Done, Turn};
use crate::emulators::fingerprint;
use crate::world::Labels;

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
    pub(super) name: String,
    pub(super) public_key: String,
    fingerprint: String,
    labels: Labels,
    created: u64,
}

impl Keys {
    /// The key of this name or id.
    pub(super) fn find(&self, given: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == given || key.id.to_string() == given)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// It is no public key, or it or its name is there already.
    pub(super) fn add(
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
    pub(super) fn forget(&mut self, name: &str) {
        self.keys.retain(|key| key.name != name);
    }

    fn position(&self, id: u64) -> Result<usize, Problem> {
        let found = self.keys.iter().position(|key| key.id == id);
        found.ok_or_else(|| Problem::not_found("SSH key", id))
    }
}

impl Key {
    fn shown(&self) -> Value {
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

impl Turn<'_> {
    /// `GET /ssh_keys`.
    pub(super) fn list_keys(&mut self) -> Done {
        self.ask_catalogue()?;
        let (page, selector) = (self.page()?, self.selector()?);
        let (name, fingerprint) = (self.call.value("name"), self.call.value("fingerprint"));
        let mut keys: Vec<&Key> = self
            .account
            .keys
            .keys
            .iter()
            .filter(|key| name.is_none_or(|name| key.name == name))
            .filter(|key| fingerprint.is_none_or(|wanted| key.fingerprint == wanted))
            .filter(|key| selector.picks(&key.labels))
            .collect();
        sorted(&mut keys, &self.call.values("sort"), |key, by| match by {
            "id" => Some((key.id, String::new())),
            "name" => Some((0, key.name.clone())),
            _ => None,
        })?;
        let shown = page.of("ssh_keys", keys, self.account.habits.silent_totals, Key::shown);
        Ok((200, shown))
    }

    /// `POST /ssh_keys`.
    pub(super) fn add_key(&mut self) -> Done {
        self.ask_catalogue()?;
        let mut body = Body::read(&self.call.body)?;
        let (name, public_key) = (body.required("name"), body.required("public_key"));
        let labels = body.labels().unwrap_or_default();
        if name.is_empty() {
            body.complain("name", "must not be empty");
        }
        body.finish()?;
        let created = self.time(self.now());
        let key = self.account.keys.add(&name, &public_key, labels, created)?;
        Ok((201, json!({ "ssh_key": key.shown() })))
    }

    /// `GET /ssh_keys/{id}`.
    pub(super) fn show_key(&mut self, id: u64) -> Done {
        self.ask_catalogue()?;
        let keys = &self.account.keys;
        Ok((200, json!({ "ssh_key": keys.keys[keys.position(id)?].shown() })))
    }

    /// `PUT /ssh_keys/{id}`.
    pub(super) fn change_key(&mut self, id: u64) -> Done {
        self.ask_catalogue()?;
        let keys = &mut self.account.keys;
        let at = keys.position(id)?;
        let mut body = Body::read(&self.call.body)?;
        let (name, labels) = (body.text("name"), body.labels());
        body.finish()?;
        if let Some(name) = name {
            if keys.keys.iter().any(|key| key.name == name && key.id != id) {
                return Err(Problem::taken("SSH key not unique").into());
            }
            keys.keys[at].name = name;
        }
        if let Some(labels) = labels {
            keys.keys[at].labels = labels;
        }
        Ok((200, json!({ "ssh_key": keys.keys[at].shown() })))
    }

    /// `DELETE /ssh_keys/{id}`.
    pub(super) fn remove_key(&mut self, id: u64) -> Done {
        self.ask_catalogue()?;
        let keys = &mut self.account.keys;
        keys.keys.remove(keys.position(id)?);
        Ok((204, Value::Null))
    }
}
