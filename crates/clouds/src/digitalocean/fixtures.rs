//! Values for tests of several modules.

use serde_json::{Value, json};
use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::samples;

use super::labels;

/// An order for a host of `shop/staging` with one tag of the user's.
pub(super) fn order(host: &str) -> CreateInstance {
    let mut order = samples::order(ProviderId::DigitalOcean, host);
    order.marks.tags = ["blue".to_owned()].into();
    order
}

/// The droplet of [`order`] as the API shows it once it is up, with fields nobody asked for.
pub(super) fn droplet(id: u64) -> Value {
    let request = order("db-1");
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
