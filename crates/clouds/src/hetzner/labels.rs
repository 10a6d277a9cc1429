//! What is written on a server, and how it is read back.
//!
//! A server has labels, each a key and a value; a tag `key:value` is the label `key` with that
//! value, and a tag `key` is the label `key` with an empty one. Every label that is not one of ours
//! is a tag. Label keys are public interface: servers made by an older version carry them.

use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::{Marks, Owner};
use stagecraft_core::name::{Image, RoleName, Scope};

const PROJECT: &str = "stagecraft.project";
const ENVIRONMENT: &str = "stagecraft.environment";
const HOST: &str = "stagecraft.host";
const ROLE: &str = "stagecraft.role";
const IMAGE: &str = "stagecraft.image";
const PROTECTED: &str = "stagecraft.protected";
const FIRST_KEY: &str = "stagecraft.first-key";
const HOST_KEY: &str = "stagecraft.host-key";

/// Keys that mean something to us. Others that begin like them are taken for tags, so that the next
/// update removes them.
const OURS: [&str; 8] = [PROJECT, ENVIRONMENT, HOST, ROLE, IMAGE, PROTECTED, FIRST_KEY, HOST_KEY];
/// No tag may begin like this.
const RESERVED: &str = "stagecraft";
/// The longest key and the longest value.
const LONGEST: usize = 63;

/// Labels as the API knows them.
pub(super) type Labels = BTreeMap<String, String>;

/// A tag that cannot be written as a label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadTag {
    #[error(
        "tag `{0}` cannot be a label: key and value, as in `key` or `key:value`, are made of letters, digits, `.`, `_` and `-`, begin and end with a letter or digit, and are at most {LONGEST} characters long"
    )]
    Shape(String),
    #[error("tag `{0}` begins with `{RESERVED}`, which is kept for stagecraft itself")]
    Reserved(String),
    #[error("two tags have the key `{0}`; a server has one label of a key")]
    Doubled(String),
}

/// All labels of a server.
///
/// # Errors
/// A tag that cannot be a label.
pub(super) fn written(
    owner: &Owner,
    image: &Image,
    marks: &Marks,
    pins: &Pins,
) -> Result<Labels, BadTag> {
    let Marks { name: _, role, protected, tags } = marks;
    let mut labels = Labels::new();
    for tag in tags {
        let (key, value) = label_of(tag)?;
        if labels.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(BadTag::Doubled(key.to_owned()));
        }
    }
    let mut write = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
    write(PROJECT, owner.scope.project.as_str());
    write(ENVIRONMENT, owner.scope.environment.as_str());
    write(HOST, owner.host.as_str());
    write(ROLE, role.as_str());
    write(IMAGE, image.as_str());
    if *protected {
        write(PROTECTED, "true");
    }
    Ok(with_pins(&labels, pins))
}

/// The selector of all servers of an environment.
pub(super) fn selector(scope: &Scope) -> String {
    format!("{PROJECT}={},{ENVIRONMENT}={}", scope.project, scope.environment)
}

/// Whose a server is; `None` when it is not ours.
pub(super) fn owner(labels: &Labels) -> Option<Owner> {
    let scope = Scope {
        project: labels.get(PROJECT)?.parse().ok()?,
        environment: labels.get(ENVIRONMENT)?.parse().ok()?,
    };
    Some(Owner { scope, host: labels.get(HOST)?.parse().ok()? })
}

/// The portable name of the image that was ordered.
pub(super) fn image(labels: &Labels) -> Option<Image> {
    labels.get(IMAGE).map(|image| image.as_str().into())
}

/// What a server of this name carries; `None` when it is not ours.
pub(super) fn marks(name: &str, labels: &Labels) -> Option<Marks> {
    let role: RoleName = labels.get(ROLE)?.parse().ok()?;
    Some(Marks {
        name: name.to_owned(),
        role,
        // Whoever writes another word there by hand will have meant to protect it.
        protected: labels.get(PROTECTED).is_some_and(|value| value != "false"),
        tags: tags(labels),
    })
}

/// The same labels with these keys pinned, and no others.
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

fn tags(labels: &Labels) -> BTreeSet<String> {
    let others = labels.iter().filter(|(key, _)| !OURS.contains(&key.as_str()));
    others
        .map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}:{value}") })
        .collect()
}

fn label_of(tag: &str) -> Result<(&str, &str), BadTag> {
    let shape = || BadTag::Shape(tag.to_owned());
    let (key, value) = match tag.split_once(':') {
        Some((_, "")) => return Err(shape()),
        Some(both) => both,
        None => (tag, ""),
    };
    if !is_word(key) || !(value.is_empty() || is_word(value)) {
        return Err(shape());
    }
    if key.starts_with(RESERVED) {
        return Err(BadTag::Reserved(tag.to_owned()));
    }
    Ok((key, value))
}

