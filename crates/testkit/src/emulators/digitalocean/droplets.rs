//! `/droplets`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stagecraft_core::cloud::Termination;
use stagecraft_core::inventory::Lifecycle;

use super::account::Extra;
use super::order::DropletOrder;
use super::paging::{PRODUCTION, paged};
use super::problem::Problem;
use super::sizes::Size;
use super::turn::{Done, Stop, Turn};
use crate::emulators::HostOrder;
use crate::emulators::ids::{instance, number};
use crate::world::{EffectKind, Labels, Seen, World};

/// The droplets an account may hold unless the world says otherwise.
const DROPLET_LIMIT: usize = 500;

impl Turn<'_> {
    /// `GET /droplets`.
    pub(super) fn list_droplets(&mut self) -> Done {
        let (tag, name) = (self.call.value("tag_name"), self.call.value("name"));
        if tag.is_some() && name.is_some() {
            return Err(Problem::unprocessable("tag_name and name cannot be combined").into());
        }
        let gpus = match self.call.value("type") {
            None | Some("droplets") => false,
            Some("gpus") => true,
            Some(_) => return Err(Problem::unprocessable("type must be droplets or gpus").into()),
        };
        let (tag, name) = (tag.map(str::to_owned), name.map(str::to_owned));
        let mut seen = self.ask(|world, now| world.list(now, &Labels::new()))?;
        seen.retain(|seen| self.is_shown(seen));
        seen.retain(|seen| {
            Size::named(&seen.spec.size.to_string()).is_some_and(Size::has_gpu) == gpus
        });
        seen.retain(|seen| {
            tag.as_ref().is_none_or(|tag| self.sees_tags() && seen.tags.contains(tag))
        });
        seen.retain(|seen| name.as_ref().is_none_or(|name| seen.name.eq_ignore_ascii_case(name)));
        seen.sort_by_key(|seen| number(&seen.id));
        Ok((200, paged(self.call, "droplets", seen, |seen| self.droplet(&seen))?))
    }

    /// `GET /droplets/{id}`.
    pub(super) fn show_droplet(&mut self, id: u64) -> Done {
        let seen = self.ask(|world, now| world.get(now, &instance(id)))?;
        if !self.is_shown(&seen) {
            return Err(Problem::not_found().into());
        }
        Ok((200, json!({ "droplet": self.droplet(&seen) })))
    }

    /// `POST /droplets`.
    pub(super) fn create_droplets(&mut self) -> Done {
        let order = DropletOrder::read(self.call)?;
        let spread = std::time::Duration::from_secs(self.account.habits.late_key_seconds);
        let public_keys = self.account.keys.ordered(&order.keys, spread, self.now())?;
        if self.machines().len() + order.names.len() > self.droplet_limit() {
            return Err(Problem::droplet_limit().into());
        }
        let tags: BTreeSet<String> = order
            .tags
            .iter()
            .map(|tag| self.account.tags.use_or_make(tag))
            .collect::<Result<_, _>>()?;
        let mut made = Vec::new();
        let mut lost = false;
        for name in &order.names {
            let wanted = order.of(name, &tags);
            let seen = match self.ask(|world, now| world.create(now, wanted)) {
                Ok(seen) => Some(seen),
                Err(Stop::Cut) => {
                    lost = true;
                    self.last_created(name)
                }
                Err(Stop::SoldOut) => {
                    let habit = self.account.habits.shortage;
                    return Err(order.shortage(habit, self.world).into());
                }
                Err(stop) => return Err(stop),
            };
            if let Some(seen) = seen {
                let action = self.register(&seen, &order, &public_keys);
                made.push((seen, action));
            }
        }
        if lost {
            return Err(Stop::Cut);
        }
        let actions: Vec<Value> = made.iter().map(|(_, action)| link(*action)).collect();
        let mut droplets: Vec<Value> = made.iter().map(|(seen, _)| self.droplet(seen)).collect();
        let links = json!({ "actions": actions });
        Ok((
            202,
            if order.several {
                json!({ "droplets": droplets, "links": links })
            } else {
                json!({ "droplet": droplets.pop(), "links": links })
            },
        ))
    }

    /// `DELETE /droplets/{id}`.
    pub(super) fn remove_droplet(&mut self, id: u64) -> Done {
        self.find(id)?;
        self.account.refuse_if_busy(id)?;
        self.remove(id)?;
        Ok((204, Value::Null))
    }

    /// `DELETE /droplets?tag_name=...`: all that carry the tag.
    pub(super) fn remove_tagged(&mut self) -> Done {
        let tag = self.call.value("tag_name").filter(|tag| !tag.is_empty()).map(str::to_owned);
        let tag = tag.ok_or_else(|| Problem::unprocessable("tag_name is required"))?;
        let tagged = self.machines().into_iter().filter(|seen| seen.tags.contains(&tag));
        let tagged: Vec<Seen> =
            tagged.filter(|seen| seen.lifecycle != Lifecycle::Terminating).collect();
        for seen in tagged {
            self.remove(number(&seen.id))?;
        }
        Ok((204, Value::Null))
    }

    /// `GET /account`.
    pub(super) fn show_account(&mut self) -> Done {
        self.ask(World::validate)?;
        Ok((
            200,
            json!({
                "account": {
                    "droplet_limit": self.droplet_limit(),
                    "floating_ip_limit": 3,
                    "email": "someone@example.com",
                    "name": "Someone",
                    "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
                    "email_verified": true,
                    "status": "active",
                    "status_message": "",
                    "team": { "uuid": "5df3e3004a17e242b7c20ca6c9fc25b701a47ece", "name": "Example" },
                },
            }),
        ))
    }

    fn remove(&mut self, id: u64) -> Result<(), Stop> {
        let instance = instance(id);
        let removed = self.ask(|world, now| world.terminate(now, &instance));
        // Whether the answer is lost or not, it is done.
        if matches!(removed, Ok(Termination::Started) | Err(Stop::Cut)) {
            self.hosts.removed(&instance);
        }
        match removed? {
            Termination::Started => Ok(()),
            Termination::AlreadyGone => Err(Problem::not_found().into()),
        }
    }

    /// Notes what the world does not keep of a new machine; the action that creates it.
    fn register(&mut self, seen: &Seen, order: &DropletOrder, public_keys: &[String]) -> u64 {
        let now = self.now();
        let extra = Extra { keys: public_keys.to_vec(), ..order.extra.clone() };
        self.hosts.ordered(HostOrder {
            id: seen.id.clone(),
            name: seen.name.clone(),
            public_keys: extra.keys.clone(),
            login_user: "root",
            user_data: extra.user_data.clone(),
        });
        self.account.droplets.insert(number(&seen.id), extra);
        self.account.actions.begin("create", seen, now).id
    }

    /// The machine that was made last, if it was made under this name.
    fn last_created(&self, name: &str) -> Option<Seen> {
        let id = self.world.with(|world, _| match &world.effects().last()?.kind {
            EffectKind::Created { id, name: made } if made == name => Some(id.clone()),
            EffectKind::Created { .. }
            | EffectKind::Started { .. }
            | EffectKind::Updated { .. }
            | EffectKind::Terminated { .. }
            | EffectKind::HostChanged { .. } => None,
        })?;
        self.machines().into_iter().find(|seen| seen.id == id)
    }

    fn droplet_limit(&self) -> usize {
        self.world.with(|world, _| world.behaviour().quota).unwrap_or(DROPLET_LIMIT)
    }
}

fn link(action: u64) -> Value {
    json!({ "id": action, "rel": "create", "href": format!("{PRODUCTION}/actions/{action}") })
}
