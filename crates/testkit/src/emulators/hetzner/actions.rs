//! Actions: what the API does after it answered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use stagecraft_core::inventory::Lifecycle;

use super::problem::Problem;
use super::stamp::stamp;
use super::turn::{Done, Stop, Turn};
use crate::world::Seen;

/// How long an action takes that does not wait for a machine.
const SWITCHING: Duration = Duration::from_secs(1);

/// All actions of the account, by id.
#[derive(Debug, Default)]
pub(super) struct Actions(BTreeMap<u64, Action>);

/// One action, on one server.
#[derive(Clone, Debug)]
pub(super) struct Action {
    pub(super) id: u64,
    pub(super) server: u64,
    pub(super) course: Course,
    begun: Duration,
    end: Option<End>,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
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
    pub(super) fn begin(&mut self, server: u64, course: Course, begun: Duration) -> u64 {
        let id = 580_000_001 + self.0.len() as u64;
        self.0.insert(id, Action { id, server, course, begun, end: None });
        id
    }

    /// The actions under way on a server.
    pub(super) fn running_on(&self, server: u64) -> impl Iterator<Item = &Action> {
        self.0.values().filter(move |action| action.server == server && action.end.is_none())
    }

    fn get(&self, id: u64) -> Result<&Action, Problem> {
        self.0.get(&id).ok_or_else(|| Problem::not_found("action", id))
    }
}

impl Action {
    /// `time` gives the milliseconds since 1970 of a time since the world began.
    fn shown(&self, time: impl Fn(Duration) -> u64) -> Value {
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

impl Turn<'_> {
    /// Ends the actions whose time has come.
    pub(super) fn settle_actions(&mut self) {
        if self.account.actions.0.values().all(|action| action.end.is_some()) {
            return;
        }
        let machines = self.machines();
        let now = self.now();
        let ends: Vec<(u64, bool)> = self
            .account
            .actions
            .0
            .values()
            .filter(|action| action.end.is_none())
            .filter_map(|action| {
                let failed = self.outcome(action, machines.get(&action.server), now)?;
                Some((action.id, failed))
            })
            .collect();
        for (id, failed) in ends {
            if let Some(action) = self.account.actions.0.get_mut(&id) {
                action.end = Some(End { at: now, failed });
            }
        }
    }

    /// Whether the action failed; `None` while it runs.
    fn outcome(&self, action: &Action, machine: Option<&Seen>, now: Duration) -> Option<bool> {
        let Some(machine) = machine else { return Some(action.course != Course::Delete) };
        match action.course {
            Course::Create => match machine.lifecycle {
                Lifecycle::Pending => (!self.is_being_created(action.server)).then_some(false),
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
            Course::PowerOff | Course::ShutDown => {
                (now >= action.begun + SWITCHING).then_some(false)
            }
            Course::Delete => (machine.lifecycle == Lifecycle::Terminated).then_some(false),
            Course::Protect => Some(false),
        }
    }

    /// An action as it is now.
    pub(super) fn action(&self, id: u64) -> Result<Value, Stop> {
        Ok(self.shown(self.account.actions.get(id)?))
    }

    /// `GET /actions?id=1&id=2`.
    pub(super) fn list_actions(&mut self) -> Done {
        let asked = self.call.values("id");
        if asked.is_empty() {
            let removal =
                "2025-01-30-listing-arbitrary-actions-in-the-actions-list-endpoint-is-removed";
            let message = "listing all actions is no longer supported, name them by id";
            return Err(Problem::retired(message, removal).into());
        }
        let mut ids = Vec::new();
        for id in asked {
            let id: u64 =
                id.parse().map_err(|_| Problem::invalid_field("id", "must be an integer"))?;
            ids.push(id);
        }
        self.ask_about_actions(&ids)?;
        let actions = ids.iter().filter_map(|id| self.account.actions.get(*id).ok());
        let shown: Vec<Value> = actions.map(|action| self.shown(action)).collect();
        Ok((200, json!({ "actions": shown })))
    }

    /// `GET /actions/{id}`.
    pub(super) fn show_action(&mut self, id: u64) -> Done {
        self.ask_about_actions(&[id])?;
        Ok((200, json!({ "action": self.action(id)? })))
    }

    /// `GET /servers/{id}/actions`.
    pub(super) fn list_actions_of(&mut self, server: u64) -> Done {
        self.find(server)?;
        let (page, statuses) = (self.page()?, self.call.values("status"));
        let actions: Vec<Value> = self
            .account
            .actions
            .0
            .values()
            .filter(|action| action.server == server)
            .map(|action| self.shown(action))
            .filter(|shown| {
                statuses.is_empty() || statuses.iter().any(|status| shown["status"] == *status)
            })
            .collect();
        let silent = self.account.habits.silent_totals;
        Ok((200, page.of("actions", actions, silent, |shown| shown)))
    }

    fn shown(&self, action: &Action) -> Value {
        action.shown(|at| self.time(at))
    }

    /// A look at actions is a look at the machine of the first that is known.
    fn ask_about_actions(&mut self, ids: &[u64]) -> Result<(), Stop> {
        let server = ids.iter().find_map(|id| self.account.actions.get(*id).ok());
        match self.look(server.map_or(0, |action| action.server)) {
            Err(Stop::Refused(problem)) if problem.status == 404 => Ok(()),
            Err(stop) => Err(stop),
            Ok(_) => Ok(()),
        }
    }
}
