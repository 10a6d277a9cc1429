//! What is written on a droplet as tags, and how it is read back.
//!
//! | tag | says |
//! |---|---|
//! | `stagecraft:scope:{project}:{environment}` | whose it is; lists are filtered by it |
//! | `stagecraft:host:{host}` | which host it is |
//! | `stagecraft:role:{role}` | the host's role |
//! | `stagecraft:image:{image}` | the portable name of the image it was ordered with |
//! | `stagecraft:protected` | it is protected |
//! | `stagecraft:first-key:{key}` | the host key for its first boot, as [`HostKey::to_label`] writes it |
//! | `stagecraft:host-key:{key}` | the host key it made itself |
//! | any other | a tag of the user's |
//!
//! The first two make a droplet ours; names of ours have no `:`, so no two scopes share a tag. The
//! tags are public interface: hosts made by an older version carry them.
//!
//! DigitalOcean compares tags without case and keeps the case of their first use in the account,
//! so they are read in lower case here, and never written otherwise.

use std::collections::BTreeSet;

use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::{Instance, Marks, Owner};
use stagecraft_core::name::{Image, RoleName, Scope};

const PREFIX: &str = "stagecraft:";
const SCOPE: &str = "stagecraft:scope:";
const HOST: &str = "stagecraft:host:";
const ROLE: &str = "stagecraft:role:";
const IMAGE: &str = "stagecraft:image:";
const PROTECTED: &str = "stagecraft:protected";
const FIRST_KEY: &str = "stagecraft:first-key:";
const HOST_KEY: &str = "stagecraft:host-key:";

/// No tag of DigitalOcean's is longer.
const LONGEST: usize = 255;

/// What the tags of a droplet say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tagged {
    /// It is ours.
    Ours(Carried),
    /// It is not ours.
    Foreign,
    /// It has several tags of which it may have only one, and so nobody can say whose it is.
    Contradictory(Vec<String>),
}

/// What a droplet of ours carries, but for its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) owner: Owner,
    pub(super) role: RoleName,
    /// `None` if somebody removed the tag or added another.
    pub(super) image: Option<Image>,
    pub(super) protected: bool,
    /// Of two keys of a kind none is believed.
    pub(super) pins: Pins,
    /// Whatever is not one of ours, and what is superfluous of ours, so that an update removes it.
    pub(super) tags: BTreeSet<String>,
}

/// The tag of all droplets of a scope.
pub(super) fn of_scope(scope: &Scope) -> String {
    format!("{SCOPE}{}:{}", scope.project, scope.environment)
}

/// All tags of a droplet.
pub(super) fn all(
    owner: &Owner,
    marks: &Marks,
    image: Option<&Image>,
    pins: &Pins,
) -> BTreeSet<String> {
    let mut tags = marks.tags.clone();
    tags.insert(of_scope(&owner.scope));
    tags.insert(format!("{HOST}{}", owner.host));
    tags.insert(format!("{ROLE}{}", marks.role));
    // Tags have no `.`, and names of images no `_`.
    tags.extend(image.map(|image| format!("{IMAGE}{}", image.as_str().replace('.', "_"))));
    if marks.protected {
        tags.insert(PROTECTED.to_owned());
    }
    tags.extend(of_pins(pins));
    tags
}

/// The tags that only one droplet ever has.
pub(super) fn of_pins(pins: &Pins) -> BTreeSet<String> {
    let first = pins.first.map(|key| format!("{FIRST_KEY}{}", key.to_label()));
    let own = pins.own.map(|key| format!("{HOST_KEY}{}", key.to_label()));
    first.into_iter().chain(own).collect()
}

/// The tags of pinned keys that a droplet shows, also those that are not believed because there are two
/// of a kind.
pub(super) fn all_pins(instance: &Instance) -> BTreeSet<String> {
    let is_pin = |tag: &&String| tag.starts_with(FIRST_KEY) || tag.starts_with(HOST_KEY);
    let surplus = instance.marks.tags.iter().filter(is_pin).cloned();
    of_pins(&instance.pins).into_iter().chain(surplus).collect()
}

/// Whether the user's tags can be written and read back.
///
/// # Errors
/// The first that cannot.
pub(super) fn check(tags: &BTreeSet<String>) -> Result<(), CloudErrorKind> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b':' | b'-');
    let good = |tag: &&String| {
        (1..=LONGEST).contains(&tag.len()) && tag.bytes().all(allowed) && !tag.starts_with(PREFIX)
    };
    match tags.iter().find(|tag| !good(tag)) {
        None => Ok(()),
        Some(bad) => Err(CloudErrorKind::InvalidInput(format!(
            "the tag `{bad}` cannot be used (DigitalOcean's tags have a-z, 0-9, `_`, `:` and `-`, \
             1 to {LONGEST} characters; those that begin with `{PREFIX}` are Stagecraft's own)"
        ))),
    }
}

