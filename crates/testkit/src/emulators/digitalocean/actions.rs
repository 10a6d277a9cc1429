//! `/actions`, `/droplets/{id}/actions`.

use serde_json::{Value, json};

use super::account::Action;
use super::body::Body;
use super::order::check_name;
use super::paging::paged;
use super::problem::Problem;
use super::turn::{Done, Turn};
use crate::emulators::ids::instance;

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

impl Turn<'_> {
    /// Ends the actions whose time has come.
    pub(super) fn settle_actions(&mut self) {
        let (machines, now) = (self.machines(), self.now());
        self.account.actions.settle(&machines, now);
    }

    /// `GET /actions`, `GET /droplets/{id}/actions`: the newest first.
    pub(super) fn list_actions(&mut self, droplet: Option<u64>) -> Done {
        self.ask_catalogue()?;
        if let Some(droplet) = droplet {
            self.find(droplet)?;
        }
        let actions = self.account.actions.on(droplet).rev().collect();
        Ok((200, paged(self.call, "actions", actions, |action| self.shown_action(action))?))
    }

    /// `GET /actions/{id}`, `GET /droplets/{id}/actions/{id}`.
    pub(super) fn show_action(&mut self, droplet: Option<u64>, id: u64) -> Done {
        self.ask_catalogue()?;
        let mut actions = self.account.actions.on(droplet);
        let action = actions.find(|action| action.id == id).ok_or_else(Problem::not_found)?;
        Ok((200, json!({ "action": self.shown_action(action) })))
    }

    /// `POST /droplets/{id}/actions`.
    pub(super) fn act(&mut self, droplet: u64) -> Done {
        let mut body = Body::read(self.call)?;
        let kind = body.required("type");
        let name = if kind == "rename" { body.required("name") } else { String::new() };
        body.finish()?;
        let seen = self.find(droplet)?;
        self.account.refuse_if_busy(droplet)?;
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
                check_name(&name)?;
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
        action.shown(|at| self.stamp_at(at))
    }
}
