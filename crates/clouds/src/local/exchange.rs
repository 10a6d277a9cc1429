//! Answers of the engine as [`Instance`]s, and questions to it, as pure functions.

use std::collections::HashMap;
use std::net::IpAddr;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum as State, PortSummaryTypeEnum};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Endpoint, Instance, Lifecycle};
use stagecraft_core::name::{InstanceId, Scope};

use super::engine::Reach;
use super::host::{FAILED_TO_BOOT, NETWORK};
use super::labels::{self, ENVIRONMENT, HOST, MARKS_OF, PROJECT};
use super::marks::Carried;

/// Filters of a list request.
pub(super) type Filters = HashMap<String, Vec<String>>;

/// Everything that belongs to one environment.
pub(super) fn in_scope(scope: &Scope) -> Filters {
    label_filters(vec![
        format!("{PROJECT}={}", scope.project),
        format!("{ENVIRONMENT}={}", scope.environment),
    ])
}

/// One container, if it is ours. The engine takes the id for a prefix, so answers must be compared.
pub(super) fn with_id(id: &InstanceId) -> Filters {
    let mut filters = label_filters(vec![PROJECT.to_owned(), HOST.to_owned()]);
    filters.insert("id".to_owned(), vec![id.to_string()]);
    filters
}

/// The volumes with the marks of one container, whether it exists or not.
pub(super) fn marks_of(id: &InstanceId) -> Filters {
    label_filters(vec![format!("{MARKS_OF}={id}")])
}

/// Filters by labels that must all be there.
pub(super) fn label_filters(labels: Vec<String>) -> Filters {
    Filters::from([("label".to_owned(), labels)])
}

/// One container as an instance; `None` when it is not ours. `newer` is what was written after it
/// was created.
pub(super) fn instance(
    container: &ContainerSummary,
    newer: Option<&Carried>,
    reach: &Reach,
) -> Option<Instance> {
    let labels = container.labels.as_ref()?;
    let state = container.state?;
    let address = address(container);
    let ssh = match reach {
        Reach::Direct => None,
        Reach::Published { host, .. } => {
            published_port(container).map(|port| Endpoint { host: host.clone(), port: Some(port) })
        }
    };
    let reachable = match reach {
        Reach::Direct => address.is_some(),
        Reach::Published { .. } => ssh.is_some(),
    };
    let gave_up = container
        .status
        .as_ref()
        .is_some_and(|status| status.starts_with(&format!("Restarting ({FAILED_TO_BOOT})")));
    let Carried { mut marks, pins } = match newer {
        Some(newer) => newer.clone(),
        None => Carried { marks: labels::marks(labels)?, pins: labels::pins(labels) },
    };
    let lost = newer.is_none() && has_lost_marks(container);
    marks.protected |= lost;
    let pins = if lost { Pins::default() } else { pins };
    Some(Instance {
        id: container.id.as_deref()?.into(),
        provider: ProviderId::Local,
        owner: labels::owner(labels)?,
        lifecycle: lifecycle(state, reachable, gave_up),
        spec: labels::spec(labels)?,
        marks,
        pins,
        address,
        ssh,
        created_at: u64::try_from(container.created?).ok()? * 1000,
        trouble: None,
    })
}

/// Whether a container without newer marks must have had some: they are written before its first
/// start. What they said is not known, so it counts as protected, and no host key is believed.
pub(super) fn has_lost_marks(container: &ContainerSummary) -> bool {
    let runs = matches!(container.state, Some(State::RUNNING | State::RESTARTING));
    runs && container.labels.as_ref().is_some_and(labels::has_marks_beside)
}

fn lifecycle(state: State, reachable: bool, gave_up: bool) -> Lifecycle {
    match state {
        State::RUNNING if reachable => Lifecycle::Running,
        State::RESTARTING if gave_up => Lifecycle::Failed,
        State::RUNNING | State::RESTARTING => Lifecycle::Pending,
        State::CREATED | State::EXITED | State::PAUSED | State::STOPPING | State::EMPTY => {
            Lifecycle::Stopped
        }
        State::REMOVING | State::DEAD => Lifecycle::Terminating,
    }
}

fn address(container: &ContainerSummary) -> Option<IpAddr> {
    let networks = container.network_settings.as_ref()?.networks.as_ref()?;
    networks.get(NETWORK)?.ip_address.as_deref()?.parse().ok()
}

fn published_port(container: &ContainerSummary) -> Option<u16> {
    container
        .ports
        .iter()
        .flatten()
        .find(|port| port.private_port == 22 && port.typ == Some(PortSummaryTypeEnum::TCP))
        .and_then(|port| port.public_port)
}

#[cfg(test)]
mod tests {
    use stagecraft_core::identity::{HostKey, Pins};
    use stagecraft_core::inventory::Marks;

    use super::*;

