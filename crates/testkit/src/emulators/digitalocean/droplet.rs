//! A droplet as the API shows it.

use std::net::IpAddr;

use serde_json::{Value, json};
use stagecraft_core::inventory::Lifecycle;

use super::sizes::Size;
use super::turn::{Turn, stamp};
use super::{images, region};
use crate::emulators::ids::number;
use crate::world::Seen;

impl Turn<'_> {
    /// Whether a machine is shown at all.
    pub(super) fn is_shown(&self, seen: &Seen) -> bool {
        match seen.lifecycle {
            Lifecycle::Terminating => self.account.habits.lingers,
            Lifecycle::Terminated => false,
            Lifecycle::Pending | Lifecycle::Running | Lifecycle::Stopped | Lifecycle::Failed => {
                true
            }
        }
    }

    /// The droplet that a machine is.
    pub(super) fn droplet(&self, seen: &Seen) -> Value {
        let id = number(&seen.id);
        let extra = self.account.droplets.get(&id).cloned().unwrap_or_default();
        let slug = seen.spec.size.to_string();
        let size = Size::named(&slug);
        let (memory, vcpus, disk) = size.map_or((1024, 1, 25), Size::hardware);
        let mut features = vec!["droplet_agent", "private_networking"];
        let optional =
            [(extra.ipv6, "ipv6"), (extra.monitoring, "monitoring"), (extra.backups, "backups")];
        features.extend(optional.iter().filter(|(has, _)| *has).map(|(_, feature)| *feature));
        let tags: Vec<&String> = seen.tags.iter().filter(|_| self.sees_tags()).collect();
        let mut droplet = json!({
            "id": id,
            "name": seen.name,
            "memory": memory,
            "vcpus": vcpus,
            "disk": disk,
            "disk_info": [{ "type": "local", "size": { "amount": disk, "unit": "gib" } }],
            "locked": !seen.booted && seen.lifecycle == Lifecycle::Pending
                || seen.lifecycle == Lifecycle::Terminating,
            "status": status(seen),
            "kernel": null,
            "created_at": stamp(seen.created_at),
            "features": features,
            "backup_ids": [],
            "next_backup_window": null,
            "snapshot_ids": [],
            "image": images::shown(&seen.spec.image.to_string()),
            "volume_ids": [],
            "size": size.map(Size::shown).unwrap_or_else(|| unknown_size(&slug)),
            "size_slug": slug,
            "networks": self.networks(seen, id, extra.ipv6),
            "region": region::shown(&seen.spec.region.to_string()),
            "tags": tags,
            "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
        });
        if let Some(gpu) = size.and_then(Size::gpu_info) {
            droplet["gpu_info"] = gpu;
        }
        droplet
    }

    /// Nothing until it is up; then the private address, and some time later the public one behind
    /// it.
    fn networks(&self, seen: &Seen, id: u64, ipv6: bool) -> Value {
        let [.., high, low] = id.to_be_bytes();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        let public = self.hosts.address(seen).filter(|_| seen.lifecycle == Lifecycle::Running);
        if seen.booted {
            v4.push(json!({
                "ip_address": format!("10.136.{high}.{low}"),
                "netmask": "255.255.0.0",
                "gateway": null,
                "type": "private",
            }));
        }
        if let Some(IpAddr::V4(address)) = public {
            let [first, second, third, _] = address.octets();
            v4.push(json!({
                "ip_address": address,
                "netmask": "255.255.240.0",
                "gateway": format!("{first}.{second}.{third}.1"),
                "type": "public",
            }));
        }
        if ipv6 && public.is_some() {
            v6.push(json!({
                "ip_address": format!("2604:a880:0:1::{id:x}"),
                "netmask": 64,
                "gateway": "2604:a880:0:1::1",
                "type": "public",
            }));
        }
        json!({ "v4": v4, "v6": v6 })
    }
}

/// A machine that fails to boot stays `new`: only its action says what became of it.
fn status(seen: &Seen) -> &'static str {
    match seen.lifecycle {
        Lifecycle::Stopped => "off",
        Lifecycle::Pending if !seen.booted => "new",
        Lifecycle::Failed => "new",
        Lifecycle::Pending
        | Lifecycle::Running
        | Lifecycle::Terminating
        | Lifecycle::Terminated => "active",
    }
}

/// A size that is not on offer and of which a machine exists all the same.
fn unknown_size(slug: &str) -> Value {
    json!({
        "slug": slug, "memory": 1024, "vcpus": 1, "disk": 25, "transfer": 1.0,
        "price_monthly": 6.0, "price_hourly": 0.00893, "regions": [], "available": false,
        "description": "Legacy",
    })
}
