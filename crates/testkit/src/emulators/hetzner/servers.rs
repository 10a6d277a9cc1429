//! `/servers`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stagecraft_core::cloud::Termination;
use stagecraft_core::inventory::Lifecycle;

use super::account::{Course, Record};
use super::body::Body;
use super::order::ServerOrder;
use super::paging::sorted;
use super::places::PLACES;
use super::problem::Problem;
use super::turn::{Done, Stop, Turn};
use crate::emulators::hosts::HostOrder;
use crate::emulators::ids::{instance, number};
use crate::world::{Labels, Moment, RequestKind, Seen, World};

/// The statuses one can ask for.
const STATUSES: [&str; 9] = [
    "running",
    "initializing",
    "starting",
    "stopping",
    "off",
    "deleting",
    "migrating",
    "rebuilding",
    "unknown",
];

impl Turn<'_> {
    /// `GET /servers`.
    pub(super) fn list_servers(&mut self) -> Done {
        let (page, selector) = (self.page()?, self.selector()?);
        let (name, statuses) = (self.call.value("name"), self.call.values("status"));
        if let Some(unknown) = statuses.iter().find(|status| !STATUSES.contains(status)) {
            let message = format!("'{unknown}' is no status");
            return Err(Problem::invalid_field("status", &message).into());
        }
        let mut seen = self.ask(|world, now| world.list(now, &Labels::new()))?;
        seen.retain(|seen| seen.lifecycle != Lifecycle::Terminated);
        seen.retain(|seen| name.is_none_or(|name| seen.name == name));
        seen.retain(|seen| selector.picks(&seen.labels));
        seen.retain(|seen| statuses.is_empty() || statuses.contains(&self.status(seen)));
        seen.sort_by_key(|seen| number(&seen.id));
        sorted(&mut seen, &self.call.values("sort"), |seen, by| match by {
            "id" => Some((number(&seen.id), String::new())),
            "name" => Some((0, seen.name.clone())),
            "created" => Some((seen.created_at, String::new())),
            _ => None,
        })?;
        let silent = self.account.habits.silent_totals;
        Ok((200, page.of("servers", seen, silent, |seen| self.server(&seen))))
    }

    /// `GET /servers/{id}`.
    pub(super) fn show_server(&mut self, id: u64) -> Done {
        let seen = self.look(id)?;
        if seen.lifecycle == Lifecycle::Terminated {
            return Err(Problem::not_found("server", id).into());
        }
        Ok((200, json!({ "server": self.server(&seen) })))
    }

    /// `POST /servers`.
    pub(super) fn create_server(&mut self) -> Done {
        let order = ServerOrder::read(&self.call.body, &self.account.keys)?;
        let place = self.placement(&order)?;
        let wanted = order.at(place);
        let moment = self.moment();
        let made = self.ask(|world, now| world.create(now, wanted));
        let seen = match made {
            Ok(seen) => seen,
            Err(Stop::Cut) => {
                if let Some(made) = self.world.with(|world, now| world.named(now, &order.name)) {
                    self.register(&made, &order, moment);
                }
                return Err(Stop::Cut);
            }
            Err(stop) => return Err(stop),
        };
        let (action, next) = self.register(&seen, &order, moment);
        let next: Vec<Value> =
            next.into_iter().map(|id| self.action(id)).collect::<Result<_, _>>()?;
        let password = order.keys.is_empty().then(|| format!("Pw{}fGh7kLmNq", number(&seen.id)));
        Ok((
            201,
            json!({
                "server": self.server(&self.find(number(&seen.id)).unwrap_or(seen)),
                "action": self.action(action)?,
                "next_actions": next,
                "root_password": password,
            }),
        ))
    }

    /// `PUT /servers/{id}`.
    pub(super) fn change_server(&mut self, id: u64) -> Done {
        let seen = self.find(id)?;
        let mut body = Body::read(&self.call.body)?;
        let (name, labels) = (body.text("name"), body.labels());
        if let Some(name) = &name {
            body.check_host_name(name);
        }
        body.finish()?;
        self.refuse_if_locked(id, self.account.habits.locks_everything)?;
        let (name, labels) = (name.unwrap_or(seen.name), labels.unwrap_or(seen.labels));
        let instance = instance(id);
        self.ask(|world, now| world.update(now, &instance, &name, &labels, &BTreeSet::new()))?;
        Ok((200, json!({ "server": self.server(&self.find(id)?) })))
    }

    /// `DELETE /servers/{id}`.
    pub(super) fn remove_server(&mut self, id: u64) -> Done {
        self.find(id)?;
        if self.account.servers.get(&id).is_some_and(|record| record.protected) {
            return Err(Problem::protected().into());
        }
        self.refuse_if_locked(id, self.account.habits.locks_everything)?;
        let instance = instance(id);
        match self.ask(|world, now| world.terminate(now, &instance))? {
            Termination::Started => {}
            Termination::AlreadyGone => return Err(Problem::not_found("server", id).into()),
        }
        self.hosts.removed(&instance);
        let action = self.account.actions.begin(id, Course::Delete, self.now());
        Ok((200, json!({ "action": self.action(action)? })))
    }

    /// `POST /servers/{id}/actions/...`: switches on and off.
    pub(super) fn switch_server(&mut self, id: u64, course: Course) -> Done {
        self.find(id)?;
        self.refuse_if_locked(id, true)?;
        let server = instance(id);
        if course == Course::Start {
            self.ask(|world, now| world.start(now, &server))?;
            self.hosts.switched_on(&server);
        } else {
            self.look(id)?;
            self.world.with(|world, _| world.stop(&server));
            self.hosts.switched_off(&server);
        }
        self.begin(id, course)
    }

    /// `POST /servers/{id}/actions/change_protection`.
    pub(super) fn protect_server(&mut self, id: u64) -> Done {
        let mut body = Body::read(&self.call.body)?;
        let (delete, _rebuild) = (body.flag("delete"), body.flag("rebuild"));
        body.finish()?;
        let seen = self.look(id)?;
        if let Some(protected) = delete {
            self.account.record_mut(&seen).protected = protected;
        }
        self.begin(id, Course::Protect)
    }

    fn begin(&mut self, id: u64, course: Course) -> Done {
        let action = self.account.actions.begin(id, course, self.now());
        self.settle_actions();
        Ok((201, json!({ "action": self.action(action)? })))
    }

    /// Where the order is carried out.
    fn placement(&self, order: &ServerOrder) -> Result<&'static str, Problem> {
        let sold: Vec<&str> = order.kind.sold().map(|(place, _)| place).collect();
        let free = |place: &&&str| self.in_stock(order.kind.name, place);
        let Some(asked) = order.place else {
            let places = PLACES.iter().map(|place| place.name);
            let sold: Vec<&'static str> = places.filter(|place| sold.contains(place)).collect();
            return sold.iter().find(free).copied().ok_or_else(|| self.shortage());
        };
        if !sold.contains(&asked.name) {
            let message = "unsupported location for server type";
            return Err(Problem::invalid_field("location", message));
        }
        if !self.in_stock(order.kind.name, asked.name) {
            return Err(self.shortage());
        }
        Ok(asked.name)
    }

    /// Notes what the world does not keep of a new machine; the action that creates it and those
    /// that follow.
    fn register(&mut self, seen: &Seen, order: &ServerOrder, made: Moment) -> (u64, Option<u64>) {
        let (id, now) = (number(&seen.id), self.now());
        let record = Record {
            image: Some(order.image.id),
            created: Some(made),
            user_data: order.user_data.clone(),
            keys: order.keys.clone(),
            protected: false,
            ipv4: order.ipv4,
            ipv6: order.ipv6,
        };
        self.account.servers.insert(id, record);
        let create = self.account.actions.begin(id, Course::Create, now);
        self.hosts.ordered(HostOrder {
            id: seen.id.clone(),
            name: order.name.clone(),
            public_keys: order.keys.clone(),
            login_user: "root",
            user_data: order.user_data.clone(),
        });
        if !order.switched_on {
            self.world.with(|world, _| world.stop(&seen.id));
            self.hosts.switched_off(&seen.id);
            return (create, None);
        }
        (create, Some(self.account.actions.begin(id, Course::Start, now)))
    }

    fn refuse_if_locked(&self, id: u64, locks: bool) -> Result<(), Problem> {
        let busy = self.account.actions.running_on(id).next().is_some();
        if busy && locks { Err(Problem::locked()) } else { Ok(()) }
    }

    /// The point of the world's history that is now.
    pub(super) fn moment(&self) -> Moment {
        self.world.with(|world: &mut World, at| Moment {
            at,
            lists: world.requests().of(RequestKind::List),
        })
    }
}
