//! Tailscale and Headscale: a tailnet, whose server tells its members of each other.
//!
//! ```text
//! tailscale-install -> tailscale-join -> member
//! ```
//!
//! A member is known by its name, `{host}.{tailnet}`; its address is the server's to give. What the
//! client said is believed only as far as the client shows it afterwards. The scripts are in
//! `network/tailscale/scripts`.

mod install;
mod join;
mod key;
mod refusal;
mod status;
mod up;
mod version;

pub use version::{InvalidVersion, Version};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Member, Membership, Mesh, NetworkProvider, Peer};
use crate::Secret;
use crate::converge::{Change, Step};
use crate::error::{Code, Failure};
use crate::name::{HostName, RoleName};
use crate::remote::Output;
use crate::script::script;
use install::Install;
use join::Join;
use key::AuthKey;
use status::{Backend, Client, Seen};

/// What to do about a key that is not taken.
const KEY_HINT: &str = "make an auth key in the tailnet's admin console, and put it in the variable \
                        that `auth_key_env` names";

/// How long a host may take to log out, which is best effort.
const LOGOUT_LIMIT: Duration = Duration::from_secs(15);

/// Settings of a tailnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailscaleConfig {
    /// Its domain, e.g. `example.ts.net`.
    pub tailnet_domain: String,
    /// URL of a Headscale server; `None` for Tailscale's own.
    pub login_server: Option<String>,
    /// Tags of every host.
    pub default_tags: BTreeSet<String>,
    /// Further tags, by role.
    pub role_tags: BTreeMap<RoleName, BTreeSet<String>>,
    /// Whether the client is installed where it is missing or too old.
    pub install: bool,
    /// The oldest client that will do.
    pub min_version: Option<Version>,
}

/// A tailnet hosts can join.
#[derive(Debug)]
pub struct Tailscale {
    config: TailscaleConfig,
    key: Option<AuthKey>,
}

impl Tailscale {
    /// A tailnet that is joined by `key`. Commands that have nobody join need none; a host that has to
    /// is blocked without.
    ///
    /// # Errors
    /// When it can be told from the key alone that no tailnet takes it.
    pub fn new(config: TailscaleConfig, key: Option<Secret>) -> Result<Self, Failure> {
        Ok(Self { config, key: key.map(AuthKey::new).transpose()? })
    }

    /// What a host is tagged with at least: everybody's tags, its role's, and those of its own that
    /// could be tags of a tailnet.
    fn tags(&self, member: &Member) -> BTreeSet<String> {
        let role = self.config.role_tags.get(&member.role);
        let own = member.tags.iter().filter(|tag| is_mesh_tag(tag));
        self.config
            .default_tags
            .iter()
            .chain(role.into_iter().flatten())
            .chain(own)
            .cloned()
            .collect()
    }
}

impl NetworkProvider for Tailscale {
    fn name(&self) -> &'static str {
        "tailscale"
    }

    fn requirements(&self, _: &Member) -> Vec<Box<dyn Step>> {
        Vec::new()
    }

    fn steps(&self, member: &Member) -> Vec<Box<dyn Step>> {
        let TailscaleConfig { tailnet_domain, login_server, install, min_version, .. } =
            &self.config;
        vec![
            Box::new(Install { install: *install, min_version: *min_version }),
            Box::new(Join {
                host: member.host.clone(),
                tailnet: tailnet_domain.clone(),
                login_server: login_server.clone(),
                tags: self.tags(member),
                key: self.key.clone(),
            }),
        ]
    }

    fn fqdn(&self, host: &HostName) -> String {
        format!("{host}.{}", self.config.tailnet_domain)
    }

    fn membership(&self, _: &HostName, seen: &[Output]) -> Membership {
        let domain = self.config.tailnet_domain.as_str();
        let Some(Client::Answered(status)) = seen.first().map(|output| Seen::of(output).client)
        else {
            return Membership::default();
        };
        let is_in = status.backend_state == Backend::Running
            && status
                .tailnet()
                .is_some_and(|tailnet| tailnet.domain().eq_ignore_ascii_case(domain));
        let Some(own) = status.own().filter(|_| is_in) else {
            return Membership::default();
        };
        let peer = |online| if online { Peer::Heard } else { Peer::Silent };
        Membership {
            name: Some(own.fqdn().to_owned()).filter(|name| !name.is_empty()),
            address: own.address(),
            peers: status.peers(domain).map(|(host, online)| (host, peer(online))).collect(),
        }
    }

    fn mesh(&self) -> Option<&dyn Mesh> {
        None
    }

    fn farewell(&self) -> Option<Change> {
        let limit = LOGOUT_LIMIT.as_secs().to_string();
        let command =
            script("tailscale-logout", include_str!("tailscale/scripts/logout.sh"), [limit]);
        let doing = format!("logging out of {}", self.config.tailnet_domain);
        let change = Change::new(doing, command.with_timeout(LOGOUT_LIMIT * 2));
        Some(
            change.with_hint(
                "remove its node in the tailnet's admin console, or its name stays taken",
            ),
        )
    }
}

/// Whether a host's tag could be one of a tailnet.
fn is_mesh_tag(tag: &str) -> bool {
    tag.strip_prefix("tag:").is_some_and(|name| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// A host that cannot join.
fn failure(message: impl Into<String>) -> Failure {
    Failure::new(Code::NETWORK_JOIN_FAILED, message)
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
