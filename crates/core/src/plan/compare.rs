use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Change, Difference, Entry, Fate, Hold, Plan, PlanError, Policy, Reason};
use crate::inventory::{Instance, Inventory, Lifecycle};
use crate::name::{HostName, Scope};
use crate::resolve::ResolvedHost;

/// Plans the way from what was seen to what is wanted.
///
/// # Errors
/// When a provider could not be listed, or the policy names a host that does not exist.
pub fn plan_up(
    scope: &Scope,
    wanted: &BTreeMap<HostName, ResolvedHost>,
    seen: &Inventory,
    policy: &Policy,
) -> Result<Plan, PlanError> {
    refuse_blind(seen)?;
    let hosts: BTreeSet<&HostName> =
        wanted.keys().chain(seen.hosts().map(|(host, _)| host)).collect();
    if let Some(unknown) =
        policy.only.iter().chain(&policy.replace).find(|host| !hosts.contains(host))
    {
        return Err(PlanError::UnknownHost(unknown.clone()));
    }
    if let Some(host) = policy.replace.iter().find(|host| !wanted.contains_key(host)) {
        return Err(PlanError::NothingToReplaceWith(host.clone()));
    }
    let selected = |host: &HostName| policy.only.is_empty() || policy.only.contains(host);
    if let Some(host) = policy.replace.iter().find(|host| !selected(host)) {
        return Err(PlanError::ReplaceNotSelected(host.clone()));
    }
    let mut entries = Vec::new();
    for host in hosts {
        let instances = seen.of_host(host);
        let marked = is_marked_protected(instances);
        let own = match (wanted.get(host), instances) {
            (Some(wanted), []) => Some(create(wanted, seen.why_gone(host))),
            (Some(wanted), [instance, ..]) => {
                Some(keep(wanted, instance, wanted.marks.protected || marked, policy))
            }
            (None, [instance, ..]) => {
                Some(delete(instance, Reason::NotInFile, policy.prune, marked))
            }
            (None, []) => None,
        };
        // The file says it for all instances; without it, any of them does.
        let protected = wanted.get(host).map_or(marked, |wanted| wanted.marks.protected);
        // To replace a host is to replace all that stands for it.
        let replaced = own.as_ref().is_some_and(|entry| {
            entry.change.action() == Action::Replace && entry.fate == Fate::Proceeds
        });
        entries.extend(own);
        if let [kept, surplus @ ..] = instances {
            entries.extend(surplus.iter().map(|instance| {
                let reason = Reason::Duplicate { kept: kept.id.clone() };
                delete(instance, reason, policy.prune || replaced, protected)
            }));
        }
    }
    select(&mut entries, &policy.only);
    Ok(Plan { scope: scope.clone(), basis: seen.digest(), entries, ripple: None })
}

/// Plans the removal of every instance of the scope, protected ones excepted. `protected` adds the
/// hosts the file protects to those whose instances say so themselves.
///
/// # Errors
/// When a provider could not be listed, or `only` names a host without an instance.
pub fn plan_down(
    scope: &Scope,
    seen: &Inventory,
    protected: &BTreeSet<HostName>,
    only: &BTreeSet<HostName>,
) -> Result<Plan, PlanError> {
    refuse_blind(seen)?;
    if let Some(unknown) = only.iter().find(|host| seen.of_host(host).is_empty()) {
        return Err(PlanError::UnknownHost(unknown.clone()));
    }
    let mut entries: Vec<Entry> = seen
        .instances()
        .map(|instance| {
            let host = &instance.owner.host;
            let protected = protected.contains(host) || is_marked_protected(seen.of_host(host));
            delete(instance, Reason::Requested, true, protected)
        })
        .collect();
    select(&mut entries, only);
    Ok(Plan { scope: scope.clone(), basis: seen.digest(), entries, ripple: None })
}

fn refuse_blind(seen: &Inventory) -> Result<(), PlanError> {
    match seen.unlisted().iter().next() {
        Some((&provider, why)) => Err(PlanError::Blind { provider, why: why.clone() }),
        None => Ok(()),
    }
}

fn select(entries: &mut [Entry], only: &BTreeSet<HostName>) {
    if only.is_empty() {
        return;
    }
    for entry in entries.iter_mut().filter(|entry| !only.contains(&entry.host)) {
        entry.fate = Fate::LeftAlone(Hold::NotSelected);
    }
}

fn create(wanted: &ResolvedHost, gone: Option<&str>) -> Entry {
    let reason = Reason::Missing { gone: gone.map(str::to_owned) };
    entry(wanted, Change::Create { wanted: wanted.clone() }, reason, Fate::Proceeds)
}

