//! What is read off a plan: how much it changes, whom it works on, who is there before and after.

use super::*;
use crate::network::{Tailscale, TailscaleConfig, WireGuard};

#[test]
fn a_plan_counts_its_entries_by_action() {
    let seen = [running("app-1", 1), running("db-1", 2), running("old-1", 3), running("old-2", 4)];
    let plan = up(&[wanted("app-1"), other_role("db-1"), wanted("web-1")], seen, &prune());
    let count = |action| plan.count(action);
    assert_eq!(
        Action::ALL.map(|action| (action.as_str(), count(action))),
        [
            ("create", 1),
            ("resume", 0),
            ("update", 1),
            ("replace", 0),
            ("delete", 2),
            ("unchanged", 1),
        ]
    );
}

#[test]
fn a_plan_in_which_all_is_as_asked_finds_nothing_and_does_nothing() {
    let plan = up(&[wanted("app-1")], [running("app-1", 1)], &Policy::default());
    assert!(!plan.finds_changes() && !plan.has_effects());
}

#[test]
fn every_change_names_what_the_host_should_be_unless_it_stays_or_goes() {
    let seen = [running("app-1", 1), running("db-1", 2), running("old-1", 3)];
    let plan = up(&[wanted("app-1"), other_role("db-1"), wanted("web-1")], seen, &prune());
    let asked = |entry: &Entry| entry.change.wanted().map(|wanted| wanted.name.to_string());
    assert_eq!(
        plan.entries.iter().map(|entry| (entry.host.as_str(), asked(entry))).collect::<Vec<_>>(),
        [
            ("app-1", None),
            ("db-1", Some("db-1".to_owned())),
            ("old-1", None),
            ("web-1", Some("web-1".to_owned())),
        ]
    );
}

#[test]
fn a_host_whose_replacement_is_held_back_is_worked_on_and_one_that_stays_behind_is_not() {
    let seen = [running("app-1", 1), running("old-1", 2)];
    let plan = up(&[larger("app-1")], seen.clone(), &Policy::default());
    assert_eq!(told(&plan)[0], ("app-1", "replace", Fate::LeftAlone(Hold::NeedsReplace)));
    assert!(plan.entries[0].is_worked_on(), "it is kept, and kept right");
    assert_eq!(told(&plan)[1], ("old-1", "delete", Fate::LeftAlone(Hold::NeedsPrune)));
    assert!(!plan.entries[1].is_worked_on(), "nobody asked for it");

    let only = Policy { only: [host("old-1")].into(), ..Policy::default() };
    assert!(!up(&[larger("app-1")], seen, &only).entries[0].is_worked_on(), "others are selected");
}

#[test]
fn only_a_replacement_that_is_held_back_changes_marks_of_its_own_machine_in_place() {
    let mut both = larger("app-1");
    both.marks.tags = ["blue".to_owned()].into();
    let in_place = |wanted: &ResolvedHost, policy: &Policy| {
        let plan = up(std::slice::from_ref(wanted), [running("app-1", 1)], policy);
        plan.entries[0].updates_in_place()
    };
    assert!(in_place(&both, &Policy::default()));
    assert!(!in_place(&both, &replace("app-1")), "the machine goes");
    assert!(!in_place(&larger("app-1"), &Policy::default()), "its marks are as asked");
    let moved = ResolvedHost { provider: ProviderId::Hetzner, ..both };
    assert!(!in_place(&moved, &Policy::default()), "what is asked is of another provider");
}

#[test]
fn a_stopped_machine_is_switched_on_although_its_replacement_is_held_back() {
    let stopped = Instance { lifecycle: Lifecycle::Stopped, ..running("app-1", 1) };
    let plan = up(&[larger("app-1")], [stopped], &Policy::default());
    assert_eq!(told(&plan), [("app-1", "replace", Fate::LeftAlone(Hold::NeedsReplace))]);
    assert!(plan.has_effects());
}

