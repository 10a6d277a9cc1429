//! Request bodies, read as strictly as the description allows.

use serde_json::{Map, Value};

use super::problem::Problem;
use super::selector;
use crate::world::Labels;

/// A body of which every field must be asked for.
#[derive(Debug)]
pub(super) struct Body {
    fields: Map<String, Value>,
    faults: Vec<(String, String)>,
}

impl Body {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// Something else was sent.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self { fields, faults: Vec::new() }),
            Ok(_) | Err(_) => {
                Err(Problem::new(400, "json_error", "invalid JSON input in your request"))
            }
        }
    }

    /// A field that need not be there, as `read` understands it.
    pub(super) fn take<T>(
        &mut self,
        key: &str,
        kind: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.fields.shift_remove(key)?;
        let understood = read(value);
        if understood.is_none() {
            self.complain(key, &format!("must be {kind}"));
        }
        understood
    }

    /// A string.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.take(key, "a string", |value| value.as_str().map(str::to_owned))
    }

    /// A string that must be there; empty when it is not.
    pub(super) fn required(&mut self, key: &str) -> String {
        self.require(key);
        self.text(key).unwrap_or_default()
    }

    /// A name or an id that must be there; empty when it is not. The description knows strings
    /// only, but the provider's own clients send ids as numbers.
    pub(super) fn required_name_or_id(&mut self, key: &str) -> String {
        self.require(key);
        self.take(key, "a name or an id", |value| name_or_id(&value)).unwrap_or_default()
    }

    fn require(&mut self, key: &str) {
        if !self.fields.contains_key(key) {
            self.complain(key, "is required");
        }
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.take(key, "a boolean", |value| value.as_bool())
    }

    /// A list.
    pub(super) fn list(&mut self, key: &str) -> Option<Vec<Value>> {
        self.take(key, "an array", |value| value.as_array().cloned())
    }

    /// The labels, which must follow the rules for labels.
    pub(super) fn labels(&mut self) -> Option<Labels> {
        let labels = self.take("labels", "an object of strings", |value| {
            let text = |(key, value): (&String, &Value)| {
                value.as_str().map(|value| (key.clone(), value.to_owned()))
            };
            value.as_object()?.iter().map(text).collect::<Option<Labels>>()
        })?;
        if let Some(fault) = selector::fault_of(&labels) {
            self.complain("labels", &fault);
        }
        Some(labels)
    }

    /// The name of a server; it must be a host name.
    pub(super) fn check_host_name(&mut self, name: &str) {
        let is_label = |label: &str| {
            let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
            label.len() <= 63
                && ends(label.bytes().next())
                && ends(label.bytes().last())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if name.len() > 253 || !name.split('.').all(is_label) {
            self.complain("name", "must be a valid hostname as per RFC 1123");
        }
    }

    /// Remembers what is wrong with a field; the first complaint about it counts.
    pub(super) fn complain(&mut self, key: &str, message: &str) {
        if !self.faults.iter().any(|(known, _)| known == key) {
            self.faults.push((key.to_owned(), message.to_owned()));
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All that was wrong, fields nobody asked for included.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        for key in self.fields.keys() {
            self.faults.push((key.clone(), "unknown field".to_owned()));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::invalid_fields(&self.faults)) }
    }
}

/// A name, or an id as text.
pub(super) fn name_or_id(value: &Value) -> Option<String> {
    let id = || value.as_u64().map(|id| id.to_string());
    value.as_str().map(str::to_owned).or_else(id)
}
