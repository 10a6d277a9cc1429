//! What a list says about one host that is waited for. Pure.

use std::time::Duration;

use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::inventory::{Instance, Inventory, Lifecycle};
use stagecraft_core::name::{HostName, InstanceId};

/// What a list says that ends the waiting, or changes what is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The host's instance runs.
    Up(Box<Instance>),
    /// An older instance than the one this run ordered stands for the host.
    Surplus,
    /// Waiting longer cannot help.
    Lost(Failure),
}

/// What `seen` says about `host`; `None` means to wait on.
///
/// `mine` is the instance this run ordered, `may_be_hidden` whether it is too young to be missed.
pub(super) fn of_host(
    host: &HostName,
    mine: Option<&InstanceId>,
    may_be_hidden: bool,
    seen: &Inventory,
) -> Option<Sight> {
    if mine.is_some_and(|mine| is_surplus(host, mine, seen)) {
        return Some(Sight::Surplus);
    }
    let hidden = |mine| {
        let listed = seen.of_host(host).iter().chain(seen.ended(host));
        !listed.into_iter().any(|listed| &listed.id == mine)
    };
    if may_be_hidden && mine.is_some_and(hidden) {
        // Whether mine stays or another can be told only when mine is listed too.
        return None;
    }
    let Some(instance) = seen.get(host) else {
        return Some(Sight::Lost(lost(host, seen.why_gone(host))));
    };
    match instance.lifecycle {
        Lifecycle::Running => Some(Sight::Up(Box::new(instance.clone()))),
        Lifecycle::Pending | Lifecycle::Stopped => None,
        Lifecycle::Failed | Lifecycle::Terminating | Lifecycle::Terminated => {
            Some(Sight::Lost(failed_to_boot(instance)))
        }
    }
}

/// What a list says that shows nothing to go on with, and was asked for when the host had been
/// waited for this long: only a list can tell that a host did not come up in time.
pub(super) fn overdue(
    host: &HostName,
    provider: ProviderId,
    waited: Duration,
    limit: Duration,
) -> Option<Sight> {
    (waited >= limit).then(|| Sight::Lost(timed_out(host, provider, limit)))
}

/// Whether an older instance than `mine` is in the list beside it.
pub(super) fn is_surplus(host: &HostName, mine: &InstanceId, seen: &Inventory) -> bool {
    match seen.of_host(host) {
        [] => false,
        [stays, rest @ ..] => &stays.id != mine && rest.iter().any(|other| &other.id == mine),
    }
}

/// Why the provider says it is gone, if it does.
pub(super) fn lost(host: &HostName, why: Option<&str>) -> Failure {
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    Failure::new(
        Code::INSTANCE_GONE,
        format!("the instance of `{host}` disappeared while it was waited for{why}"),
    )
    .with_hint("run the command again; a host without an instance is created anew")
}

fn timed_out(host: &HostName, provider: ProviderId, limit: Duration) -> Failure {
    let seconds = limit.as_secs();
    Failure::new(
        Code::WAIT_TIMED_OUT,
        format!("the instance of `{host}` at {provider} did not come up within {seconds} s"),
    )
    .with_hint("run the command again to go on waiting, for longer with `--wait-timeout`")
    .with_hint(format!("`stagecraft infra up --replace {host}` orders another"))
}

pub(super) fn still_there(host: &HostName, limit: Duration) -> Failure {
    Failure::new(
        Code::WAIT_TIMED_OUT,
        format!("the old instance of `{host}` was still there after {} s", limit.as_secs()),
    )
    .with_hint("run the command again; what is gone by then is not removed twice")
}

