//! Values for tests of several modules.

use serde_json::{Value, json};
use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::samples;

/// An order for a host of `shop/staging`.
pub(super) fn order(host: &str) -> CreateInstance {
    samples::order(ProviderId::Hetzner, host)
}

/// The server that becomes of that order, as the API shows it, shortened.
pub(super) fn server(id: u64, host: &str) -> Value {
    json!({
        "id": id,
        "name": format!("staging-{host}"),
        "status": "running",
        "created": "2026-11-20T10:00:00+00:00",
        "public_net": {
            "ipv4": { "id": 1, "ip": "203.0.113.7", "blocked": false, "dns_ptr": "seven.example" },
            "ipv6": { "id": 2, "ip": "2001:db8:7::/64", "blocked": false, "dns_ptr": [] },
            "floating_ips": [],
        },
        "private_net": [],
        "server_type": { "id": 114, "name": "cx23", "cores": 2, "memory": 4.0, "architecture": "x86" },
        "location": { "id": 1, "name": "fsn1", "network_zone": "eu-central" },
        "image": { "id": 114690387, "name": "debian-12", "architecture": "x86" },
        "locked": false,
        "labels": {
            "stagecraft.project": "shop",
            "stagecraft.environment": "staging",
            "stagecraft.host": host,
            "stagecraft.role": "app",
            "stagecraft.image": "debian-12",
            "blue": "",
            "team": "search",
        },
    })
}

/// An action as the API shows it, shortened.
pub(super) fn action(id: u64, status: &str) -> Value {
    let error = json!({ "code": "action_failed", "message": "Action failed" });
    json!({
        "id": id,
        "command": "create_server",
        "status": status,
        "progress": 0,
        "finished": null,
        "error": if status == "error" { error } else { Value::Null },
    })
}
