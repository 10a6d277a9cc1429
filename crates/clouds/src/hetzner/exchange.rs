//! Questions to the API, and servers as [`Instance`]s, as pure functions.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::{Arch, ProviderId};
use stagecraft_core::inventory::{Instance, Lifecycle, Spec};
use stagecraft_core::name::{InstanceId, Scope};

use super::labels::{self, Labels};
use super::wire::{Architecture, PublicNet, Server, ServerStatus};
use crate::http::Request;

/// Items per page: as many as the API gives.
pub(super) const PER_PAGE: u64 = 50;
/// How long after its order a server without an IPv4 is taken to be still waiting for it.
const YOUNG: Duration = Duration::from_secs(120);
/// As many actions as are answered at once when nothing is said of pages.
pub(super) const ACTIONS: usize = 25;

/// All servers of an environment. Ordered by id, a server made meanwhile comes last.
pub(super) fn servers(scope: &Scope) -> Request {
    Request::get(["servers"])
        .with("label_selector", labels::selector(scope))
        .with("sort", "id:asc")
        .with("per_page", PER_PAGE)
}

/// The server of this name; names are unique.
pub(super) fn server_named(name: &str) -> Request {
    Request::get(["servers"]).with("name", name)
}

/// How many servers there are in the project.
pub(super) fn count_of_servers() -> Request {
    Request::get(["servers"]).with("per_page", 1)
}

pub(super) fn server(id: &InstanceId) -> Request {
    Request::get(["servers", id.as_str()])
}

/// Orders a server. It is switched on when it is made, and has an IPv4 and an IPv6 that go with it.
pub(super) fn order(order: &CreateInstance, labels: &Labels, image: u64, key: &str) -> Request {
    let body = json!({
        "name": order.marks.name,
        "server_type": order.spec.size.as_str(),
        "location": order.spec.region.as_str(),
        // A name would stand for one image of each architecture.
        "image": image.to_string(),
        "ssh_keys": [key],
        "labels": labels,
    });
    Request::post(["servers"], body).with_user_data(order.user_data.as_ref())
}

/// Replaces name and labels, both or none.
pub(super) fn update(id: &InstanceId, name: &str, labels: &Labels) -> Request {
    Request::put(["servers", id.as_str()], json!({ "name": name, "labels": labels }))
}

/// Replaces the labels, all of them.
pub(super) fn relabel(id: &InstanceId, labels: &Labels) -> Request {
    Request::put(["servers", id.as_str()], json!({ "labels": labels }))
}

pub(super) fn remove(id: &InstanceId) -> Request {
    Request::delete(["servers", id.as_str()])
}

pub(super) fn switch_on(id: &InstanceId) -> Request {
    Request::act(["servers", id.as_str(), "actions", "poweron"])
}

/// At most [`ACTIONS`] actions.
pub(super) fn actions(ids: &[u64]) -> Request {
    ids.iter().fold(Request::get(["actions"]), |request, id| request.with("id", id))
}

pub(super) fn server_types() -> Request {
    Request::get(["server_types"]).with("per_page", PER_PAGE)
}

/// Images of the provider. Those that are deprecated are not among them.
pub(super) fn images() -> Request {
    Request::get(["images"]).with("type", "system").with("per_page", PER_PAGE)
}

pub(super) fn ssh_keys() -> Request {
    Request::get(["ssh_keys"]).with("per_page", PER_PAGE)
}

pub(super) fn pricing() -> Request {
    Request::get(["pricing"])
}

/// Something small that nobody but the owner of a token is told.
pub(super) fn anything() -> Request {
    Request::get(["locations"]).with("per_page", 1)
}

/// A server as an instance; `None` when it is not ours.
pub(super) fn instance(server: &Server) -> Option<Instance> {
    let owner = labels::owner(&server.labels)?;
    let marks = labels::marks(&server.name, &server.labels)?;
    let address = server.public_net.as_ref().and_then(address);
    // Somebody who edits labels by hand may have lost ours.
    let image = labels::image(&server.labels)
        .or_else(|| server.image.as_ref()?.name.as_deref().map(Into::into))
        .unwrap_or_else(|| "unknown".into());
    Some(Instance {
        id: InstanceId(server.id.to_string()),
        provider: ProviderId::Hetzner,
        owner,
        lifecycle: lifecycle(server.status, address.is_some()),
        spec: Spec {
            region: server.location.name.as_str().into(),
            size: server.server_type.name.as_str().into(),
            image,
            // A type of another architecture was not ordered by us, and its name tells as much.
            arch: arch(server.server_type.architecture).unwrap_or(Arch::Amd64),
            spot: false,
        },
        marks,
        pins: labels::pins(&server.labels),
        address,
        ssh: None,
        created_at: u64::try_from(server.created.as_millis()).unwrap_or(u64::MAX),
        trouble: None,
    })
}

