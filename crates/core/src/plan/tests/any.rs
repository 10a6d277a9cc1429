//! What a plan promises for any input.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn applying_a_plan_leaves_nothing_to_do(
        wanted in any_wanted(), seen in any_seen(), policy in any_policy(),
    ) {
        let policy = known(policy, &wanted, &seen);
        let plan = plan_up(&scope(), &wanted, &Inventory::new(seen.clone()), &policy).unwrap();
        let after = carried_out(&plan, seen);
        let selected = !policy.only.is_empty();
        let policy = known(Policy { replace: BTreeSet::new(), ..policy }, &wanted, &after);
        if selected && policy.only.is_empty() {
            // The only hosts worked on are gone, and naming them again is an error.
            return Ok(());
        }
        let again = plan_up(&scope(), &wanted, &Inventory::new(after), &policy).unwrap();
        prop_assert!(!again.has_effects(), "{:?}", again.entries);
    }

    #[test]
    fn protected_instances_are_never_removed(
        wanted in any_wanted(), seen in any_seen(), policy in any_policy(),
    ) {
        let policy = known(policy, &wanted, &seen);
        let plan = plan_up(&scope(), &wanted, &Inventory::new(seen), &policy).unwrap();
        let destroyed = plan.destroys();
        for entry in &plan.entries {
            let Some(instance) = entry.change.instance() else { continue };
            let protected = instance.marks.protected
                || wanted.get(&entry.host).is_some_and(|wanted| wanted.marks.protected);
            let removed = destroyed.contains(&(instance.provider, instance.id.clone()));
            prop_assert!(!(protected && removed), "{entry:?}");
        }
    }

    #[test]
    fn only_listed_instances_are_removed_and_the_oldest_of_a_host_only_by_name_or_prune(
        wanted in any_wanted(), seen in any_seen(),
    ) {
        let plan = plan_up(&scope(), &wanted, &Inventory::new(seen), &Policy::default()).unwrap();
        prop_assert!(plan.destroys().is_empty(), "without flags nothing is removed");
    }

    #[test]
    fn the_order_of_a_listing_never_matters(
        wanted in any_wanted(), seen in any_seen(), policy in any_policy(), seed in any::<u64>(),
    ) {
        let policy = known(policy, &wanted, &seen);
        let mut shuffled = seen.clone();
        shuffled.sort_by_key(|instance| {
            instance.created_at.wrapping_mul(seed | 1).rotate_left(17)
        });
        let one = plan_up(&scope(), &wanted, &Inventory::new(seen), &policy).unwrap();
        let other = plan_up(&scope(), &wanted, &Inventory::new(shuffled), &policy).unwrap();
        prop_assert_eq!(one, other);
    }
}

/// What the instances would be had every entry that proceeds been carried out.
fn carried_out(plan: &Plan, seen: Vec<Instance>) -> Vec<Instance> {
    let destroyed = plan.destroys();
    let mut after: Vec<Instance> = seen
        .into_iter()
        .filter(|instance| !destroyed.contains(&(instance.provider, instance.id.clone())))
        .collect();
    for entry in plan.entries.iter().filter(|entry| entry.is_worked_on()) {
        match &entry.change {
            Change::Create { wanted } => after.push(made(wanted)),
            Change::Replace { wanted, .. } if entry.fate == Fate::Proceeds => {
                after.push(made(wanted));
            }
            Change::Replace { instance, wanted }
            | Change::Resume { instance, wanted }
            | Change::Update { instance, wanted } => {
                for kept in after.iter_mut().filter(|kept| kept.id == instance.id) {
                    kept.marks = wanted.marks.clone();
                    if kept.lifecycle != Lifecycle::Failed {
                        kept.lifecycle = Lifecycle::Running;
                    }
                }
            }
            Change::Unchanged { .. } | Change::Delete { .. } => {}
        }
    }
    after
}

/// The instance an order makes; younger than any other.
fn made(wanted: &ResolvedHost) -> Instance {
    let mut instance = running(wanted.name.as_str(), 1_000);
    instance.provider = wanted.provider;
    instance.spec = wanted.spec.clone();
    instance.marks = wanted.marks.clone();
    instance
}

/// Leaves out of a policy the hosts that are nowhere, which would be refused.
fn known(
    mut policy: Policy,
    wanted: &BTreeMap<HostName, ResolvedHost>,
    seen: &[Instance],
) -> Policy {
    let exists = |host: &HostName| {
        wanted.contains_key(host)
            || seen.iter().any(|instance| instance.is_live() && &instance.owner.host == host)
    };
    policy.only.retain(exists);
    let only = policy.only.clone();
    policy
        .replace
        .retain(|host| wanted.contains_key(host) && (only.is_empty() || only.contains(host)));
    policy
}

const NAMES: [&str; 4] = ["app-1", "app-2", "db-1", "gateway"];

fn any_wanted() -> impl Strategy<Value = BTreeMap<HostName, ResolvedHost>> {
    let host = (0..NAMES.len(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(name, large, protected, worker)| {
            let mut host = wanted(NAMES[name]);
            if large {
                host.spec.size = Size::from("large");
            }
            if worker {
                host.marks.role = "worker".parse().expect("a name");
            }
            host.marks.protected = protected;
            (host.name.clone(), host)
        },
    );
    prop::collection::btree_map(any::<u8>(), host, 0..5)
        .prop_map(|hosts| hosts.into_values().collect())
}

fn any_seen() -> impl Strategy<Value = Vec<Instance>> {
    let lifecycle = prop::sample::select(vec![
        Lifecycle::Pending,
        Lifecycle::Running,
        Lifecycle::Running,
        Lifecycle::Stopped,
        Lifecycle::Failed,
        Lifecycle::Terminating,
        Lifecycle::Terminated,
    ]);
    let facts = (0..NAMES.len(), lifecycle, any::<bool>(), any::<bool>());
    prop::collection::btree_map(0u64..50, facts, 0..7).prop_map(|instances| {
        instances
            .into_iter()
            .map(|(created_at, (name, lifecycle, large, protected))| {
                let mut instance = running(NAMES[name], created_at);
                instance.lifecycle = lifecycle;
                if large {
                    instance.spec.size = Size::from("large");
                }
                instance.marks.protected = protected;
                instance
            })
            .collect()
    })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let some = || {
        prop::collection::btree_set(prop::sample::select(NAMES.to_vec()), 0..3)
            .prop_map(|names| names.into_iter().map(|name| name.parse().expect("a name")).collect())
    };
    (any::<bool>(), some(), some()).prop_map(|(prune, replace, only)| Policy {
        prune,
        replace,
        only,
    })
}
