//! How hosts find and reach each other privately: steps, as data.
//!
//! ```text
//!   requirements -> (bootstrap) -> steps -> member                    a network with a coordinator
//!                                    |
//!                                    +-> all members --> meet --> join --> verify        a mesh
//! ```
//!
//! A network whose members learn of each other from a coordinator of its own needs nothing but steps.
//! In a [`Mesh`] each host has to be told of the others: what their last step saw is put side by side,
//! and only those for whom something differs are changed.

mod sight;
mod tailscale;
mod wireguard;

pub use sight::{Membership, Peer};
pub use tailscale::{InvalidVersion, Tailscale, TailscaleConfig, Version};
pub use wireguard::{WireGuard, capacity};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::IpAddr;

use crate::converge::{Change, Step};
use crate::error::Failure;
use crate::inventory::Instance;
use crate::name::{HostName, RoleName};
use crate::remote::Output;

/// A private network hosts can join.
///
/// Pure: joining is a list of steps that bootstrap runs after its own, so a network needs no
/// executor and bootstrap knows no network by name.
pub trait NetworkProvider: Debug + Send + Sync {
    /// Its name in the file, e.g. `wireguard`.
    fn name(&self) -> &'static str;

    /// What must be true of a host before anything is changed on it for this network. Steps that change
    /// nothing.
    fn requirements(&self, member: &Member) -> Vec<Box<dyn Step>>;

    /// What must be true on a host for it to be a member, in order, as far as that depends on no
    /// other host. The last one's probe shows what [`membership`](Self::membership) reads.
    fn steps(&self, member: &Member) -> Vec<Box<dyn Step>>;

    /// The name other members reach a host by, if nothing stands in the way.
    fn fqdn(&self, host: &HostName) -> String;

    /// What the last step of a host saw of the network; `host` is who was asked.
    fn membership(&self, host: &HostName, seen: &[Output]) -> Membership;

    /// How members are told of each other; `None` when that is no business of ours.
    fn mesh(&self) -> Option<&dyn Mesh>;

    /// What a host does before its machine is removed, so that the network forgets it; `None` when there
    /// is nothing to do on the host itself.
    fn farewell(&self) -> Option<Change>;
}

/// A host as a network sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub host: HostName,
    /// Its role.
    pub role: RoleName,
    /// The user's own tags.
    pub tags: BTreeSet<String>,
    /// Where others reach it outside of the network.
    pub address: Option<IpAddr>,
}

impl Member {
    /// The member that the host of an instance is.
    #[must_use]
    pub fn of(instance: &Instance) -> Self {
        Self {
            host: instance.owner.host.clone(),
            role: instance.marks.role.clone(),
            tags: instance.marks.tags.clone(),
            address: instance.address,
        }
    }
}

/// A host that belongs in a mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// The host.
    pub member: Member,
    /// What the last of its [`steps`](NetworkProvider::steps) saw; `None` when it could not be reached
    /// in this run, so that it can be told nothing.
    pub seen: Option<Vec<Output>>,
}

/// Tells the members of a network of each other. Pure.
pub trait Mesh: Debug + Send + Sync {
    /// What each host has to do so that all know the same members.
    ///
    /// The same attendees give the same meeting. Hosts that could not be reached stay members as the
    /// others know them.
    fn meet(&self, attendees: &BTreeMap<HostName, Attendee>) -> Meeting;

    /// The hosts that attendees know as members, those that are none any more among them.
    fn known(&self, attendees: &BTreeMap<HostName, Attendee>) -> BTreeSet<HostName>;

    /// What must be true on `host` for its way to `peers` to work, all of them being members that are up.
    fn verify(&self, host: &HostName, peers: &BTreeSet<HostName>) -> Vec<Box<dyn Step>>;
}

/// What comes of putting side by side what the members of a mesh said.
#[derive(Debug, Default)]
pub struct Meeting {
    /// What is to be done by host; hosts for whom nothing differs are not in it.
    pub join: BTreeMap<HostName, Vec<Box<dyn Step>>>,
    /// Hosts that cannot be members, and why. Nothing is done on them.
    pub refused: BTreeMap<HostName, Failure>,
    /// Hosts whose way to the others has to be shown to work, after all have joined.
    pub verify: BTreeSet<HostName>,
}
