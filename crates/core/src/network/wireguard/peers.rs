use std::collections::BTreeSet;
use std::time::Duration;

use super::{INTERFACE, WireGuard, look, mesh_script};
use crate::converge::{Assessment, Change, Step};
use crate::error::Code;
use crate::name::HostName;
use crate::network::{NetworkProvider as _, Peer};
use crate::remote::{Command, Output};
use crate::script::script;

/// How long a peer is given to be heard from. One that did not know us yet tries again every 5 s.
const LIMIT: Duration = Duration::from_secs(30);

/// The host heard from these peers.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) network: WireGuard,
    pub(super) peers: BTreeSet<HostName>,
}

impl Step for Heard {
    fn name(&self) -> &'static str {
        "wireguard-peers"
    }

    fn probe(&self) -> Vec<Command> {
        vec![look()]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let Some(any) = self.peers.first() else { return Assessment::Satisfied };
        let known = self.network.membership(any, seen).peers;
        let silent: Vec<&HostName> =
            self.peers.iter().filter(|peer| known.get(*peer) != Some(&Peer::Heard)).collect();
        let doing = match silent.as_slice() {
            [] => return Assessment::Satisfied,
            [one] => format!("waiting to hear from {one}"),
            [one, other] => format!("waiting to hear from {one} and {other}"),
            [one, rest @ ..] => format!("waiting to hear from {one} and {} others", rest.len()),
        };
        let names = silent.iter().map(|peer| self.network.fqdn(peer));
        let words = [INTERFACE.to_owned(), LIMIT.as_secs().to_string()].into_iter().chain(names);
        let wait = script("wireguard-reach", mesh_script!("scripts/reach.sh"), words);
        let port = self.network.port;
        Assessment::Needs(vec![Change::new(doing, wait.with_timeout(LIMIT * 2)).with_hint(format!(
            "let UDP port {port} through between the hosts, in the firewalls of their clouds and their own"
        ))])
    }

    fn failure_code(&self) -> Code {
        Code::NETWORK_PEER_SILENT
    }
}
