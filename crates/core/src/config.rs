//! `stagecraft.yml`: from bytes to a checked [`Config`], or to all of its problems at once.
//!
//! ```text
//! bytes -> decode -> source (text, places) -> tree (YAML with spans) -> check (against the JSON Schema)
//!       -> raw (the file as Rust types) -> lower (defaults, `count`, what a schema cannot say)
//! ```

mod check;
mod decode;
mod environment;
mod lower;
mod problem;
mod raw;
mod reference;
mod regions;
mod rules;
mod scalar;
mod schema;
mod source;
mod template;
mod tree;
mod words;

#[cfg(test)]
mod tests;

pub use problem::{Problem, Problems};
pub use reference::reference_markdown;
pub use schema::json_schema;
pub use template::{template, token_variable};

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::desired::{DesiredHost, ProviderId};
use crate::error::Code;
use crate::name::{
    CredentialName, EnvironmentName, HostName, KeyringName, ProjectName, Region, Size,
};
use crate::network::{TailscaleConfig, WireGuard};
use raw::RawConfig;
use source::Source;

/// Parses and checks a file; `file` is its name for messages.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Config, Problems> {
    let Reading { source, config, problems, secrets } = read(bytes);
    match config.filter(|_| problems.is_empty()) {
        Some(config) => Ok(config),
        None => Err(Problems::new(file, &source, problems, &secrets)),
    }
}

/// The text of a file as it may be shown, whether or not anything is wrong with it: without a byte order
/// mark, and with all that does not show, or looks like a secret in the wrong place, replaced. Every other
/// byte stands where it was.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    let Reading { source, secrets, .. } = read(bytes);
    source.shown(&secrets)
}

/// What is found out about a file.
#[derive(Debug)]
struct Reading {
    source: Source,
    /// The configuration, as far as it could be made.
    config: Option<Config>,
    problems: Vec<Problem>,
    /// What must not be shown.
    secrets: Vec<Range<usize>>,
}

fn read(bytes: &[u8]) -> Reading {
    let (source, decoded) = decode::decode(bytes);
    let parsed = decoded.and_then(|()| tree::parse(&source));
    let (root, problems) = match parsed {
        Ok(parsed) => parsed,
        Err(problem) => {
            return Reading { source, config: None, problems: vec![problem], secrets: Vec::new() };
        }
    };
    let mut checked = check::check(&root, &json_schema());
    checked.problems.extend(problems);
    let value = std::mem::take(&mut checked.value);
    let config = match serde_json::from_value::<RawConfig>(value) {
        Ok(raw) => Some(lower::lower(raw, &root, &source, &mut checked)),
        Err(error) => {
            // The checker lets nothing through that the types refuse; if it ever does, the file is
            // refused all the same.
            let message = source::harmless(&error.to_string(), 200);
            checked.problems.push(Problem::new(Code::CONFIG_INVALID_VALUE, message).at(0..0));
            None
        }
    };
    Reading { source, config, problems: checked.problems, secrets: checked.secrets }
}

/// A configuration file without problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the project.
    pub project: ProjectName,
    /// `cloud.provider`, whose credentials are meant where none is named.
    pub default_provider: Option<ProviderId>,
    /// The providers the file configures.
    pub providers: BTreeMap<ProviderId, ProviderConfig>,
    /// How hosts reach each other.
    pub network: NetworkConfig,
    /// How hosts are set up.
    pub bootstrap: BootstrapConfig,
    /// The credential store.
    pub store: StoreConfig,
    /// The hosts of every environment, over all providers.
    pub environments: BTreeMap<EnvironmentName, BTreeMap<HostName, DesiredHost>>,
}

impl Config {
    /// A file that says nothing but the name of its project.
    #[must_use]
    pub fn of_project(project: ProjectName) -> Self {
        Self {
            project,
            default_provider: None,
            providers: BTreeMap::new(),
            network: NetworkConfig::default(),
            bootstrap: BootstrapConfig::default(),
            store: StoreConfig::default(),
            environments: BTreeMap::new(),
        }
    }

