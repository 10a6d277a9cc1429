//! Tags as requests name them and answers show them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ids;
use super::params::Params;
use super::problem::Problem;
use crate::world::Labels;

/// The most tags of one resource.
pub(super) const MOST: usize = 50;
/// The longest key and the longest value.
const LONGEST: (usize, usize) = (128, 256);
/// How the keys begin that only the cloud itself may use.
pub(super) const RESERVED: &str = "aws:";

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
pub(super) fn take(params: &mut Params) -> Result<Labels, Problem> {
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