#[test]
fn the_oldest_instance_stands_for_a_host_and_a_new_host_has_none() {
    let seen = [running("app-1", 9), running("app-1", 3), running("old-1", 4)];
    let plan = up(&[wanted("app-1"), wanted("web-1")], seen, &Policy::default());
    assert_eq!(ids(&plan.standing()), [("app-1", "i-3"), ("old-1", "i-4")]);
}

#[test]
fn a_host_stays_unless_its_machine_is_removed_or_replaced_now() {
    let all = ["app-1", "db-1", "old-1"];
    let seen = || all.into_iter().zip(1..).map(|(name, age)| running(name, age));
    let asked = [other_role("app-1"), larger("db-1")];
    let stays = |policy| -> Vec<String> {
        up(&asked, seen(), &policy).stays().into_keys().map(ToString::to_string).collect()
    };
    assert_eq!(stays(Policy::default()), all, "nobody asked for a removal");
    assert_eq!(stays(prune()), ["app-1", "db-1"]);
    assert_eq!(stays(replace("db-1")), ["app-1", "old-1"]);
}

#[test]
fn a_mesh_is_told_of_who_joins_and_leaves_and_of_nothing_else() {
    let mesh = WireGuard {
        range: "10.66.0.0/16".parse().expect("a range"),
        port: 51820,
        domain: "shop.internal".to_owned(),
    };
    let seen = || [running("app-1", 1), running("db-1", 2), running("old-1", 3)];
    let ripple = |asked: &[&str], policy: &Policy| {
        let asked: Vec<_> = asked.iter().map(|name| wanted(name)).collect();
        up(&asked, seen(), policy).with_network(&mesh).ripple.expect("there is a network")
    };
    let names = |names: &[&str]| names.iter().map(|name| host(name)).collect::<BTreeSet<_>>();
    let of = |joins: &[&str], leaves: &[&str], told: &[&str]| Ripple {
        network: "wireguard".to_owned(),
        joins: names(joins),
        leaves: names(leaves),
        told: names(told),
    };
    let (all, two) = (["app-1", "db-1", "old-1"], ["app-1", "db-1"]);
    assert_eq!(ripple(&all, &prune()), of(&[], &[], &[]), "nobody comes or goes");
    assert_eq!(ripple(&two, &Policy::default()), of(&[], &[], &[]), "a removal is left alone");
    assert_eq!(ripple(&two, &prune()), of(&[], &["old-1"], &two));
    let one_more = ["app-1", "db-1", "old-1", "web-1"];
    assert_eq!(ripple(&one_more, &Policy::default()), of(&["web-1"], &[], &all));
    assert_eq!(ripple(&all, &replace("db-1")), of(&["db-1"], &[], &["app-1", "old-1"]));
}

#[test]
fn a_surplus_machine_leaves_no_network_and_a_network_without_a_mesh_tells_nobody() {
    let twice = || [running("app-1", 1), running("app-1", 2)];
    let tailnet = Tailscale::new(
        TailscaleConfig {
            tailnet_domain: "example.ts.net".to_owned(),
            login_server: None,
            default_tags: BTreeSet::new(),
            role_tags: BTreeMap::new(),
            install: true,
            min_version: None,
        },
        None,
    )
    .expect("a tailnet");
    let plan = up(&[wanted("app-1"), wanted("web-1")], twice(), &prune()).with_network(&tailnet);
    assert_eq!(plan.destroys().len(), 1);
    let ripple = plan.ripple.expect("there is a network");
    assert_eq!((ripple.joins, ripple.leaves), ([host("web-1")].into(), [].into()));
    assert!(ripple.told.is_empty(), "its server tells them");
}

fn ids<'p>(hosts: &BTreeMap<&'p HostName, (&Entry, &'p Instance)>) -> Vec<(&'p str, &'p str)> {
    hosts.iter().map(|(host, (_, instance))| (host.as_str(), instance.id.as_str())).collect()
}

fn larger(name: &str) -> ResolvedHost {
    let mut larger = wanted(name);
    larger.spec.size = Size::from("large");
    larger
}

fn other_role(name: &str) -> ResolvedHost {
    let mut other = wanted(name);
    other.marks.role = "worker".parse().expect("a name");
    other
}