    /// The environment variables that hold secrets, by what the file says.
    #[must_use]
    pub fn secret_variables(&self) -> BTreeSet<&str> {
        let tokens = self.providers.values().flat_map(|provider| match &provider.credentials {
            Some(CredentialSource::Variable(name)) => vec![name.as_str()],
            Some(CredentialSource::AccessKey { secret, session, .. }) => {
                [Some(secret), session.as_ref()].into_iter().flatten().map(String::as_str).collect()
            }
            // The names that AWS's own tools know.
            Some(CredentialSource::Chain { .. }) => {
                vec!["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
            }
            Some(CredentialSource::Stored(_)) | None => Vec::new(),
        });
        let auth_key = match &self.network {
            NetworkConfig::Tailscale { auth_key: SecretSource::Variable(name), .. } => {
                Some(name.as_str())
            }
            NetworkConfig::Tailscale { auth_key: SecretSource::Stored(_), .. }
            | NetworkConfig::WireGuard(_)
            | NetworkConfig::None => None,
        };
        let url = match &self.store.place {
            StorePlace::Postgres { url_env, .. } => Some(url_env.as_str()),
            StorePlace::File(_) => None,
        };
        let key = match &self.store.key {
            KeyPlace::Variable(name) => Some(name.as_str()),
            KeyPlace::File(_) | KeyPlace::Keyring(_) => None,
        };
        let passphrase = self.bootstrap.ssh.private_key_passphrase_env.as_deref();
        tokens.chain(auth_key).chain(url).chain(key).chain(passphrase).collect()
    }
}

/// What the file says of one provider, hosts aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Where its credentials come from; `None` only for `local`.
    pub credentials: Option<CredentialSource>,
    /// Region of hosts that name none.
    pub default_region: Option<Region>,
    /// The subnet hosts are in; only for `aws`.
    pub subnet_id: Option<String>,
    /// Name of an SSH key in the account.
    pub ssh_key_name: Option<String>,
    /// Regions hosts may use; empty means all.
    pub allowed_regions: BTreeSet<Region>,
    /// Where the list has each of them.
    regions_at: Vec<(Region, Range<usize>)>,
    /// Sizes hosts may use; empty means all.
    pub allowed_sizes: BTreeSet<Size>,
    /// Base URL of its API; `None` means the provider's own.
    pub api_url: Option<String>,
    /// The environments named under its `hosts`, those without hosts included.
    pub environments: BTreeSet<EnvironmentName>,
}

/// Where a secret comes from. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// The environment variable of this name.
    Variable(String),
    /// The environment variables of these names, which hold an access key of AWS.
    AccessKey {
        /// Its id.
        id: String,
        /// Its secret.
        secret: String,
        /// What makes a temporary one valid.
        session: Option<String>,
    },
    /// Wherever AWS's own tools find credentials.
    Chain {
        /// A profile of AWS's configuration files.
        profile: Option<String>,
    },
    /// The entry of this name in the credential store.
    Stored(CredentialName),
}

/// Where a secret comes from that is one text. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The environment variable of this name.
    Variable(String),
    /// The entry of this name in the credential store.
    Stored(CredentialName),
}

/// The credential store, and the key it is sealed with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreConfig {
    /// Where records are.
    pub place: StorePlace,
    /// Where the key is.
    pub key: KeyPlace,
}

/// Where the records of the credential store are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlace {
    /// In a file as the file of the project names it; `None` is the user's own place for data.
    File(Option<String>),
    /// In PostgreSQL.
    Postgres {
        /// The environment variable that holds its URL.
        url_env: String,
        /// The certificate of the authority that its own is from.
        ca_file: Option<String>,
    },
}

impl Default for StorePlace {
    fn default() -> Self {
        Self::File(None)
    }
}

/// Where the key of the credential store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a file as the file of the project names it; `None` is the user's own place for settings.
    File(Option<String>),
    /// In the environment variable of this name.
    Variable(String),
    /// In the item of this name in the keyring of the user's session.
    Keyring(KeyringName),
}

impl Default for KeyPlace {
    fn default() -> Self {
        Self::File(None)
    }
}

/// The private network of the hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NetworkConfig {
    /// None: hosts have their own addresses only.
    #[default]
    None,
    /// Tailscale or Headscale.
    Tailscale {
        /// The tailnet.
        settings: TailscaleConfig,
        /// Where the auth key comes from.
        auth_key: SecretSource,
    },
    /// Plain WireGuard.
    WireGuard(WireGuard),
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
    /// The user; one who is not root needs `sudo` without a password. `None` leaves it to the
    /// user's OpenSSH configuration, and to `root` where that says nothing.
    pub user: Option<String>,
    /// The port, unless the provider says otherwise for an instance. `None` likewise, and 22.
    pub port: Option<u16>,
    /// The private key as written in the file; `~/` means the home directory. `None` leaves the
    /// choice to the SSH agent and OpenSSH's usual files.
    pub private_key_path: Option<String>,
    /// The environment variable that holds that key's passphrase.
    pub private_key_passphrase_env: Option<String>,
    /// Which host keys are believed.
    pub host_keys: HostKeys,
}

impl Default for SshConfig {
    fn default() -> Self {
        Self {
            user: None,
            port: None,
            private_key_path: None,
            private_key_passphrase_env: None,
            host_keys: HostKeys::Pinned,
        }
    }
}

/// Which host keys are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeys {
    /// Only the key fixed when the host was created, which is written on its instance.
    Pinned,
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
