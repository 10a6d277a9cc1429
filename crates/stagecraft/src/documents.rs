//! What `--output json` prints: one document per run, described by the schemas in `docs/schemas`.
//!
//! Documents are a public interface. A field may be added; removing one, renaming one or changing
//! what it means needs another schema version.

mod credentials;
mod envelope;
mod error;
mod hosts;
mod plan;
mod report;
mod simple;
#[cfg(test)]
mod tests;

pub(crate) use credentials::{
    CredentialChange, CredentialDocument, CredentialItem, CredentialTest, CredentialTestDocument,
    CredentialsDocument, KeyRotationDocument, TestResult,
};
pub(crate) use envelope::{Document, Kind, schema_of};
pub(crate) use error::{ErrorDocument, ErrorItem};
pub(crate) use hosts::{
    ExecDocument, ExecHost, ExecResult, InventoryDocument, InventoryHost, OpenItem, Ssh,
    StatusDocument, StatusHost, StatusState, TrustDocument,
};
pub(crate) use plan::{PlanDocument, monthly};
pub(crate) use report::{ReportDocument, Verb};
pub(crate) use simple::{
    EnvironmentItem, InitDocument, OnlineItem, ProviderItem, ProvidersDocument, ValidationDocument,
};