/// The tag as it is compared.
pub(super) fn plain(tag: &str) -> String {
    tag.to_ascii_lowercase()
}

/// Reads the tags of a droplet.
pub(super) fn read(tags: &[String]) -> Tagged {
    let mut rest: BTreeSet<String> = tags.iter().map(|tag| plain(tag)).collect();
    let scopes = taken(&mut rest, SCOPE, scope);
    let hosts = taken(&mut rest, HOST, |text| text.parse().ok());
    if scopes.len() > 1 && !hosts.is_empty() {
        return Tagged::Contradictory(scopes.iter().map(|(tag, _)| tag.clone()).collect());
    }
    if hosts.len() > 1 && !scopes.is_empty() {
        return Tagged::Contradictory(hosts.iter().map(|(tag, _)| tag.clone()).collect());
    }
    let owner = match (scopes.into_iter().next(), hosts.into_iter().next()) {
        (Some((_, scope)), Some((_, host))) => Owner { scope, host },
        _ => return Tagged::Foreign,
    };
    // Of two roles one was left by an update that was cut short: it counts as a tag.
    let mut roles = taken(&mut rest, ROLE, |text| text.parse().ok()).into_iter();
    let role = roles.next().map(|(_, role)| role);
    rest.extend(roles.map(|(tag, _)| tag));
    // No update writes a second image, so nobody knows which of two is true.
    let image = only(&mut rest, IMAGE, image);
    let key = |text: &str| HostKey::from_label(text).ok();
    let pins = Pins { first: only(&mut rest, FIRST_KEY, key), own: only(&mut rest, HOST_KEY, key) };
    let protected = rest.remove(PROTECTED);
    let Some(role) = role.or_else(|| "unknown".parse().ok()) else { return Tagged::Foreign };
    Tagged::Ours(Carried { owner, role, image, protected, pins, tags: rest })
}

