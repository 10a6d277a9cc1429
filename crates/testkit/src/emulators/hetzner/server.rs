//! A server as the API shows it.

use std::net::IpAddr;

use serde_json::{Value, json};
use stagecraft_core::inventory::Lifecycle;

use super::account::Course;
use super::images::Image;
use super::places::{PLACES, Place};
use super::stamp::stamp;
use super::turn::Turn;
use super::types::Type;
use crate::emulators::ids::number;
use crate::world::{Delay, Seen};

impl Turn<'_> {
    /// The server as it is now.
    pub(super) fn server(&self, seen: &Seen) -> Value {
        let id = number(&seen.id);
        let record = self.account.record(seen);
        let place = Place::find(&seen.spec.region.0).unwrap_or(&PLACES[0]);
        let image = record.image.and_then(Image::numbered).map(Image::shown);
        let busy = self.account.actions.running_on(id).next().is_some();
        let kind = Type::find(&seen.spec.size.0).unwrap_or_else(Type::oldest);
        let mut shown = json!({
            "id": id,
            "name": seen.name,
            "status": self.status(seen),
            "created": stamp(seen.created_at),
            "public_net": {
                "ipv4": record.ipv4.then(|| ipv4(id, self.hosts.address(seen))).flatten(),
                "ipv6": record.ipv6.then(|| ipv6(id)),
                "floating_ips": [],
                "firewalls": [],
            },
            "private_net": [],
            "server_type": kind.shown(|place| self.in_stock(kind.name, place)),
            "location": place.shown(),
            "image": image,
            "iso": null,
            "rescue_enabled": false,
            "locked": busy,
            "backup_window": null,
            "outgoing_traffic": null,
            "ingoing_traffic": null,
            "included_traffic": Type::traffic(place.name),
            "protection": { "delete": record.protected, "rebuild": record.protected },
            "labels": seen.labels,
            "volumes": [],
            "load_balancers": [],
            "primary_disk_size": kind.disk,
            "placement_group": null,
        });
        if self.account.habits.novelties {
            shown["public_net"]["ipv8"] = json!({ "ip": "r-n-n-n.h-h-h-h" });
        }
        shown
    }

    /// The API's word for where a server is in its life.
    pub(super) fn status(&self, seen: &Seen) -> &'static str {
        let id = number(&seen.id);
        let switching_off = |course| matches!(course, Course::PowerOff | Course::ShutDown);
        if self.account.actions.running_on(id).any(|action| switching_off(action.course)) {
            return "stopping";
        }
        match seen.lifecycle {
            Lifecycle::Pending if seen.booted => "running",
            Lifecycle::Pending if !self.is_being_created(id) => "starting",
            Lifecycle::Pending if self.account.habits.novelties => "preparing",
            Lifecycle::Pending => "initializing",
            Lifecycle::Running => "running",
            Lifecycle::Stopped | Lifecycle::Failed => "off",
            Lifecycle::Terminating | Lifecycle::Terminated => "deleting",
        }
    }

    /// Whether a pending server is still being made: that takes the first half of its first boot.
    pub(super) fn is_being_created(&self, id: u64) -> bool {
        let Some(created) = self.account.servers.get(&id).and_then(|record| record.created) else {
            return false;
        };
        let half = match self.world.with(|world, _| world.behaviour().boot) {
            Delay::Time(time) => Delay::Time(time / 2),
            Delay::Lists(lists) => Delay::Lists(lists / 2),
            Delay::Both(time, lists) => Delay::Both(time / 2, lists / 2),
        };
        !half.passed(created, self.moment())
    }

    /// Whether a type can be had in a location now, as far as the list of types tells.
    pub(super) fn in_stock(&self, kind: &str, place: &str) -> bool {
        let pair = (kind.to_owned(), place.to_owned());
        if self.account.out_of_stock.contains(&pair) {
            return false;
        }
        let short = || {
            let sold_out = (kind.into(), place.into());
            self.world.with(|world, _| world.behaviour().sold_out.contains(&sold_out))
        };
        !(self.account.habits.announces_shortage && short())
    }
}

fn ipv4(id: u64, address: Option<IpAddr>) -> Option<Value> {
    let address = address?;
    let [a, b, c, d] = match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => return None,
    };
    Some(json!({
        "id": 2 * id,
        "ip": address.to_string(),
        "blocked": false,
        "dns_ptr": format!("static.{d}.{c}.{b}.{a}.clients.your-server.de"),
    }))
}

/// A network, of which the server is to choose its address itself.
fn ipv6(id: u64) -> Value {
    json!({
        "id": 2 * id + 1,
        "ip": format!("2001:db8:{:x}:{:x}::/64", id >> 16 & 0xffff, id & 0xffff),
        "blocked": false,
        "dns_ptr": [],
    })
}
