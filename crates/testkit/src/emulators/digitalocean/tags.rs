//! `/tags`, and what carries them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::body::Body;
use super::paging::{PRODUCTION, paged};
use super::problem::Problem;
use super::turn::{Done, Stop, Turn};
use crate::emulators::ids::{instance, number};
use crate::world::Seen;

impl Turn<'_> {
    /// `GET /tags`.
    pub(super) fn list_tags(&mut self) -> Done {
        let machines = self.tagged()?;
        let names = self.account.tags.names();
        Ok((200, paged(self.call, "tags", names, |name| shown(name, &machines))?))
    }

    /// `POST /tags`.
    pub(super) fn add_tag(&mut self) -> Done {
        self.ask_catalogue()?;
        let mut body = Body::read(self.call)?;
        let name = body.required("name");
        body.finish()?;
        let name = self.account.tags.use_or_make(&name)?;
        Ok((201, json!({ "tag": shown(&name, &self.machines()) })))
    }

    /// `GET /tags/{name}`.
    pub(super) fn show_tag(&mut self, name: &str) -> Done {
        let machines = self.tagged()?;
        let name = self.account.tags.exact(name)?;
        Ok((200, json!({ "tag": shown(&name, &machines) })))
    }

    /// `DELETE /tags/{name}`.
    pub(super) fn remove_tag(&mut self, name: &str) -> Done {
        self.ask_catalogue()?;
        let name = self.account.tags.exact(name)?;
        for seen in self.machines().iter().filter(|seen| seen.tags.contains(&name)) {
            self.tag(seen, &name, false)?;
        }
        self.account.tags.remove(&name);
        Ok((204, Value::Null))
    }

    /// `POST` and `DELETE /tags/{name}/resources`.
    pub(super) fn tag_resources(&mut self, name: &str, carries: bool) -> Done {
        let mut body = Body::read(self.call)?;
        if !body.has("resources") {
            body.complain("resources is required".to_owned());
        }
        let resources = body.list("resources", "a list of resources", |item| {
            let item = item.as_object().filter(|item| item.len() == 2)?;
            let id = item.get("resource_id")?.as_str()?.to_owned();
            Some((id, item.get("resource_type")?.as_str()?.to_owned()))
        });
        body.finish()?;
        let name = self.account.tags.exact(name)?;
        let mut found = Vec::new();
        for (id, kind) in resources.unwrap_or_default() {
            let id = id.parse().ok().filter(|_| kind == "droplet");
            found.push(self.find(id.ok_or_else(Problem::not_found)?)?);
        }
        for seen in found {
            self.tag(&seen, &name, carries)?;
        }
        Ok((204, Value::Null))
    }

    /// Puts a tag on a machine, or takes it off.
    fn tag(&mut self, seen: &Seen, name: &str, carries: bool) -> Result<(), Stop> {
        let mut tags: BTreeSet<String> = seen.tags.clone();
        if carries {
            tags.insert(name.to_owned())
        } else {
            tags.remove(name)
        };
        let id = instance(number(&seen.id));
        self.ask(|world, now| world.update(now, &id, &seen.name, &seen.labels, &tags))
    }

    /// All machines, for one who may see tags.
    fn tagged(&mut self) -> Result<Vec<Seen>, Stop> {
        self.ask_catalogue()?;
        if self.sees_tags() { Ok(self.machines()) } else { Err(Problem::forbidden().into()) }
    }
}

fn shown(name: &str, machines: &[Seen]) -> Value {
    let tagged: Vec<&Seen> = machines.iter().filter(|seen| seen.tags.contains(name)).collect();
    let mut droplets = json!({ "count": tagged.len() });
    if let Some(last) = tagged.last() {
        droplets["last_tagged_uri"] = format!("{PRODUCTION}/droplets/{}", last.id).into();
    }
    let mut resources = droplets.clone();
    resources["droplets"] = droplets;
    for other in ["images", "volumes", "volume_snapshots", "databases"] {
        resources[other] = json!({ "count": 0 });
    }
    json!({ "name": name, "resources": resources })
}
