//! Plain WireGuard, without a third party.
//!
//! Each host makes its own key, which never leaves it. Whatever else there is to know (who is in, under
//! which address) stands in the configuration of every member, so the members are the record: it is read
//! back from them in every run, and one that does not answer is remembered by the others.
//!
//! ```text
//!   range -> (bootstrap) -> install -> key --- what each has ---> meet --> mesh (guarded) --> peers
//! ```

mod conf;
mod key;
mod look;
mod meet;
mod mesh;
mod peers;
mod range;
mod ready;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::{Attendee, Meeting, Member, Membership, Mesh, NetworkProvider, Peer};
use crate::converge::{Change, Step};
use crate::guard::pending_file;
use crate::name::HostName;
use crate::remote::{Command, Output};
use crate::script::script;
use look::Said;

pub use range::capacity;

/// Our interface on every host; also the name of its files in `/etc/wireguard`.
const INTERFACE: &str = "stagecraft0";
/// The name of our changes that hosts undo.
const GUARD: &str = "mesh";
/// The private key of a host.
const KEY_FILE: &str = "/etc/wireguard/stagecraft0.key";

/// How the hosts of an environment are meshed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireGuard {
    /// The addresses hosts get.
    pub range: IpNet,
    /// The UDP port they listen on.
    pub port: u16,
    /// The domain of their names.
    pub domain: String,
}

impl NetworkProvider for WireGuard {
    fn name(&self) -> &'static str {
        "wireguard"
    }

    fn requirements(&self, member: &Member) -> Vec<Box<dyn Step>> {
        vec![Box::new(range::Free { range: self.range, address: member.address })]
    }

    fn steps(&self, _: &Member) -> Vec<Box<dyn Step>> {
        vec![Box::new(ready::Install), Box::new(ready::Key)]
    }

    fn fqdn(&self, host: &HostName) -> String {
        format!("{host}.{}", self.domain)
    }

    fn membership(&self, host: &HostName, seen: &[Output]) -> Membership {
        let Some(Said { conf: Some(conf), heard, .. }) = Said::of(seen) else {
            return Membership::default();
        };
        let peer = |key| if heard.contains(key) { Peer::Heard } else { Peer::Silent };
        Membership {
            name: Some(self.fqdn(host)),
            address: Some(conf.address.addr()),
            peers: conf.peers.iter().map(|(host, one)| (host.clone(), peer(&one.key))).collect(),
        }
    }

    fn mesh(&self) -> Option<&dyn Mesh> {
        Some(self)
    }

    fn farewell(&self) -> Option<Change> {
        None
    }
}

impl Mesh for WireGuard {
    fn meet(&self, attendees: &BTreeMap<HostName, Attendee>) -> Meeting {
        meet::meet(self, attendees)
    }

    fn known(&self, attendees: &BTreeMap<HostName, Attendee>) -> BTreeSet<HostName> {
        let said = attendees.values().filter_map(|one| Said::of(one.seen.as_deref()?)?.conf);
        said.flat_map(|conf| conf.peers.into_keys()).collect()
    }

    fn verify(&self, host: &HostName, peers: &BTreeSet<HostName>) -> Vec<Box<dyn Step>> {
        let others = peers.iter().filter(|peer| *peer != host).cloned().collect();
        vec![Box::new(peers::Heard { network: self.clone(), peers: others })]
    }
}

/// A script that begins with `scripts/mesh.sh`.
macro_rules! mesh_script {
    ($rest:literal) => {
        concat!(include_str!("scripts/mesh.sh"), include_str!($rest))
    };
}
use mesh_script;

/// The command that shows a host's part of the mesh.
fn look() -> Command {
    script(
        "wireguard-look",
        concat!(
            include_str!("wireguard/scripts/mesh.sh"),
            include_str!("wireguard/scripts/look.sh")
        ),
        [INTERFACE.to_owned(), pending_file(GUARD)],
    )
}
