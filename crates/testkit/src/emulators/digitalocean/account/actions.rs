//! What was asked of droplets, and how far it is.

use std::time::Duration;

use serde_json::{Value, json};
use stagecraft_core::inventory::Lifecycle;

use crate::emulators::digitalocean::region;
use crate::emulators::ids::number;
use crate::world::Seen;

/// How long an action takes that no machine has to boot for.
const BRIEF: Duration = Duration::from_secs(2);

/// The actions, by id.
#[derive(Debug, Default)]
pub(crate) struct Actions(Vec<Action>);

/// One action.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) id: u64,
    kind: &'static str,
    pub(crate) droplet: u64,
    region: String,
    began: Duration,
    ended: Option<(Duration, &'static str)>,
}

impl Actions {
    /// Begins an action on a machine.
    pub(crate) fn begin(&mut self, kind: &'static str, on: &Seen, began: Duration) -> &Action {
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

    /// Ends those whose time has come by `now`; `machines` are all that exist.
    pub(crate) fn settle(&mut self, machines: &[Seen], now: Duration) {
        for action in self.0.iter_mut().filter(|action| action.ended.is_none()) {
            let machine = machines.iter().find(|seen| number(&seen.id) == action.droplet);
            action.ended = action.end(machine, now).map(|status| (now, status));
        }
    }

    /// Whether something is being done to a droplet.
    pub(crate) fn is_busy(&self, droplet: u64) -> bool {
        self.0.iter().any(|action| action.droplet == droplet && action.ended.is_none())
    }

    /// Those on one droplet, or all; the oldest first.
    pub(crate) fn on(&self, droplet: Option<u64>) -> impl DoubleEndedIterator<Item = &Action> {
        let asked = move |action: &&Action| droplet.is_none_or(|droplet| droplet == action.droplet);
        self.0.iter().filter(asked)
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

    /// The action as the API shows it; `stamp` writes a time since the world began.
    pub(crate) fn shown(&self, stamp: impl Fn(Duration) -> String) -> Value {
        let (completed, status) = match self.ended {
            Some((at, status)) => (Some(stamp(at)), status),
            None => (None, "in-progress"),
        };
        json!({
            "id": self.id,
            "status": status,
            "type": self.kind,
            "started_at": stamp(self.began),
            "completed_at": completed,
            "resource_id": self.droplet,
            "resource_type": "droplet",
            "region": region::shown(&self.region),
            "region_slug": self.region,
        })
    }
}
