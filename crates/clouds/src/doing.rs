use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::desired::ProviderId;

/// What is being tried, and at whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing {
    /// The provider.
    pub provider: ProviderId,
    /// Completes "could not …"; names the host.
    pub operation: String,
    /// Whether it changes something, so that a lost answer leaves a doubt.
    pub changes: bool,
}

impl Doing {
    /// Something that changes nothing.
    #[must_use]
    pub fn reading(provider: ProviderId, operation: impl Into<String>) -> Self {
        Self { provider, operation: operation.into(), changes: false }
    }

    /// Something that changes the provider's world.
    #[must_use]
    pub fn changing(provider: ProviderId, operation: impl Into<String>) -> Self {
        Self { provider, operation: operation.into(), changes: true }
    }

    /// A failure that certainly had no effect.
    pub(crate) fn failed(&self, kind: CloudErrorKind) -> CloudError {
        CloudError::new(self.provider, &self.operation, kind)
    }

    /// A failure that leaves it open whether the change was made, if this is a change.
    pub(crate) fn in_doubt(&self, kind: CloudErrorKind) -> CloudError {
        let error = self.failed(kind);
        if self.changes { error.maybe_done() } else { error }
    }
}
