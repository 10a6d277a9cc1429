//! Refusals in the API's own words.

use serde_json::{Map, Value, json};

/// Why a request is refused, as the API says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    pub(super) status: u16,
    code: &'static str,
    message: String,
    /// `None` leaves the key out.
    details: Option<Value>,
}

impl Problem {
    /// A refusal that says `details: null`.
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Some(Value::Null) }
    }

    /// There is no such path.
    pub(super) fn no_route() -> Self {
        Self::new(404, "not_found", "api route not found")
    }

    /// There is such a path, but nothing to do to it this way.
    pub(super) fn no_method() -> Self {
        Self::new(405, "method_not_allowed", "method not allowed")
    }

    /// There was such a path.
    pub(super) fn retired(what: &str, announcement: &str) -> Self {
        let mut problem = Self::new(410, "deprecated_api_endpoint", what);
        let announcement = format!("https://docs.hetzner.cloud/changelog#{announcement}");
        problem.details = Some(json!({ "announcement": announcement }));
        problem
    }

    /// The credentials are missing or wrong.
    pub(super) fn unauthorized(message: &str) -> Self {
        Self { details: None, ..Self::new(401, "unauthorized", message) }
    }

    /// The token may only read.
    pub(super) fn read_only() -> Self {
        Self { details: None, ..Self::new(401, "token_readonly", "token is only allowed to read") }
    }

    /// There is no such resource.
    pub(super) fn not_found(what: &str, id: u64) -> Self {
        Self::new(404, "not_found", format!("{what} with ID '{id}' not found"))
    }

    /// Fields with values that cannot be used, each with what is wrong with it.
    pub(super) fn invalid_fields(fields: &[(String, String)]) -> Self {
        let names: Vec<String> = fields.iter().map(|(name, _)| format!("'{name}'")).collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        let message = format!("invalid input in field{plural} {}", names.join(", "));
        Self::invalid(&message, fields)
    }

    /// One field with a value that cannot be used, with a message of its own.
    pub(super) fn invalid_field(name: &str, message: &str) -> Self {
        Self::invalid(message, &[(name.to_owned(), message.to_owned())])
    }

    fn invalid(message: &str, fields: &[(String, String)]) -> Self {
        let fields: Vec<Value> = fields
            .iter()
            .map(|(name, message)| json!({ "name": name, "messages": [message] }))
            .collect();
        let mut problem = Self::new(422, "invalid_input", message);
        problem.details = Some(json!({ "fields": fields }));
        problem
    }

    /// Something unique is taken; what it is, the message says, the details do not.
    pub(super) fn taken(message: &str) -> Self {
        let mut problem = Self::new(409, "uniqueness_error", message);
        problem.details = Some(Value::Object(Map::new()));
        problem
    }

    /// A limit of the project is reached.
    pub(super) fn limit(name: &str) -> Self {
        let mut problem = Self::new(403, "resource_limit_exceeded", format!("{name} exceeded"));
        problem.details = Some(json!({ "limits": [{ "name": name }] }));
        problem
    }

    /// An action runs on the server.
    pub(super) fn locked() -> Self {
        Self::new(423, "locked", "cannot perform operation because server is locked")
    }

    /// The server is protected.
    pub(super) fn protected() -> Self {
        Self::new(423, "protected", "server deletion is protected")
    }

    /// What it says.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        json!({ "error": error })
    }
}