/// Whether a server is so young that its IPv4 may still be on its way, by the API's own clock.
pub(super) fn is_new(instance: &Instance, now: Option<SystemTime>) -> bool {
    let created = UNIX_EPOCH.checked_add(Duration::from_millis(instance.created_at));
    now.zip(created)
        .is_some_and(|(now, created)| now.duration_since(created).unwrap_or_default() < YOUNG)
}

/// An architecture in our words, if it is one of those we know.
pub(super) fn arch(architecture: Architecture) -> Option<Arch> {
    match architecture {
        Architecture::X86 => Some(Arch::Amd64),
        Architecture::Arm => Some(Arch::Arm64),
        Architecture::Other => None,
    }
}

fn lifecycle(status: ServerStatus, reachable: bool) -> Lifecycle {
    match status {
        ServerStatus::Running if reachable => Lifecycle::Running,
        ServerStatus::Running
        | ServerStatus::Initializing
        | ServerStatus::Starting
        | ServerStatus::Migrating
        | ServerStatus::Rebuilding
        | ServerStatus::Unknown
        | ServerStatus::Other => Lifecycle::Pending,
        ServerStatus::Stopping | ServerStatus::Off => Lifecycle::Stopped,
        ServerStatus::Deleting => Lifecycle::Terminating,
    }
}

/// The IPv4 where there is one, else the address that a server takes of its IPv6 network.
fn address(net: &PublicNet) -> Option<IpAddr> {
    let v4 = || net.ipv4.as_ref()?.ip.as_deref()?.parse().ok();
    let v6 = || first_of(net.ipv6.as_ref()?.ip.as_deref()?);
    v4().or_else(v6)
}

