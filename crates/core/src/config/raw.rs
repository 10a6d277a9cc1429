//! `stagecraft.yml` as it is written. The JSON Schema of the file is made from these types, and
//! their documentation is what editors and `docs/config.md` show.

mod cloud;
mod hosts;
mod infra;
mod network;

pub(super) use cloud::{RawAwsOnly, RawCloud, RawProvider};
pub(super) use hosts::{RawHost, RawHosts, RawImage};
pub(super) use infra::{
    RawBootstrap, RawDocker, RawDockerInstall, RawDockerSource, RawHostKeys, RawInfra, RawSsh,
};
pub(super) use network::{
    RawInstallMethod, RawNetwork, RawNetworkProvider, RawTailscale, RawTailscaleInstall,
    RawWireGuard,
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::rules::{Line, Variable};
use crate::name::{KeyringName, ProjectName};

/// Hosts and how they are set up, for one project.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "stagecraft.yml")]
pub(super) struct RawConfig {
    /// The project the hosts belong to.
    pub(super) project: RawProject,
    /// Where hosts live, and which ones there are.
    pub(super) cloud: RawCloud,
    /// The private network between hosts. Default: none.
    pub(super) network: Option<RawNetwork>,
    /// How hosts are set up.
    pub(super) infra: Option<RawInfra>,
    /// The credential store, and the key it is sealed with. Default: a file of your own, for all your
    /// projects.
    pub(super) credentials: Option<RawStore>,
}

/// The credential store, and the key it is sealed with. With `path` or `url_env`, `key_file`,
/// `key_env` or `key_keyring` is needed: each store has a key of its own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CredentialStore")]
pub(super) struct RawStore {
    /// The store as a file of SQLite; `~/` is your home directory. Default:
    /// `stagecraft/credentials.db` in your folder of data (`$XDG_DATA_HOME`, `~/.local/share`).
    pub(super) path: Option<Line>,
    /// Or the store in PostgreSQL: name of the environment variable that holds its URL, which has a
    /// password. Never the URL itself.
    pub(super) url_env: Option<Variable>,
    /// The certificate of the authority that PostgreSQL's certificate is from, in PEM. Default: the
    /// authorities this machine trusts.
    pub(super) ca_file: Option<Line>,
    /// The file of the key, made by the first `stagecraft credentials add`, which nobody but you may
    /// read. Default: `stagecraft/credentials.key` in your folder of settings (`$XDG_CONFIG_HOME`,
    /// `~/.config`).
    pub(super) key_file: Option<Line>,
    /// Or the environment variable that holds the key: 32 bytes in Base64, or several such keys with
    /// the newest first. Never the key itself.
    pub(super) key_env: Option<Variable>,
    /// Or the item of your session's keyring that holds the key, made by the first `stagecraft
    /// credentials add`: a name of your choice, another for each store.
    pub(super) key_keyring: Option<KeyringName>,
}

/// The project the hosts belong to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Project")]
pub(super) struct RawProject {
    /// Name of the project. Hosts are found again by it: changing it means other hosts.
    pub(super) name: ProjectName,
}
