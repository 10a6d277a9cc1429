//! Droplets as [`Instance`]s, as pure functions.

use std::net::IpAddr;

use stagecraft_core::cloud::{CloudError, CloudErrorKind, CreateInstance};
use stagecraft_core::desired::{Arch, ProviderId};
use stagecraft_core::inventory::{Instance, Lifecycle, Marks, Spec};
use stagecraft_core::name::{InstanceId, Region, Scope, Size};

use super::catalogue;
use super::labels::{self, Carried, Tagged};
use super::wire::{Droplet, Network, NetworkKind, Slug, Status};
use crate::Doing;

/// Stands for what an answer does not say.
pub(super) const UNKNOWN: &str = "unknown";

/// What a droplet is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// One of ours.
    Ours(Box<Instance>),
    /// Not ours.
    Foreign,
    /// It shows no tags at all, as everything does to tokens that may not read them.
    Bare,
    /// It has several of these tags and may have only one.
    Contradictory(Vec<String>),
}

/// A droplet as an instance.
pub(super) fn sight(droplet: &Droplet) -> Sight {
    let tags = droplet.tags.as_deref().unwrap_or_default();
    let carried = match labels::read(tags) {
        Tagged::Ours(carried) => carried,
        Tagged::Foreign if tags.is_empty() => return Sight::Bare,
        Tagged::Foreign => return Sight::Foreign,
        Tagged::Contradictory(tags) => return Sight::Contradictory(tags),
    };
    let Carried { owner, role, image, protected, pins, tags } = carried;
    let slug = |of: &Option<Slug>| of.as_ref().and_then(|of| of.slug.clone());
    let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let address = address(droplet);
    Sight::Ours(Box::new(Instance {
        id: InstanceId(droplet.id.to_string()),
        provider: ProviderId::DigitalOcean,
        owner,
        lifecycle: lifecycle(droplet.status, address),
        spec: Spec {
            region: Region(known(slug(&droplet.region))),
            size: Size(known(droplet.size_slug.clone())),
            image: image
                .or_else(|| catalogue::portable(slug(&droplet.image)?.as_str()))
                .unwrap_or_else(|| UNKNOWN.into()),
            arch: Arch::Amd64,
            spot: false,
        },
        marks: Marks { name: droplet.name.clone(), role, protected, tags },
        pins,
        address,
        ssh: None,
        created_at: droplet.created_at,
        // A droplet says nothing about what went wrong with it.
        trouble: None,
    }))
}

/// A droplet that was found by the tag of a scope; `None` when it is not one of ours.
///
/// # Errors
/// When it does not show by which tag it was found, so that nobody can say whose it is.
pub(super) fn listed(
    droplet: &Droplet,
    scope: &Scope,
    doing: &Doing,
) -> Result<Option<Instance>, CloudError> {
    let tag = labels::of_scope(scope);
    match sight(droplet) {
        Sight::Ours(instance) if instance.owner.scope == *scope => Ok(Some(*instance)),
        Sight::Foreign if droplet.tags.iter().flatten().any(|of| labels::plain(of) == tag) => {
            Ok(None)
        }
        Sight::Bare => Err(cannot_read_tags(doing)),
        Sight::Contradictory(tags) => Err(contradictory(doing, droplet.id, &tags)),
        Sight::Ours(_) | Sight::Foreign => {
            let why = format!("droplet {} was listed for the tag `{tag}` without it", droplet.id);
            Err(doing.failed(CloudErrorKind::ProviderFault(why)))
        }
    }
}

/// The droplet that was made for an order.
///
/// # Errors
/// When it does not show the tags of its owner. It is there all the same, and another would be
/// alike, so it must not be ordered again only because no list shows it.
pub(super) fn made(
    droplet: &Droplet,
    order: &CreateInstance,
    doing: &Doing,
) -> Result<Instance, CloudError> {
    match sight(droplet) {
        Sight::Ours(instance) if instance.owner == order.owner => Ok(*instance),
        Sight::Bare => {
            let why = format!("droplet {} was made, and its tags cannot be read", droplet.id);
            let kind = CloudErrorKind::Forbidden(why);
            Err(CloudError { kind, ..cannot_read_tags(doing) }.maybe_done().lasting())
        }
        Sight::Ours(_) | Sight::Foreign | Sight::Contradictory(_) => {
            let why = format!("droplet {} has other tags than were ordered", droplet.id);
            Err(doing.in_doubt(CloudErrorKind::UnexpectedAnswer(why)).lasting().with_hint(format!(
                "look at droplet {} at https://cloud.digitalocean.com, and remove it there unless \
                 `stagecraft infra status` shows it",
                droplet.id
            )))
        }
    }
}