/// Takes all tags that begin so and can be read.
fn taken<T>(
    tags: &mut BTreeSet<String>,
    prefix: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<(String, T)> {
    let found: Vec<(String, T)> = tags
        .iter()
        .filter_map(|tag| Some((tag.clone(), read(tag.strip_prefix(prefix)?)?)))
        .collect();
    for (tag, _) in &found {
        tags.remove(tag);
    }
    found
}

/// Takes the tag that begins so if there is exactly one that can be read; leaves them if there are more.
fn only<T>(
    tags: &mut BTreeSet<String>,
    prefix: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let mut found = taken(tags, prefix, read);
    if found.len() == 1 {
        return found.pop().map(|(_, value)| value);
    }
    tags.extend(found.into_iter().map(|(tag, _)| tag));
    None
}

fn scope(text: &str) -> Option<Scope> {
    let (project, environment) = text.split_once(':')?;
    Some(Scope { project: project.parse().ok()?, environment: environment.parse().ok()? })
}

fn image(text: &str) -> Option<Image> {
    (!text.is_empty() && !text.contains(':')).then(|| Image(text.replace('_', ".")))
}

#[cfg(test)]
mod tests {
    use stagecraft_core::cloud::CreateInstance;

    use super::*;
    use crate::digitalocean::fixtures::order;

    #[test]
    fn what_is_written_is_read_back() {
        let mut request = order("db-1");
        request.marks.protected = true;
        request.marks.tags = ["team:x".to_owned(), "blue_1".to_owned()].into();
        let carried = ours(&written(&request));
        assert_eq!(carried.owner, request.owner);
        assert_eq!(carried.role, request.marks.role);
        assert_eq!(carried.image, Some(request.spec.image));
        assert!(carried.protected);
        assert_eq!(carried.tags, request.marks.tags);
    }

    #[test]
    fn tags_are_as_documented() {
        let mut request = order("db-1");
        request.marks.protected = true;
        assert_eq!(
            written(&request),
            [
                "blue",
                "stagecraft:host:db-1",
                "stagecraft:image:ubuntu-22_04",
                "stagecraft:protected",
                "stagecraft:role:app",
                "stagecraft:scope:shop:staging",
            ]
        );
    }

    #[test]
    fn tags_are_read_whatever_their_case() {
        let tags = [
            "Stagecraft:Scope:SHOP:staging",
            "STAGECRAFT:HOST:db-1",
            "stagecraft:Role:app",
            "StageCraft:Image:Ubuntu-22_04",
            "stagecraft:PROTECTED",
            "Blue",
        ];
        let carried = ours(&tags.map(str::to_owned));
        assert_eq!(carried.owner, order("db-1").owner);
        assert_eq!(carried.image, Some("ubuntu-22.04".into()));
        assert!(carried.protected);
        assert_eq!(carried.tags, ["blue".to_owned()].into());
    }

    #[test]
    fn a_droplet_that_lacks_a_tag_of_its_owner_is_foreign() {
        for missing in [SCOPE, HOST] {
            let mut tags = written(&order("db-1"));
            tags.retain(|tag| !tag.starts_with(missing));
            assert_eq!(read(&tags), Tagged::Foreign, "without {missing}");
            tags.push(format!("{missing}Not A Name"));
            assert_eq!(read(&tags), Tagged::Foreign, "with a bad {missing}");
        }
        assert_eq!(read(&[]), Tagged::Foreign);
    }

    #[test]
    fn a_droplet_of_two_hosts_or_scopes_is_nobodys_and_says_why() {
        for (own, other) in [
            ("stagecraft:host:db-1", "stagecraft:host:db-2"),
            ("stagecraft:scope:shop:staging", "stagecraft:scope:shop:prod"),
        ] {
            let mut tags = written(&order("db-1"));
            tags.push(other.to_owned());
            let Tagged::Contradictory(both) = read(&tags) else { panic!("{:?}", read(&tags)) };
            assert!(both.contains(&own.to_owned()) && both.contains(&other.to_owned()), "{both:?}");
        }
    }

    #[test]
    fn what_an_update_left_behind_counts_as_tags() {
        let mut tags = written(&order("db-1"));
        let left = ["stagecraft:role:web", "stagecraft:new:thing", "stagecraft:role:Not_A_Role"];
        tags.extend(left.map(str::to_owned));
        let carried = ours(&tags);
        assert_eq!(carried.role.as_str(), "app");
        assert_eq!(
            carried.tags,
            ["blue", left[0], left[1], "stagecraft:role:not_a_role"].map(str::to_owned).into()
        );
    }

    #[test]
    fn of_two_images_none_is_believed() {
        let mut tags = written(&order("db-1"));
        tags.push("stagecraft:image:debian-12".to_owned());
        let carried = ours(&tags);
        assert_eq!((carried.image, carried.tags.len()), (None, 3));
    }

    #[test]
    fn pinned_keys_are_tags_of_their_own_and_of_two_none_is_believed() {
        let mut request = order("db-1");
        let [first, own] = [HostKey::new([1; 32]), HostKey::new([2; 32])];
        request.pins = Pins { first: Some(first), own: Some(own) };
        let mut tags = written(&request);
        assert!(tags.contains(&format!("stagecraft:first-key:{}", first.to_label())), "{tags:?}");
        assert!(tags.iter().all(|tag| tag.len() <= LONGEST));
        let loud: Vec<String> = tags.iter().map(|tag| tag.to_uppercase()).collect();
        assert_eq!(ours(&loud).pins, request.pins, "their case does not matter");
        assert_eq!(ours(&tags).tags, request.marks.tags);
        let other = format!("stagecraft:host-key:{}", HostKey::new([3; 32]).to_label());
        tags.push(other.clone());
        let carried = ours(&tags);
        assert_eq!(carried.pins, Pins::of_order(first));
        assert!(carried.tags.contains(&other) && carried.tags.len() == 3, "{:?}", carried.tags);
        tags.push("stagecraft:first-key:notakey".to_owned());
        assert_eq!(ours(&tags).pins, Pins::of_order(first), "what is no key is none");
    }

    #[test]
    fn a_droplet_that_lost_role_and_image_is_still_ours() {
        let mut tags = written(&order("db-1"));
        tags.retain(|tag| !tag.starts_with(ROLE) && !tag.starts_with(IMAGE));
        let carried = ours(&tags);
        assert_eq!((carried.role.as_str(), carried.image), ("unknown", None));
    }

    #[test]
    fn tags_that_could_not_be_read_back_are_refused() {
        let check = |tag: &str| check(&[tag.to_owned()].into());
        for good in ["blue", "team:a-b_c", "0", "stagecraft"] {
            assert!(check(good).is_ok(), "{good}");
        }
        let long = "x".repeat(256);
        for bad in ["", "Blue", "a b", "a=b", "a.b", "stagecraft:host:x", "stagecraft:", &long] {
            let refused = check(bad).expect_err(bad).to_string();
            assert!(refused.starts_with(&format!("the tag `{bad}`")), "{refused}");
        }
    }

    fn written(request: &CreateInstance) -> Vec<String> {
        let CreateInstance { owner, spec, marks, pins, .. } = request;
        all(owner, marks, Some(&spec.image), pins).into_iter().collect()
    }

    fn ours(tags: &[String]) -> Carried {
        let Tagged::Ours(carried) = read(tags) else { panic!("{tags:?} are not ours") };
        carried
    }
}
