//! Comparing what is wanted with what was seen. Reads nothing, waits for nothing, changes nothing.

mod approve;
mod compare;
mod error;
mod ripple;

pub use approve::{Approved, Destroys};
pub use compare::{plan_down, plan_up};
pub use error::PlanError;
pub use ripple::Ripple;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cloud::Price;
use crate::desired::ProviderId;
use crate::inventory::{Instance, Lifecycle};
use crate::name::{HostName, InstanceId, InventoryDigest, RoleName, Scope};
use crate::network::NetworkProvider;
use crate::resolve::ResolvedHost;

/// What is to be done about every host of a scope, why, and what it was computed from.
///
/// The same input gives the same plan, sorted by host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The project and environment.
    pub scope: Scope,
    /// The inventory this was computed from.
    pub basis: InventoryDigest,
    /// By host; the surplus instances of a host follow its own entry, oldest first.
    pub entries: Vec<Entry>,
    /// Whom it touches because of the private network; `None` where there is none.
    pub ripple: Option<Ripple>,
}

/// One change to one host, or the statement that none is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The host.
    pub host: HostName,
    /// Where it lives, or will live.
    pub provider: ProviderId,
    /// Its role.
    pub role: RoleName,
    /// What should happen.
    pub change: Change,
    /// Why.
    pub reason: Reason,
    /// Whether this run does it.
    pub fate: Fate,
    /// The price of the host from now on, where known; none for one that goes.
    pub monthly: Option<Price>,
    /// What was asked for and cannot be had.
    pub notices: Vec<String>,
}

/// The six things that can be done about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Order an instance.
    Create {
        /// What to order.
        wanted: ResolvedHost,
    },
    /// Nothing.
    Unchanged {
        /// The instance it has.
        instance: Instance,
    },
    /// Wait for an instance ordered earlier, or switch it on.
    Resume {
        /// The instance it has.
        instance: Instance,
        /// What it should carry.
        wanted: ResolvedHost,
    },
    /// Change in place what the instance carries.
    Update {
        /// The instance it has.
        instance: Instance,
        /// What it should carry.
        wanted: ResolvedHost,
    },
    /// Remove the instance and order another; everything on it is lost.
    Replace {
        /// The instance it has.
        instance: Instance,
        /// What to order.
        wanted: ResolvedHost,
    },
    /// Remove the instance; everything on it is lost.
    Delete {
        /// The instance to remove.
        instance: Instance,
    },
}

/// The name of a [`Change`], as plans and reports print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// [`Change::Create`]
    Create,
    /// [`Change::Unchanged`]
    Unchanged,
    /// [`Change::Resume`]
    Resume,
    /// [`Change::Update`]
    Update,
    /// [`Change::Replace`]
    Replace,
    /// [`Change::Delete`]
    Delete,
}

impl Action {
    /// All actions, in the order they are counted for users.
    pub const ALL: [Self; 6] =
        [Self::Create, Self::Resume, Self::Update, Self::Replace, Self::Delete, Self::Unchanged];

    /// The word printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Unchanged => "unchanged",
            Self::Resume => "resume",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
        }
    }
}

impl Change {
    /// Its name.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Create { .. } => Action::Create,
            Self::Unchanged { .. } => Action::Unchanged,
            Self::Resume { .. } => Action::Resume,
            Self::Update { .. } => Action::Update,
            Self::Replace { .. } => Action::Replace,
            Self::Delete { .. } => Action::Delete,
        }
    }

    /// The instance the host has now.
    #[must_use]
    pub fn instance(&self) -> Option<&Instance> {
        match self {
            Self::Create { .. } => None,
            Self::Unchanged { instance }
            | Self::Resume { instance, .. }
            | Self::Update { instance, .. }
            | Self::Replace { instance, .. }
            | Self::Delete { instance } => Some(instance),
        }
    }

    /// What the host should be.
    #[must_use]
    pub fn wanted(&self) -> Option<&ResolvedHost> {
        match self {
            Self::Create { wanted }
            | Self::Resume { wanted, .. }
            | Self::Update { wanted, .. }
            | Self::Replace { wanted, .. } => Some(wanted),
            Self::Unchanged { .. } | Self::Delete { .. } => None,
        }
    }
}

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Difference {
    /// The key in the file, e.g. `size`.
    pub field: &'static str,
    /// What the instance has.
    pub from: String,
    /// What the file asks for.
    pub to: String,
}

/// Why a change is needed, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The host has no instance.
    Missing {
        /// Why the last one ended, if its provider says that it did so unasked.
        gone: Option<String>,
    },
    /// The instance is as asked.
    UpToDate,
    /// The instance was ordered earlier and is not up yet.
    NotUpYet,
    /// The instance exists and is switched off.
    SwitchedOff,
    /// These properties differ.
    Differs(Vec<Difference>),
    /// The provider gave up on the instance.
    InstanceFailed,
    /// The user asked for it by name.
    Requested,
    /// The instance is ours, and its host is not in the file.
    NotInFile,
    /// Another, older instance stands for the host.
    Duplicate {
        /// The one that stays.
        kept: InstanceId,
    },
}

