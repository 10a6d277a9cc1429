//! What the API does after it answered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use stagecraft_core::inventory::Lifecycle;

use crate::emulators::hetzner::problem::Problem;
use crate::emulators::hetzner::stamp::stamp;
use crate::world::Seen;

/// How long an action takes that does not wait for a machine.
const SWITCHING: Duration = Duration::from_secs(1);

/// All actions of the account, by id.
#[derive(Debug, Default)]
pub(crate) struct Actions(BTreeMap<u64, Action>);

/// One action, on one server.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    id: u64,
    pub(crate) server: u64,
    pub(crate) course: Course,
    begun: Duration,
    end: Option<End>,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    Create,
    Start,
    PowerOff,
    ShutDown,
    Delete,
    Protect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    at: Duration,
    failed: bool,
}

impl Course {
    fn command(self) -> &'static str {
        match self {
            Self::Create => "create_server",
            Self::Start => "start_server",
            Self::PowerOff => "stop_server",
            Self::ShutDown => "shutdown_server",
            Self::Delete => "delete_server",
            Self::Protect => "change_protection",
        }
    }
}

impl Actions {
    /// Begins an action; its id.
    pub(crate) fn begin(&mut self, server: u64, course: Course, begun: Duration) -> u64 {
        let id = 580_000_001 + self.0.len() as u64;
        self.0.insert(id, Action { id, server, course, begun, end: None });
        id
    }

    /// The actions on a server.
    pub(crate) fn of(&self, server: u64) -> impl Iterator<Item = &Action> {
        self.0.values().filter(move |action| action.server == server)
    }

    /// The actions under way on a server.
    pub(crate) fn running_on(&self, server: u64) -> impl Iterator<Item = &Action> {
        self.of(server).filter(|action| action.is_running())
    }

    /// Whether any action is under way.
    pub(crate) fn any_running(&self) -> bool {
        self.0.values().any(Action::is_running)
    }

    /// The actions whose time has come by `now`, and whether they failed. `machines` are all that
    /// exist, `being_created` tells whether a pending one is still being made.
    pub(crate) fn due(
        &self,
        machines: &BTreeMap<u64, Seen>,
        now: Duration,
        being_created: impl Fn(u64) -> bool,
    ) -> Vec<(u64, bool)> {
        let running = self.0.values().filter(|action| action.is_running());
        running
            .filter_map(|action| {
                let machine = machines.get(&action.server);
                Some((action.id, action.outcome(machine, now, &being_created)?))
            })
            .collect()
    }

    /// Ends an action.
    pub(crate) fn end(&mut self, id: u64, at: Duration, failed: bool) {
        if let Some(action) = self.0.get_mut(&id) {
            action.end = Some(End { at, failed });
        }
    }

    /// The action of this id.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn get(&self, id: u64) -> Result<&Action, Problem> {
        self.0.get(&id).ok_or_else(|| Problem::not_found("action", id))
    }
}

impl Action {
    fn is_running(&self) -> bool {
        self.end.is_none()
    }

    /// Whether the action failed; `None` while it runs.
    fn outcome(
        &self,
        machine: Option<&Seen>,
        now: Duration,
        being_created: impl Fn(u64) -> bool,
    ) -> Option<bool> {
        let Some(machine) = machine else { return Some(self.course != Course::Delete) };
        match self.course {
            Course::Create => match machine.lifecycle {
                Lifecycle::Pending => (!being_created(self.server)).then_some(false),
                Lifecycle::Failed => Some(true),
                Lifecycle::Running
                | Lifecycle::Stopped
                | Lifecycle::Terminating
                | Lifecycle::Terminated => Some(false),
            },
            Course::Start => match machine.lifecycle {
                Lifecycle::Pending => machine.booted.then_some(false),
                Lifecycle::Failed => Some(true),
                Lifecycle::Running
                | Lifecycle::Stopped
                | Lifecycle::Terminating
                | Lifecycle::Terminated => Some(false),
            },
            Course::PowerOff | Course::ShutDown => (now >= self.begun + SWITCHING).then_some(false),
            Course::Delete => (machine.lifecycle == Lifecycle::Terminated).then_some(false),
            Course::Protect => Some(false),
        }
    }

    /// As the API shows it. `time` gives the milliseconds since 1970 of a time since the world
    /// began.
    pub(crate) fn shown(&self, time: impl Fn(Duration) -> u64) -> Value {
        let error = json!({ "code": "action_failed", "message": "Action failed" });
        let (status, progress) = match self.end {
            None => ("running", 50),
            Some(End { failed: false, .. }) => ("success", 100),
            Some(End { failed: true, .. }) => ("error", 100),
        };
        json!({
            "id": self.id,
            "command": self.course.command(),
            "status": status,
            "progress": progress,
            "started": stamp(time(self.begun)),
            "finished": self.end.map(|end| stamp(time(end.at))),
            "resources": [{ "id": self.server, "type": "server" }],
            "error": if status == "error" { error } else { Value::Null },
        })
    }
}
