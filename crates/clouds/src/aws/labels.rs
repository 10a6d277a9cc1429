//! What is written on an instance as tags, and how it is read back.
//!
//! A tag of EC2 is a key and a value; a tag `key:value` of the file is the tag `key` with that value,
//! and a tag `key` is the tag `key` with an empty one. Every tag that is not one of ours is a tag of
//! the user's, except those of AWS itself, whose keys begin with `aws:` and which nobody can write.
//! The name in the console is the tag `Name`. Tag keys are public interface: instances made by an
//! older version carry them.

use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::{Marks, Owner};
use stagecraft_core::name::{Image, RoleName, Scope};

use super::wire::{Set, Tag};

pub(super) const PROJECT: &str = "stagecraft.project";
pub(super) const ENVIRONMENT: &str = "stagecraft.environment";
pub(super) const HOST: &str = "stagecraft.host";
const ROLE: &str = "stagecraft.role";
const IMAGE: &str = "stagecraft.image";
const PROTECTED: &str = "stagecraft.protected";
const FIRST_KEY: &str = "stagecraft.first-key";
const HOST_KEY: &str = "stagecraft.host-key";
const SPOT: &str = "stagecraft.spot";
const NAME: &str = "Name";

/// Keys that mean something to us. Others that begin like them are taken for tags, so that the next
/// update removes them.
const OURS: [&str; 10] =
    [PROJECT, ENVIRONMENT, HOST, ROLE, IMAGE, PROTECTED, FIRST_KEY, HOST_KEY, SPOT, NAME];
/// No tag may begin like this.
const RESERVED: &str = "stagecraft";
/// Keys that only AWS writes begin like this, whatever the case.
const AMAZONS: &str = "aws:";
/// The longest key and the longest value, in characters.
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;
/// As many tags as an instance can have, and as many as are ours at most.
const MOST: usize = 50;

/// Tags as the API knows them.
pub(super) type Labels = BTreeMap<String, String>;

/// How a spot host was ordered in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Market {
    /// It was not asked for a spot instance.
    OnDemand,
    /// It is a spot instance.
    Spot,
    /// A spot instance was asked for, and refused with this code; so it is on demand.
    Instead(String),
}

/// A tag that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadTag {
    #[error(
        "tag `{0}` cannot be a tag on aws: key and value, as in `key` or `key:value`, are made of letters, digits, spaces and `_.:/=+-@`, and have at most {LONGEST_KEY} and {LONGEST_VALUE} characters"
    )]
    Shape(String),
    #[error("tag `{0}` begins with a word that is kept for stagecraft or for AWS itself")]
    Reserved(String),
    #[error("two tags have the key `{0}`; an instance has one tag of a key")]
    Doubled(String),
    #[error("there are more tags than an instance can have, which is {MOST} with stagecraft's own")]
    TooMany,
}

/// All tags of an instance.
///
/// # Errors
/// A tag of the user's that cannot be one.
pub(super) fn written(
    owner: &Owner,
    image: &Image,
    marks: &Marks,
    pins: &Pins,
    market: &Market,
) -> Result<Labels, BadTag> {
    let Marks { name, role, protected, tags } = marks;
    let mut labels = Labels::new();
    for tag in tags {
        let (key, value) = label_of(tag)?;
        if labels.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(BadTag::Doubled(key.to_owned()));
        }
    }
    if labels.len() + OURS.len() > MOST {
        return Err(BadTag::TooMany);
    }
    let mut write = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
    write(NAME, name);
    write(HOST, owner.host.as_str());
    write(ROLE, role.as_str());
    write(IMAGE, image.as_str());
    if *protected {
        write(PROTECTED, "true");
    }
    match market {
        Market::OnDemand => {}
        Market::Spot => drop(write(SPOT, "true")),
        Market::Instead(code) => drop(write(SPOT, code)),
    }
    labels.extend(of_scope(&owner.scope));
    Ok(with_pins(&labels, pins))
}

