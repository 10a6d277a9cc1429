//! The private network.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::Lowering;
use crate::config::problem::Problem;
use crate::config::raw::{
    RawInstallMethod, RawNetwork, RawNetworkProvider, RawTailscale, RawTailscaleInstall,
    RawWireGuard,
};
use crate::config::rules::{MeshTag, Variable};
use crate::config::source::quoted;
use crate::config::{NetworkConfig, SecretSource};
use crate::desired::DesiredHost;
use crate::error::Code;
use crate::name::{CredentialName, EnvironmentName, HostName, ProjectName};
use crate::network::{InvalidVersion, TailscaleConfig, WireGuard, capacity};

/// The hosts of every environment.
type Environments = BTreeMap<EnvironmentName, BTreeMap<HostName, DesiredHost>>;

/// WireGuard's usual port.
const WIREGUARD_PORT: u16 = 51820;
/// Where a mesh may have its addresses: ranges that are nobody's in the Internet.
const PRIVATE: [&str; 5] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

impl Lowering<'_> {
    pub(super) fn network(
        &mut self,
        raw: Option<RawNetwork>,
        project: &ProjectName,
        environments: &Environments,
    ) -> NetworkConfig {
        let Some(raw) = raw else { return NetworkConfig::None };
        let (tailscale, wireguard) = match raw.providers {
            Some(providers) => (providers.tailscale, providers.wireguard),
            None => (None, None),
        };
        let in_use = raw.provider == RawNetworkProvider::WireGuard;
        let tailscale = tailscale.map(|raw| self.tailscale(raw));
        let wireguard = wireguard.map(|raw| {
            self.wireguard(&raw, project, if in_use { Some(environments) } else { None })
        });
        match (raw.provider, wireguard) {
            (RawNetworkProvider::None, _) => NetworkConfig::None,
            (RawNetworkProvider::WireGuard, Some(Some(network))) => {
                NetworkConfig::WireGuard(network)
            }
            // What is wrong with it was told.
            (RawNetworkProvider::WireGuard, Some(None)) => NetworkConfig::None,
            (RawNetworkProvider::WireGuard, None) => self.network_is_missing("wireguard"),
            (RawNetworkProvider::Tailscale, _) => match tailscale {
                Some(network) => network,
                None => self.network_is_missing("tailscale"),
            },
        }
    }

    fn network_is_missing(&mut self, name: &str) -> NetworkConfig {
        if !self.is_incomplete(&["network"]) && !self.is_incomplete(&["network", "providers"]) {
            self.report(
                Problem::new(
                    Code::CONFIG_MISSING_KEY,
                    format!("`network.provider` is `{name}`, which the file does not configure"),
                )
                .at(self.value(&["network", "provider"]))
                .with_label("its settings are missing")
                .with_help(format!("add `{name}` under `network.providers`")),
            );
        }
        NetworkConfig::None
    }

    fn tailscale(&mut self, raw: RawTailscale) -> NetworkConfig {
        let install =
            raw.install.unwrap_or(RawTailscaleInstall { method: None, min_version: None });
        let min_version = install.min_version.and_then(|version| match version.0.parse() {
            Ok(version) => Some(version),
            Err(error) => {
                let path = ["network", "providers", "tailscale", "install", "min_version"];
                let message = InvalidVersion::to_string(&error);
                let problem = Problem::new(Code::CONFIG_INVALID_VALUE, message);
                self.report(
                    problem.at(self.value(&path)).with_label("not a version of the client"),
                );
                None
            }
        });
        let texts = |tags: BTreeSet<MeshTag>| tags.into_iter().map(|tag| tag.0).collect();
        let Some(auth_key) = self.auth_key(raw.auth_key_env, raw.credentials) else {
            return NetworkConfig::None;
        };
        NetworkConfig::Tailscale {
            settings: TailscaleConfig {
                tailnet_domain: raw.tailnet_domain.0,
                login_server: raw.login_server.map(|url| url.0),
                default_tags: raw.default_tags.map(texts).unwrap_or_default(),
                role_tags: raw
                    .role_tags
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(role, tags)| (role, texts(tags)))
                    .collect(),
                install: match install.method.unwrap_or(RawInstallMethod::Auto) {
                    RawInstallMethod::Auto => true,
                    RawInstallMethod::Skip => false,
                },
                min_version,
            },
            auth_key,
        }
    }

    /// Where the auth key comes from: exactly one way.
    fn auth_key(
        &mut self,
        variable: Option<Variable>,
        stored: Option<CredentialName>,
    ) -> Option<SecretSource> {
        let path = ["network", "providers", "tailscale"];
        match (variable, stored) {
            (Some(variable), None) => Some(SecretSource::Variable(variable.0)),
            (None, Some(name)) => Some(SecretSource::Stored(name)),
            (Some(_), Some(_)) => {
                self.one_too_many(&path, "auth_key_env", "credentials");
                None
            }
            (None, None) => {
                if !self.is_incomplete(&path) {
                    self.report(
                        Problem::new(
                            Code::CONFIG_MISSING_KEY,
                            "`network.providers.tailscale` has no auth key",
                        )
                        .at(self.key(&path))
                        .with_label("`auth_key_env` or `credentials` is required here")
                        .with_help("add `auth_key_env` with the name of the environment variable that holds the key, or `credentials` with the name of an entry in the credential store"),
                    );
                }
                None
            }
        }
    }

    /// The mesh; `environments` are those that use it.
    fn wireguard(
        &mut self,
        raw: &RawWireGuard,
        project: &ProjectName,
        environments: Option<&Environments>,
    ) -> Option<WireGuard> {
        let range = range(&raw.cidr.0).and_then(|range| {
            let crowd = environments.and_then(|environments| crowded(&range, environments));
            crowd.map_or(Ok(range), Err)
        });
        match range {
            Ok(range) => Some(WireGuard {
                range,
                port: raw.port.unwrap_or(WIREGUARD_PORT),
                domain: match &raw.domain {
                    Some(domain) => domain.0.clone(),
                    None => format!("{project}.internal"),
                },
            }),
            Err(problem) => {
                let place = self.value(&["network", "providers", "wireguard", "cidr"]);
                self.report(problem.at(place));
                None
            }
        }
    }
}

