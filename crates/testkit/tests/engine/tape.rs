//! Everything one run told, and what must hold of whatever a run tells.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use stagecraft_core::event::{Event, EventKind, HostEvent, Reporter};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::plan::Plan;
use stagecraft_core::report::{HostReport, Report};
use stagecraft_engine::Cancel;

use crate::stage::Ends;

/// Called with each event, from within the run.
type Hook = Box<dyn Fn(&Event) + Send + Sync>;

/// A reporter that forgets nothing, and the wish to stop of the one who reads it.
pub(crate) struct Tape {
    cancel: Cancel,
    hook: Hook,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    events: Vec<Event>,
    /// How many events had been told when the user was first known to want to stop.
    stopped_after: Option<usize>,
    report: Report,
    /// Where the run ended that is the last.
    over: Option<usize>,
}

impl Tape {
    pub(crate) fn new() -> Arc<Self> {
        Self::with_hook(Cancel::new(), |_| {})
    }

    pub(crate) fn with_hook(
        cancel: Cancel,
        hook: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { cancel, hook: Box::new(hook), told: Mutex::default() })
    }

    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// A plan is about to be carried out.
    pub(crate) fn begin(&self, plan: &Plan) {
        self.told().report = Report::of_plan(plan);
    }

    /// Hosts that exist are about to be worked on.
    pub(crate) fn begin_with(&self, instances: &[Instance]) {
        self.told().report = Report::of_hosts(instances.iter().map(HostReport::of_instance));
    }

    /// The future of the run has returned.
    pub(crate) fn end(&self) {
        let mut told = self.told();
        told.over = Some(told.events.len());
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.told().events.clone()
    }

    pub(crate) fn report(&self) -> Report {
        self.told().report.clone()
    }

    /// How every host ended that was worked on.
    pub(crate) fn ends(&self) -> Ends {
        let told = self.told();
        let ends = told.events.iter().filter_map(|event| match &event.kind {
            EventKind::Host(host, HostEvent::Ended(end)) => Some((host.clone(), end.clone())),
            EventKind::Host(..) | EventKind::Provider(..) | EventKind::Stopping => None,
        });
        ends.collect()
    }

    /// What was told of a host.
    pub(crate) fn of(&self, host: &HostName) -> Vec<Event> {
        let mut events = self.events();
        events.retain(|event| matches!(&event.kind, EventKind::Host(of, _) if of == host));
        events
    }

    /// The number of the first event about a host that is so.
    pub(crate) fn first(&self, host: &str, is: impl Fn(&HostEvent) -> bool) -> Option<u64> {
        self.events().into_iter().find_map(|event| match event.kind {
            EventKind::Host(of, what) if of.as_str() == host && is(&what) => Some(event.sequence),
            EventKind::Host(..) | EventKind::Provider(..) | EventKind::Stopping => None,
        })
    }

    /// How many events were told before the wish to stop.
    pub(crate) fn stopped_after(&self) -> Option<usize> {
        self.told().stopped_after
    }

    /// What must hold of every run that came to its end.
    pub(crate) fn check(&self) -> Result<(), String> {
        let told = self.told();
        let numbers = told.events.iter().map(|event| event.sequence);
        if !numbers.eq(0..told.events.len() as u64) {
            return Err("the events are not numbered without gaps".to_owned());
        }
        let late = told.over.and_then(|over| told.events.get(over));
        if let Some(late) = late {
            return Err(format!("{late:?} was told after the end"));
        }
        let mut ended = BTreeSet::new();
        let mut about: BTreeMap<&HostName, &HostEvent> = BTreeMap::new();
        for event in &told.events {
            let EventKind::Host(host, what) = &event.kind else { continue };
            about.insert(host, what);
            if *what == HostEvent::RemovingDuplicate {
                ended.remove(host);
            } else if ended.contains(host) {
                return Err(format!("`{host}` went on after its end: {event:?}"));
            } else if matches!(what, HostEvent::Ended(_)) {
                ended.insert(host);
            }
        }
        if let Some(host) = told.report.hosts.keys().find(|host| !ended.contains(host)) {
            return Err(format!("`{host}` never ended; last {:?}", about.get(host)));
        }
        let stopping: Vec<_> =
            told.events.iter().filter(|event| event.kind == EventKind::Stopping).collect();
        match (stopping.len(), told.stopped_after, told.over) {
            (0, None, _) | (1, Some(_), _) | (_, _, None) => {}
            odd => return Err(format!("the wish to stop was not told once: {odd:?}")),
        }
        let after = told.events.get(told.stopped_after.unwrap_or(usize::MAX)..).unwrap_or_default();
        match after.iter().find(|event| begins(&event.kind)) {
            Some(event) => Err(format!("{event:?} began after the wish to stop")),
            None => Ok(()),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("not poisoned")
    }
}

/// Whether something new begins with an event.
pub(crate) fn begins(kind: &EventKind) -> bool {
    let EventKind::Host(_, what) = kind else { return false };
    match what {
        HostEvent::Creating
        | HostEvent::Starting
        | HostEvent::Updating
        | HostEvent::Terminating
        | HostEvent::WaitingForSsh
        | HostEvent::Doing { .. }
        | HostEvent::RemovingDuplicate => true,
        HostEvent::Created(_)
        | HostEvent::Started
        | HostEvent::Updated
        | HostEvent::TerminationBegun
        | HostEvent::Terminated(_)
        | HostEvent::WaitingForInstance
        | HostEvent::Running(_)
        | HostEvent::Connected
        | HostEvent::Step(_)
        | HostEvent::Retrying { .. }
        | HostEvent::LookingForLost { .. }
        | HostEvent::WaitingForMembers
        | HostEvent::Included(_)
        | HostEvent::NotSignedOff(_)
        | HostEvent::Ended(_) => false,
    }
}

impl Reporter for Tape {
    fn report(&self, event: &Event) {
        let was_stopping = self.cancel.is_stopping();
        {
            let mut told = self.told();
            let before = told.events.len();
            if was_stopping {
                told.stopped_after.get_or_insert(before);
            }
            told.events.push(event.clone());
            told.report.apply(event);
        }
        (self.hook)(event);
        if self.cancel.is_stopping() {
            let mut told = self.told();
            let now = told.events.len();
            told.stopped_after.get_or_insert(now);
        }
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").finish_non_exhaustive()
    }
}
