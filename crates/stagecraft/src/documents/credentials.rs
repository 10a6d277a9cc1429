use schemars::JsonSchema;
use serde::Serialize;
use stagecraft_core::credential::Issuer;
use stagecraft_core::error::Failure;
use stagecraft_core::name::CredentialName;

use super::{Document, Kind};

/// What is in the credential store, by name. No secret, and nothing of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CredentialsDocument {
    /// The entries.
    pub(crate) credentials: Vec<CredentialItem>,
}

/// One entry of the credential store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CredentialItem {
    /// What the file calls it.
    pub(crate) name: CredentialName,
    /// Whose credential it is.
    pub(crate) provider: Issuer,
}

impl Document for CredentialsDocument {
    const KIND: Kind = Kind::Credentials;
}

/// An entry of the credential store was added, replaced or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CredentialDocument {
    /// What the file calls it.
    pub(crate) name: CredentialName,
    /// Whose credential it is, or was.
    pub(crate) provider: Issuer,
    /// What was done.
    pub(crate) change: CredentialChange,
}

/// What was done with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CredentialChange {
    /// There was none of that name.
    Added,
    /// It took the place of another.
    Replaced,
    /// It is not there any more.
    Removed,
}

impl Document for CredentialDocument {
    const KIND: Kind = Kind::Credential;
}

/// What the providers said of entries of the credential store, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CredentialTestDocument {
    /// The entries.
    pub(crate) credentials: Vec<CredentialTest>,
    /// How the process exits.
    pub(crate) exit_code: u8,
}

/// What came of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CredentialTest {
    /// What the file calls it.
    pub(crate) name: CredentialName,
    /// Whose credential it is.
    pub(crate) provider: Issuer,
    #[serde(flatten)]
    pub(crate) result: TestResult,
}

/// Whether it was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "result", rename_all = "lowercase")]
pub(crate) enum TestResult {
    /// Its provider accepts it.
    Accepted {
        /// The account, in the provider's words.
        account: String,
    },
    /// It can be opened; whether it is accepted cannot be asked.
    Opened,
    /// It cannot be opened, or its provider does not accept it.
    Failed {
        /// Why.
        failure: Failure,
    },
}

impl Document for CredentialTestDocument {
    const KIND: Kind = Kind::CredentialTest;
}

/// The key of the credential store was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct KeyRotationDocument {
    /// Whether this ended an earlier change that had not come to its end.
    pub(crate) finished_earlier: bool,
    /// How many entries were sealed anew.
    pub(crate) entries: usize,
}

impl Document for KeyRotationDocument {
    const KIND: Kind = Kind::KeyRotation;
}
