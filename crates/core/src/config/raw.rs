//! `stagecraft.yml` as it is written. The JSON Schema of the file is made from these types, and
//! their documentation is what editors and `docs/config.md` show.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::rules::{
    Cidr, DomainName, HostTag, Line, MeshTag, Slug, Url, UserName, Variable, Version,
};
use crate::desired::{Arch, ProviderId};
use crate::name::{CredentialName, EnvironmentName, HostName, KeyringName, ProjectName, RoleName};

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

/// Where hosts live, and which ones there are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cloud")]
pub(super) struct RawCloud {
    /// The provider of commands that need just one. An environment may spread over several.
    pub(super) provider: Option<ProviderId>,
    /// The providers in use.
    pub(super) providers: RawProviders,
}

/// The providers in use.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Providers")]
pub(super) struct RawProviders {
    /// Amazon EC2.
    pub(super) aws: Option<RawAws>,
    /// DigitalOcean Droplets.
    pub(super) digitalocean: Option<RawProvider>,
    /// Hetzner Cloud servers.
    pub(super) hetzner: Option<RawProvider>,
    /// Containers on this machine's Docker Engine that behave like hosts.
    pub(super) local: Option<RawLocal>,
}

/// Hosts by name.
pub(super) type RawHosts = BTreeMap<HostName, RawHost>;

/// One cloud. Exactly one of `token_env` and `credentials` is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Provider")]
pub(super) struct RawProvider {
    /// Name of the environment variable that holds the API token. Never the token itself.
    pub(super) token_env: Option<Variable>,
    /// Name of an entry in the credential store.
    pub(super) credentials: Option<CredentialName>,
    /// Name of an SSH key that exists in the account; new hosts let it in. Needed where there are
    /// hosts.
    pub(super) ssh_key_name: Option<Line>,
    /// Region of hosts that name none, e.g. `nyc3`.
    pub(super) default_region: Option<Slug>,
    /// Size of hosts that name none: `small`, `medium`, `large`, or the provider's own name of a
    /// size. Default: `small`.
    pub(super) default_size: Option<Slug>,
    /// Image of hosts that name none. Default: `ubuntu-22.04`.
    pub(super) default_image: Option<RawImage>,
    /// Regions hosts may use. Default: all.
    #[schemars(length(min = 1))]
    pub(super) regions: Option<BTreeSet<Slug>>,
    /// Sizes hosts may use. Default: all.
    #[schemars(length(min = 1))]
    pub(super) sizes: Option<BTreeSet<Slug>>,
    /// Base URL of the API with its version, for a proxy or a test double, e.g.
    /// `https://proxy.example/v2`; `http://` only on this machine. Default: the provider's own.
    pub(super) api_url: Option<Url>,
    /// Hosts, by environment.
    pub(super) hosts: Option<BTreeMap<EnvironmentName, RawHosts>>,
    /// What only `aws` has.
    #[serde(skip)]
    pub(super) aws: RawAwsOnly,
}

/// What only `aws` has.
#[derive(Debug, Default)]
pub(super) struct RawAwsOnly {
    pub(super) access_key_id_env: Option<Variable>,
    pub(super) secret_access_key_env: Option<Variable>,
    pub(super) session_token_env: Option<Variable>,
    pub(super) profile: Option<Line>,
    pub(super) subnet_id: Option<Slug>,
}

/// Amazon EC2. Without `access_key_id_env` and `credentials` the usual chain of AWS counts: the
/// environment, a profile, single sign-on, web identity, the container, the machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Aws")]
pub(super) struct RawAws {
    /// Name of the environment variable that holds the id of an access key; with
    /// `secret_access_key_env`.
    pub(super) access_key_id_env: Option<Variable>,
    /// Name of the environment variable that holds the key's secret. Never the secret itself.
    pub(super) secret_access_key_env: Option<Variable>,
    /// Name of the environment variable that holds the session token of a temporary key.
    pub(super) session_token_env: Option<Variable>,
    /// A profile of AWS's configuration files. Default: what `AWS_PROFILE` says.
    pub(super) profile: Option<Line>,
    /// Name of an entry in the credential store.
    pub(super) credentials: Option<CredentialName>,
    /// Name of a key pair that exists in each region with hosts; new hosts let it in. Needed where
    /// there are hosts.
    pub(super) ssh_key_name: Option<Line>,
    /// Region of hosts that name none, e.g. `us-east-1`.
    pub(super) default_region: Option<Slug>,
    /// Size of hosts that name none: `small`, `medium`, `large`, or an instance type. Default:
    /// `small`.
    pub(super) default_size: Option<Slug>,
    /// Image of hosts that name none. Default: `ubuntu-22.04`.
    pub(super) default_image: Option<RawImage>,
    /// Regions hosts may use; all of them are looked at. Default: all may be used, and those that
    /// hosts name are looked at.
    #[schemars(length(min = 1))]
    pub(super) regions: Option<BTreeSet<Slug>>,
    /// Sizes hosts may use. Default: all.
    #[schemars(length(min = 1))]
    pub(super) sizes: Option<BTreeSet<Slug>>,
    /// The subnet hosts are in, e.g. `subnet-0a1b2c3d`. Default: a default subnet of the region.
    pub(super) subnet_id: Option<Slug>,
    /// Base URL of all services, for a proxy or a test double; `http://` only on this machine.
    /// Default: AWS's own, in each region.
    pub(super) api_url: Option<Url>,
    /// Hosts, by environment.
    pub(super) hosts: Option<BTreeMap<EnvironmentName, RawHosts>>,
}

