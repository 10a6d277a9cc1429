//! Requests, as pure functions.

use std::collections::BTreeSet;

use serde_json::json;
use stagecraft_core::cloud::{CloudErrorKind, CreateInstance};
use stagecraft_core::inventory::{Instance, Marks};
use stagecraft_core::name::{InstanceId, Scope};

use super::catalogue;
use super::labels;
use super::sight::UNKNOWN;
use super::wire::Droplet;
use crate::http::Request;

/// The number the API knows a droplet by. A text that is none never becomes part of a request.
pub(super) fn number(id: &InstanceId) -> Option<u64> {
    id.as_str().parse().ok()
}

/// All droplets of a scope, page by page.
pub(super) fn in_scope(scope: &Scope) -> Request {
    Request::get(["droplets"]).with("tag_name", labels::of_scope(scope))
}

/// One droplet.
pub(super) fn look(id: u64) -> Request {
    Request::get(["droplets", &id.to_string()])
}

/// How many droplets the account has; one of them comes along.
pub(super) fn count() -> Request {
    Request::get(["droplets"]).with("per_page", 1)
}

/// Whether the token may read tags.
pub(super) fn tags() -> Request {
    Request::get(["tags"]).with("per_page", 1)
}

/// The account.
pub(super) fn account() -> Request {
    Request::get(["account"])
}

/// An order for a droplet that the key of this number may log in to.
///
/// # Errors
/// What of it DigitalOcean does not have.
pub(super) fn order(request: &CreateInstance, key: u64) -> Result<Request, CloudErrorKind> {
    let CreateInstance { owner, spec, marks, pins, user_data } = request;
    let body = json!({
        "name": marks.name,
        "region": spec.region,
        "size": spec.size,
        "image": catalogue::slug(spec)?,
        "ssh_keys": [key],
        "tags": labels::all(owner, marks, Some(&spec.image), pins),
    });
    labels::check(&marks.tags)?;
    Ok(Request::post(["droplets"], body).with_user_data(user_data.as_ref()))
}

/// An action of a droplet.
pub(super) fn power_on(id: u64) -> Request {
    Request::post(["droplets", &id.to_string(), "actions"], json!({ "type": "power_on" }))
}

/// Another name for a droplet.
pub(super) fn rename(id: u64, name: &str) -> Request {
    let body = json!({ "type": "rename", "name": name });
    Request::post(["droplets", &id.to_string(), "actions"], body)
}

/// The end of one droplet; a droplet's number is always part of it.
pub(super) fn destroy(id: u64) -> Request {
    Request::delete(["droplets", &id.to_string()])
}

/// A tag for the account; one that exists is answered as it is written there.
pub(super) fn make_tag(name: &str) -> Request {
    Request::post(["tags"], json!({ "name": name }))
}

/// Takes a tag off all droplets, and out of the account.
pub(super) fn remove_tag(name: &str) -> Request {
    Request::delete(["tags", name])
}

/// Adds a tag that exists to a droplet.
pub(super) fn attach(tag: &str, id: u64) -> Request {
    Request::post(["tags", tag, "resources"], resources(id))
}

/// Takes a tag, as the droplet shows it, off a droplet.
pub(super) fn detach(tag: &str, id: u64) -> Request {
    Request::delete(["tags", tag, "resources"]).with_body(resources(id))
}

fn resources(id: u64) -> serde_json::Value {
    json!({ "resources": [{ "resource_id": id.to_string(), "resource_type": "droplet" }] })
}

/// What has to change on a droplet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Tags to add, before any is taken off: it stays known as ours at every point.
    pub(super) attach: BTreeSet<String>,
    /// Tags to take off, as the droplet shows them.
    pub(super) detach: BTreeSet<String>,
    /// Its new name.
    pub(super) rename: Option<String>,
}

