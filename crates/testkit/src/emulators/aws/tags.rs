//! Tags: at creation, `CreateTags`, `DeleteTags`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ids;
use super::params::Params;
use super::problem::Problem;
use super::turn::{Done, Stop, Turn};
use crate::world::{Labels, Seen};

/// The most tags of one resource.
const MOST: usize = 50;
/// The longest key and the longest value.
const LONGEST: (usize, usize) = (128, 256);
/// How the keys begin that only the cloud itself may use.
const RESERVED: &str = "aws:";

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

/// The ids of what belongs to an instance: its volume, its network interface, its request for a
/// spot instance.
pub(super) fn attached(instance: &str) -> [String; 3] {
    ["vol", "eni", "sir"].map(|prefix| ids::derived(prefix, &[instance]))
}

/// Tags as the API shows them.
pub(super) fn shown(tags: &Labels) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// The tags of a list `Tag`.
///
/// # Errors
/// There can be no such tags.
fn take(params: &mut Params) -> Result<Labels, Problem> {
    let mut tags = Labels::new();
    let invalid = |message: String| Problem::new(400, "InvalidParameterValue", message);
    for mut tag in params.list("Tag")? {
        let (key, value) = (tag.required("Key")?, tag.text("Value")?.unwrap_or_default());
        tag.finish()?;
        if key.starts_with(RESERVED) {
            let message = format!(
                "Tag keys starting with '{RESERVED}' are reserved for internal use: '{key}'"
            );
            return Err(invalid(message));
        }
        if key.chars().count() > LONGEST.0 || value.chars().count() > LONGEST.1 {
            let (keys, values) = LONGEST;
            let message =
                format!("Tag key '{key}' or its value exceeds {keys} or {values} characters");
            return Err(invalid(message));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(invalid(format!("Duplicate tag key '{key}' specified.")));
        }
    }
    if tags.len() > MOST {
        let message = format!("The maximum number of tags is {MOST}.");
        return Err(Problem::new(400, "TagLimitExceeded", message));
    }
    Ok(tags)
}

/// The tags of a list `TagSpecification`, by kind of resource.
///
/// # Errors
/// A kind that is not among `allowed`, or twice, or tags that cannot be.
pub(super) fn specifications(
    params: &mut Params,
    allowed: &[&str],
) -> Result<BTreeMap<String, Labels>, Problem> {
    let mut found = BTreeMap::new();
    for mut specification in params.list("TagSpecification")? {
        let kind = specification.required("ResourceType")?;
        let tags = take(&mut specification)?;
        specification.finish()?;
        if !allowed.contains(&kind.as_str()) {
            let message =
                format!("'{kind}' is not a valid taggable resource type for this operation.");
            return Err(Problem::new(400, "InvalidParameterValue", message));
        }
        if found.insert(kind.clone(), tags).is_some() {
            let message = format!("Duplicate tag specifications for resource type '{kind}'");
            return Err(Problem::new(400, "InvalidParameterValue", message));
        }
    }
    Ok(found)
}
