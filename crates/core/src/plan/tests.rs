//! What a plan promises, example by example.

mod any;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::error::{Code, Failure};
use crate::inventory::{Inventory, Lifecycle};
use crate::name::Size;
use crate::samples::{host, running, scope};

#[test]
fn a_missing_host_is_created_and_an_up_to_date_one_is_left() {
    let plan = up(&[wanted("app-1"), wanted("app-2")], [running("app-1", 1)], &Policy::default());
    assert_eq!(
        told(&plan),
        [("app-1", "unchanged", Fate::Proceeds), ("app-2", "create", Fate::Proceeds)]
    );
    assert!(plan.finds_changes() && plan.has_effects());
}

#[test]
fn a_create_whose_answer_was_lost_is_not_repeated() {
    let mut pending = running("app-1", 1);
    pending.lifecycle = Lifecycle::Pending;
    let plan = up(&[wanted("app-1")], [pending], &Policy::default());
    assert_eq!(told(&plan), [("app-1", "resume", Fate::Proceeds)]);
    assert_eq!(plan.entries[0].reason, Reason::NotUpYet);
}

#[test]
fn a_host_whose_last_instance_ended_unasked_is_missing_with_the_reason() {
    let ended = |id: &str, age, why: Option<&str>| {
        let mut ended = running("app-1", age);
        ended.id = id.into();
        ended.lifecycle = Lifecycle::Terminated;
        ended.trouble = why.map(str::to_owned);
        ended
    };
    let reason = |seen: Vec<Instance>| {
        let plan = up(&[wanted("app-1")], seen, &Policy::default());
        let [entry] = &plan.entries[..] else { panic!("{plan:?}") };
        (entry.reason.clone(), entry.trouble().map(str::to_owned))
    };
    let interrupted = || ended("i-1", 1, Some("taken back"));
    let gone = Some("taken back".to_owned());
    assert_eq!(reason(vec![interrupted()]), (Reason::Missing { gone: gone.clone() }, gone));
    let nothing = (Reason::Missing { gone: None }, None);
    assert_eq!(reason(vec![interrupted(), ended("i-2", 2, None)]), nothing, "the last counts");
    assert_eq!(reason(vec![]), nothing);
    let again = reason(vec![interrupted(), running("app-1", 2)]);
    assert_eq!(again, (Reason::UpToDate, None), "another stands for it");
    let digest = |seen: Vec<Instance>| Inventory::new(seen).digest();
    assert_eq!(
        digest(vec![interrupted()]),
        digest(vec![]),
        "the plan stays valid when it is forgotten"
    );
}

#[test]
fn an_emptied_file_does_not_empty_the_cloud() {
    let plan = up(&[], [running("app-1", 1), running("app-2", 2)], &Policy::default());
    assert!(plan.destroys().is_empty());
    assert!(plan.finds_changes(), "what is left alone is still told");
    assert_eq!(told(&plan)[0], ("app-1", "delete", Fate::LeftAlone(Hold::NeedsPrune)));
}

#[test]
fn prune_removes_what_is_not_in_the_file_and_never_what_is_protected() {
    let mut guarded = running("db-1", 2);
    guarded.marks.protected = true;
    let plan = up(&[], [running("app-1", 1), guarded], &prune());
    assert_eq!(
        told(&plan),
        [("app-1", "delete", Fate::Proceeds), ("db-1", "delete", Fate::LeftAlone(Hold::Protected)),]
    );
}

#[test]
fn a_host_that_left_the_file_is_protected_by_any_of_its_instances() {
    let mut guarded = running("db-1", 2);
    guarded.marks.protected = true;
    let seen = [running("db-1", 1), guarded];
    let held = ("db-1", "delete", Fate::LeftAlone(Hold::Protected));
    assert_eq!(told(&up(&[], seen.clone(), &prune())), [held, held]);
    let none = BTreeSet::new();
    let plan = plan_down(&scope(), &Inventory::new(seen), &none, &none).expect("a plan");
    assert_eq!(told(&plan), [held, held]);
}

#[test]
fn a_replacement_that_is_held_back_has_an_effect_if_something_changes_in_place() {
    let mut other = wanted("app-1");
    other.spec.size = Size::from("large");
    assert!(!up(&[other.clone()], [running("app-1", 1)], &Policy::default()).has_effects());
    other.marks.tags.insert("blue".to_owned());
    let plan = up(&[other.clone()], [running("app-1", 1)], &Policy::default());
    assert_eq!(told(&plan), [("app-1", "replace", Fate::LeftAlone(Hold::NeedsReplace))]);
    assert!(plan.has_effects());
    let only = Policy { only: ["app-2".parse().expect("a name")].into(), ..Policy::default() };
    let plan = up(&[other, wanted("app-2")], [running("app-1", 1), running("app-2", 2)], &only);
    assert!(!plan.has_effects(), "it is not worked on");
}

#[test]
fn another_size_is_a_replacement_that_must_be_asked_for_by_name() {
    let mut large = wanted("app-1");
    large.spec.size = Size::from("large");
    let plan = up(&[large.clone()], [running("app-1", 1)], &Policy::default());
    assert_eq!(told(&plan), [("app-1", "replace", Fate::LeftAlone(Hold::NeedsReplace))]);
    let difference = Difference { field: "size", from: "small".to_owned(), to: "large".to_owned() };
    assert_eq!(plan.entries[0].reason, Reason::Differs(vec![difference]));

    let plan = up(&[large.clone()], [running("app-1", 1)], &replace("app-1"));
    assert_eq!(told(&plan), [("app-1", "replace", Fate::Proceeds)]);

    large.marks.protected = true;
    let plan = up(&[large], [running("app-1", 1)], &replace("app-1"));
    assert_eq!(told(&plan), [("app-1", "replace", Fate::LeftAlone(Hold::Protected))]);
}