/// What to do about a host that has an instance. `protected` when the file or any of its instances
/// says so.
fn keep(wanted: &ResolvedHost, instance: &Instance, protected: bool, policy: &Policy) -> Entry {
    let needs_another = differences_of_spec(wanted, instance);
    let in_place = differences_of_marks(wanted, instance);
    let requested = policy.replace.contains(&wanted.name);
    let failed = instance.lifecycle == Lifecycle::Failed;

    let replace_because = if !needs_another.is_empty() {
        Some(Reason::Differs(needs_another.into_iter().chain(in_place.clone()).collect()))
    } else if failed {
        Some(Reason::InstanceFailed)
    } else if requested {
        Some(Reason::Requested)
    } else {
        None
    };
    if let Some(reason) = replace_because {
        let fate = if protected {
            Fate::LeftAlone(Hold::Protected)
        } else if requested {
            Fate::Proceeds
        } else {
            Fate::LeftAlone(Hold::NeedsReplace)
        };
        let change = Change::Replace { instance: instance.clone(), wanted: wanted.clone() };
        return entry(wanted, change, reason, fate);
    }

    let (instance, wanted_too) = (instance.clone(), wanted.clone());
    let (change, reason) = match instance.lifecycle {
        Lifecycle::Stopped => {
            (Change::Resume { instance, wanted: wanted_too }, Reason::SwitchedOff)
        }
        Lifecycle::Pending => (Change::Resume { instance, wanted: wanted_too }, Reason::NotUpYet),
        Lifecycle::Running | Lifecycle::Failed | Lifecycle::Terminating | Lifecycle::Terminated => {
            if in_place.is_empty() {
                (Change::Unchanged { instance }, Reason::UpToDate)
            } else {
                (Change::Update { instance, wanted: wanted_too }, Reason::Differs(in_place))
            }
        }
    };
    entry(wanted, change, reason, Fate::Proceeds)
}

/// Whether any of a host's instances says that the host is protected.
fn is_marked_protected(instances: &[Instance]) -> bool {
    instances.iter().any(|instance| instance.marks.protected)
}

/// What to do about an instance that should not be. `protected` when its host is, whatever it says
/// itself.
fn delete(instance: &Instance, reason: Reason, allowed: bool, protected: bool) -> Entry {
    let fate = if protected || instance.marks.protected {
        Fate::LeftAlone(Hold::Protected)
    } else if allowed {
        Fate::Proceeds
    } else {
        Fate::LeftAlone(Hold::NeedsPrune)
    };
    Entry {
        host: instance.owner.host.clone(),
        provider: instance.provider,
        role: instance.marks.role.clone(),
        change: Change::Delete { instance: instance.clone() },
        reason,
        fate,
        monthly: None,
        notices: Vec::new(),
    }
}

fn entry(wanted: &ResolvedHost, change: Change, reason: Reason, fate: Fate) -> Entry {
    Entry {
        host: wanted.name.clone(),
        provider: wanted.provider,
        role: wanted.marks.role.clone(),
        change,
        reason,
        fate,
        monthly: wanted.monthly.clone(),
        notices: wanted.notices.clone(),
    }
}

/// What only another machine can mend.
fn differences_of_spec(wanted: &ResolvedHost, instance: &Instance) -> Vec<Difference> {
    let (is, want) = (&instance.spec, &wanted.spec);
    [
        ("provider", instance.provider.to_string(), wanted.provider.to_string()),
        ("region", is.region.to_string(), want.region.to_string()),
        ("size", is.size.to_string(), want.size.to_string()),
        ("image", is.image.to_string(), want.image.to_string()),
        ("arch", is.arch.to_string(), want.arch.to_string()),
        ("spot", is.spot.to_string(), want.spot.to_string()),
    ]
    .into_iter()
    .filter_map(difference)
    .collect()
}

/// What is changed in place.
fn differences_of_marks(wanted: &ResolvedHost, instance: &Instance) -> Vec<Difference> {
    let (is, want) = (&instance.marks, &wanted.marks);
    let tags = |tags: &BTreeSet<String>| tags.iter().cloned().collect::<Vec<_>>().join(", ");
    [
        ("name", is.name.clone(), want.name.clone()),
        ("role", is.role.to_string(), want.role.to_string()),
        ("protected", is.protected.to_string(), want.protected.to_string()),
        ("tags", tags(&is.tags), tags(&want.tags)),
    ]
    .into_iter()
    .filter_map(difference)
    .collect()
}

fn difference((field, from, to): (&'static str, String, String)) -> Option<Difference> {
    (from != to).then_some(Difference { field, from, to })
}
