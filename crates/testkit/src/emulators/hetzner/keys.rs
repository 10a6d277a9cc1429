//! `/ssh_keys`.

use serde_json::{Value, json};

use super::account::Key;
use super::body::Body;
use super::paging::sorted;
use super::turn::{Done, Turn};

impl Turn<'_> {
    /// `GET /ssh_keys`.
    pub(super) fn list_keys(&mut self) -> Done {
        self.ask_catalogue()?;
        let (page, selector) = (self.page()?, self.selector()?);
        let (name, fingerprint) = (self.call.value("name"), self.call.value("fingerprint"));
        let mut keys: Vec<&Key> = self
            .account
            .keys
            .all()
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
        Ok((200, json!({ "ssh_key": self.account.keys.get(id)?.shown() })))
    }

    /// `PUT /ssh_keys/{id}`.
    pub(super) fn change_key(&mut self, id: u64) -> Done {
        self.ask_catalogue()?;
        self.account.keys.get(id)?;
        let mut body = Body::read(&self.call.body)?;
        let (name, labels) = (body.text("name"), body.labels());
        body.finish()?;
        let key = self.account.keys.change(id, name, labels)?;
        Ok((200, json!({ "ssh_key": key.shown() })))
    }

    /// `DELETE /ssh_keys/{id}`.
    pub(super) fn remove_key(&mut self, id: u64) -> Done {
        self.ask_catalogue()?;
        self.account.keys.remove(id)?;
        Ok((204, Value::Null))
    }
}