/// Whether a run carries an entry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does, or there is nothing to do.
    Proceeds,
    /// It does not, and why.
    LeftAlone(Hold),
}

/// Why a change is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Deleting needs `--prune`.
    NeedsPrune,
    /// Replacing needs `--replace HOST`.
    NeedsReplace,
    /// The host is protected.
    Protected,
    /// `--host` names others only.
    NotSelected,
}

/// What a run may do beyond creating, resuming and updating.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether instances that are not in the file, and surplus ones, are removed.
    pub prune: bool,
    /// Hosts that are replaced.
    pub replace: BTreeSet<HostName>,
    /// When not empty, the only hosts worked on.
    pub only: BTreeSet<HostName>,
}

impl Entry {
    /// What the provider says is the matter with the host's instance, or with its last one if it is gone.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        match (&self.reason, self.change.instance()) {
            (Reason::Missing { gone }, _) => gone.as_deref(),
            (_, instance) => instance?.trouble.as_deref(),
        }
    }

    /// Whether carrying out the plan does anything about this host, bootstrap included.
    #[must_use]
    pub fn is_worked_on(&self) -> bool {
        match self.fate {
            Fate::Proceeds => true,
            Fate::LeftAlone(Hold::NotSelected) => false,
            // A host whose replacement is held back is kept, and kept right.
            Fate::LeftAlone(Hold::NeedsPrune | Hold::NeedsReplace | Hold::Protected) => {
                self.change.action() == Action::Replace
            }
        }
    }

    /// Whether name, role, protection or tags are changed in place although the replacement that
    /// the host needs is held back.
    #[must_use]
    pub fn updates_in_place(&self) -> bool {
        match &self.change {
            Change::Replace { instance, wanted } if self.fate != Fate::Proceeds => {
                self.is_worked_on()
                    && wanted.provider == instance.provider
                    && wanted.marks != instance.marks
            }
            Change::Create { .. }
            | Change::Unchanged { .. }
            | Change::Resume { .. }
            | Change::Update { .. }
            | Change::Replace { .. }
            | Change::Delete { .. } => false,
        }
    }

    /// Whether carrying it out would send a change to the provider.
    fn has_effects(&self) -> bool {
        match (&self.change, self.fate) {
            (Change::Unchanged { .. }, _) | (_, Fate::LeftAlone(Hold::NotSelected)) => false,
            (_, Fate::Proceeds) => true,
            (Change::Replace { instance, .. }, Fate::LeftAlone(_)) => {
                instance.lifecycle == Lifecycle::Stopped || self.updates_in_place()
            }
            (_, Fate::LeftAlone(_)) => false,
        }
    }
}

impl Plan {
    /// The same plan, with whom it touches because of a network.
    #[must_use]
    pub fn with_network(mut self, network: &dyn NetworkProvider) -> Self {
        self.ripple = Some(Ripple::of(&self, network));
        self
    }

    /// Whether anything differs from what the file asks for, carried out or not.
    #[must_use]
    pub fn finds_changes(&self) -> bool {
        self.entries.iter().any(|entry| entry.change.action() != Action::Unchanged)
    }

    /// Whether carrying it out would send any change to a provider.
    #[must_use]
    pub fn has_effects(&self) -> bool {
        self.entries.iter().any(Entry::has_effects)
    }

    /// How many entries have this action, carried out or not.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.entries.iter().filter(|entry| entry.change.action() == action).count()
    }

    /// The instance that stands for each host that has one now, with the entry about it.
    #[must_use]
    pub fn standing(&self) -> BTreeMap<&HostName, (&Entry, &Instance)> {
        let mut standing = BTreeMap::new();
        for entry in &self.entries {
            // Later entries of a host are about surplus instances.
            if let Some(instance) = entry.change.instance() {
                standing.entry(&entry.host).or_insert((entry, instance));
            }
        }
        standing
    }

    /// Those of them that carrying it out leaves.
    #[must_use]
    pub fn stays(&self) -> BTreeMap<&HostName, (&Entry, &Instance)> {
        let mut stays = self.standing();
        stays.retain(|_, (entry, _)| match entry.change {
            Change::Replace { .. } | Change::Delete { .. } => entry.fate != Fate::Proceeds,
            Change::Create { .. }
            | Change::Unchanged { .. }
            | Change::Resume { .. }
            | Change::Update { .. } => true,
        });
        stays
    }

    /// The instances that carrying it out would remove.
    #[must_use]
    pub fn destroys(&self) -> Destroys {
        self.entries
            .iter()
            .filter(|entry| entry.fate == Fate::Proceeds)
            .filter_map(|entry| match &entry.change {
                Change::Replace { instance, .. } | Change::Delete { instance } => {
                    Some((instance.provider, instance.id.clone()))
                }
                Change::Create { .. }
                | Change::Unchanged { .. }
                | Change::Resume { .. }
                | Change::Update { .. } => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
