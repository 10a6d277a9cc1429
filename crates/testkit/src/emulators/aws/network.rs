//! The networks of a region: the default one, unless somebody removed it, and one of somebody's own.

use serde_json::{Value, json};

use super::ids::derived;
use super::places::Place;

/// The account.
pub(super) const ACCOUNT: &str = "123456789012";

/// A network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vpc {
    pub(super) id: String,
    pub(super) is_default: bool,
}

/// A part of a network in one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subnet {
    pub(super) id: String,
    pub(super) vpc: String,
    pub(super) zone: String,
    pub(super) is_default: bool,
    cidr: String,
}

/// The networks of a region.
pub(super) fn vpcs(place: &Place, has_default: bool) -> Vec<Vpc> {
    let own = Vpc { id: derived("vpc", &[place.region, "own"]), is_default: false };
    let default = Vpc { id: derived("vpc", &[place.region, "default"]), is_default: true };
    if has_default { vec![own, default] } else { vec![own] }
}

/// The subnets of a region: one in each zone of the default network, and one of the other.
pub(super) fn subnets(place: &Place, has_default: bool) -> Vec<Subnet> {
    let mut subnets = Vec::new();
    for vpc in vpcs(place, has_default) {
        let zones = place.zones().into_iter().take(if vpc.is_default { usize::MAX } else { 1 });
        subnets.extend(zones.enumerate().map(|(index, zone)| Subnet {
            id: derived("subnet", &[&vpc.id, &zone]),
            vpc: vpc.id.clone(),
            zone,
            is_default: vpc.is_default,
            cidr: match vpc.is_default {
                true => format!("172.31.{}.0/20", 16 * index),
                false => "10.20.0.0/24".to_owned(),
            },
        }));
    }
    subnets
}

impl Vpc {
    /// As the API shows it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "vpcId": self.id,
            "state": "available",
            "cidrBlock": if self.is_default { "172.31.0.0/16" } else { "10.20.0.0/16" },
            "dhcpOptionsId": derived("dopt", &[&self.id]),
            "instanceTenancy": "default",
            "isDefault": self.is_default,
            "ownerId": ACCOUNT,
            "tagSet": [],
        })
    }
}

impl Subnet {
    /// As the API shows it.
    pub(super) fn shown(&self, place: &Place, free: u32) -> Value {
        json!({
            "subnetId": self.id,
            "subnetArn": format!("arn:aws:ec2:{}:{ACCOUNT}:subnet/{}", place.region, self.id),
            "state": "available",
            "vpcId": self.vpc,
            "cidrBlock": self.cidr,
            "availableIpAddressCount": free,
            "availabilityZone": self.zone,
            "availabilityZoneId": place.zone_id(&self.zone),
            "defaultForAz": self.is_default,
            // Only who asks for one has an address elsewhere.
            "mapPublicIpOnLaunch": self.is_default,
            "assignIpv6AddressOnCreation": false,
            "ownerId": ACCOUNT,
            "tagSet": [],
        })
    }
}
