//! `TerminateInstances`, `StartInstances`, `StopInstances`, `ModifyInstanceAttribute`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::account::Reason;
use super::ids;
use super::instance::State;
use super::params::Params;
use super::problem::Problem;
use super::turn::{Done, Turn};
use super::types::Type;
use crate::world::{Seen, World};

impl Turn<'_> {
    /// `TerminateInstances`: all or, if one is not known, none; of each zone all or, if one is
    /// protected, none.
    pub(super) fn terminate_instances(&mut self, mut params: Params) -> Done {
        let seen = self.batch(&mut params)?;
        params.flag("SkipOsShutdown")?;
        params.flag("Force")?;
        self.finish(params)?;
        let zone = |turn: &Self, seen: &Seen| turn.account.record(seen).subnet.map(|one| one.zone);
        let alive = |turn: &Self, seen: &Seen| turn.account.record(seen).ended.is_none();
        let protected: Vec<&Seen> = seen
            .iter()
            .filter(|seen| alive(self, seen) && self.account.record(seen).protected)
            .collect();
        let spared: BTreeSet<_> = protected.iter().map(|seen| zone(self, seen)).collect();
        let going: Vec<&Seen> =
            seen.iter().filter(|seen| !spared.contains(&zone(self, seen))).collect();
        let fresh = going.iter().filter(|seen| alive(self, seen)).count();
        let (count, now) = (u32::try_from(fresh).unwrap_or(u32::MAX), self.millis());
        if !self.account.take_burst(false, self.place.region, count, now) {
            return Err(Problem::limited().into());
        }
        let before: Vec<State> = going.iter().map(|seen| self.state(seen)).collect();
        for seen in &going {
            let ended = !alive(self, seen);
            // It is gone once the world made it so, even if the answer does not come.
            let asked = self.ask(|world, now| world.terminate(now, &seen.id));
            let is_going = |known: &Seen| {
                use stagecraft_core::inventory::Lifecycle::{Terminated, Terminating};
                known.id == seen.id && matches!(known.lifecycle, Terminating | Terminated)
            };
            if !ended && self.world.with(World::machines).iter().any(is_going) {
                self.note_end(seen, Reason::Terminated);
                self.hosts.removed(&seen.id);
            }
            asked?;
        }
        if let Some(seen) = protected.first() {
            let message = format!(
                "The instance '{}' may not be terminated. Modify its 'disableApiTermination' \
                 instance attribute and try again.",
                ids::instance(&seen.id)
            );
            return Err(Problem::new(400, "OperationNotPermitted", message).into());
        }
        Ok(self.changes(&seen, &before))
    }

    /// `StopInstances`.
    pub(super) fn stop_instances(&mut self, mut params: Params) -> Done {
        let seen = self.batch(&mut params)?;
        params.flag("Force")?;
        params.flag("SkipOsShutdown")?;
        self.finish(params)?;
        for one in &seen {
            let id = ids::instance(&one.id);
            if one.spec.spot && !self.account.record(one).persistent {
                let message = format!(
                    "You can't stop the Spot Instance '{id}' because it is associated with a one-time \
                     Spot Instance request. You can only stop Spot Instances associated with \
                     persistent Spot Instance requests."
                );
                return Err(Problem::new(400, "UnsupportedOperation", message).into());
            }
            match self.state(one) {
                State::Running | State::Stopping | State::Stopped => {}
                State::Pending | State::ShuttingDown | State::Terminated => {
                    return Err(wrong_state(&id, "stopped").into());
                }
            }
        }
        let before: Vec<State> = seen.iter().map(|seen| self.state(seen)).collect();
        let moment = self.moment();
        for (one, _) in seen.iter().zip(&before).filter(|(_, state)| **state == State::Running) {
            self.ask(|world, now| world.get(now, &one.id))?;
            self.world.with(|world, _| world.stop(&one.id));
            self.hosts.switched_off(&one.id);
            self.account.record_mut(one).stopped = Some(moment);
        }
        Ok(self.changes(&seen, &before))
    }

    /// `StartInstances`.
    pub(super) fn start_instances(&mut self, mut params: Params) -> Done {
        let seen = self.batch(&mut params)?;
        self.finish(params)?;
        for one in &seen {
            match self.state(one) {
                State::Pending | State::Running => {}
                State::Stopped => self.room_to_start(one)?,
                State::Stopping | State::ShuttingDown | State::Terminated => {
                    return Err(wrong_state(&ids::instance(&one.id), "started").into());
                }
            }
        }
        let before: Vec<State> = seen.iter().map(|seen| self.state(seen)).collect();
        for one in &seen {
            self.ask(|world, now| world.start(now, &one.id))?;
            self.hosts.switched_on(&one.id);
        }
        Ok(self.changes(&seen, &before))
    }

    /// `ModifyInstanceAttribute`: the protection from termination, and the security groups.
    pub(super) fn modify_instance(&mut self, mut params: Params) -> Done {
        let id = params.required("InstanceId")?;
        let mut protection = params.group("DisableApiTermination");
        let mut protected = protection.flag("Value")?;
        protection.finish()?;
        let attribute = params.word("Attribute", &["disableApiTermination"])?;
        if attribute.is_some() {
            protected = params.flag("Value")?;
        }
        let groups = params.texts("GroupId")?;
        self.finish(params)?;
        if protected.is_none() && groups.is_empty() {
            return Err(Problem::combination("No attributes specified.").into());
        }
        let seen = self.instance_of(&self.instances(), &id)?;
        for group in &groups {
            if self.account.groups.find(self.place.region, group).is_none() {
                return Err(
                    Problem::not_found("InvalidGroup.NotFound", "security group", group).into()
                );
            }
        }
        let spot = seen.spec.spot;
        if spot && protected == Some(true) {
            let message = "You can't enable termination protection for Spot Instances.";
            return Err(Problem::new(400, "UnsupportedOperation", message).into());
        }
        let record = self.account.record_mut(&seen);
        record.protected = protected.unwrap_or(record.protected);
        if !groups.is_empty() {
            record.groups = groups;
        }
        Ok(json!({ "return": true }))
    }

    /// The instances a request names, which must all be there.
    fn batch(&mut self, params: &mut Params) -> Result<Vec<Seen>, Problem> {
        let ids = params.texts("InstanceId")?;
        if ids.is_empty() {
            return Err(Problem::missing("InstanceId"));
        }
        let machines = self.instances();
        ids.iter().map(|id| self.instance_of(&machines, id)).collect()
    }

    fn room_to_start(&self, seen: &Seen) -> Result<(), Problem> {
        let (Some(subnet), Some(kind)) =
            (self.account.record(seen).subnet, Type::find(&seen.spec.size.0))
        else {
            return Ok(());
        };
        if self.has_capacity(kind, &subnet.zone, seen.spec.spot) {
            return Ok(());
        }
        let message = format!(
            "We currently do not have sufficient {} capacity in the Availability Zone you requested \
             ({}).",
            kind.name, subnet.zone
        );
        Err(Problem::no_capacity(message))
    }

    /// What a batch was and is now.
    fn changes(&self, batch: &[Seen], before: &[State]) -> Value {
        let machines = self.world.with(World::machines);
        let now = |seen: &Seen| machines.iter().find(|known| known.id == seen.id);
        let shown: Vec<Value> = batch
            .iter()
            .zip(before)
            .map(|(seen, before)| {
                let current = now(seen).map_or(State::Terminated, |seen| self.state(seen));
                json!({
                    "instanceId": ids::instance(&seen.id),
                    "currentState": current.shown(),
                    "previousState": before.shown(),
                })
            })
            .collect();
        json!({ "instancesSet": shown })
    }
}

fn wrong_state(id: &str, wanted: &str) -> Problem {
    let message = format!("The instance '{id}' is not in a state from which it can be {wanted}.");
    Problem::new(400, "IncorrectInstanceState", message)
}
