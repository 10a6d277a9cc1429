//! Hosts.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::rules::{HostTag, Slug};
use crate::desired::Arch;
use crate::name::{HostName, RoleName};

/// Hosts by name.
pub(in crate::config) type RawHosts = BTreeMap<HostName, RawHost>;

/// One host, or with `count` several of a kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Host")]
pub(in crate::config) struct RawHost {
    /// What the host is for, e.g. `app`.
    pub(in crate::config) role: RoleName,
    /// `small`, `medium`, `large`, or the provider's own name of a size. Default: `default_size`.
    pub(in crate::config) size: Option<Slug>,
    /// Where at the provider. Default: `default_region`.
    pub(in crate::config) region: Option<Slug>,
    /// The operating system. Default: `default_image`.
    pub(in crate::config) image: Option<RawImage>,
    /// Processor architecture. Default: the provider's. Where the provider has no arm64 machines
    /// (DigitalOcean), `arm64` gives an amd64 machine that emulates it.
    pub(in crate::config) arch: Option<Arch>,
    /// Whether to ask for an interruptible, cheaper machine. Default: `false`.
    pub(in crate::config) spot: Option<bool>,
    /// How many hosts of this kind: `app` with `count: 3` gives `app-1`, `app-2` and `app-3`.
    /// Default: one host, called as it stands here.
    #[schemars(range(min = 1, max = 1000))]
    pub(in crate::config) count: Option<u32>,
    /// Whether the host may never be deleted or replaced. Default: `false`.
    pub(in crate::config) protected: Option<bool>,
    /// Your own tags; those that stand on a machine and not here are removed from it. On
    /// `digitalocean` without capital letters and `.`; on `hetzner` and `aws` `KEY` or `KEY:VALUE`, each
    /// key once.
    pub(in crate::config) tags: Option<BTreeSet<HostTag>>,
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(rename = "Image")]
pub(in crate::config) enum RawImage {
    /// Ubuntu 22.04 LTS.
    #[serde(rename = "ubuntu-22.04")]
    Ubuntu2204,
    /// Ubuntu 24.04 LTS.
    #[serde(rename = "ubuntu-24.04")]
    Ubuntu2404,
    /// Debian 12.
    #[serde(rename = "debian-12")]
    Debian12,
}

impl RawImage {
    pub(in crate::config) fn as_str(self) -> &'static str {
        match self {
            Self::Ubuntu2204 => "ubuntu-22.04",
            Self::Ubuntu2404 => "ubuntu-24.04",
            Self::Debian12 => "debian-12",
        }
    }
}
