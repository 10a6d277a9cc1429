//! How hosts are set up.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::rules::{Line, UserName, Variable};

/// How hosts are set up.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Infra")]
pub(in crate::config) struct RawInfra {
    /// What is done on every host.
    pub(in crate::config) bootstrap: Option<RawBootstrap>,
}

/// What is done on every host.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bootstrap")]
pub(in crate::config) struct RawBootstrap {
    /// How to log in to hosts.
    pub(in crate::config) ssh: Option<RawSsh>,
    /// How Docker gets on hosts.
    pub(in crate::config) docker: Option<RawDocker>,
}

/// How to log in to hosts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Ssh")]
pub(in crate::config) struct RawSsh {
    /// The user; one who is not root needs `sudo` without a password. Default: what your OpenSSH
    /// configuration says for the host, else whom the image lets in: `root`, on `aws` `ubuntu`, or `admin` of
    /// `debian-12`.
    pub(in crate::config) user: Option<UserName>,
    /// The port, unless the provider publishes another. Default: what your OpenSSH configuration says
    /// for the host, else 22.
    #[schemars(range(min = 1))]
    pub(in crate::config) port: Option<u16>,
    /// Path of the private key; `~/` is your home directory. Default: your SSH agent, then
    /// OpenSSH's usual files.
    pub(in crate::config) private_key_path: Option<Line>,
    /// Name of the environment variable that holds the passphrase of `private_key_path`. Never the
    /// passphrase itself. Default: your SSH agent has the key, or you are asked on the terminal.
    pub(in crate::config) private_key_passphrase_env: Option<Variable>,
    /// Which host keys are believed. Default: `pinned`.
    pub(in crate::config) host_keys: Option<RawHostKeys>,
}

/// Which host keys are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "HostKeys")]
pub(in crate::config) enum RawHostKeys {
    /// Only the key fixed when the host was created, which is written on its instance. Nothing is
    /// believed on first contact, and no file has to be shared.
    Pinned,
    /// A key not seen before is remembered; a changed one is refused.
    AcceptNew,
    /// Only keys in your known-hosts files.
    KnownHosts,
}

/// How Docker gets on hosts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Docker")]
pub(in crate::config) struct RawDocker {
    /// Whether hosts get Docker at all. Default: `true`.
    pub(in crate::config) enabled: Option<bool>,
    /// How it is installed. Default: `apt`.
    pub(in crate::config) install_method: Option<RawDockerInstall>,
    /// Whose packages `apt` installs. Default: `distro`.
    pub(in crate::config) source: Option<RawDockerSource>,
}

/// How Docker is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DockerInstall")]
pub(in crate::config) enum RawDockerInstall {
    /// By packages.
    Apt,
    /// By Docker's convenience script.
    Script,
    /// Not at all: it must be there.
    Skip,
}

/// Whose Docker packages are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DockerSource")]
pub(in crate::config) enum RawDockerSource {
    /// The distribution's `docker.io`.
    Distro,
    /// Docker's own `docker-ce`.
    Docker,
}
