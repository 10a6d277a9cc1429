//! What clients ask of a world. Each request is one [`World::request`].

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use stagecraft_core::cloud::{Catalogue, CloudErrorKind, Termination};
use stagecraft_core::name::InstanceId;

use super::machine::Machine;
use super::refuse::conflict;
use super::{EffectKind, Fate, Labels, Moment, Order, Refusal, Reply, RequestKind, Seen, World};

impl World {
    /// Answers a question about the account only.
    pub fn validate(&mut self, now: Duration) -> Reply<()> {
        self.request(RequestKind::Validate, now, |_, _| Ok(()))
    }

    /// Says what can be ordered.
    pub fn offered(&mut self, now: Duration) -> Reply<Catalogue> {
        self.request(RequestKind::Catalogue, now, |world, _| Ok(world.catalogue.clone()))
    }

    /// All visible machines that carry every one of `selector`'s labels, shuffled.
    pub fn list(&mut self, now: Duration, selector: &Labels) -> Reply<Vec<Seen>> {
        self.request(RequestKind::List, now, |world, moment| {
            let visible = world.behaviour.visible;
            let mut found: Vec<Seen> = world
                .machines
                .values()
                .filter(|machine| visible.passed(machine.created, moment))
                .filter(|machine| machine.carries(selector))
                .map(|machine| machine.seen(&world.behaviour, moment))
                .collect();
            world.rng.shuffle(&mut found);
            Ok(found)
        })
    }

    /// One machine; an unknown one is refused.
    pub fn get(&mut self, now: Duration, id: &InstanceId) -> Reply<Seen> {
        self.request(RequestKind::Get, now, |world, moment| world.look(id, moment))
    }

    /// Orders a machine. Where names are unique, a taken one is a conflict.
    pub fn create(&mut self, now: Duration, order: Order) -> Reply<Seen> {
        self.request(RequestKind::Create, now, |world, moment| {
            world.refuse_order(&order, moment)?;
            let name = order.name.clone();
            let fate = world.fates.get_mut(&name).and_then(VecDeque::pop_front);
            let id = world.place(moment, order, fate.unwrap_or(Fate::Boots));
            world.log(moment.at, EffectKind::Created { id: id.clone(), name });
            world.look(&id, moment)
        })
    }

    /// Switches a machine on; one that is on stays as it is.
    pub fn start(&mut self, now: Duration, id: &InstanceId) -> Reply<()> {
        self.request(RequestKind::Start, now, |world, moment| {
            let machine = world.modifiable(id)?;
            if machine.stopped {
                machine.stopped = false;
                machine.booting_since = moment;
                world.log(moment.at, EffectKind::Started { id: id.clone() });
            }
            Ok(())
        })
    }

    /// Replaces what a machine carries. Without a difference nothing happens.
    pub fn update(
        &mut self,
        now: Duration,
        id: &InstanceId,
        name: &str,
        labels: &Labels,
        tags: &BTreeSet<String>,
    ) -> Reply<()> {
        self.request(RequestKind::Update, now, |world, moment| {
            if world.behaviour.unique_names && world.holder(name).is_some_and(|held| held != id) {
                return Err(conflict(name));
            }
            let machine = world.modifiable(id)?;
            let same = (&machine.name[..], &machine.labels, &machine.tags) == (name, labels, tags);
            if !same {
                machine.name = name.to_owned();
                machine.labels.clone_from(labels);
                machine.tags.clone_from(tags);
                world.log(moment.at, EffectKind::Updated { id: id.clone() });
            }
            Ok(())
        })
    }

    /// Removes a machine.
    pub fn terminate(&mut self, now: Duration, id: &InstanceId) -> Reply<Termination> {
        self.request(RequestKind::Terminate, now, |world, moment| {
            let Some(machine) = world.machine_mut(id) else {
                return Ok(Termination::AlreadyGone);
            };
            if machine.terminating.is_some() {
                return Ok(Termination::AlreadyGone);
            }
            machine.terminating = Some(moment);
            world.log(moment.at, EffectKind::Terminated { id: id.clone() });
            Ok(Termination::Started)
        })
    }

    fn request<T>(
        &mut self,
        kind: RequestKind,
        now: Duration,
        act: impl FnOnce(&mut Self, Moment) -> Result<T, CloudErrorKind>,
    ) -> Reply<T> {
        self.requests.count(kind);
        self.settle(now);
        if let Err(error) = self.limits.count(now) {
            self.limits.remember(now);
            return Reply::refused(error);
        }
        if let Some(error) = self.faults.refusal(kind, self.requests.total()) {
            return Reply::refused(error);
        }
        let before = self.effects.len();
        let moment = self.moment(now);
        let result = act(self, moment);
        let verdict = self.faults.after_effects(before, self.effects.len());
        let result = match result {
            Ok(_) if verdict.answer_lost => Err(Refusal {
                kind: CloudErrorKind::Unreachable("the connection was reset".to_owned()),
                maybe_done: true,
            }),
            Ok(answer) => Ok(answer),
            Err(kind) => Err(Refusal { kind, maybe_done: false }),
        };
        Reply { result, kill: verdict.kill }
    }

    fn look(&mut self, id: &InstanceId, moment: Moment) -> Result<Seen, CloudErrorKind> {
        match self.machines.values().find(|machine| machine.id == *id) {
            Some(machine) => Ok(machine.seen(&self.behaviour, moment)),
            None => Err(unknown(id)),
        }
    }

    fn modifiable(&mut self, id: &InstanceId) -> Result<&mut Machine, CloudErrorKind> {
        self.machine_mut(id)
            .filter(|machine| machine.terminating.is_none())
            .ok_or_else(|| unknown(id))
    }
}

fn unknown(id: &InstanceId) -> CloudErrorKind {
    CloudErrorKind::NotFound(format!("no machine `{id}`"))
}