#[test]
fn a_host_that_moved_to_another_provider_is_a_replacement() {
    let mut moved = wanted("app-1");
    moved.provider = ProviderId::Hetzner;
    let plan = up(&[moved], [running("app-1", 1)], &Policy::default());
    assert_eq!(plan.entries[0].change.action(), Action::Replace);
}

#[test]
fn another_role_is_changed_in_place() {
    let mut other = wanted("app-1");
    other.marks.role = "worker".parse().expect("a name");
    let plan = up(&[other], [running("app-1", 1)], &Policy::default());
    assert_eq!(told(&plan), [("app-1", "update", Fate::Proceeds)]);
}

#[test]
fn of_duplicates_the_oldest_stays() {
    let plan = up(&[wanted("app-1")], [running("app-1", 9), running("app-1", 3)], &prune());
    assert_eq!(
        told(&plan),
        [("app-1", "unchanged", Fate::Proceeds), ("app-1", "delete", Fate::Proceeds)]
    );
    assert_eq!(plan.entries[0].change.instance().map(|i| i.id.as_str()), Some("i-3"));
    assert_eq!(plan.entries[1].reason, Reason::Duplicate { kept: InstanceId::from("i-3") });
}

#[test]
fn an_unlistable_provider_stops_the_plan() {
    let why = Failure::new(Code::CLOUD_UNREACHABLE, "no answer");
    let seen = Inventory::new([]).with_unlisted(ProviderId::Local, why);
    let error = plan_up(&scope(), &BTreeMap::new(), &seen, &Policy::default());
    assert!(matches!(error, Err(PlanError::Blind { provider: ProviderId::Local, .. })));
    let error = plan_down(&scope(), &seen, &BTreeSet::new(), &BTreeSet::new());
    assert!(matches!(error, Err(PlanError::Blind { .. })));
}

#[test]
fn a_host_named_on_the_command_line_must_exist() {
    let seen = Inventory::new([running("app-1", 1)]);
    let error = plan_up(&scope(), &BTreeMap::new(), &seen, &replace("ap-1"));
    assert_eq!(error, Err(PlanError::UnknownHost("ap-1".parse().expect("a name"))));
}

#[test]
fn a_replacement_that_cannot_be_is_refused_and_not_forgotten() {
    let seen = Inventory::new([running("app-1", 1)]);
    let nothing = plan_up(&scope(), &BTreeMap::new(), &seen, &replace("app-1"));
    let name: HostName = "app-1".parse().expect("a name");
    assert_eq!(nothing, Err(PlanError::NothingToReplaceWith(name.clone())));

    let both = [wanted("app-1"), wanted("app-2")].map(|host| (host.name.clone(), host)).into();
    let other = Policy { only: ["app-2".parse().expect("a name")].into(), ..replace("app-1") };
    assert_eq!(plan_up(&scope(), &both, &seen, &other), Err(PlanError::ReplaceNotSelected(name)));
}

#[test]
fn what_can_be_changed_in_place_is_although_the_replacement_is_held_back() {
    let mut host = wanted("app-1");
    host.spec.size = Size::from("large");
    host.marks.tags = ["blue".to_owned()].into();
    let plan = up(&[host], [running("app-1", 1)], &Policy::default());
    assert_eq!(told(&plan), [("app-1", "replace", Fate::LeftAlone(Hold::NeedsReplace))]);
    assert!(plan.entries[0].updates_in_place() && plan.has_effects());
}

#[test]
fn down_leaves_protected_hosts_and_hosts_not_named() {
    let seen = Inventory::new([running("app-1", 1), running("app-2", 2), running("db-1", 3)]);
    let names = |names: &[&str]| -> BTreeSet<HostName> {
        names.iter().map(|name| name.parse().expect("a name")).collect()
    };
    let plan = plan_down(&scope(), &seen, &names(&["db-1"]), &names(&["app-1", "db-1"]));
    assert_eq!(
        told(&plan.expect("a plan")),
        [
            ("app-1", "delete", Fate::Proceeds),
            ("app-2", "delete", Fate::LeftAlone(Hold::NotSelected)),
            ("db-1", "delete", Fate::LeftAlone(Hold::Protected)),
        ]
    );
}

#[test]
fn a_plan_made_anew_needs_no_second_agreement_unless_it_removes_more() {
    let one = up(&[], [running("app-1", 1)], &prune());
    let both = up(&[], [running("app-1", 1), running("app-2", 2)], &prune());
    let agreed = both.destroys();
    assert!(one.clone().approve(&agreed).is_ok());
    assert!(both.approve(&one.destroys()).is_err());
}

fn up(wanted: &[ResolvedHost], seen: impl IntoIterator<Item = Instance>, policy: &Policy) -> Plan {
    let wanted = wanted.iter().map(|host| (host.name.clone(), host.clone())).collect();
    plan_up(&scope(), &wanted, &Inventory::new(seen), policy).expect("a plan")
}

fn told(plan: &Plan) -> Vec<(&str, &str, Fate)> {
    plan.entries
        .iter()
        .map(|entry| (entry.host.as_str(), entry.change.action().as_str(), entry.fate))
        .collect()
}

fn prune() -> Policy {
    Policy { prune: true, ..Policy::default() }
}

fn replace(host: &str) -> Policy {
    Policy { replace: [host.parse().expect("a name")].into(), ..Policy::default() }
}

fn wanted(name: &str) -> ResolvedHost {
    let like = running(name, 0);
    ResolvedHost {
        name: like.owner.host,
        provider: like.provider,
        spec: like.spec,
        marks: like.marks,
        monthly: None,
        notices: Vec::new(),
    }
}
