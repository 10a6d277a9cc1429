//! `stagecraft.yml`: from bytes to a checked [`Config`], or to all of its problems at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::{Arch, DesiredHost, Position, ProviderId};
use crate::name::{EnvironmentName, HostName, Image, ProjectName, Region, RoleName, Scope, Size};

/// A configuration file without problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the project.
    pub project: ProjectName,
    /// `cloud.provider`, the provider of commands that need just one.
    pub default_provider: Option<ProviderId>,
    /// The providers the file configures.
    pub providers: BTreeMap<ProviderId, ProviderConfig>,
    /// How hosts reach each other.
    pub network: NetworkConfig,
    /// How hosts are set up.
    pub bootstrap: BootstrapConfig,
    /// The hosts of every environment, over all providers.
    pub environments: BTreeMap<EnvironmentName, BTreeMap<HostName, DesiredHost>>,
}

/// What the file says of one provider, hosts aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Where its credentials come from; `None` only for `local`.
    pub credentials: Option<CredentialSource>,
    /// Name of an SSH key in the account.
    pub ssh_key_name: Option<String>,
    /// Regions hosts may use; empty means all.
    pub allowed_regions: BTreeSet<Region>,
    /// Sizes hosts may use; empty means all.
    pub allowed_sizes: BTreeSet<Size>,
    /// Where the provider stands in the file.
    pub declared_at: Position,
}

/// Where a secret comes from. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// The environment variable of this name.
    Variable(String),
    /// The entry of this name in the credential store.
    Stored(String),
}

/// The private network of the hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NetworkConfig {
    /// None: hosts have their own addresses only.
    #[default]
    None,
    /// Tailscale or Headscale.
    Tailscale,
    /// Plain WireGuard.
    WireGuard,
}

/// How hosts are set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootstrapConfig {
    /// How to log in.
    pub ssh: SshConfig,
    /// How Docker gets there.
    pub docker: DockerConfig,
}

/// How to log in to hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshConfig {
    /// The user; one who is not root needs `sudo` without a password.
    pub user: String,
    /// The port, unless the provider says otherwise for an instance.
    pub port: u16,
    /// The private key as written in the file; `~/` means the home directory. `None` leaves the
    /// choice to the SSH agent and OpenSSH's usual files.
    pub private_key_path: Option<String>,
    /// Which host keys are believed.
    pub host_keys: HostKeys,
}

impl Default for SshConfig {
    fn default() -> Self {
        Self {
            user: "root".to_owned(),
            port: 22,
            private_key_path: None,
            host_keys: HostKeys::AcceptNew,
        }
    }
}

/// Which host keys are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeys {
    /// A key not seen before is remembered; a changed one is refused.
    AcceptNew,
    /// Only keys in the user's known-hosts files.
    KnownHosts,
}

/// How Docker gets on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerConfig {
    /// Whether hosts get Docker at all.
    pub enabled: bool,
    /// How it is installed.
    pub install_method: DockerInstall,
    /// Whose packages.
    pub source: DockerSource,
}

impl Default for DockerConfig {
    fn default() -> Self {
        Self { enabled: true, install_method: DockerInstall::Apt, source: DockerSource::Distro }
    }
}

/// How Docker is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DockerInstall {
    /// By packages.
    Apt,
    /// By Docker's convenience script.
    Script,
    /// Not at all: it must be there.
    Skip,
}

/// Whose Docker packages are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DockerSource {
    /// The distribution's `docker.io`.
    Distro,
    /// Docker's own `docker-ce`.
    Docker,
}