    /// As Docker Engine 20.10 lists a host, shortened.
    const LISTED: &str = include_str!("exchange/containers.json");

    #[test]
    fn a_running_container_is_a_running_instance_with_its_own_address() {
        let host = instance(&listed("running"), None, &Reach::Direct).unwrap();
        assert_eq!(host.owner.host.as_str(), "web-1");
        assert_eq!(host.lifecycle, Lifecycle::Running);
        assert_eq!(host.address, Some([172, 18, 0, 2].into()));
        assert_eq!(host.ssh, None);
        assert_eq!(host.created_at, 1_795_224_001_000);
        assert_eq!(host.marks.tags, ["blue".to_owned()].into());
    }

    #[test]
    fn on_a_remote_engine_ssh_is_at_the_published_port() {
        let reach = Reach::Published { host: "build.example".to_owned(), bind: String::new() };
        let host = instance(&listed("running"), None, &reach).unwrap();
        let ssh = Endpoint { host: "build.example".to_owned(), port: Some(32768) };
        assert_eq!(host.endpoint(), Some(ssh));
        let unpublished = ContainerSummary { ports: None, ..listed("running") };
        let host = instance(&unpublished, None, &reach).unwrap();
        assert_eq!(host.lifecycle, Lifecycle::Pending);
    }

    #[test]
    fn a_container_that_was_created_and_never_started_is_stopped() {
        let host = instance(&listed("created"), None, &Reach::Direct).unwrap();
        assert_eq!((host.lifecycle, host.address), (Lifecycle::Stopped, None));
    }

    #[test]
    fn a_running_container_without_an_address_is_pending() {
        let mut container = listed("running");
        container.network_settings = None;
        let host = instance(&container, None, &Reach::Direct).unwrap();
        assert_eq!(host.lifecycle, Lifecycle::Pending);
    }

    #[test]
    fn a_container_that_cannot_become_a_host_has_failed_and_one_that_reboots_has_not() {
        let mut container = ContainerSummary {
            state: Some(State::RESTARTING),
            status: Some("Restarting (78) 4 seconds ago".to_owned()),
            ..listed("running")
        };
        let lifecycle =
            |container: &_| instance(container, None, &Reach::Direct).unwrap().lifecycle;
        assert_eq!(lifecycle(&container), Lifecycle::Failed);
        container.status = Some("Restarting (129) 1 second ago".to_owned());
        assert_eq!(lifecycle(&container), Lifecycle::Pending);
    }

    #[test]
    fn newer_marks_replace_those_of_the_container() {
        let first = instance(&listed("running"), None, &Reach::Direct).unwrap().marks;
        let marks = Marks { protected: true, ..first.clone() };
        let newer = Carried { marks, pins: Pins::of_own(HostKey::new([2; 32])) };
        let host = instance(&listed("running"), Some(&newer), &Reach::Direct).unwrap();
        assert!(!first.protected);
        assert_eq!(Carried { marks: host.marks, pins: host.pins }, newer);
    }

    #[test]
    fn a_container_that_runs_and_lost_its_marks_is_protected_and_has_no_key_that_is_believed() {
        let with = |which, extra: &[(&str, String)]| {
            let mut container = listed(which);
            let labels = container.labels.as_mut().unwrap();
            let key = HostKey::new([1; 32]).to_label();
            labels.insert("stagecraft.first-key".to_owned(), key);
            labels.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
            instance(&container, None, &Reach::Direct).unwrap()
        };
        let first = Pins { first: Some(HostKey::new([1; 32])), own: None };
        let beside = [("stagecraft.marks", "volume".to_owned())];
        let lost = with("running", &beside);
        assert_eq!((lost.marks.protected, lost.pins), (true, Pins::default()));
        let never_had = with("running", &[]);
        assert_eq!((never_had.marks.protected, never_had.pins), (false, first));
        assert_eq!(with("created", &beside).pins, first, "they are written before the start");
    }

    #[test]
    fn a_foreign_container_is_no_instance() {
        assert_eq!(instance(&listed("foreign"), None, &Reach::Direct), None);
    }

    #[test]
    fn every_filter_asks_for_our_labels() {
        let scope = Scope { project: "shop".parse().unwrap(), environment: "dev".parse().unwrap() };
        assert_eq!(
            in_scope(&scope)["label"],
            ["stagecraft.project=shop", "stagecraft.environment=dev"]
        );
        assert_eq!(with_id(&"4f".into())["label"], ["stagecraft.project", "stagecraft.host"]);
    }

    fn listed(which: &str) -> ContainerSummary {
        let all: Vec<ContainerSummary> = serde_json::from_str(LISTED).unwrap();
        let named = |container: &ContainerSummary| {
            container.names.iter().flatten().any(|name| name.ends_with(which))
        };
        all.into_iter().find(named).unwrap()
    }
}