/// The address `::1` of a network, or the address that is written instead of one.
fn first_of(network: &str) -> Option<IpAddr> {
    let Some((network, _)) = network.split_once('/') else { return network.parse().ok() };
    let network: Ipv6Addr = network.parse().ok()?;
    Some(Ipv6Addr::from_bits(network.to_bits() | 1).into())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::hetzner::fixtures;

    #[test]
    fn an_order_names_everything_in_one_request() {
        let asked = fixtures::order("db-1");
        let labels =
            labels::written(&asked.owner, &asked.spec.image, &asked.marks, &asked.pins).unwrap();
        let request = order(&asked, &labels, 114690387, "deploy");
        let (line, body) = request.told();
        assert_eq!(line, "POST /servers");
        let expected = json!({
            "name": "staging-db-1",
            "server_type": "cx23",
            "location": "fsn1",
            "image": "114690387",
            "ssh_keys": ["deploy"],
            "labels": {
                "blue": "",
                "stagecraft.environment": "staging",
                "stagecraft.host": "db-1",
                "stagecraft.image": "debian-12",
                "stagecraft.project": "shop",
                "stagecraft.role": "app",
                "team": "search",
            },
        });
        assert_eq!(body, Some(&expected));
    }

    #[test]
    fn every_other_request_is_as_described() {
        let scope = fixtures::order("db-1").owner.scope;
        let id = InstanceId::from("42");
        let selector = "stagecraft.project=shop,stagecraft.environment=staging";
        let labels = Labels::from([("team".to_owned(), "search".to_owned())]);
        let put = json!({ "name": "staging-db-1", "labels": { "team": "search" } });
        let requests: [(Request, String, Option<Value>); 11] = [
            (
                servers(&scope),
                format!("GET /servers?label_selector={selector}&sort=id:asc&per_page=50"),
                None,
            ),
            (server_named("staging-db-1"), "GET /servers?name=staging-db-1".to_owned(), None),
            (count_of_servers(), "GET /servers?per_page=1".to_owned(), None),
            (server(&id), "GET /servers/42".to_owned(), None),
            (update(&id, "staging-db-1", &labels), "PUT /servers/42".to_owned(), Some(put)),
            (remove(&id), "DELETE /servers/42".to_owned(), None),
            (switch_on(&id), "POST /servers/42/actions/poweron".to_owned(), None),
            (actions(&[7, 8]), "GET /actions?id=7&id=8".to_owned(), None),
            (server_types(), "GET /server_types?per_page=50".to_owned(), None),
            (images(), "GET /images?type=system&per_page=50".to_owned(), None),
            (ssh_keys(), "GET /ssh_keys?per_page=50".to_owned(), None),
        ];
        for (request, line, body) in requests {
            assert_eq!(request.told(), (line, body.as_ref()));
        }
        assert_eq!(pricing().told().0, "GET /pricing");
        assert_eq!(anything().told().0, "GET /locations?per_page=1");
    }

    #[test]
    fn a_server_is_what_was_ordered() {
        let order = fixtures::order("db-1");
        let read = instance(&server_with("status", "running".into())).unwrap();
        assert_eq!(read.id, InstanceId::from("42"));
        assert_eq!(read.owner, order.owner);
        assert_eq!(read.spec, order.spec);
        assert_eq!(read.marks, order.marks);
        assert_eq!(read.lifecycle, Lifecycle::Running);
        assert_eq!(read.address, Some([203, 0, 113, 7].into()));
        assert_eq!(read.created_at, 1_795_168_800_000);
        assert_eq!(read.trouble, None);
    }

    #[test]
    fn a_datacenter_is_neither_sent_nor_needed_nor_in_the_way() {
        let asked = fixtures::order("db-1");
        let labels =
            labels::written(&asked.owner, &asked.spec.image, &asked.marks, &asked.pins).unwrap();
        let sent = order(&asked, &labels, 1, "deploy");
        assert!(sent.told().1.unwrap().get("datacenter").is_none());
        let mut server = fixtures::server(1, "db-1");
        assert!(server.get("datacenter").is_none());
        server["datacenter"] = json!({ "name": "fsn1-dc14" });
        let server = serde_json::from_value(server).unwrap();
        assert_eq!(instance(&server).unwrap().spec.region.as_str(), "fsn1");
    }

    #[test]
    fn every_status_has_a_place_in_life() {
        for (status, expected) in [
            ("initializing", Lifecycle::Pending),
            ("starting", Lifecycle::Pending),
            ("running", Lifecycle::Running),
            ("stopping", Lifecycle::Stopped),
            ("off", Lifecycle::Stopped),
            ("deleting", Lifecycle::Terminating),
            ("migrating", Lifecycle::Pending),
            ("rebuilding", Lifecycle::Pending),
            ("unknown", Lifecycle::Pending),
            ("hibernating", Lifecycle::Pending),
        ] {
            let read = instance(&server_with("status", status.into())).unwrap();
            assert_eq!(read.lifecycle, expected, "{status}");
        }
    }

    #[test]
    fn a_server_that_runs_without_an_address_is_pending() {
        let without = json!({ "ipv4": null, "ipv6": null, "floating_ips": [] });
        for net in [without, json!({}), Value::Null, json!({ "ipv4": { "ip": null } })] {
            let read = instance(&server_with("public_net", net.clone())).unwrap();
            assert_eq!((read.lifecycle, read.address), (Lifecycle::Pending, None), "{net}");
        }
    }

    #[test]
    fn a_server_without_ipv4_answers_at_the_first_address_of_its_ipv6_network() {
        for (ip, expected) in [
            ("2001:db8:7::/64", Some("2001:db8:7::1")),
            ("2001:db8:7::5", Some("2001:db8:7::5")),
            ("nonsense/64", None),
        ] {
            let net = json!({ "ipv4": null, "ipv6": { "ip": ip } });
            let read = instance(&server_with("public_net", net)).unwrap();
            assert_eq!(read.address, expected.map(|text| text.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn a_renamed_or_retired_image_is_no_difference() {
        for image in [Value::Null, json!({ "name": null }), json!({ "name": "debian-12-old" })] {
            let read = instance(&server_with("image", image)).unwrap();
            assert_eq!(read.spec.image.as_str(), "debian-12");
        }
    }

    #[test]
    fn a_server_that_lost_our_image_label_is_still_ours() {
        let mut server = fixtures::server(42, "db-1");
        server["labels"].as_object_mut().unwrap().shift_remove("stagecraft.image");
        assert_eq!(instance(&read(server.clone())).unwrap().spec.image.as_str(), "debian-12");
        server["image"] = Value::Null;
        assert_eq!(instance(&read(server)).unwrap().spec.image.as_str(), "unknown");
    }

    #[test]
    fn size_and_region_are_those_of_the_server() {
        let kind = json!({ "name": "cax11", "architecture": "arm" });
        let read = instance(&server_with("server_type", kind)).unwrap();
        assert_eq!((read.spec.size.as_str(), read.spec.arch), ("cax11", Arch::Arm64));
        let read = instance(&server_with("location", json!({ "name": "hel1" }))).unwrap();
        assert_eq!(read.spec.region.as_str(), "hel1");
    }

    #[test]
    fn a_server_without_our_labels_is_no_instance() {
        assert_eq!(instance(&server_with("labels", json!({ "team": "search" }))), None);
    }

    fn server_with(key: &str, value: Value) -> Server {
        let mut server = fixtures::server(42, "db-1");
        server[key] = value;
        read(server)
    }

    fn read(server: Value) -> Server {
        serde_json::from_value(server).unwrap()
    }
}
