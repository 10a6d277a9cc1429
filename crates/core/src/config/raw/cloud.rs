//! Where hosts live: the providers.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::hosts::{RawHosts, RawImage};
use crate::config::rules::{Line, Slug, Url, Variable};
use crate::desired::ProviderId;
use crate::name::{CredentialName, EnvironmentName};

/// Where hosts live, and which ones there are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cloud")]
pub(in crate::config) struct RawCloud {
    /// Whose credential `stagecraft credentials add` takes when it names none with `--provider`. Where
    /// hosts live is said by what they stand under: an environment may spread over several providers.
    /// It has to be one of those under `providers`.
    pub(in crate::config) provider: Option<ProviderId>,
    /// The providers in use.
    pub(in crate::config) providers: RawProviders,
}

/// The providers in use.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Providers")]
pub(in crate::config) struct RawProviders {
    /// Amazon EC2.
    pub(in crate::config) aws: Option<RawAws>,
    /// DigitalOcean Droplets.
    pub(in crate::config) digitalocean: Option<RawProvider>,
    /// Hetzner Cloud servers.
    pub(in crate::config) hetzner: Option<RawProvider>,
    /// Containers on a Docker Engine, this machine's or that of `DOCKER_HOST`, that behave like hosts.
    pub(in crate::config) local: Option<RawLocal>,
}

/// One cloud. Exactly one of `token_env` and `credentials` is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Provider")]
pub(in crate::config) struct RawProvider {
    /// Name of the environment variable that holds the API token. Never the token itself.
    pub(in crate::config) token_env: Option<Variable>,
    /// Name of an entry in the credential store.
    pub(in crate::config) credentials: Option<CredentialName>,
    /// Name of an SSH key that exists in the account; new hosts let it in. Needed where there are
    /// hosts.
    pub(in crate::config) ssh_key_name: Option<Line>,
    /// Region of hosts that name none, e.g. `nyc3`.
    pub(in crate::config) default_region: Option<Slug>,
    /// Size of hosts that name none: `small`, `medium`, `large`, or the provider's own name of a
    /// size. Default: `small`.
    pub(in crate::config) default_size: Option<Slug>,
    /// Image of hosts that name none. Default: `ubuntu-22.04`.
    pub(in crate::config) default_image: Option<RawImage>,
    /// Regions hosts may use. Default: all.
    #[schemars(length(min = 1))]
    pub(in crate::config) regions: Option<BTreeSet<Slug>>,
    /// Sizes hosts may use. Default: all.
    #[schemars(length(min = 1))]
    pub(in crate::config) sizes: Option<BTreeSet<Slug>>,
    /// Base URL of the API with its version, for a proxy or a test double, e.g.
    /// `https://proxy.example/v2`; `http://` only on this machine. Default: the provider's own.
    pub(in crate::config) api_url: Option<Url>,
    /// Hosts, by environment.
    pub(in crate::config) hosts: Option<BTreeMap<EnvironmentName, RawHosts>>,
    /// What only `aws` has.
    #[serde(skip)]
    pub(in crate::config) aws: RawAwsOnly,
}

/// What only `aws` has.
#[derive(Debug, Default)]
pub(in crate::config) struct RawAwsOnly {
    pub(in crate::config) access_key_id_env: Option<Variable>,
    pub(in crate::config) secret_access_key_env: Option<Variable>,
    pub(in crate::config) session_token_env: Option<Variable>,
    pub(in crate::config) profile: Option<Line>,
    pub(in crate::config) subnet_id: Option<Slug>,
}

/// Amazon EC2. Without `access_key_id_env` and `credentials` the usual chain of AWS counts: the
/// environment, a profile, single sign-on, web identity, the container, the machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Aws")]
pub(in crate::config) struct RawAws {
    /// Name of the environment variable that holds the id of an access key; with
    /// `secret_access_key_env`.
    pub(in crate::config) access_key_id_env: Option<Variable>,
    /// Name of the environment variable that holds the key's secret. Never the secret itself.
    pub(in crate::config) secret_access_key_env: Option<Variable>,
    /// Name of the environment variable that holds the session token of a temporary key.
    pub(in crate::config) session_token_env: Option<Variable>,
    /// A profile of AWS's configuration files. Default: what `AWS_PROFILE` says.
    pub(in crate::config) profile: Option<Line>,
    /// Name of an entry in the credential store.
    pub(in crate::config) credentials: Option<CredentialName>,
    /// Name of a key pair that exists in each region with hosts; new hosts let it in. Needed where
    /// there are hosts.
    pub(in crate::config) ssh_key_name: Option<Line>,
    /// Region of hosts that name none, e.g. `us-east-1`.
    pub(in crate::config) default_region: Option<Slug>,
    /// Size of hosts that name none: `small`, `medium`, `large`, or an instance type. Default:
    /// `small`.
    pub(in crate::config) default_size: Option<Slug>,
    /// Image of hosts that name none. Default: `ubuntu-22.04`.
    pub(in crate::config) default_image: Option<RawImage>,
    /// Regions hosts may use; all of them are looked at, and no others. Default: all of the
    /// account.
    #[schemars(length(min = 1))]
    pub(in crate::config) regions: Option<BTreeSet<Slug>>,
    /// Sizes hosts may use. Default: all.
    #[schemars(length(min = 1))]
    pub(in crate::config) sizes: Option<BTreeSet<Slug>>,
    /// The subnet hosts are in, e.g. `subnet-0a1b2c3d`. Default: a default subnet of the region.
    pub(in crate::config) subnet_id: Option<Slug>,
    /// Base URL of all services, for a proxy or a test double; `http://` only on this machine.
    /// Default: AWS's own, in each region.
    pub(in crate::config) api_url: Option<Url>,
    /// Hosts, by environment.
    pub(in crate::config) hosts: Option<BTreeMap<EnvironmentName, RawHosts>>,
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

/// Containers on a Docker Engine, this machine's or that of `DOCKER_HOST`, that behave like hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Local")]
pub(in crate::config) struct RawLocal {
    /// Region of hosts that name none; there is only `local`.
    pub(in crate::config) default_region: Option<Slug>,
    /// Size of hosts that name none: `small`, `medium` or `large`. Default: `small`.
    pub(in crate::config) default_size: Option<Slug>,
    /// Image of hosts that name none. Default: `debian-12`.
    pub(in crate::config) default_image: Option<RawImage>,
    /// Regions hosts may use; there is only `local`.
    #[schemars(length(min = 1))]
    pub(in crate::config) regions: Option<BTreeSet<Slug>>,
    /// Sizes hosts may use. Default: all.
    #[schemars(length(min = 1))]
    pub(in crate::config) sizes: Option<BTreeSet<Slug>>,
    /// Hosts, by environment.
    pub(in crate::config) hosts: Option<BTreeMap<EnvironmentName, RawHosts>>,
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
