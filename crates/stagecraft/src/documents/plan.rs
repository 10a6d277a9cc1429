use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use stagecraft_core::cloud::Price;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::Spec;
use stagecraft_core::name::{EnvironmentName, HostName, ProjectName, RoleName};
use stagecraft_core::plan::{Action, Change, Difference, Entry, Fate, Hold, Plan, Reason, Ripple};

use super::{Document, Kind};

/// What would be done about every host, and why. Sorted by host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct PlanDocument {
    /// The project.
    project: ProjectName,
    /// The environment.
    environment: EnvironmentName,
    /// Whether anything differs from the file, whether or not a run would do something about it.
    finds_changes: bool,
    /// The hosts. A host with surplus instances has one more entry for each of them.
    hosts: Vec<PlanHost>,
    /// How many entries have each action; those that `--host` leaves out are not counted.
    summary: BTreeMap<String, usize>,
    /// How many of the entries counted are left alone.
    left_alone: usize,
    /// How many entries `--host` leaves out.
    not_selected: usize,
    /// What the hosts of the file cost when all is as it asks, where providers say it; one price per
    /// currency.
    monthly: Vec<Price>,
    /// Whom it touches because of the private network; null where there is none.
    network: Option<Ripple>,
}

/// What would be done about one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct PlanHost {
    host: HostName,
    provider: ProviderId,
    role: RoleName,
    /// What should be done.
    action: Action,
    /// Why.
    reason: ReasonName,
    /// What the provider says is the matter with its machine, or why the last one ended if it is missing;
    /// null when it says nothing.
    trouble: Option<String>,
    /// What differs.
    differences: Vec<Difference>,
    /// Why this run leaves the host alone; null when it does not.
    left_alone: Option<Hold>,
    /// Whether name, role, tags or protection are updated in place although the host is left alone.
    updates_in_place: bool,
    /// What the host's machine is made of from now on; null for one that is removed.
    spec: Option<Spec>,
    /// What it costs a month as the file asks for it, where the provider says it.
    monthly: Option<Price>,
    /// What was asked for and cannot be had.
    notices: Vec<String>,
}

/// Why something should be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ReasonName {
    /// The host has no instance.
    Missing,
    /// It is as asked.
    UpToDate,
    /// Its instance was ordered earlier and is not up yet.
    NotUpYet,
    /// Its instance is switched off.
    SwitchedOff,
    /// Some properties differ.
    Differs,
    /// The provider gave up on its instance.
    InstanceFailed,
    /// The user asked for it by name.
    Requested,
    /// It is not in the file.
    NotInFile,
    /// An older instance stands for the host.
    Duplicate,
}

impl Document for PlanDocument {
    const KIND: Kind = Kind::Plan;
}

impl From<&Plan> for PlanDocument {
    fn from(plan: &Plan) -> Self {
        let (left_out, meant): (Vec<&Entry>, Vec<&Entry>) =
            plan.entries.iter().partition(|entry| entry.fate == Fate::LeftAlone(Hold::NotSelected));
        let counts = Action::ALL.map(|action| {
            let number = meant.iter().filter(|entry| entry.change.action() == action).count();
            (action.as_str().to_owned(), number)
        });
        Self {
            project: plan.scope.project.clone(),
            environment: plan.scope.environment.clone(),
            finds_changes: plan.finds_changes(),
            hosts: plan.entries.iter().map(PlanHost::from).collect(),
            summary: counts.into(),
            left_alone: meant.iter().filter(|entry| entry.fate != Fate::Proceeds).count(),
            not_selected: left_out.len(),
            monthly: monthly(plan),
            network: plan.ripple.clone(),
        }
    }
}

impl From<&Entry> for PlanHost {
    fn from(entry: &Entry) -> Self {
        let (reason, differences) = match &entry.reason {
            Reason::Missing { .. } => (ReasonName::Missing, &[][..]),
            Reason::UpToDate => (ReasonName::UpToDate, &[][..]),
            Reason::NotUpYet => (ReasonName::NotUpYet, &[][..]),
            Reason::SwitchedOff => (ReasonName::SwitchedOff, &[][..]),
            Reason::Differs(differences) => (ReasonName::Differs, differences.as_slice()),
            Reason::InstanceFailed => (ReasonName::InstanceFailed, &[][..]),
            Reason::Requested => (ReasonName::Requested, &[][..]),
            Reason::NotInFile => (ReasonName::NotInFile, &[][..]),
            Reason::Duplicate { .. } => (ReasonName::Duplicate, &[][..]),
        };
        Self {
            host: entry.host.clone(),
            provider: entry.provider,
            role: entry.role.clone(),
            action: entry.change.action(),
            reason,
            trouble: entry.trouble().map(str::to_owned),
            differences: differences.to_vec(),
            left_alone: match entry.fate {
                Fate::Proceeds => None,
                Fate::LeftAlone(hold) => Some(hold),
            },
            updates_in_place: entry.updates_in_place(),
            spec: spec(&entry.change).cloned(),
            monthly: entry.monthly.clone(),
            notices: entry.notices.clone(),
        }
    }
}

fn spec(change: &Change) -> Option<&Spec> {
    match change {
        Change::Create { wanted }
        | Change::Resume { wanted, .. }
        | Change::Update { wanted, .. }
        | Change::Replace { wanted, .. } => Some(&wanted.spec),
        Change::Unchanged { instance } => Some(&instance.spec),
        Change::Delete { .. } => None,
    }
}

/// The sum of the known prices, by currency.
pub(crate) fn monthly(plan: &Plan) -> Vec<Price> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for price in plan.entries.iter().filter_map(|entry| entry.monthly.as_ref()) {
        *sums.entry(&price.currency).or_default() += price.cents;
    }
    sums.into_iter()
        .map(|(currency, cents)| Price { cents, currency: currency.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    use stagecraft_core::plan::Policy;

    use super::*;
    use crate::ui::samples::{host, plan, running, wanted};

    #[test]
    fn what_host_leaves_out_is_counted_apart() {
        let policy = Policy { only: [host("a")].into(), ..Policy::default() };
        let plan = plan([wanted("a"), wanted("b"), wanted("c")], [], &policy);
        let document = PlanDocument::from(&plan);
        assert_eq!(document.summary["create"], 1);
        assert_eq!((document.left_alone, document.not_selected), (0, 2));
    }

    #[test]
    fn a_host_that_is_left_alone_and_updated_in_place_says_both() {
        let mut tagged = wanted("db-1");
        tagged.marks.tags = ["blue".to_owned()].into();
        tagged.spec.size = "large".into();
        let plan = plan([tagged], [running("db-1", "10.0.0.1")], &Policy::default());
        let document = PlanDocument::from(&plan);
        assert_eq!(document.hosts[0].left_alone, Some(Hold::NeedsReplace));
        assert!(document.hosts[0].updates_in_place);
    }
}
