use schemars::JsonSchema;
use serde::Serialize;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::name::{EnvironmentName, ProjectName};

use super::{Document, Kind};

/// A configuration file without problems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ValidationDocument {
    /// The project.
    pub(crate) project: ProjectName,
    /// Its environments, by name.
    pub(crate) environments: Vec<EnvironmentItem>,
    /// What the providers said, by name; null without `--online`.
    pub(crate) online: Option<Vec<OnlineItem>>,
}

/// One environment of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct EnvironmentItem {
    /// Its name.
    pub(crate) name: EnvironmentName,
    /// How many hosts it has.
    pub(crate) hosts: usize,
}

/// A provider that accepted the credentials and has what the file asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct OnlineItem {
    pub(crate) provider: ProviderId,
    /// The account, in the provider's words.
    pub(crate) account: String,
    /// How many hosts of the file were checked against what it offers.
    pub(crate) hosts: usize,
}

impl Document for ValidationDocument {
    const KIND: Kind = Kind::Validation;
}

/// The providers there are, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ProvidersDocument {
    /// The providers.
    pub(crate) providers: Vec<ProviderItem>,
}

/// What one provider supports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ProviderItem {
    pub(crate) provider: ProviderId,
    /// What a host is there.
    pub(crate) hosts: String,
    /// Which keys of the file name its credentials.
    pub(crate) credentials: String,
    /// What `arch: arm64` gives: `native` machines, `emulated` on amd64, or what the `engine's`
    /// machine is.
    pub(crate) arm64: String,
    /// Whether `spot: true` is honoured or `ignored`.
    pub(crate) spot: String,
}

impl Document for ProvidersDocument {
    const KIND: Kind = Kind::Providers;
}

/// A first configuration file was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct InitDocument {
    /// Where its hosts live.
    pub(crate) provider: ProviderId,
}

impl Document for InitDocument {
    const KIND: Kind = Kind::Init;
}
