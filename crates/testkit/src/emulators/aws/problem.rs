//! Refusals in the words of each service.

use serde_json::{Value, json};

use super::action::Service;
use super::xml;
use crate::emulators::call::{Answer, Media};

/// Why a request is refused, as EC2 says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: u16,
    code: String,
    message: String,
}

impl Problem {
    /// A refusal.
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// A parameter with a value that cannot be used.
    pub(super) fn invalid(parameter: &str, message: &str) -> Self {
        let message = format!("Invalid value for parameter {parameter}: {message}");
        Self::new(400, "InvalidParameterValue", message)
    }

    /// Parameters that cannot be used together.
    pub(super) fn combination(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterCombination", message)
    }

    /// A parameter that must be there is not.
    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}");
        Self::new(400, "MissingParameter", message)
    }

    /// A parameter nobody knows.
    pub(super) fn unknown_parameter(parameter: &str) -> Self {
        let message = format!("The parameter {parameter} is not recognized");
        Self::new(400, "UnknownParameter", message)
    }

    /// Parameters that spell no tree.
    pub(super) fn malformed() -> Self {
        let message = "The query string is malformed or does not adhere to AWS standards.";
        Self::new(400, "MalformedQueryString", message)
    }

    /// The credentials are not known.
    pub(super) fn auth() -> Self {
        let message = "AWS was not able to validate the provided access credentials";
        Self::new(401, "AuthFailure", message)
    }

    /// Whoever asks may not do that.
    pub(super) fn unauthorized(action: &str, who: &str) -> Self {
        // What the real one encodes says which statement of which policy decided.
        let blob = "Xq0kYb3m9dVvSLkD1pXyB7gqWzv5Jw0Uo2nH4rT6";
        let message = format!(
            "You are not authorized to perform this operation. User: {who} is not authorized to \
             perform: ec2:{action} because no identity-based policy allows the ec2:{action} action. \
             Encoded authorization failure message: {blob}"
        );
        Self::new(403, "UnauthorizedOperation", message)
    }

    /// It would have been done.
    pub(super) fn dry_run() -> Self {
        let message = "Request would have succeeded, but DryRun flag is set.";
        Self::new(412, "DryRunOperation", message)
    }

    /// There is no room for what is asked.
    pub(super) fn no_capacity(message: impl Into<String>) -> Self {
        Self::new(500, "InsufficientInstanceCapacity", message)
    }

    /// It is one too many.
    pub(super) fn limited() -> Self {
        Self::new(503, "RequestLimitExceeded", "Request limit exceeded.")
    }

    /// An id that is not there.
    pub(super) fn not_found(code: &str, what: &str, id: &str) -> Self {
        Self::new(400, code, format!("The {what} '{id}' does not exist"))
    }

    /// The code.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// The message.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The answer of a service.
    pub(super) fn answer(&self, service: Service, request: &str) -> Answer {
        let (status, code) = self.said_by(service);
        let body = match service {
            Service::Ssm => {
                let body = json!({ "__type": code, "message": self.message });
                return Answer::new(status, body).written_as(Media::AmazonJson);
            }
            Service::Ec2 => {
                let error = json!({ "Code": code, "Message": self.message });
                let content = json!({ "Errors": { "Error": error }, "RequestID": request });
                xml::document("Response", None, &content)
            }
            Service::Sts => {
                let error = json!({ "Type": "Sender", "Code": code, "Message": self.message });
                let content = json!({ "Error": error, "RequestId": request });
                let space = Some("https://sts.amazonaws.com/doc/2011-06-15/");
                xml::document("ErrorResponse", space, &content)
            }
        };
        Answer::new(status, Value::String(body)).written_as(Media::Xml)
    }

    /// Status and code: the other services have words of their own for the same.
    fn said_by(&self, service: Service) -> (u16, &str) {
        match (service, &*self.code) {
            (Service::Ssm, "AuthFailure" | "InvalidClientTokenId") => {
                (400, "UnrecognizedClientException")
            }
            (Service::Ssm, "SignatureDoesNotMatch") => (400, "InvalidSignatureException"),
            (Service::Ssm, "RequestExpired") => (400, "ExpiredTokenException"),
            (Service::Ssm, "UnauthorizedOperation") => (400, "AccessDeniedException"),
            (Service::Ssm, "RequestLimitExceeded") => (400, "ThrottlingException"),
            (Service::Ssm, "InvalidAction") => (400, "UnknownOperationException"),
            (Service::Ssm, "InternalError") => (500, "InternalServerError"),
            (Service::Sts, "AuthFailure") => (403, "InvalidClientTokenId"),
            (Service::Sts, "RequestExpired") => (403, "ExpiredToken"),
            (Service::Sts, "RequestLimitExceeded") => (400, "Throttling"),
            (Service::Ec2 | Service::Sts | Service::Ssm, code) => (self.status, code),
        }
    }
}
