//! What accounts differ in, as switches.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// How the emulated account behaves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Habits {
    /// The access keys there are, by id, besides the one every account begins with.
    pub access_keys: BTreeMap<String, AccessKey>,
    /// Actions nobody has permission for.
    pub denied: BTreeSet<String>,
    /// Regions in which nobody has any permission, as by a policy of the organisation.
    pub closed_regions: BTreeSet<String>,
    /// Whether somebody removed the default VPC of every region.
    pub no_default_vpc: bool,
    /// Where there is no room.
    pub no_capacity: Vec<Shortage>,
    /// Zones whose subnets have no address left.
    pub no_addresses: BTreeSet<String>,
    /// How many virtual processors on-demand instances of a region may have together.
    pub vcpus: Option<u32>,
    /// The same for spot instances.
    pub spot_vcpus: Option<u32>,
    /// Whether fleets are closed to the account, as they are to some new ones.
    pub fleets_closed: bool,
    /// Whether the role is missing that spot instances need, and nobody may create it.
    pub no_spot_role: bool,
    /// When spot instances are taken back, in seconds from their launch.
    pub spot_interrupted_after_seconds: Option<u64>,
    /// Whether the first page of each list is empty and says that there is more, where lists have pages.
    pub empty_pages: bool,
    /// How far the account is.
    pub standing: Standing,
    /// Which clock signatures are compared with. Answers are dated by the world's, as whatever they tell
    /// is.
    pub clock: Clock,
    /// How many seconds that clock is ahead.
    pub clock_ahead_seconds: i64,
    /// How many instances may be launched at once and how many terminated, before it has to be
    /// waited for more.
    pub burst_of_instances: u32,
    /// Whether everything that is wrong with credentials is told as `AuthFailure`.
    pub vague_credentials: bool,
    /// Whether answers have elements and words that no description knows.
    pub novelties: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            access_keys: BTreeMap::new(),
            denied: BTreeSet::new(),
            closed_regions: BTreeSet::new(),
            no_default_vpc: false,
            no_capacity: Vec::new(),
            no_addresses: BTreeSet::new(),
            vcpus: None,
            spot_vcpus: None,
            fleets_closed: false,
            no_spot_role: false,
            spot_interrupted_after_seconds: None,
            empty_pages: false,
            standing: Standing::default(),
            clock: Clock::default(),
            clock_ahead_seconds: 0,
            burst_of_instances: 1000,
            vague_credentials: false,
            novelties: false,
        }
    }
}

/// The secret parts of an access key.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// What requests are signed with.
    pub secret: String,
    /// What comes with every request, where the key is temporary.
    #[serde(default)]
    pub session_token: Option<String>,
    /// Whether its time is over.
    #[serde(default)]
    pub expired: bool,
}

/// Secrets are not shown.
impl std::fmt::Debug for AccessKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AccessKey").field("expired", &self.expired).finish_non_exhaustive()
    }
}

/// A place without room. What is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shortage {
    /// Of this instance type.
    pub instance_type: Option<String>,
    /// In this zone.
    pub zone: Option<String>,
    /// For spot instances, or for the others.
    pub spot: Option<bool>,
}

impl Shortage {
    /// Whether it is one of a type in a zone.
    pub(super) fn is_of(&self, kind: &str, zone: &str, spot: bool) -> bool {
        self.instance_type.as_deref().is_none_or(|of| of == kind)
            && self.zone.as_deref().is_none_or(|of| of == zone)
            && self.spot.is_none_or(|of| of == spot)
    }
}

/// How far an account is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It can be used.
    #[default]
    Good,
    /// It was not signed up for the service.
    NotSignedUp,
    /// It is being verified.
    Pending,
    /// It was blocked.
    Blocked,
}

/// Which clock signatures are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The one on the wall, by which clients sign.
    #[default]
    Wall,
    /// The world's.
    World,
    /// None: any date will do.
    None,
}