impl From<RawAws> for RawProvider {
    fn from(aws: RawAws) -> Self {
        Self {
            token_env: None,
            credentials: aws.credentials,
            ssh_key_name: aws.ssh_key_name,
            default_region: aws.default_region,
            default_size: aws.default_size,
            default_image: aws.default_image,
            regions: aws.regions,
            sizes: aws.sizes,
            api_url: aws.api_url,
            hosts: aws.hosts,
            aws: RawAwsOnly {
                access_key_id_env: aws.access_key_id_env,
                secret_access_key_env: aws.secret_access_key_env,
                session_token_env: aws.session_token_env,
                profile: aws.profile,
                subnet_id: aws.subnet_id,
            },
        }
    }
}

/// Containers on this machine's Docker Engine that behave like hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Local")]
pub(super) struct RawLocal {
    /// Region of hosts that name none; there is only `local`.
    pub(super) default_region: Option<Slug>,
    /// Size of hosts that name none: `small`, `medium` or `large`. Default: `small`.
    pub(super) default_size: Option<Slug>,
    /// Image of hosts that name none. Default: `debian-12`.
    pub(super) default_image: Option<RawImage>,
    /// Regions hosts may use; there is only `local`.
    #[schemars(length(min = 1))]
    pub(super) regions: Option<BTreeSet<Slug>>,
    /// Sizes hosts may use. Default: all.
    #[schemars(length(min = 1))]
    pub(super) sizes: Option<BTreeSet<Slug>>,
    /// Hosts, by environment.
    pub(super) hosts: Option<BTreeMap<EnvironmentName, RawHosts>>,
}

impl From<RawLocal> for RawProvider {
    fn from(local: RawLocal) -> Self {
        Self {
            token_env: None,
            credentials: None,
            ssh_key_name: None,
            default_region: local.default_region,
            default_size: local.default_size,
            default_image: local.default_image,
            regions: local.regions,
            sizes: local.sizes,
            api_url: None,
            hosts: local.hosts,
            aws: RawAwsOnly::default(),
        }
    }
}

/// One host, or with `count` several of a kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Host")]
pub(super) struct RawHost {
    /// What the host is for, e.g. `app`.
    pub(super) role: RoleName,
    /// `small`, `medium`, `large`, or the provider's own name of a size. Default: `default_size`.
    pub(super) size: Option<Slug>,
    /// Where at the provider. Default: `default_region`.
    pub(super) region: Option<Slug>,
    /// The operating system. Default: `default_image`.
    pub(super) image: Option<RawImage>,
    /// Processor architecture. Default: the provider's. Where the provider has no arm64 machines
    /// (DigitalOcean), `arm64` gives an amd64 machine that emulates it.
    pub(super) arch: Option<Arch>,
    /// Whether to ask for an interruptible, cheaper machine. Default: `false`.
    pub(super) spot: Option<bool>,
    /// How many hosts of this kind: `app` with `count: 3` gives `app-1`, `app-2` and `app-3`.
    /// Default: one host, called as it stands here.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) count: Option<u32>,
    /// Whether the host may never be deleted or replaced. Default: `false`.
    pub(super) protected: Option<bool>,
    /// Your own tags; those that stand on a machine and not here are removed from it. On
    /// `digitalocean` without capital letters and `.`; on `hetzner` and `aws` `KEY` or `KEY:VALUE`, each
    /// key once.
    pub(super) tags: Option<BTreeSet<HostTag>>,
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(rename = "Image")]
pub(super) enum RawImage {
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
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ubuntu2204 => "ubuntu-22.04",
            Self::Ubuntu2404 => "ubuntu-24.04",
            Self::Debian12 => "debian-12",
        }
    }
}

