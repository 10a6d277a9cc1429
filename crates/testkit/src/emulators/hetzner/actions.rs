//! `/actions`, `/servers/{id}/actions`.

use serde_json::{Value, json};

use super::account::Action;
use super::problem::Problem;
use super::turn::{Done, Stop, Turn};

impl Turn<'_> {
    /// Ends the actions whose time has come.
    pub(super) fn settle_actions(&mut self) {
        if !self.account.actions.any_running() {
            return;
        }
        let (machines, now) = (self.machines(), self.now());
        let being_created = |server| self.is_being_created(server);
        for (id, failed) in self.account.actions.due(&machines, now, being_created) {
            self.account.actions.end(id, now, failed);
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
            .of(server)
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
