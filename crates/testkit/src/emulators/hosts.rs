//! What lies behind the machines an emulator shows: nothing, or real hosts.

use std::fmt::Debug;
use std::net::IpAddr;

use stagecraft_core::name::InstanceId;

use crate::world::Seen;

/// A machine that was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOrder {
    /// Its id.
    pub id: InstanceId,
    /// The name it was ordered under.
    pub name: String,
    /// The public keys that are to log in, in OpenSSH's one-line form.
    pub public_keys: Vec<String>,
    /// Whom the image lets in with them.
    pub login_user: &'static str,
    /// What the first boot is told.
    pub user_data: Option<String>,
}

/// What lies behind the machines. Front ends say what happens to machines and ask where they are.
///
/// Nothing here waits: whoever brings hosts up does so on its own, and has no address for them
/// until they are up.
pub trait Hosts: Send + Sync + Debug {
    /// A machine was ordered.
    fn ordered(&self, order: HostOrder);

    /// A machine is being removed.
    fn removed(&self, id: &InstanceId);

    /// A machine was switched on.
    fn switched_on(&self, id: &InstanceId);

    /// A machine was switched off.
    fn switched_off(&self, id: &InstanceId);

    /// Where a machine that is up can be reached, if it can; the world invents an address of its own.
    fn address(&self, seen: &Seen) -> Option<IpAddr>;
}

/// Nothing is behind the machines; their addresses are the world's invention.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHosts;

impl Hosts for NoHosts {
    fn ordered(&self, _order: HostOrder) {}

    fn removed(&self, _id: &InstanceId) {}

    fn switched_on(&self, _id: &InstanceId) {}

    fn switched_off(&self, _id: &InstanceId) {}

    fn address(&self, seen: &Seen) -> Option<IpAddr> {
        seen.address
    }
}
