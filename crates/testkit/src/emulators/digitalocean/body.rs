//! Bodies of requests, read strictly: what is not known or of another type is refused.

use serde_json::{Map, Value};

use super::problem::Problem;
use crate::emulators::Call;

/// A body being read. The first thing wrong with it is kept until [`Body::finish`].
#[derive(Debug)]
pub(super) struct Body {
    fields: Map<String, Value>,
    wrong: Option<String>,
}

impl Body {
    /// The body of a request.
    ///
    /// # Errors
    /// It is no JSON object, or does not say that it is JSON.
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        let kind = call.header("content-type").unwrap_or_default();
        if !kind.starts_with("application/json") {
            let message = "the request must have the content type application/json";
            return Err(Problem::new(415, message));
        }
        match call.json() {
            Ok(Value::Object(fields)) => Ok(Self { fields, wrong: None }),
            Ok(_) | Err(_) => Err(Problem::new(400, "the request body is not a JSON object")),
        }
    }

    /// Whether there is a field of this name that has not been read.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether a field is there and is `null`; it counts as read then.
    pub(super) fn is_null(&mut self, name: &str) -> bool {
        let null = self.fields.get(name).is_some_and(Value::is_null);
        if null {
            self.ignore(name);
        }
        null
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    /// A text that has to be there.
    pub(super) fn required(&mut self, name: &str) -> String {
        if !self.has(name) {
            self.complain(format!("{name} is required"));
        }
        self.text(name).unwrap_or_default()
    }

    /// A truth value.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.take(name, "a boolean", Value::as_bool)
    }

    /// A text or a whole number, as text.
    pub(super) fn slug_or_number(&mut self, name: &str) -> Option<String> {
        self.take(name, "a string or an integer", word)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.list(name, "a list of strings", |item| item.as_str().map(str::to_owned))
    }

    /// A list of texts or whole numbers, as texts.
    pub(super) fn words(&mut self, name: &str) -> Option<Vec<String>> {
        self.list(name, "a list of strings or integers", word)
    }

    /// A list of objects, each read by `read`.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.take(name, kind, |value| value.as_array()?.iter().map(read).collect())
    }

    /// Lets a field be that the emulator does nothing with.
    pub(super) fn ignore(&mut self, name: &str) {
        self.fields.shift_remove(name);
    }

    /// Notes something that is wrong.
    pub(super) fn complain(&mut self, message: String) {
        self.wrong.get_or_insert(message);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// The first thing that is wrong, fields that nobody read included.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        if let Some(unknown) = self.fields.keys().next().cloned() {
            self.complain(format!("{unknown} is not a known attribute"));
        }
        match self.wrong {
            Some(message) => Err(Problem::unprocessable(message)),
            None => Ok(()),
        }
    }

    fn take<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.fields.shift_remove(name)?;
        let read = read(&value);
        if read.is_none() {
            self.complain(format!("{name} must be {kind}"));
        }
        read
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
