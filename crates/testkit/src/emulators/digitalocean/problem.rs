//! Refusals in the API's own words.

use serde_json::{Value, json};

/// Why a request is refused, as the API says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    pub(super) status: u16,
    id: &'static str,
    message: String,
    attributes: Option<Value>,
}

impl Problem {
    /// A refusal with the usual id for its status.
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        let id = match status {
            400 => "bad_request",
            401 => "unauthorized",
            403 => "forbidden",
            404 => "not_found",
            405 => "method_not_allowed",
            409 => "conflict",
            413 => "payload_too_large",
            415 => "unsupported_media_type",
            422 => "unprocessable_entity",
            429 => "too_many_requests",
            503 => "service_unavailable",
            504 => "gateway_timeout",
            _ => "server_error",
        };
        Self { status, id, message: message.into(), attributes: None }
    }

    /// The body cannot be used.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, message)
    }

    /// There is no such resource.
    pub(super) fn not_found() -> Self {
        Self::new(404, "The resource you were accessing could not be found.")
    }

    /// The token may not do this.
    pub(super) fn forbidden() -> Self {
        Self::new(403, "You are not authorized to perform this operation")
    }

    /// The token is missing or wrong.
    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unable to authenticate you")
    }

    /// The account may not hold that many machines.
    pub(super) fn droplet_limit() -> Self {
        Self::unprocessable("creating this/these droplet(s) will exceed your droplet limit")
    }

    /// What is wrong.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Adds what the message is about, for programs.
    pub(super) fn about(self, attributes: Value) -> Self {
        Self { attributes: Some(attributes), ..self }
    }

    /// The body of the answer. The case of its `id` is not to be relied on, so it changes from one
    /// request to the next.
    pub(super) fn body(&self, request_id: &str) -> Value {
        let odd = request_id.ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']);
        let mut id = self.id.to_owned();
        if odd && let Some(first) = id.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let mut body = json!({ "id": id, "message": self.message, "request_id": request_id });
        if let Some(attributes) = &self.attributes {
            body["error_attributes"] = attributes.clone();
        }
        body
    }
}
