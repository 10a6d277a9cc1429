//! Values for tests of several modules.

use serde_json::{Value, json};
use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::Arch;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Marks, Owner, Spec};
use stagecraft_core::name::Scope;

use super::labels;

pub(super) fn order(project: &str, environment: &str, host: &str) -> CreateInstance {
    let scope =
        Scope { project: project.parse().unwrap(), environment: environment.parse().unwrap() };
    let host = host.parse().unwrap();
    CreateInstance {
        marks: Marks {
            name: scope.cloud_name(&host),
            role: "app".parse().unwrap(),
            protected: false,
            tags: ["blue".to_owned()].into(),
        },
        owner: Owner { scope, host },
        spec: Spec {
            region: "nyc3".into(),
            size: "s-2vcpu-4gb".into(),
            image: "ubuntu-22.04".into(),
            arch: Arch::Amd64,
            spot: false,
        },
        pins: Pins::default(),
        user_data: None,
    }
}

/// The droplet of [`order`] as the API shows it once it is up, with fields nobody asked for.
pub(super) fn droplet(id: u64) -> Value {
    let request = order("shop", "staging", "db-1");
    json!({
        "id": id,
        "name": "staging-db-1",
        "memory": 4096,
        "vcpus": 2,
        "disk": 80,
        "locked": false,
        "status": "active",
        "kernel": null,
        "created_at": "2026-11-21T10:00:00Z",
        "features": ["droplet_agent", "private_networking"],
        "backup_ids": [],
        "next_backup_window": null,
        "image": { "id": 1, "slug": "ubuntu-22-04-x64", "min_disk_size": null },
        "volume_ids": [],
        "size": { "slug": "s-2vcpu-4gb", "price_monthly": 24.0 },
        "size_slug": "s-2vcpu-4gb",
        "networks": {
            "v4": [
                { "ip_address": "10.108.0.3", "netmask": "255.255.240.0", "gateway": null, "type": "private" },
                { "ip_address": "203.0.113.7", "netmask": "255.255.255.0", "gateway": "203.0.113.1", "type": "public" },
            ],
            "v6": [],
        },
        "region": { "slug": "nyc3", "available": true, "sizes": [] },
        "tags": labels::all(&request.owner, &request.marks, Some(&request.spec.image), &request.pins),
        "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
        "never_seen_before": { "a": [1] },
    })
}
