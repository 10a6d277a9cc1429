//! The credential store, and the key it is sealed with.

use super::Lowering;
use crate::config::problem::Problem;
use crate::config::raw::RawStore;
use crate::config::{KeyPlace, StoreConfig, StorePlace};
use crate::error::Code;

const STORE: &str = "credentials";

impl Lowering<'_> {
    pub(super) fn store(&mut self, raw: RawStore) -> StoreConfig {
        if raw.path.is_some() && raw.url_env.is_some() {
            self.one_too_many(&[STORE], "path", "url_env");
        }
        if raw.ca_file.is_some() && raw.url_env.is_none() && !self.is_incomplete(&[STORE]) {
            self.report(
                Problem::new(
                    Code::CONFIG_MISSING_KEY,
                    "`credentials.ca_file` is without a `url_env`",
                )
                .at(self.key(&[STORE, "ca_file"]))
                .with_label("only PostgreSQL has a certificate")
                .with_help("add `url_env`, or take this key out"),
            );
        }
        let keys = [
            ("key_file", raw.key_file.is_some()),
            ("key_env", raw.key_env.is_some()),
            ("key_keyring", raw.key_keyring.is_some()),
        ];
        let mut given = keys.iter().filter(|(_, is_given)| *is_given).map(|(key, _)| *key);
        let first = given.next();
        for other in given {
            self.one_too_many(&[STORE], first.unwrap_or_default(), other);
        }
        // One key for two stores would be changed for one of them, and close the other for ever.
        let own_place = match (&raw.path, &raw.url_env) {
            (Some(_), None) => Some("path"),
            (None, Some(_)) => Some("url_env"),
            (Some(_), Some(_)) | (None, None) => None,
        };
        if let Some(place) = own_place.filter(|_| first.is_none() && !self.is_incomplete(&[STORE]))
        {
            self.report(
                Problem::new(
                    Code::CONFIG_MISSING_KEY,
                    format!("`credentials` has `{place}` and no key of its own"),
                )
                .at(self.key(&[STORE, place]))
                .with_label("`key_file`, `key_env` or `key_keyring` is required with it")
                .with_help("add one of them; each store has a key of its own"),
            );
        }
        let place = match raw.url_env {
            Some(name) => {
                StorePlace::Postgres { url_env: name.0, ca_file: raw.ca_file.map(|path| path.0) }
            }
            None => StorePlace::File(raw.path.map(|path| path.0)),
        };
        let key = match (raw.key_env, raw.key_keyring) {
            (Some(name), _) => KeyPlace::Variable(name.0),
            (None, Some(name)) => KeyPlace::Keyring(name),
            (None, None) => KeyPlace::File(raw.key_file.map(|path| path.0)),
        };
        StoreConfig { place, key }
    }
}