fn is_word(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let ends = [text.bytes().next(), text.bytes().last()];
    text.len() <= LONGEST
        && ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        && text.bytes().all(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hetzner::fixtures::order;

    #[test]
    fn what_is_written_is_read_back() {
        let mut order = order("db-1");
        order.marks.protected = true;
        order.marks.tags = tags_of(["blue", "team:search", "A.b_c-d:1.0", "9"]);
        let labels = written(&order.owner, &order.spec.image, &order.marks, &order.pins).unwrap();
        assert_eq!(owner(&labels), Some(order.owner));
        assert_eq!(image(&labels), Some(order.spec.image));
        assert_eq!(marks("staging-db-1", &labels), Some(order.marks));
    }

    #[test]
    fn labels_are_named_as_documented() {
        let mut order = order("db-1");
        order.marks.protected = true;
        order.marks.tags = tags_of(["blue", "team:search"]);
        let labels = written(&order.owner, &order.spec.image, &order.marks, &order.pins).unwrap();
        let expected = [
            ("blue", ""),
            ("stagecraft.environment", "staging"),
            ("stagecraft.host", "db-1"),
            ("stagecraft.image", "debian-12"),
            ("stagecraft.project", "shop"),
            ("stagecraft.protected", "true"),
            ("stagecraft.role", "app"),
            ("team", "search"),
        ];
        assert_eq!(labels, labels_of(expected));
    }

    #[test]
    fn a_server_that_lacks_one_owner_label_is_foreign() {
        let order = order("db-1");
        let ours = written(&order.owner, &order.spec.image, &order.marks, &order.pins).unwrap();
        for key in [PROJECT, ENVIRONMENT, HOST] {
            let mut labels = ours.clone();
            labels.remove(key);
            assert_eq!(owner(&labels), None, "without {key}");
            labels.insert(key.to_owned(), "Not A Name".to_owned());
            assert_eq!(owner(&labels), None, "{key} is no name");
        }
        let mut labels = ours;
        labels.remove(ROLE);
        assert_eq!(marks("a", &labels), None);
    }

    #[test]
    fn labels_nobody_knows_are_tags_so_that_an_update_removes_them() {
        let labels = labels_of([
            ("stagecraft.role", "app"),
            ("stagecraft.shoe-size", "44"),
            ("stagecraft", ""),
            ("example.com/owner", "kim"),
        ]);
        let tags = tags_of(["stagecraft.shoe-size:44", "stagecraft", "example.com/owner:kim"]);
        assert_eq!(marks("a", &labels).unwrap().tags, tags);
    }

    #[test]
    fn a_server_is_protected_unless_its_label_says_that_it_is_not() {
        let protected = |value| {
            let labels = labels_of([(ROLE, "app"), (PROTECTED, value)]);
            marks("a", &labels).unwrap().protected
        };
        assert_eq!(["true", "yes", "", "false"].map(protected), [true, true, true, false]);
    }

    #[test]
    fn tags_that_cannot_be_labels_are_refused() {
        let refusal = |tags: &[&str]| {
            let mut order = order("db-1");
            order.marks.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            written(&order.owner, &order.spec.image, &order.marks, &order.pins).unwrap_err()
        };
        let long = "x".repeat(64);
        for tag in ["", ":", "a:", ":b", "a:b:c", "a b", "-a", "a.", "a:_b", "é", "x/y", &long] {
            assert_eq!(refusal(&[tag]), BadTag::Shape(tag.to_owned()), "{tag}");
        }
        for tag in ["stagecraft", "stagecraft.host:web-1", "stagecraftx"] {
            assert_eq!(refusal(&[tag]), BadTag::Reserved(tag.to_owned()));
        }
        assert_eq!(refusal(&["team", "team:a"]), BadTag::Doubled("team".to_owned()));
        assert_eq!(refusal(&["team:a", "team:b"]), BadTag::Doubled("team".to_owned()));
    }

    #[test]
    fn pinned_keys_are_labels_and_no_tags() {
        let mut order = order("db-1");
        let [first, own] = [HostKey::new([1; 32]), HostKey::new([2; 32])];
        order.pins = Pins { first: Some(first), own: Some(own) };
        let mut labels =
            written(&order.owner, &order.spec.image, &order.marks, &order.pins).unwrap();
        assert_eq!(labels["stagecraft.host-key"], own.to_label());
        assert!(labels.values().all(|value| value.is_empty() || is_word(value)), "{labels:?}");
        assert_eq!(pins(&labels), order.pins);
        assert_eq!(marks("a", &labels).unwrap().tags, order.marks.tags);
        labels.insert(HOST_KEY.to_owned(), "notakey".to_owned());
        assert_eq!(pins(&labels), Pins::of_order(first));
    }

    #[test]
    fn a_selector_asks_for_project_and_environment() {
        let scope = order("db-1").owner.scope;
        assert_eq!(selector(&scope), "stagecraft.project=shop,stagecraft.environment=staging");
    }

    fn labels_of<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    fn tags_of<const N: usize>(tags: [&str; N]) -> BTreeSet<String> {
        tags.map(str::to_owned).into()
    }
}
