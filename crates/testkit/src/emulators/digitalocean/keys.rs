//! `/account/keys`.

use serde_json::{Value, json};

use super::account::Key;
use super::body::Body;
use super::paging::paged;
use super::turn::{Done, Turn};

impl Turn<'_> {
    /// `GET /account/keys`.
    pub(super) fn list_keys(&mut self) -> Done {
        self.ask_catalogue()?;
        Ok((200, paged(self.call, "ssh_keys", self.account.keys.all(), Key::shown)?))
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
        Ok((200, json!({ "ssh_key": self.account.keys.find(given)?.shown() })))
    }

    /// `PUT /account/keys/{id or fingerprint}`.
    pub(super) fn rename_key(&mut self, given: &str) -> Done {
        self.ask_catalogue()?;
        self.account.keys.find(given)?;
        let mut body = Body::read(self.call)?;
        let name = body.required("name");
        body.finish()?;
        let key = self.account.keys.rename(given, name)?;
        Ok((200, json!({ "ssh_key": key.shown() })))
    }

    /// `DELETE /account/keys/{id or fingerprint}`.
    pub(super) fn remove_key(&mut self, given: &str) -> Done {
        self.ask_catalogue()?;
        self.account.keys.remove(given)?;
        Ok((204, Value::Null))
    }
}
