//! What was asked and answered, for tests to look at.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::faults;

/// A request and what came of it. Holds no token; bodies are as they were.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// When it arrived, since the world began.
    pub at: Duration,
    /// In capitals.
    pub method: String,
    /// The path as it came, with the version prefix; the action where an API has one path only.
    pub path: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The body of the request: JSON, or a string of what was no JSON; `None` when there was none.
    pub request: Option<Value>,
    /// The status; `None` when the connection was cut without an answer.
    pub status: Option<u16>,
    /// The headers of the answer, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body of the answer as it was before a fault spoiled it; `None` when there was none.
    pub answer: Option<Value>,
    /// The fault that was injected.
    pub fault: Option<faults::Effect>,
}

impl Exchange {
    /// The value of a header of the answer.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

/// One line: `POST /v2/droplets 202`.
impl fmt::Display for Exchange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, self.path)?;
        for (index, (name, value)) in self.query.iter().enumerate() {
            write!(out, "{}{name}={value}", if index == 0 { '?' } else { '&' })?;
        }
        match self.status {
            Some(status) => write!(out, " {status}")?,
            None => write!(out, " cut")?,
        }
        match &self.fault {
            Some(fault) => write!(out, " (injected: {fault})"),
            None => Ok(()),
        }
    }
}

/// Every exchange in order of their ends. Clones are the same record.
#[derive(Clone, Debug, Default)]
pub struct Record(Arc<Mutex<Vec<Exchange>>>);

impl Record {
    /// Everything so far.
    #[must_use]
    pub fn all(&self) -> Vec<Exchange> {
        self.exchanges().clone()
    }

    /// Those of a method whose path matches a pattern as in [`faults::Rule::path`], with the
    /// version prefix.
    #[must_use]
    pub fn of(&self, method: &str, pattern: &str) -> Vec<Exchange> {
        let exchanges = self.exchanges();
        let fitting = exchanges.iter().filter(|exchange| {
            exchange.method == method && faults::path_fits(pattern, &exchange.path)
        });
        fitting.cloned().collect()
    }

    /// Forgets everything so far.
    pub fn clear(&self) {
        self.exchanges().clear();
    }

    pub(super) fn add(&self, exchange: Exchange) {
        self.exchanges().push(exchange);
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