/// Reads a range of addresses for hosts, written by its first address.
fn range(text: &str) -> Result<IpNet, Problem> {
    let invalid = |message: String| Problem::new(Code::CONFIG_INVALID_VALUE, message);
    let range: IpNet = text.parse().map_err(|_| {
        invalid(format!("{} is not a range of addresses", quoted(text)))
            .with_label("not an address and a prefix length")
            .with_help("write it like `10.66.0.0/16`")
    })?;
    if range.trunc() != range {
        let message = format!("{} does not start at the first address of its range", quoted(text));
        return Err(invalid(message).with_label(format!("did you mean `{}`?", range.trunc())));
    }
    let private = |whole: &&str| whole.parse().is_ok_and(|whole: IpNet| whole.contains(&range));
    if !PRIVATE.iter().any(private) {
        let message = format!("{} has addresses that are somebody's in the Internet", quoted(text));
        return Err(invalid(message)
            .with_label("not a private range")
            .with_help(format!("choose one within {}", crate::words::listed(PRIVATE, "or"))));
    }
    Ok(range)
}

/// Why a range has too few addresses, if it has.
fn crowded(range: &IpNet, environments: &Environments) -> Option<Problem> {
    let (environment, hosts) = environments.iter().max_by_key(|(_, hosts)| hosts.len())?;
    let room = capacity(range);
    (room < hosts.len() as u128).then(|| {
        let message = format!(
            "`{range}` has addresses for {room} hosts, and `{environment}` has {}",
            hosts.len()
        );
        Problem::new(Code::CONFIG_INVALID_VALUE, message)
            .with_label("too small")
            .with_help("choose a shorter prefix length, e.g. 16")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_private_and_written_by_its_first_address() {
        for good in ["10.66.0.0/16", "172.31.0.0/24", "100.64.7.0/24", "fd00::/64", "10.0.0.0/8"] {
            assert_eq!(range(good).map(|range| range.to_string()), Ok(good.to_owned()));
        }
        for bad in ["10.66.0.0", "10.66.0/16", "10.66.0.0/33", "fd00::/129", "x/8", "10.0.0.0/"] {
            assert!(range(bad).unwrap_err().message.contains("not a range"), "{bad}");
        }
        for public in ["0.0.0.0/0", "203.0.113.0/24", "2001:db8::/64", "8.0.0.0/7", "127.0.0.0/8"] {
            let problem = range(public).unwrap_err();
            assert!(problem.message.contains("somebody's"), "{public}: {}", problem.message);
        }
        let label = |text| range(text).unwrap_err().label.unwrap();
        assert_eq!(label("10.66.1.7/16"), "did you mean `10.66.0.0/16`?");
        assert_eq!(label("fd00::1/64"), "did you mean `fd00::/64`?");
    }
}
