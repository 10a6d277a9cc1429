//! What a run came to: a fold over its events.
//!
//! Holds nothing that differs between two runs that did the same: no time, no duration, no
//! identifier of an instance.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::converge::StepReport;
use crate::desired::ProviderId;
use crate::error::{Code, ExitCode, Failure};
use crate::event::{Event, EventKind, HostEnd, HostEvent, SkipReason};
use crate::inventory::Instance;
use crate::name::{HostName, RoleName};
use crate::plan::Plan;

/// How every host of a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By host.
    pub hosts: BTreeMap<HostName, HostReport>,
    /// Whether the user asked to stop.
    pub interrupted: bool,
}

/// How one host ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct HostReport {
    /// Its name.
    pub host: HostName,
    /// Where it lives.
    pub provider: ProviderId,
    /// Its role.
    pub role: RoleName,
    /// Its address, once known; not that of an instance that was removed.
    pub address: Option<String>,
    /// What was done at the provider, in order.
    pub done: Vec<Deed>,
    /// How the steps of its bootstrap ended, in order.
    pub steps: Vec<StepReport>,
    /// Why its network could not be told that it leaves; null when it was told, or need not be.
    pub left_behind: Option<Failure>,
    /// How it ended.
    #[serde(flatten)]
    pub result: HostResult,
}

/// One thing done at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// An instance was ordered.
    Created,
    /// A stopped instance was switched on.
    Started,
    /// Name, role or tags were changed.
    Updated,
    /// Its provider took the request to remove an instance, which was not seen to be gone.
    RemovalBegun,
    /// An instance was removed.
    Removed,
}

/// How a host ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum HostResult {
    /// It is as asked.
    Ready,
    /// It has no instance any more, as asked.
    Removed,
    /// It is not as asked.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// It was not worked on, or not to the end.
    Skipped {
        /// Why.
        because: SkipReason,
    },
}

impl Report {
    /// A report on the hosts that carrying out `plan` works on; all of them still to come.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        Self::of_hosts(plan.entries.iter().filter(|entry| entry.is_worked_on()).map(|entry| {
            let address = entry.change.instance().and_then(address_of);
            HostReport { address, ..HostReport::new(&entry.host, entry.provider, &entry.role) }
        }))
    }

    /// A report on these hosts; all of them still to come.
    #[must_use]
    pub fn of_hosts(hosts: impl IntoIterator<Item = HostReport>) -> Self {
        let mut report = Self::default();
        for host in hosts {
            // The first is the host's own entry; surplus instances come after it.
            report.hosts.entry(host.host.clone()).or_insert(host);
        }
        report
    }

    /// Takes the next event.
    pub fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Provider(..) => {}
            EventKind::Stopping => self.interrupted = true,
            EventKind::Host(host, HostEvent::Included(instance)) => {
                let of_instance = || HostReport::of_instance(instance);
                self.hosts.entry(host.clone()).or_insert_with(of_instance);
            }
            EventKind::Host(host, what) => {
                if let Some(host) = self.hosts.get_mut(host) {
                    host.apply(what);
                }
            }
        }
    }

    /// The hosts that failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&HostName, &Failure)> {
        self.hosts.iter().filter_map(|(name, host)| match &host.result {
            HostResult::Failed { failure } => Some((name, failure)),
            HostResult::Ready | HostResult::Removed | HostResult::Skipped { .. } => None,
        })
    }

    /// Whether nothing was done to any host: no change at a provider, none on a host.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.hosts.values().all(|host| !host.changed_anything())
    }

    /// How the process should end.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        let cut_off = |host: &HostReport| {
            host.result == HostResult::Skipped { because: SkipReason::Interrupted }
        };
        if self.interrupted || self.hosts.values().any(cut_off) {
            return ExitCode::Interrupted;
        }
        let codes: Vec<Code> = self.failures().map(|(_, failure)| failure.code).collect();
        if codes.is_empty() {
            ExitCode::Done
        } else if codes.len() == self.hosts.len() && codes.iter().all(|code| code.is_cloud()) {
            ExitCode::Cloud
        } else {
            ExitCode::SomeHostsFailed
        }
    }
}

impl HostReport {
    /// A host of which nothing is known yet. Until an event says otherwise it counts as
    /// interrupted, so that a run that was cut off never claims success.
    #[must_use]
    pub fn new(host: &HostName, provider: ProviderId, role: &RoleName) -> Self {
        Self {
            host: host.clone(),
            provider,
            role: role.clone(),
            address: None,
            done: Vec::new(),
            steps: Vec::new(),
            left_behind: None,
            result: HostResult::Skipped { because: SkipReason::Interrupted },
        }
    }

    /// The same for a host that has an instance.
    #[must_use]
    pub fn of_instance(instance: &Instance) -> Self {
        let mut report = Self::new(&instance.owner.host, instance.provider, &instance.marks.role);
        report.address = address_of(instance);
        report
    }

    fn apply(&mut self, what: &HostEvent) {
        match what {
            HostEvent::Created(instance) => {
                self.done.push(Deed::Created);
                self.provider = instance.provider;
                self.address = address_of(instance);
            }
            HostEvent::Started => self.done.push(Deed::Started),
            HostEvent::Updated => self.done.push(Deed::Updated),
            HostEvent::TerminationBegun => self.done.push(Deed::RemovalBegun),
            HostEvent::Terminated(_) => {
                self.done.retain(|deed| *deed != Deed::RemovalBegun);
                self.done.push(Deed::Removed);
                self.address = None;
            }
            HostEvent::Running(instance) => self.address = address_of(instance),
            HostEvent::Step(step) => self.steps.push(step.clone()),
            HostEvent::Ended(HostEnd::Ready) => self.result = HostResult::Ready,
            HostEvent::Ended(HostEnd::Removed) => self.result = HostResult::Removed,
            HostEvent::Ended(HostEnd::Failed(failure)) => {
                self.result = HostResult::Failed { failure: failure.clone() };
            }
            HostEvent::Ended(HostEnd::Skipped(because)) => {
                self.result = HostResult::Skipped { because: *because };
            }
            HostEvent::NotSignedOff(failure) => self.left_behind = Some(failure.clone()),
            HostEvent::Creating
            | HostEvent::Included(_)
            | HostEvent::WaitingForMembers
            | HostEvent::Starting
            | HostEvent::Updating
            | HostEvent::Terminating
            | HostEvent::WaitingForInstance
            | HostEvent::WaitingForSsh
            | HostEvent::Connected
            | HostEvent::Doing { .. }
            | HostEvent::Retrying { .. }
            | HostEvent::LookingForLost { .. } => {}
            // What this run made does not stay, so it made nothing.
            HostEvent::RemovingDuplicate => self.done.retain(|deed| *deed != Deed::Created),
        }
    }

    fn changed_anything(&self) -> bool {
        use crate::converge::StepResult;
        !self.done.is_empty()
            || self.steps.iter().any(|step| match step.result {
                StepResult::Changed => true,
                StepResult::Satisfied | StepResult::Failed(_) | StepResult::Skipped => false,
            })
    }
}

fn address_of(instance: &Instance) -> Option<String> {
    instance.address.map(|address| address.to_string())
}

#[cfg(test)]
mod tests;