/// The tags of whatever belongs to a scope as a whole.
pub(super) fn of_scope(scope: &Scope) -> Labels {
    let tags = [(PROJECT, scope.project.as_str()), (ENVIRONMENT, scope.environment.as_str())];
    tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// What an answer says, by key.
pub(super) fn read(tags: &Set<Tag>) -> Labels {
    tags.items.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

/// Whose an instance is; `None` when it is not ours.
pub(super) fn owner(labels: &Labels) -> Option<Owner> {
    Some(Owner { scope: scope(labels)?, host: labels.get(HOST)?.parse().ok()? })
}

/// To which scope something belongs; `None` when it is not ours.
pub(super) fn scope(labels: &Labels) -> Option<Scope> {
    Some(Scope {
        project: labels.get(PROJECT)?.parse().ok()?,
        environment: labels.get(ENVIRONMENT)?.parse().ok()?,
    })
}

/// The portable name of the image that was ordered.
pub(super) fn image(labels: &Labels) -> Option<Image> {
    labels.get(IMAGE).map(|image| image.as_str().into())
}

/// What an instance carries; `None` when it is not ours.
pub(super) fn marks(labels: &Labels) -> Option<Marks> {
    let role: RoleName = labels.get(ROLE)?.parse().ok()?;
    Some(Marks {
        name: labels.get(NAME).cloned().unwrap_or_default(),
        role,
        // Whoever writes another word there by hand will have meant to protect it.
        protected: labels.get(PROTECTED).is_some_and(|value| value != "false"),
        tags: tags(labels),
    })
}

/// Which market was asked, as the order wrote it down.
pub(super) fn ordered(labels: &Labels) -> Market {
    match labels.get(SPOT).map(String::as_str) {
        None => Market::OnDemand,
        Some("true") => Market::Spot,
        Some(code) => Market::Instead(code.to_owned()),
    }
}

/// The same tags with these keys pinned, and no others.
pub(super) fn with_pins(labels: &Labels, pins: &Pins) -> Labels {
    let mut labels = labels.clone();
    for (label, key) in [(FIRST_KEY, pins.first), (HOST_KEY, pins.own)] {
        match key {
            Some(key) => labels.insert(label.to_owned(), key.to_label()),
            None => labels.remove(label),
        };
    }
    labels
}

/// The host keys that are pinned. What cannot be read is none.
pub(super) fn pins(labels: &Labels) -> Pins {
    let key = |label| HostKey::from_label(labels.get(label)?).ok();
    Pins { first: key(FIRST_KEY), own: key(HOST_KEY) }
}

/// What to write and then which keys to take off, so that `now` becomes `then`. Tags of AWS itself stay.
pub(super) fn difference(now: &Labels, then: &Labels) -> (Labels, BTreeSet<String>) {
    let new = then.iter().filter(|(key, value)| now.get(*key) != Some(value));
    let old = now.keys().filter(|key| !then.contains_key(*key) && !is_amazons(key));
    (new.map(|(key, value)| (key.clone(), value.clone())).collect(), old.cloned().collect())
}

fn tags(labels: &Labels) -> BTreeSet<String> {
    let others = labels.iter().filter(|(key, _)| !OURS.contains(&key.as_str()) && !is_amazons(key));
    others
        .map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}:{value}") })
        .collect()
}

fn is_amazons(key: &str) -> bool {
    key.get(..AMAZONS.len()).is_some_and(|start| start.eq_ignore_ascii_case(AMAZONS))
}

fn label_of(tag: &str) -> Result<(&str, &str), BadTag> {
    let shape = || BadTag::Shape(tag.to_owned());
    if is_amazons(tag) || tag.starts_with(RESERVED) || tag == NAME || tag.starts_with("Name:") {
        return Err(BadTag::Reserved(tag.to_owned()));
    }
    let (key, value) = match tag.split_once(':') {
        Some((_, "")) => return Err(shape()),
        Some(both) => both,
        None => (tag, ""),
    };
    let lengths = (key.chars().count(), value.chars().count());
    if !(1..=LONGEST_KEY).contains(&lengths.0) || lengths.1 > LONGEST_VALUE {
        return Err(shape());
    }
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    let trimmed = [key, value].iter().all(|text| text.trim() == *text);
    if trimmed && tag.chars().all(allowed) { Ok((key, value)) } else { Err(shape()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fixtures::order;

    #[test]
    fn what_is_written_is_read_back() {
        let mut order = order("db-1");
        order.marks.protected = true;
        order.marks.tags = tags_of(["blue", "team:search", "url:https://a/b", "9"]);
        let labels = written_of(&order, &Market::Spot).unwrap();
        assert_eq!(owner(&labels), Some(order.owner));
        assert_eq!(image(&labels), Some(order.spec.image));
        assert_eq!(marks(&labels), Some(order.marks));
        assert_eq!(ordered(&labels), Market::Spot);
    }

    #[test]
    fn labels_are_named_as_documented() {
        let mut order = order("db-1");
        order.marks.protected = true;
        order.marks.tags = tags_of(["blue", "team:search"]);
        let code = Market::Instead("MaxSpotInstanceCountExceeded".to_owned());
        let expected = [
            ("Name", "staging-db-1"),
            ("blue", ""),
            ("stagecraft.environment", "staging"),
            ("stagecraft.host", "db-1"),
            ("stagecraft.image", "debian-12"),
            ("stagecraft.project", "shop"),
            ("stagecraft.protected", "true"),
            ("stagecraft.role", "app"),
            ("stagecraft.spot", "MaxSpotInstanceCountExceeded"),
            ("team", "search"),
        ];
        assert_eq!(written_of(&order, &code).unwrap(), labels_of(expected));
    }

    #[test]
    fn an_instance_that_lacks_one_owner_label_is_foreign() {
        let ours = written_of(&order("db-1"), &Market::OnDemand).unwrap();
        for key in [PROJECT, ENVIRONMENT, HOST] {
            let mut labels = ours.clone();
            labels.remove(key);
            assert_eq!(owner(&labels), None, "without {key}");
            labels.insert(key.to_owned(), "Not A Name".to_owned());
            assert_eq!(owner(&labels), None, "{key} is no name");
        }
        let mut labels = ours;
        labels.remove(ROLE);
        assert_eq!(marks(&labels), None);
    }

    #[test]
    fn tags_of_aws_itself_are_neither_shown_nor_removed() {
        let now =
            labels_of([("aws:ec2:fleet-id", "fleet-1"), ("old", ""), ("stagecraft.role", "a")]);
        assert_eq!(marks(&now).unwrap().tags, tags_of(["old"]));
        let then = labels_of([("stagecraft.role", "b"), ("new", "1")]);
        assert_eq!(difference(&now, &then), (then.clone(), tags_of(["old"])));
    }

    #[test]
    fn tags_that_cannot_be_written_are_refused() {
        let refusal = |tags: &[&str]| {
            let mut order = order("db-1");
            order.marks.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            written_of(&order, &Market::OnDemand).unwrap_err()
        };
        let (long, longer) = ("x".repeat(129), format!("a:{}", "x".repeat(257)));
        for tag in ["", ":", "a:", ":b", "a\tb", "a#b", "a: b", &long, &longer] {
            assert_eq!(refusal(&[tag]), BadTag::Shape(tag.to_owned()), "{tag}");
        }
        for tag in ["stagecraft.host:web-1", "aws:x", "AWS:x", "Name", "Name:a"] {
            assert_eq!(refusal(&[tag]), BadTag::Reserved(tag.to_owned()));
        }
        assert_eq!(refusal(&["team:a", "team:b"]), BadTag::Doubled("team".to_owned()));
        let many: Vec<String> = (0..41).map(|number| format!("tag-{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(refusal(&many), BadTag::TooMany);
    }

    #[test]
    fn the_file_is_refused_where_there_is_no_room_for_its_tags() {
        for (count, fits) in [(MOST - OURS.len(), true), (MOST - OURS.len() + 1, false)] {
            let tags: Vec<String> = (0..count).map(|number| format!("tag-{number}")).collect();
            let text = format!(
                "project: {{ name: shop }}\ncloud: {{ providers: {{ aws: {{ ssh_key_name: k, \
                 default_region: r, hosts: {{ dev: {{ a: {{ role: a, tags: [{}] }} }} }} }} }} }}\n",
                tags.join(", ")
            );
            let told = stagecraft_core::config::parse("f.yml", text.as_bytes());
            assert_eq!(told.is_ok(), fits, "{told:?}");
            let mut order = order("db-1");
            order.marks.tags = tags.into_iter().collect();
            assert_eq!(written_of(&order, &Market::OnDemand).is_ok(), fits, "{count}");
        }
    }

    #[test]
    fn pinned_keys_are_labels_and_no_tags() {
        let mut order = order("db-1");
        let [first, own] = [HostKey::new([1; 32]), HostKey::new([2; 32])];
        order.pins = Pins { first: Some(first), own: Some(own) };
        let labels = written_of(&order, &Market::OnDemand).unwrap();
        assert_eq!(labels["stagecraft.host-key"], own.to_label());
        assert_eq!(pins(&labels), order.pins);
        assert_eq!(marks(&labels).unwrap().tags, order.marks.tags);
        assert_eq!(pins(&with_pins(&labels, &Pins::of_own(own))), Pins::of_own(own));
    }

    fn written_of(
        order: &stagecraft_core::cloud::CreateInstance,
        market: &Market,
    ) -> Result<Labels, BadTag> {
        written(&order.owner, &order.spec.image, &order.marks, &order.pins, market)
    }

    fn labels_of<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    fn tags_of<const N: usize>(tags: [&str; N]) -> BTreeSet<String> {
        tags.map(str::to_owned).into()
    }
}
