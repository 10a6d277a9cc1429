//! Actions: what was asked of a droplet, and how far it is.

use std::time::Duration;

use serde_json::{Value, json};
use stagecraft_core::inventory::Lifecycle;

use super::body::Body;
use super::paging::paged;
use super::places;
use super::problem::Problem;
use super::turn::{Done, Turn, instance, number};
use crate::world::Seen;

/// How long an action takes that no machine has to boot for.
const BRIEF: Duration = Duration::from_secs(2);
/// The types of actions there are and the emulator does nothing of.
const NOT_EMULATED: [&str; 11] = [
    "enable_backups",
    "disable_backups",
    "change_backup_policy",
    "restore",
    "password_reset",
    "resize",
    "rebuild",
    "change_kernel",
    "enable_ipv6",
    "snapshot",
    "disable_ipv6",
];

/// The actions, by id.
#[derive(Debug, Default)]
pub(super) struct Actions(Vec<Action>);

/// One action.
#[derive(Clone, Debug)]
pub(super) struct Action {
    pub(super) id: u64,
    kind: &'static str,
    droplet: u64,
    region: String,
    began: Duration,
    ended: Option<(Duration, &'static str)>,
}

impl Actions {
    /// Begins an action on a machine.
    pub(super) fn begin(&mut self, kind: &'static str, on: &Seen, began: Duration) -> &Action {
        self.0.push(Action {
            id: 36_804_636 + self.0.len() as u64,
            kind,
            droplet: number(&on.id),
            region: on.spec.region.to_string(),
            began,
            ended: None,
        });
        &self.0[self.0.len() - 1]
    }
}

impl Action {
    /// How it ends, if it does by `now`; `machine` is what it is done to, if that is still there.
    fn end(&self, machine: Option<&Seen>, now: Duration) -> Option<&'static str> {
        let boots = matches!(self.kind, "create" | "power_on");
        match machine.map(|seen| (seen.lifecycle, seen.booted)) {
            None if self.kind == "destroy" => Some("completed"),
            None | Some((Lifecycle::Failed | Lifecycle::Terminated, _)) => Some("errored"),
            Some((Lifecycle::Pending, false)) if boots => None,
            Some((
                Lifecycle::Pending
                | Lifecycle::Running
                | Lifecycle::Stopped
                | Lifecycle::Terminating,
                _,
            )) => (self.began + BRIEF <= now).then_some("completed"),
        }
    }
}

impl Turn<'_> {
    /// Ends the actions whose time has come.
    pub(super) fn settle_actions(&mut self) {
        let (machines, now) = (self.machines(), self.now());
        for action in self.account.actions.0.iter_mut().filter(|action| action.ended.is_none()) {
            let machine = machines.iter().find(|seen| number(&seen.id) == action.droplet);
            action.ended = action.end(machine, now).map(|status| (now, status));
        }
    }

    /// Whether something is being done to a droplet.
    pub(super) fn is_busy(&self, droplet: u64) -> bool {
        let mut actions = self.account.actions.0.iter();
        actions.any(|action| action.droplet == droplet && action.ended.is_none())
    }

    /// Refuses to do anything to a droplet that something is being done to, if the account does.
    pub(super) fn refuse_if_busy(&self, droplet: u64) -> Result<(), Problem> {
        if self.account.habits.busy_refuses && self.is_busy(droplet) {
            return Err(Problem::unprocessable("Droplet already has a pending event."));
        }
        Ok(())
    }

    /// `GET /actions`, `GET /droplets/{id}/actions`: the newest first.
    pub(super) fn list_actions(&mut self, droplet: Option<u64>) -> Done {
        self.ask_catalogue()?;
        if let Some(droplet) = droplet {
            self.find(droplet)?;
        }
        let on = |action: &&Action| droplet.is_none_or(|droplet| droplet == action.droplet);
        let actions = self.account.actions.0.iter().rev().filter(on).collect();
        Ok((200, paged(self.call, "actions", actions, |action| self.shown_action(action))?))
    }

    /// `GET /actions/{id}`, `GET /droplets/{id}/actions/{id}`.
    pub(super) fn show_action(&mut self, droplet: Option<u64>, id: u64) -> Done {
        self.ask_catalogue()?;
        let mut actions = self.account.actions.0.iter();
        let action = actions
            .find(|action| {
                action.id == id && droplet.is_none_or(|droplet| droplet == action.droplet)
            })
            .ok_or_else(Problem::not_found)?;
        Ok((200, json!({ "action": self.shown_action(action) })))
    }

    /// `POST /droplets/{id}/actions`.
    pub(super) fn act(&mut self, droplet: u64) -> Done {
        let mut body = Body::read(self.call)?;
        let kind = body.required("type");
        let name = if kind == "rename" { body.required("name") } else { String::new() };
        body.finish()?;
        let seen = self.find(droplet)?;
        self.refuse_if_busy(droplet)?;
        let id = instance(droplet);
        let kind = match kind.as_str() {
            "power_on" => {
                self.ask(|world, now| world.start(now, &id))?;
                self.hosts.switched_on(&id);
                "power_on"
            }
            "power_off" | "shutdown" => {
                self.ask(|world, now| world.get(now, &id))?;
                self.world.with(|world, _| world.stop(&id));
                self.hosts.switched_off(&id);
                if kind == "shutdown" { "shutdown" } else { "power_off" }
            }
            "reboot" | "power_cycle" => {
                self.ask(|world, now| world.get(now, &id))?;
                if kind == "reboot" { "reboot" } else { "power_cycle" }
            }
            "rename" => {
                super::order::check_name(&name)?;
                self.ask(|world, now| world.update(now, &id, &name, &seen.labels, &seen.tags))?;
                "rename"
            }
            other if NOT_EMULATED.contains(&other) => {
                let message = format!("the emulator does not know how to {other}");
                return Err(Problem::unprocessable(message).into());
            }
            _ => return Err(Problem::unprocessable("You specified an invalid type.").into()),
        };
        let now = self.now();
        let action = self.account.actions.begin(kind, &seen, now).clone();
        Ok((201, json!({ "action": self.shown_action(&action) })))
    }

    fn shown_action(&self, action: &Action) -> Value {
        let (completed, status) = match action.ended {
            Some((at, status)) => (Some(self.stamp_at(at)), status),
            None => (None, "in-progress"),
        };
        json!({
            "id": action.id,
            "status": status,
            "type": action.kind,
            "started_at": self.stamp_at(action.began),
            "completed_at": completed,
            "resource_id": action.droplet,
            "resource_type": "droplet",
            "region": places::shown(&action.region),
            "region_slug": action.region,
        })
    }
}
