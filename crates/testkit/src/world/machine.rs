use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::{Lifecycle, Spec};
use stagecraft_core::name::InstanceId;

use super::{Behaviour, Fate, Moment, first_boot};

/// When the clock of every world began, in milliseconds since 1970.
pub(super) const BEGINNING: u64 = 1_700_000_000_000;

/// Labels of a machine.
pub type Labels = BTreeMap<String, String>;

/// An order for a machine, in a cloud's own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// What it is made of.
    pub spec: Spec,
    /// What its first boot is told.
    pub user_data: Option<String>,
}

/// The files of a machine, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Contents by absolute path.
    pub files: BTreeMap<String, String>,
    /// Whether nothing more fits on it.
    pub full: bool,
}

/// What a cloud tells of a machine, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The cloud's own identifier.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// What it is made of.
    pub spec: Spec,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// Whether it is powered on and came up; its address may come later still.
    pub booted: bool,
    /// Its address while it is up.
    pub address: Option<IpAddr>,
    /// When it was created, in milliseconds since 1970, as exact as the cloud says it.
    pub created_at: u64,
}

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) id: InstanceId,
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) tags: BTreeSet<String>,
    spec: Spec,
    pub(super) disk: Disk,
    pub(super) created: Moment,
    pub(super) booting_since: Moment,
    pub(super) terminating: Option<Moment>,
    /// Whether it ended without being shut down.
    pub(super) taken_away: bool,
    pub(super) stopped: bool,
    fate: Fate,
    pub(super) address: IpAddr,
}

impl Machine {
    pub(super) fn new(
        provider: ProviderId,
        number: u64,
        id: InstanceId,
        created: Moment,
        order: Order,
        fate: Fate,
    ) -> Self {
        let [.., high, low] = number.to_be_bytes();
        Self {
            id,
            name: order.name,
            labels: order.labels,
            tags: order.tags,
            spec: order.spec,
            disk: first_boot::disk(number, order.user_data.as_deref()),
            created,
            booting_since: created,
            terminating: None,
            taken_away: false,
            stopped: false,
            fate,
            address: IpAddr::V4(Ipv4Addr::new(10, provider as u8, high, low)),
        }
    }

    pub(super) fn seen(&self, behaviour: &Behaviour, now: Moment) -> Seen {
        let lifecycle = self.lifecycle(behaviour, now);
        let grain = millis(behaviour.clock_grain).max(1);
        Seen {
            id: self.id.clone(),
            name: self.name.clone(),
            labels: self.labels.clone(),
            tags: self.tags.clone(),
            spec: self.spec.clone(),
            lifecycle,
            booted: self.booted(behaviour, now),
            address: (lifecycle == Lifecycle::Running).then_some(self.address),
            created_at: BEGINNING + millis(self.created.at) / grain * grain,
        }
    }

    pub(super) fn carries(&self, labels: &Labels) -> bool {
        labels.iter().all(|(key, value)| self.labels.get(key) == Some(value))
    }

    pub(super) fn is_gone(&self, behaviour: &Behaviour, now: Moment) -> bool {
        let vanished =
            self.fate == Fate::Vanishes && behaviour.boot.passed(self.booting_since, now);
        vanished || (self.has_ended(behaviour, now) && !behaviour.remembers_terminated)
    }

    pub(super) fn has_ended(&self, behaviour: &Behaviour, now: Moment) -> bool {
        self.lifecycle(behaviour, now) == Lifecycle::Terminated
    }

    fn booted(&self, behaviour: &Behaviour, now: Moment) -> bool {
        !self.stopped && self.fate == Fate::Boots && behaviour.boot.passed(self.booting_since, now)
    }

    fn lifecycle(&self, behaviour: &Behaviour, now: Moment) -> Lifecycle {
        if let Some(since) = self.terminating {
            return if self.taken_away || behaviour.shutdown.passed(since, now) {
                Lifecycle::Terminated
            } else {
                Lifecycle::Terminating
            };
        }
        if self.stopped {
            return Lifecycle::Stopped;
        }
        let booted = behaviour.boot.passed(self.booting_since, now);
        let addressed = behaviour.boot.then(behaviour.address).passed(self.booting_since, now);
        match self.fate {
            Fate::Boots if addressed => Lifecycle::Running,
            Fate::FailsToBoot if booted => Lifecycle::Failed,
            Fate::Boots | Fate::FailsToBoot | Fate::Vanishes | Fate::StaysPending => {
                Lifecycle::Pending
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
