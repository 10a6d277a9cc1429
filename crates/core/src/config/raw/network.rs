//! The private network between hosts.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::rules::{Cidr, DomainName, MeshTag, Url, Variable, Version};
use crate::name::{CredentialName, RoleName};

/// The private network between hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Network")]
pub(in crate::config) struct RawNetwork {
    /// Which network hosts join; its section under `providers` is needed, except for `none`.
    pub(in crate::config) provider: RawNetworkProvider,
    /// Settings of the networks.
    pub(in crate::config) providers: Option<RawNetworkProviders>,
}

/// A kind of private network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "NetworkProvider")]
pub(in crate::config) enum RawNetworkProvider {
    /// Hosts have their own addresses only.
    None,
    /// Tailscale or Headscale.
    Tailscale,
    /// Plain WireGuard, without a third party.
    WireGuard,
}

/// Settings of the networks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NetworkProviders")]
pub(in crate::config) struct RawNetworkProviders {
    /// Tailscale or Headscale.
    pub(in crate::config) tailscale: Option<RawTailscale>,
    /// Plain WireGuard, without a third party.
    pub(in crate::config) wireguard: Option<RawWireGuard>,
}

/// Tailscale or Headscale. Exactly one of `auth_key_env` and `credentials` is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tailscale")]
pub(in crate::config) struct RawTailscale {
    /// Name of the environment variable that holds the auth key. Never the key itself.
    pub(in crate::config) auth_key_env: Option<Variable>,
    /// Name of an entry in the credential store.
    pub(in crate::config) credentials: Option<CredentialName>,
    /// Domain of the tailnet, e.g. `example.ts.net`.
    pub(in crate::config) tailnet_domain: DomainName,
    /// URL of a Headscale server. Default: Tailscale's.
    pub(in crate::config) login_server: Option<Url>,
    /// Tags of every host.
    pub(in crate::config) default_tags: Option<BTreeSet<MeshTag>>,
    /// Further tags, by role.
    pub(in crate::config) role_tags: Option<BTreeMap<RoleName, BTreeSet<MeshTag>>>,
    /// How the client gets on hosts.
    pub(in crate::config) install: Option<RawTailscaleInstall>,
}

/// How the Tailscale client gets on hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TailscaleInstall")]
pub(in crate::config) struct RawTailscaleInstall {
    /// Default: `auto`.
    pub(in crate::config) method: Option<RawInstallMethod>,
    /// The oldest client version that will do, e.g. `"1.78.0"`.
    pub(in crate::config) min_version: Option<Version>,
}

/// How a client gets on hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "InstallMethod")]
pub(in crate::config) enum RawInstallMethod {
    /// Installed where it is missing or too old.
    Auto,
    /// Not at all: it must be there.
    Skip,
}

/// Plain WireGuard, without a third party.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WireGuard")]
pub(in crate::config) struct RawWireGuard {
    /// The addresses hosts get, e.g. `10.66.0.0/16`.
    pub(in crate::config) cidr: Cidr,
    /// UDP port. Default: 51820.
    #[schemars(range(min = 1))]
    pub(in crate::config) port: Option<u16>,
    /// Domain of the hosts' names, e.g. `shop.internal`. Default: `internal`, under the project.
    pub(in crate::config) domain: Option<DomainName>,
}
