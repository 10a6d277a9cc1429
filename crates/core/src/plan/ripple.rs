use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Action, Fate, Plan};
use crate::name::HostName;
use crate::network::NetworkProvider;

/// Whom a plan touches because of the network, besides the hosts it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ripple {
    /// The network, by its name in the file.
    pub network: String,
    /// New machines that join.
    pub joins: BTreeSet<HostName>,
    /// Hosts that leave.
    pub leaves: BTreeSet<HostName>,
    /// Members that stay and are told of that.
    pub told: BTreeSet<HostName>,
}

impl Ripple {
    /// What carrying out `plan` does to a network. Whether hosts that exist are members yet is not known
    /// before they are asked.
    #[must_use]
    pub fn of(plan: &Plan, network: &dyn NetworkProvider) -> Self {
        let of_action = |wanted: &[Action]| -> BTreeSet<HostName> {
            let entries = plan.entries.iter().filter(|entry| {
                entry.fate == Fate::Proceeds && wanted.contains(&entry.change.action())
            });
            entries.map(|entry| entry.host.clone()).collect()
        };
        let stays: BTreeSet<HostName> = plan.stays().into_keys().cloned().collect();
        let joins = of_action(&[Action::Create, Action::Replace]);
        // A surplus machine leaves a host that stays.
        let leaves = &(&of_action(&[Action::Delete]) - &joins) - &stays;
        let is_told = network.mesh().is_some() && !(joins.is_empty() && leaves.is_empty());
        let told = if is_told { stays } else { BTreeSet::new() };
        Self { network: network.name().to_owned(), joins, leaves, told }
    }

    /// Whether nobody joins or leaves.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_that_joins_or_leaves_is_something() {
        let hosts = || BTreeSet::from(["app-1".parse().expect("a name")]);
        let of = |joins, leaves| {
            let (network, told) = ("wireguard".to_owned(), BTreeSet::new());
            Ripple { network, joins, leaves, told }
        };
        assert!(of(BTreeSet::new(), BTreeSet::new()).is_nothing());
        assert!(!of(hosts(), BTreeSet::new()).is_nothing());
        assert!(!of(BTreeSet::new(), hosts()).is_nothing());
    }
}