/// Nobody can say whose a droplet is.
pub(super) fn cannot_read_tags(doing: &Doing) -> CloudError {
    doing
        .failed(CloudErrorKind::Forbidden("the token may not read tags".to_owned()))
        .with_hint("give the token the scope `tag:read`: tags say which droplets are yours")
}

/// A droplet has several tags of which it may have one.
pub(super) fn contradictory(doing: &Doing, droplet: u64, tags: &[String]) -> CloudError {
    let list: Vec<String> = tags.iter().map(|tag| format!("`{tag}`")).collect();
    let why = format!("droplet {droplet} has the tags {}", list.join(" and "));
    doing
        .failed(CloudErrorKind::Conflict(why))
        .with_hint("remove the wrong tag from the droplet at https://cloud.digitalocean.com")
}

fn lifecycle(status: Status, address: Option<IpAddr>) -> Lifecycle {
    match status {
        Status::Active if address.is_some() => Lifecycle::Running,
        // Addresses come after it is active, sometimes by half a minute.
        Status::Active | Status::New | Status::Unknown => Lifecycle::Pending,
        Status::Off | Status::Archive => Lifecycle::Stopped,
    }
}

/// The public address, of version 4 where there is one. The first of the list may be private.
fn address(droplet: &Droplet) -> Option<IpAddr> {
    let networks = droplet.networks.as_ref()?;
    let public = |of: &Option<Vec<Network>>| {
        of.iter()
            .flatten()
            .filter(|network| network.kind == Some(NetworkKind::Public))
            .find_map(|network| network.ip_address.as_ref()?.parse().ok())
    };
    public(&networks.v4).or_else(|| public(&networks.v6))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::digitalocean::fixtures::{droplet, order};

    #[test]
    fn an_active_droplet_is_a_running_instance_at_its_public_address() {
        let host = ours(droplet(7));
        let request = order("db-1");
        assert_eq!(host.id.as_str(), "7");
        assert_eq!(
            (host.owner, host.spec, host.marks),
            (request.owner, request.spec, request.marks)
        );
        assert_eq!(host.lifecycle, Lifecycle::Running);
        assert_eq!(host.address, Some([203, 0, 113, 7].into()));
        assert_eq!(host.created_at, 1_795_255_200_000);
        assert_eq!((host.ssh, host.trouble), (None, None));
    }

    #[test]
    fn active_without_a_public_address_is_pending() {
        for networks in [
            json!({ "v4": [], "v6": [] }),
            json!({ "v4": [{ "ip_address": "10.108.0.3", "type": "private" }] }),
            json!({ "v4": [{ "ip_address": "203.0.113.7", "type": "reserved" }] }),
            json!({ "v4": null, "v6": null }),
            Value::Null,
        ] {
            let mut shown = droplet(7);
            shown["networks"] = networks;
            let host = ours(shown);
            assert_eq!((host.lifecycle, host.address), (Lifecycle::Pending, None));
        }
    }

    #[test]
    fn a_droplet_with_version_6_only_is_reached_there() {
        let mut shown = droplet(7);
        shown["networks"] = json!({
            "v4": [{ "ip_address": "10.108.0.3", "type": "private" }],
            "v6": [{ "ip_address": "2604:a880:0:1010::18a:a001", "netmask": 64, "type": "public" }],
        });
        let host = ours(shown);
        assert_eq!(host.address.unwrap().to_string(), "2604:a880:0:1010::18a:a001");
        assert_eq!(host.lifecycle, Lifecycle::Running);
    }

    #[test]
    fn every_status_has_its_place_in_life() {
        for (status, lifecycle) in [
            ("new", Lifecycle::Pending),
            ("active", Lifecycle::Running),
            ("off", Lifecycle::Stopped),
            ("archive", Lifecycle::Stopped),
            ("hibernating", Lifecycle::Pending),
        ] {
            let mut shown = droplet(7);
            shown["status"] = status.into();
            assert_eq!(ours(shown).lifecycle, lifecycle, "{status}");
        }
    }

    #[test]
    fn the_image_is_the_one_ordered_whatever_the_provider_calls_it_now() {
        let mut shown = droplet(7);
        shown["image"] = Value::Null;
        assert_eq!(ours(shown.clone()).spec.image.as_str(), "ubuntu-22.04");
        shown["image"] = json!({ "slug": null });
        assert_eq!(ours(shown).spec.image.as_str(), "ubuntu-22.04");
    }

    #[test]
    fn what_is_null_is_unknown_and_hides_no_droplet() {
        let mut shown = droplet(7);
        for field in ["image", "size_slug", "region"] {
            shown[field] = Value::Null;
        }
        shown["tags"] = json!(["stagecraft:scope:shop:staging", "stagecraft:host:db-1"]);
        let host = ours(shown);
        let Spec { region, size, image, .. } = &host.spec;
        let known = (region.as_str(), size.as_str(), image.as_str(), host.marks.role.as_str());
        assert_eq!(known, ("unknown", "unknown", "unknown", "unknown"));
    }

    #[test]
    fn without_our_tag_the_image_is_that_of_the_droplet() {
        let mut shown = droplet(7);
        shown["tags"] = json!(["stagecraft:scope:shop:staging", "stagecraft:host:db-1"]);
        shown["image"]["slug"] = "debian-12-x64".into();
        assert_eq!(ours(shown).spec.image.as_str(), "debian-12");
    }

    #[test]
    fn tags_that_are_not_shown_are_not_taken_for_none() {
        for tags in [json!([]), Value::Null] {
            let mut shown = droplet(7);
            shown["tags"] = tags;
            assert_eq!(sight(&read(shown.clone())), Sight::Bare);
            let error = list(shown).unwrap_err();
            assert!(matches!(error.kind, CloudErrorKind::Forbidden(_)), "{error}");
            assert!(error.hints[0].contains("tag:read"), "{:?}", error.hints);
        }
    }

    #[test]
    fn a_list_shows_only_droplets_of_its_scope() {
        assert_eq!(list(droplet(7)).unwrap().unwrap().id.as_str(), "7");
        let mut shown = droplet(7);
        shown["tags"] = json!(["Stagecraft:Scope:shop:staging", "blue"]);
        assert_eq!(list(shown).unwrap(), None, "it has no host's tag");
    }

    #[test]
    fn a_droplet_listed_for_a_tag_it_does_not_show_is_looked_at_again() {
        for tags in [json!(["blue"]), json!(["stagecraft:scope:shop:prod", "stagecraft:host:db-1"])]
        {
            let mut shown = droplet(7);
            shown["tags"] = tags;
            let error = list(shown).unwrap_err();
            assert!(matches!(error.kind, CloudErrorKind::ProviderFault(_)), "{error}");
        }
    }

    #[test]
    fn a_droplet_of_two_hosts_stops_the_list_and_names_the_tags() {
        let mut shown = droplet(7);
        shown["tags"].as_array_mut().unwrap().push("stagecraft:host:db-2".into());
        let error = list(shown).unwrap_err();
        assert_eq!(
            error.to_string(),
            "digitalocean could not list: droplet 7 has the tags `stagecraft:host:db-1` and \
             `stagecraft:host:db-2`"
        );
    }

    #[test]
    fn a_new_droplet_without_the_tags_ordered_leaves_a_doubt() {
        let request = order("db-1");
        let doing = Doing::changing(ProviderId::DigitalOcean, "create host `db-1`");
        let made = |tags: Value| {
            let mut shown = droplet(7);
            shown["tags"] = tags;
            made(&read(shown), &request, &doing).unwrap_err()
        };
        let blind = made(json!([]));
        assert!(matches!(blind.kind, CloudErrorKind::Forbidden(_)), "{blind}");
        let other = made(json!(["stagecraft:scope:shop:staging", "stagecraft:host:db-2"]));
        assert!(matches!(other.kind, CloudErrorKind::UnexpectedAnswer(_)), "{other}");
        for error in [blind, other] {
            assert!(error.maybe_done && error.lasting, "it exists, and another would be alike");
            assert!(error.to_string().contains("droplet 7 "), "{error}");
        }
    }

    fn read(droplet: Value) -> Droplet {
        serde_json::from_value(droplet).unwrap()
    }

    fn ours(droplet: Value) -> Instance {
        let Sight::Ours(instance) = sight(&read(droplet)) else { panic!("it is not ours") };
        *instance
    }

    fn list(droplet: Value) -> Result<Option<Instance>, CloudError> {
        let scope = order("db-1").owner.scope;
        listed(&read(droplet), &scope, &Doing::reading(ProviderId::DigitalOcean, "list"))
    }
}