pub(super) fn failed_to_boot(instance: &Instance) -> Failure {
    let host = &instance.owner.host;
    let why = instance.trouble.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    Failure::new(
        Code::INSTANCE_GONE,
        format!("{} reports that the instance of `{host}` failed{why}", instance.provider),
    )
    .with_hint(format!("`stagecraft infra up --replace {host}` orders another"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stagecraft_core::desired::Arch;
    use stagecraft_core::inventory::{Marks, Owner, Spec};
    use stagecraft_core::name::{Image, Region, Scope, Size};

    use super::*;

    #[test]
    fn a_young_instance_may_be_missing_from_the_list() {
        let (host, nothing) = (name(), Inventory::default());
        assert_eq!(of_host(&host, Some(&id("1")), true, &nothing), None);
        let lost = Sight::Lost(lost(&host, None));
        assert_eq!(of_host(&host, Some(&id("1")), false, &nothing), Some(lost));
    }

    #[test]
    fn an_instance_that_is_listed_as_ended_is_not_missing_and_why_it_ended_is_told() {
        let ended = Instance {
            trouble: Some("out of power".to_owned()),
            ..instance("1", 10, Lifecycle::Terminated)
        };
        let lost = Sight::Lost(lost(&name(), Some("out of power")));
        let seen = Inventory::new([ended]);
        assert_eq!(of_host(&name(), Some(&id("1")), true, &seen), Some(lost));
        assert_eq!(of_host(&name(), Some(&id("2")), true, &seen), None, "this one may be young");
    }

    #[test]
    fn while_mine_is_hidden_no_other_is_taken_for_it() {
        let other = Inventory::new([instance("1", 10, Lifecycle::Running)]);
        assert_eq!(of_host(&name(), Some(&id("2")), true, &other), None);
        assert!(matches!(of_host(&name(), Some(&id("2")), false, &other), Some(Sight::Up(_))));
    }

    #[test]
    fn the_younger_of_two_is_surplus_only_for_the_run_that_made_it() {
        let both = Inventory::new([
            instance("1", 10, Lifecycle::Pending),
            instance("2", 20, Lifecycle::Running),
        ]);
        assert_eq!(of_host(&name(), Some(&id("2")), true, &both), Some(Sight::Surplus));
        assert_eq!(of_host(&name(), Some(&id("1")), true, &both), None);
        assert_eq!(of_host(&name(), None, false, &both), None, "the older one is waited for");
    }

    #[test]
    fn a_failed_instance_ends_the_waiting() {
        let seen = Inventory::new([instance("1", 10, Lifecycle::Failed)]);
        assert!(matches!(of_host(&name(), None, false, &seen), Some(Sight::Lost(_))));
    }

    #[test]
    fn a_host_is_overdue_when_a_list_that_was_asked_for_in_time_would_have_been_too_early() {
        let limit = Duration::from_secs(600);
        let at = ProviderId::Local;
        assert_eq!(overdue(&name(), at, limit - Duration::from_millis(1), limit), None);
        let late = Sight::Lost(timed_out(&name(), at, limit));
        assert_eq!(overdue(&name(), at, limit, limit), Some(late));
    }

    fn name() -> HostName {
        "app".parse().expect("a name")
    }

    fn id(text: &str) -> InstanceId {
        InstanceId::from(text)
    }

    fn instance(text: &str, created_at: u64, lifecycle: Lifecycle) -> Instance {
        let scope = Scope {
            project: "shop".parse().expect("a name"),
            environment: "dev".parse().expect("a name"),
        };
        Instance {
            id: id(text),
            provider: ProviderId::Local,
            owner: Owner { scope, host: name() },
            lifecycle,
            spec: Spec {
                region: Region::from("local"),
                size: Size::from("small"),
                image: Image::from("debian-12"),
                arch: Arch::Amd64,
                spot: false,
            },
            marks: Marks {
                name: "dev-app".to_owned(),
                role: "app".parse().expect("a name"),
                protected: false,
                tags: BTreeSet::new(),
            },
            address: None,
            ssh: None,
            created_at,
            pins: stagecraft_core::identity::Pins::default(),
            trouble: None,
        }
    }
}
