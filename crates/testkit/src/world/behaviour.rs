use std::collections::BTreeSet;
use std::time::Duration;

use stagecraft_core::name::{InstanceId, Region, Size};

/// How a world behaves when nothing goes wrong.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Whether a name can be used once only.
    pub unique_names: bool,
    /// From order or start to being up.
    pub boot: Delay,
    /// From being up to having an address.
    pub address: Delay,
    /// From creation to appearing in lists.
    pub visible: Delay,
    /// From the request to terminate to being gone; until then it is listed and holds its name.
    pub shutdown: Delay,
    /// Whether what is gone stays listed as terminated for good.
    pub remembers_terminated: bool,
    /// How many machines the account may hold.
    pub quota: Option<usize>,
    /// Sizes without capacity in a region.
    pub sold_out: BTreeSet<(Size, Region)>,
    /// How machines are numbered.
    pub ids: Ids,
    /// Times of creation are told in steps of this long.
    pub clock_grain: Duration,
    /// The longest time a request takes to arrive, and again its answer; each takes a random part
    /// of it.
    pub latency: Duration,
}

impl Behaviour {
    /// Names are free and new machines appear in lists late, as at DigitalOcean and EC2.
    #[must_use]
    pub fn names_are_free() -> Self {
        Self {
            unique_names: false,
            boot: Delay::Time(Duration::from_secs(20)),
            address: Delay::NONE,
            visible: Delay::NONE,
            shutdown: Delay::Time(Duration::from_secs(5)),
            remembers_terminated: false,
            quota: None,
            sold_out: BTreeSet::new(),
            ids: Ids::Ascending,
            clock_grain: Duration::from_secs(1),
            latency: Duration::ZERO,
        }
    }

    /// Names are unique and lists are exact, as at Hetzner and Docker Engine.
    #[must_use]
    pub fn names_are_unique() -> Self {
        Self { unique_names: true, shutdown: Delay::NONE, ..Self::names_are_free() }
    }
}

/// How the ids of machines come about; each is used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// The younger the greater, from 1001.
    Ascending,
    /// The younger the smaller, from 8999.
    Descending,
}

impl Ids {
    /// The id of the machine of this number, from 1.
    pub(super) fn nth(self, number: u64) -> InstanceId {
        InstanceId(match self {
            Self::Ascending => format!("{}", 1000 + number),
            Self::Descending => format!("{}", 9000 - number),
        })
    }
}

/// How long something takes, by the clock or by how often somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// This long.
    Time(Duration),
    /// This many list requests.
    Lists(u64),
    /// This long and this many list requests.
    Both(Duration, u64),
}

impl Delay {
    /// No time at all.
    pub const NONE: Self = Self::Time(Duration::ZERO);

    /// Whether it has passed between two moments.
    #[must_use]
    pub fn passed(self, since: Moment, now: Moment) -> bool {
        let (time, lists) = self.parts();
        now.at >= since.at + time && now.lists >= since.lists + lists
    }

    /// This and then `next`.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let (time, lists) = self.parts();
        let (more_time, more_lists) = next.parts();
        Self::Both(time + more_time, lists + more_lists)
    }

    fn parts(self) -> (Duration, u64) {
        match self {
            Self::Time(time) => (time, 0),
            Self::Lists(lists) => (Duration::ZERO, lists),
            Self::Both(time, lists) => (time, lists),
        }
    }
}

/// A point of a world's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Time since the world began.
    pub at: Duration,
    /// How many lists had been asked for.
    pub lists: u64,
}

/// What becomes of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It comes up.
    Boots,
    /// It stays pending.
    StaysPending,
    /// It fails when it should have come up.
    FailsToBoot,
    /// It disappears when it should have come up.
    Vanishes,
}
