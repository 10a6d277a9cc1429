//! What `tailscale status --json` says, read from the probe of the last step.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use crate::name::HostName;
use crate::remote::Output;
use crate::script::{value, values};

/// What the probe of the last step shows.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    /// The time by the host's own clock, as RFC 3339 has it, in UTC and without fractions.
    pub(super) now: &'a str,
    /// What the last `tailscale up` of ours ended with and said; `None` when there was none since boot.
    pub(super) up: Option<Said<'a>>,
    /// Whether an `up` of ours still waits for its confirmation.
    pub(super) pending: bool,
    /// How the client answered.
    pub(super) client: Client,
}

/// What a command of the client ended with and said.
#[derive(Clone, Debug)]
pub(super) struct Said<'a> {
    pub(super) status: i32,
    pub(super) lines: Vec<&'a str>,
}

/// How the client answered.
#[derive(Debug)]
pub(super) enum Client {
    /// There is none.
    Missing,
    /// It could not say.
    Silent,
    /// It did.
    Answered(Box<Status>),
}

impl<'a> Seen<'a> {
    pub(super) fn of(output: &'a Output) -> Self {
        let client = match value(output, "status") {
            "" if output.success() => Client::Missing,
            "0" => read(&output.stdout).map_or(Client::Silent, Client::Answered),
            _ => Client::Silent,
        };
        let up = value(output, "up").parse().ok();
        let up = up.map(|status| Said { status, lines: values(output, "said").collect() });
        let pending = value(output, "pending") == "yes";
        Self { now: value(output, "now"), up, pending, client }
    }
}

/// The document after the other lines; the client may have warned of something before it.
fn read(text: &str) -> Option<Box<Status>> {
    let start = text.find("\n{")?;
    serde_json::Deserializer::from_str(&text[start..]).into_iter().next()?.ok()
}

/// The state of a host's client, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Status {
    pub(super) backend_state: Backend,
    #[serde(rename = "Self")]
    own: Option<Node>,
    current_tailnet: Option<Tailnet>,
    peer: Option<BTreeMap<String, Node>>,
}

/// What the daemon is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Backend {
    NoState,
    InUseOtherUser,
    NeedsLogin,
    NeedsMachineAuth,
    Stopped,
    Starting,
    Running,
    #[serde(other)]
    Unknown,
}

/// A member of a tailnet.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Node {
    /// What the host asked to be called.
    pub(super) host_name: String,
    #[serde(rename = "DNSName")]
    dns_name: String,
    tags: Option<Vec<String>>,
    #[serde(rename = "TailscaleIPs")]
    addresses: Option<Vec<IpAddr>>,
    online: bool,
    key_expiry: Option<String>,
}

/// The tailnet a host is in.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Tailnet {
    /// The organisation's name; with Headscale the login server's host.
    pub(super) name: String,
    #[serde(rename = "MagicDNSSuffix")]
    suffix: String,
}

impl Status {
    /// The host as a member; `None` before it ever logged in.
    pub(super) fn own(&self) -> Option<&Node> {
        self.own.as_ref()
    }

    /// The tailnet the host is in, or was when it was last up; `None` before it ever logged in.
    pub(super) fn tailnet(&self) -> Option<&Tailnet> {
        self.current_tailnet.as_ref().filter(|tailnet| !tailnet.domain().is_empty())
    }

    /// The other members of its tailnet by the name others reach them by, and whether they are up. `domain`
    /// is in lower case; servers write it as somebody has configured them.
    pub(super) fn peers(&self, domain: &str) -> impl Iterator<Item = (HostName, bool)> {
        self.peer.iter().flat_map(BTreeMap::values).filter_map(move |node| {
            // Hosts of other tailnets can be shared into this one.
            let fqdn = node.fqdn().to_ascii_lowercase();
            let label = fqdn.strip_suffix(domain)?.strip_suffix('.')?;
            Some((label.parse().ok()?, node.online))
        })
    }
}

impl Tailnet {
    /// Its domain, which tells it from others.
    pub(super) fn domain(&self) -> &str {
        self.suffix.trim_matches('.')
    }
}

impl Node {
    /// The name others reach it by, without the dot at its end.
    pub(super) fn fqdn(&self) -> &str {
        self.dns_name.trim_end_matches('.')
    }

    /// The first part of that name.
    pub(super) fn label(&self) -> &str {
        self.fqdn().split('.').next().unwrap_or_default()
    }

    pub(super) fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().flatten().any(|own| own == tag)
    }

    /// Its address, IPv4 where it has one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        let addresses = self.addresses.as_deref().unwrap_or_default();
        addresses.iter().find(|address| address.is_ipv4()).or_else(|| addresses.first()).copied()
    }

    /// Whether its key has expired at `now`. Keys without an end have no date, or the year 1.
    pub(super) fn is_expired(&self, now: &str) -> bool {
        let expiry = self.key_expiry.as_deref().filter(|time| time.ends_with('Z'));
        match (expiry.and_then(|time| time.get(..19)), now.get(..19)) {
            (Some(expiry), Some(now)) => !expiry.starts_with("0001") && expiry <= now,
            (None, _) | (_, None) => false,
        }
    }
}
