use std::time::Duration;

use crate::desired::ProviderId;
use crate::error::{Code, Diagnose, Retry};

/// A request to a provider that failed.
#[derive(Debug, thiserror::Error)]
#[error("{provider} could not {operation}: {kind}{}", request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default())]
pub struct CloudError {
    /// Who failed.
    pub provider: ProviderId,
    /// Completes "could not …", e.g. "create host `db-1`".
    pub operation: String,
    /// The class of the failure.
    pub kind: CloudErrorKind,
    /// Whether the call may have taken effect although it failed. Never true for reads.
    pub maybe_done: bool,
    /// Whether it will certainly fail again soon, although others of its class may pass.
    pub lasting: bool,
    /// How long to wait at least before trying again, where the provider knows.
    pub retry_after: Duration,
    /// The provider's id of the failed request, for its support desk.
    pub request_id: Option<String>,
    /// Commands or edits that help, where the provider knows better than the class does.
    pub hints: Vec<String>,
}

impl CloudError {
    /// A failure that certainly had no effect.
    #[must_use]
    pub fn new(provider: ProviderId, operation: impl Into<String>, kind: CloudErrorKind) -> Self {
        Self {
            provider,
            operation: operation.into(),
            kind,
            maybe_done: false,
            lasting: false,
            retry_after: Duration::ZERO,
            request_id: None,
            hints: Vec::new(),
        }
    }

    /// Marks a failed change that may have taken effect.
    #[must_use]
    pub fn maybe_done(mut self) -> Self {
        self.maybe_done = true;
        self
    }

    /// Marks a failure that trying again soon cannot mend, e.g. a service that is not there.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }

    /// Asks to wait at least this long before trying again.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = pause;
        self
    }

    /// Adds a command or edit that helps.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// The classes of failure, the same for every provider. The texts are the provider's own words
/// with secrets removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudErrorKind {
    /// There are no credentials.
    #[error("there are no credentials: {0}")]
    NoCredentials(String),
    /// The credentials are malformed or refused.
    #[error("the credentials were refused: {0}")]
    InvalidCredentials(String),
    /// The credentials may not do this.
    #[error("not permitted: {0}")]
    Forbidden(String),
    /// An account limit is reached.
    #[error("a limit of the account is reached: {0}")]
    QuotaExceeded(String),
    /// No capacity.
    #[error("sold out: {0}")]
    SoldOut(String),
    /// The request is wrong.
    #[error("{0}")]
    InvalidInput(String),
    /// Something named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// Something of that name exists and is not ours.
    #[error("{0}")]
    Conflict(String),
    /// Too many requests; the provider may have said how long to wait.
    #[error("too many requests{}{message}", if message.is_empty() { "" } else { ": " })]
    RateLimited {
        /// The provider's hint.
        after: Option<Duration>,
        /// What it said; empty when it said nothing more.
        message: String,
    },
    /// No answer.
    #[error("it did not answer: {0}")]
    Unreachable(String),
    /// The provider failed itself.
    #[error("it failed: {0}")]
    ProviderFault(String),
    /// An answer outside the provider's own description.
    #[error("the answer was not understood: {0}")]
    UnexpectedAnswer(String),
    /// The provider cannot do this.
    #[error("it does not support {0}")]
    Unsupported(String),
}

impl Diagnose for CloudError {
    fn code(&self) -> Code {
        match self.kind {
            CloudErrorKind::NoCredentials(_) | CloudErrorKind::InvalidCredentials(_) => {
                Code::CLOUD_UNAUTHENTICATED
            }
            CloudErrorKind::Forbidden(_) => Code::CLOUD_FORBIDDEN,
            CloudErrorKind::QuotaExceeded(_) => Code::CLOUD_QUOTA_EXCEEDED,
            CloudErrorKind::SoldOut(_) => Code::CLOUD_SOLD_OUT,
            CloudErrorKind::InvalidInput(_) => Code::CLOUD_INVALID_REQUEST,
            CloudErrorKind::NotFound(_) => Code::CLOUD_NOT_FOUND,
            CloudErrorKind::Conflict(_) => Code::CLOUD_CONFLICT,
            CloudErrorKind::RateLimited { .. } => Code::CLOUD_RATE_LIMITED,
            CloudErrorKind::Unreachable(_) => Code::CLOUD_UNREACHABLE,
            CloudErrorKind::ProviderFault(_) => Code::CLOUD_PROVIDER_FAULT,
            CloudErrorKind::UnexpectedAnswer(_) => Code::CLOUD_UNEXPECTED_ANSWER,
            CloudErrorKind::Unsupported(_) => Code::CLOUD_UNSUPPORTED,
        }
    }

    fn retry(&self) -> Retry {
        if self.maybe_done {
            return Retry::Observe;
        }
        if self.lasting {
            return Retry::Never;
        }
        match self.kind {
            CloudErrorKind::RateLimited { after, .. } => Retry::After(after.unwrap_or_default()),
            CloudErrorKind::Unreachable(_) | CloudErrorKind::ProviderFault(_) => {
                Retry::After(self.retry_after)
            }
            CloudErrorKind::NoCredentials(_)
            | CloudErrorKind::InvalidCredentials(_)
            | CloudErrorKind::Forbidden(_)
            | CloudErrorKind::QuotaExceeded(_)
            | CloudErrorKind::SoldOut(_)
            | CloudErrorKind::InvalidInput(_)
            | CloudErrorKind::NotFound(_)
            | CloudErrorKind::Conflict(_)
            | CloudErrorKind::UnexpectedAnswer(_)
            | CloudErrorKind::Unsupported(_) => Retry::Never,
        }
    }

    fn hints(&self) -> Vec<String> {
        self.hints.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_hints_of_its_error() {
        let kind = CloudErrorKind::Forbidden("no".to_owned());
        let error = CloudError::new(ProviderId::Aws, "list instances", kind).with_hint("do this");
        assert_eq!(crate::error::Failure::from(&error).hints, ["do this"]);
    }

    #[test]
    fn a_rate_limit_is_told_in_the_providers_words_where_it_has_any() {
        let told = |message: &str| {
            let kind = CloudErrorKind::RateLimited { after: None, message: message.to_owned() };
            CloudError::new(ProviderId::DigitalOcean, "list instances", kind).to_string()
        };
        assert_eq!(told(""), "digitalocean could not list instances: too many requests");
        assert_eq!(
            told("API rate limit exceeded"),
            "digitalocean could not list instances: too many requests: API rate limit exceeded"
        );
    }
}
