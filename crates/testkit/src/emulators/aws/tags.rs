//! Tags: at creation, `CreateTags`, `DeleteTags`.

use serde_json::json;

use super::ids;
use super::params::Params;
use super::problem::Problem;
use super::tag_words::{MOST, RESERVED, attached, take};
use super::turn::{Done, Stop, Turn};
use crate::world::{Labels, Seen};

/// What somebody wants to tag.
enum Target {
    Instance(Box<Seen>),
    /// Anything else, by id.
    Other(String),
}

impl Turn<'_> {
    /// `CreateTags`.
    pub(super) fn create_tags(&mut self, mut params: Params) -> Done {
        let ids = params.texts("ResourceId")?;
        let tags = take(&mut params)?;
        self.finish(params)?;
        if ids.is_empty() || tags.is_empty() {
            return Err(Problem::missing(if ids.is_empty() { "ResourceId" } else { "Tag" }).into());
        }
        for target in self.targets(&ids)? {
            self.change_tags(target, |labels| labels.extend(tags.clone()))?;
        }
        Ok(json!({ "return": true }))
    }

    /// `DeleteTags`: by key, with a value only if that fits, and all without any key.
    pub(super) fn delete_tags(&mut self, mut params: Params) -> Done {
        let ids = params.texts("ResourceId")?;
        let mut wanted: Vec<(String, Option<String>)> = Vec::new();
        for mut tag in params.list("Tag")? {
            wanted.push((tag.required("Key")?, tag.text("Value")?));
            tag.finish()?;
        }
        self.finish(params)?;
        if ids.is_empty() {
            return Err(Problem::missing("ResourceId").into());
        }
        let goes = |key: &String, value: &String| {
            let fits = |(of, only): &(String, Option<String>)| {
                of == key && only.as_ref().is_none_or(|only| only == value)
            };
            !key.starts_with(RESERVED) && (wanted.is_empty() || wanted.iter().any(fits))
        };
        for target in self.targets(&ids)? {
            self.change_tags(target, |labels| labels.retain(|key, value| !goes(key, value)))?;
        }
        Ok(json!({ "return": true }))
    }

    /// All that is named, or none of it.
    fn targets(&mut self, ids: &[String]) -> Result<Vec<Target>, Problem> {
        let machines = self.instances();
        let mut targets = Vec::new();
        for id in ids {
            if id.starts_with("i-") {
                let seen = self.instance_of(&machines, id)?;
                targets.push(Target::Instance(Box::new(seen)));
                continue;
            }
            let region = self.place.region;
            let belongs = |seen: &Seen| attached(&ids::instance(&seen.id)).contains(id);
            let known = self.account.groups.find(region, id).is_some()
                || self.account.templates.iter().any(|known| known.id == *id)
                || machines.iter().any(belongs);
            if !known {
                let (code, what) = match id.split('-').next() {
                    Some("sg") => ("InvalidGroup.NotFound", "security group"),
                    Some("vol") => ("InvalidVolume.NotFound", "volume"),
                    Some("lt") => ("InvalidLaunchTemplateId.NotFound", "launch template"),
                    Some("eni") => ("InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
                    Some(_) | None => ("InvalidID", "ID"),
                };
                return Err(Problem::not_found(code, what, id));
            }
            targets.push(Target::Other(id.clone()));
        }
        Ok(targets)
    }

    fn change_tags(
        &mut self,
        target: Target,
        change: impl FnOnce(&mut Labels),
    ) -> Result<(), Stop> {
        let mut labels = match &target {
            Target::Instance(seen) => self.tags_of_instance(seen),
            Target::Other(id) => self.account.tags_of(id),
        };
        change(&mut labels);
        if labels.keys().filter(|key| !key.starts_with(RESERVED)).count() > MOST {
            let message = format!("The maximum number of tags is {MOST}.");
            return Err(Problem::new(400, "TagLimitExceeded", message).into());
        }
        match target {
            Target::Instance(seen) => {
                // Whoever has no name there keeps the one the world knows it by.
                let name = labels.get("Name").map_or(&seen.name, |name| name).clone();
                self.account.record_mut(&seen);
                self.ask(|world, now| world.update(now, &seen.id, &name, &labels, &seen.tags))
            }
            Target::Other(id) => {
                self.account.tags.insert(id, labels);
                Ok(())
            }
        }
    }

    /// The tags of an instance. One that was planted has its name as a tag.
    pub(super) fn tags_of_instance(&self, seen: &Seen) -> Labels {
        let mut labels = seen.labels.clone();
        if !self.account.record(seen).ordered && !self.account.instances.contains_key(&seen.id) {
            labels.entry("Name".to_owned()).or_insert_with(|| seen.name.clone());
        }
        labels
    }
}