/// From what a droplet carries to what it shall carry.
///
/// # Errors
/// The first tag that it cannot carry.
pub(super) fn changes(
    droplet: &Droplet,
    instance: &Instance,
    marks: &Marks,
) -> Result<Changes, CloudErrorKind> {
    labels::check(&marks.tags)?;
    let image = (instance.spec.image.as_str() != UNKNOWN).then_some(&instance.spec.image);
    let wanted = labels::all(&instance.owner, marks, image, &instance.pins);
    let shown = || droplet.tags.iter().flatten().map(|tag| (labels::plain(tag), tag));
    let there: BTreeSet<String> = shown().map(|(plain, _)| plain).collect();
    let attach = wanted.difference(&there).cloned().collect();
    // One that is shown twice is one tag.
    let too_much = shown().filter(|(plain, _)| !wanted.contains(plain));
    let detach = too_much.map(|(_, tag)| tag.clone()).collect();
    let rename = (droplet.name != marks.name).then(|| marks.name.clone());
    Ok(Changes { attach, detach, rename })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::digitalocean::fixtures::{droplet, order};
    use crate::digitalocean::sight::{Sight, sight};

    #[test]
    fn an_order_says_everything_in_one_request() {
        let mut request = order("db-1");
        request.marks.protected = true;
        let request = super::order(&request, 512_189).unwrap();
        let (line, body) = request.told();
        assert_eq!(line, "POST /droplets");
        let expected = json!({
            "name": "staging-db-1",
            "region": "nyc3",
            "size": "s-2vcpu-4gb",
            "image": "ubuntu-22-04-x64",
            "ssh_keys": [512_189],
            "tags": [
                "blue",
                "stagecraft:host:db-1",
                "stagecraft:image:ubuntu-22_04",
                "stagecraft:protected",
                "stagecraft:role:app",
                "stagecraft:scope:shop:staging",
            ],
        });
        assert_eq!(body, Some(&expected));
    }

    #[test]
    fn what_cannot_be_had_is_not_ordered() {
        let refused = |change: fn(&mut CreateInstance)| {
            let mut request = order("db-1");
            change(&mut request);
            super::order(&request, 1).unwrap_err().to_string()
        };
        assert_eq!(
            refused(|of| of.spec.arch = stagecraft_core::desired::Arch::Arm64),
            "it has no arm64 machines"
        );
        assert_eq!(refused(|of| of.spec.spot = true), "it does not support spot machines");
        assert_eq!(
            refused(|of| of.spec.image = "fedora-42".into()),
            "the image `fedora-42` is none of debian-12, ubuntu-22.04, ubuntu-24.04"
        );
        let refused = refused(|of| of.marks.tags = ["Team X".to_owned()].into());
        assert!(refused.starts_with("the tag `Team X` cannot be used"), "{refused}");
    }

    #[test]
    fn requests_are_as_the_api_describes_them() {
        let scope = order("db-1").owner.scope;
        assert_eq!(line(&in_scope(&scope)), "GET /droplets?tag_name=stagecraft:scope:shop:staging");
        assert_eq!(line(&look(7)), "GET /droplets/7");
        assert_eq!(line(&count()), "GET /droplets?per_page=1");
        assert_eq!(line(&tags()), "GET /tags?per_page=1");
        assert_eq!(line(&account()), "GET /account");
        assert_eq!(line(&destroy(7)), "DELETE /droplets/7");
        let body = json!({ "type": "power_on" });
        assert_eq!(power_on(7).told(), ("POST /droplets/7/actions".to_owned(), Some(&body)));
        let body = json!({ "type": "rename", "name": "a-b" });
        assert_eq!(rename(7, "a-b").told(), ("POST /droplets/7/actions".to_owned(), Some(&body)));
        let body = json!({ "name": "blue" });
        assert_eq!(make_tag("blue").told(), ("POST /tags".to_owned(), Some(&body)));
        let body = json!({ "resources": [{ "resource_id": "7", "resource_type": "droplet" }] });
        assert_eq!(attach("a:b", 7).told(), ("POST /tags/a:b/resources".to_owned(), Some(&body)));
        assert_eq!(detach("B", 7).told(), ("DELETE /tags/B/resources".to_owned(), Some(&body)));
    }

    #[test]
    fn an_id_that_is_no_number_never_becomes_part_of_a_request() {
        for odd in ["", "..", "7/../8", "-7", "7 ", "99999999999999999999999"] {
            assert_eq!(number(&odd.into()), None, "{odd}");
        }
        assert_eq!(number(&"3164444".into()), Some(3_164_444));
    }

    #[test]
    fn no_request_removes_droplets_by_a_tag() {
        // `DELETE /droplets?tag_name=` removes everything that has a tag.
        assert_eq!(destroy(7).told(), ("DELETE /droplets/7".to_owned(), None));
        for tag in ["", "..", "a/b"] {
            let (line, body) = (line(&detach(tag, 7)), detach(tag, 7));
            assert!(line.starts_with("DELETE /tags/") && line.ends_with("/resources"), "{line}");
            assert!(body.told().1.is_some(), "only what the body names");
        }
    }

    #[test]
    fn an_update_without_a_difference_changes_nothing() {
        let (droplet, instance) = seen(droplet(7));
        assert_eq!(changes(&droplet, &instance, &instance.marks), Ok(Changes::default()));
    }

    #[test]
    fn an_update_adds_what_is_missing_and_takes_off_what_is_too_much() {
        let (droplet, instance) = seen(droplet(7));
        let marks = Marks {
            name: "staging-db-9".to_owned(),
            role: "db".parse().unwrap(),
            protected: true,
            tags: ["green".to_owned()].into(),
        };
        let changes = changes(&droplet, &instance, &marks).unwrap();
        let set = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        assert_eq!(changes.attach, set(&["green", "stagecraft:protected", "stagecraft:role:db"]));
        assert_eq!(changes.detach, set(&["blue", "stagecraft:role:app"]));
        assert_eq!(changes.rename.as_deref(), Some("staging-db-9"));
    }

    #[test]
    fn tags_are_compared_without_case_and_taken_off_as_they_are_written() {
        let mut shown = droplet(7);
        shown["tags"] = json!([
            "Stagecraft:Scope:shop:staging",
            "stagecraft:host:DB-1",
            "stagecraft:role:app",
            "stagecraft:image:ubuntu-22_04",
            "BLUE",
            "Old",
        ]);
        let (droplet, instance) = seen(shown);
        let marks = Marks { tags: ["blue".to_owned()].into(), ..instance.marks.clone() };
        let changes = changes(&droplet, &instance, &marks).unwrap();
        assert_eq!((changes.attach.len(), changes.detach), (0, ["Old".to_owned()].into()));
    }

    #[test]
    fn a_tag_that_is_shown_twice_stays_on() {
        let mut shown = droplet(7);
        let tags = shown["tags"].as_array_mut().unwrap();
        tags.extend(["Stagecraft:Scope:shop:staging", "stagecraft:host:db-1"].map(Value::from));
        let (droplet, instance) = seen(shown);
        assert_eq!(changes(&droplet, &instance, &instance.marks), Ok(Changes::default()));
    }

    #[test]
    fn an_update_takes_off_what_an_earlier_one_left_and_writes_what_is_lost() {
        let mut shown = droplet(7);
        let tags = shown["tags"].as_array_mut().unwrap();
        tags.retain(|tag| tag != "stagecraft:image:ubuntu-22_04");
        tags.push("stagecraft:role:web".into());
        let (droplet, instance) = seen(shown);
        let marks = Marks { tags: ["blue".to_owned()].into(), ..instance.marks.clone() };
        assert_ne!(instance.marks, marks, "the plan sees a difference");
        let changes = changes(&droplet, &instance, &marks).unwrap();
        assert_eq!(changes.attach, ["stagecraft:image:ubuntu-22_04".to_owned()].into());
        assert_eq!(changes.detach, ["stagecraft:role:web".to_owned()].into());
    }

    fn line(request: &Request) -> String {
        request.told().0
    }

    fn seen(droplet: Value) -> (Droplet, Instance) {
        let droplet: Droplet = serde_json::from_value(droplet).unwrap();
        let Sight::Ours(instance) = sight(&droplet) else { panic!("{droplet:?} is not ours") };
        (droplet, *instance)
    }
}
