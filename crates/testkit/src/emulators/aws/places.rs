//! Regions and their zones.

use serde_json::{Value, json};

/// One region.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) region: &'static str,
    /// The letters of its zones.
    letters: &'static str,
    /// How its zones' ids begin.
    short: &'static str,
    /// Whether the account may use it.
    pub(super) opted_in: bool,
    /// Whether every account may.
    open: bool,
}

/// All regions.
const PLACES: [Place; 6] = [
    place("ap-southeast-3", "abc", "apse3", false, false),
    place("eu-central-1", "abc", "euc1", true, true),
    place("eu-north-1", "abc", "eun1", true, true),
    place("eu-west-1", "abc", "euw1", true, true),
    place("us-east-1", "abcdef", "use1", true, true),
    place("us-west-2", "abcd", "usw2", true, true),
];

impl Place {
    /// All regions, by name.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        PLACES.iter()
    }

    /// The region of this name.
    pub(super) fn find(region: &str) -> Option<&'static Self> {
        PLACES.iter().find(|place| place.region == region)
    }

    /// Its zones.
    pub(super) fn zones(&self) -> Vec<String> {
        self.letters.chars().map(|letter| format!("{}{letter}", self.region)).collect()
    }

    /// The id of a zone, which is the same for every account, as its letter is not.
    pub(super) fn zone_id(&self, zone: &str) -> String {
        let count = self.letters.len();
        let at = self.zones().iter().position(|known| known == zone).unwrap_or_default();
        format!("{}-az{}", self.short, (at + 1) % count + 1)
    }

    /// As the API shows it.
    pub(super) fn shown(&self) -> Value {
        let status = match (self.open, self.opted_in) {
            (true, _) => "opt-in-not-required",
            (false, true) => "opted-in",
            (false, false) => "not-opted-in",
        };
        json!({
            "regionName": self.region,
            "regionEndpoint": format!("ec2.{}.amazonaws.com", self.region),
            "optInStatus": status,
        })
    }

    /// One of its zones as the API shows it.
    pub(super) fn zone_shown(&self, zone: &str) -> Value {
        json!({
            "zoneName": zone,
            "zoneState": "available",
            "optInStatus": "opt-in-not-required",
            "messageSet": [],
            "regionName": self.region,
            "zoneId": self.zone_id(zone),
            "groupName": format!("{}-zg-1", self.region),
            "networkBorderGroup": self.region,
            "zoneType": "availability-zone",
        })
    }
}

const fn place(
    region: &'static str,
    letters: &'static str,
    short: &'static str,
    opted_in: bool,
    open: bool,
) -> Place {
    Place { region, letters, short, opted_in, open }
}