/// The private network between hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Network")]
pub(super) struct RawNetwork {
    /// Which network hosts join; its section under `providers` is needed, except for `none`.
    pub(super) provider: RawNetworkProvider,
    /// Settings of the networks.
    pub(super) providers: Option<RawNetworkProviders>,
}

/// A kind of private network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "NetworkProvider")]
pub(super) enum RawNetworkProvider {
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
pub(super) struct RawNetworkProviders {
    /// Tailscale or Headscale.
    pub(super) tailscale: Option<RawTailscale>,
    /// Plain WireGuard, without a third party.
    pub(super) wireguard: Option<RawWireGuard>,
}

/// Tailscale or Headscale. Exactly one of `auth_key_env` and `credentials` is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tailscale")]
pub(super) struct RawTailscale {
    /// Name of the environment variable that holds the auth key. Never the key itself.
    pub(super) auth_key_env: Option<Variable>,
    /// Name of an entry in the credential store.
    pub(super) credentials: Option<CredentialName>,
    /// Domain of the tailnet, e.g. `example.ts.net`.
    pub(super) tailnet_domain: DomainName,
    /// URL of a Headscale server. Default: Tailscale's.
    pub(super) login_server: Option<Url>,
    /// Tags of every host.
    pub(super) default_tags: Option<BTreeSet<MeshTag>>,
    /// Further tags, by role.
    pub(super) role_tags: Option<BTreeMap<RoleName, BTreeSet<MeshTag>>>,
    /// How the client gets on hosts.
    pub(super) install: Option<RawTailscaleInstall>,
}

/// How the Tailscale client gets on hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TailscaleInstall")]
pub(super) struct RawTailscaleInstall {
    /// Default: `auto`.
    pub(super) method: Option<RawInstallMethod>,
    /// The oldest client version that will do, e.g. `"1.78.0"`.
    pub(super) min_version: Option<Version>,
}

/// How a client gets on hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "InstallMethod")]
pub(super) enum RawInstallMethod {
    /// Installed where it is missing or too old.
    Auto,
    /// Not at all: it must be there.
    Skip,
}

/// Plain WireGuard, without a third party.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WireGuard")]
pub(super) struct RawWireGuard {
    /// The addresses hosts get, e.g. `10.66.0.0/16`.
    pub(super) cidr: Cidr,
    /// UDP port. Default: 51820.
    #[schemars(range(min = 1))]
    pub(super) port: Option<u16>,
    /// Domain of the hosts' names, e.g. `shop.internal`. Default: `internal`, under the project.
    pub(super) domain: Option<DomainName>,
}

/// How hosts are set up.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Infra")]
pub(super) struct RawInfra {
    /// What is done on every host.
    pub(super) bootstrap: Option<RawBootstrap>,
}

/// What is done on every host.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bootstrap")]
pub(super) struct RawBootstrap {
    /// How to log in to hosts.
    pub(super) ssh: Option<RawSsh>,
    /// How Docker gets on hosts.
    pub(super) docker: Option<RawDocker>,
}

/// How to log in to hosts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Ssh")]
pub(super) struct RawSsh {
    /// The user; one who is not root needs `sudo` without a password. Default: what your OpenSSH
    /// configuration says for the host, else `root`.
    pub(super) user: Option<UserName>,
    /// The port. Default: what your OpenSSH configuration says for the host, else 22.
    #[schemars(range(min = 1))]
    pub(super) port: Option<u16>,
    /// Path of the private key; `~/` is your home directory. Default: your SSH agent, then
    /// OpenSSH's usual files.
    pub(super) private_key_path: Option<Line>,
    /// Name of the environment variable that holds the passphrase of `private_key_path`. Never the
    /// passphrase itself. Default: your SSH agent has the key, or you are asked on the terminal.
    pub(super) private_key_passphrase_env: Option<Variable>,
    /// Which host keys are believed. Default: `pinned`.
    pub(super) host_keys: Option<RawHostKeys>,
}

/// Which host keys are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "HostKeys")]
pub(super) enum RawHostKeys {
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
pub(super) struct RawDocker {
    /// Whether hosts get Docker at all. Default: `true`.
    pub(super) enabled: Option<bool>,
    /// How it is installed. Default: `apt`.
    pub(super) install_method: Option<RawDockerInstall>,
    /// Whose packages `apt` installs. Default: `distro`.
    pub(super) source: Option<RawDockerSource>,
}

/// How Docker is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DockerInstall")]
pub(super) enum RawDockerInstall {
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
pub(super) enum RawDockerSource {
    /// The distribution's `docker.io`.
    Distro,
    /// Docker's own `docker-ce`.
    Docker,
}
