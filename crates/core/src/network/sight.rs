use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use crate::name::HostName;

/// How a host stands in a network, as it says itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Membership {
    /// Its name in the network; null when it is not a member.
    pub name: Option<String>,
    /// Its address in the network; null when it has none.
    pub address: Option<IpAddr>,
    /// The other hosts it knows of.
    pub peers: BTreeMap<HostName, Peer>,
}

/// Another member, as a host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// It was heard from lately.
    Heard,
    /// It was not.
    Silent,
}
