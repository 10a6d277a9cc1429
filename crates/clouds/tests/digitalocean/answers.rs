//! Answers to give, one by one.

use serde_json::{Value, json};
use stagecraft_clouds::digitalocean::DigitalOceanProvider;

use crate::server::{Say, answer};
use crate::stage::{TOKEN, provider_at};

pub(crate) fn cloud(url: &str) -> DigitalOceanProvider {
    provider_at(url, TOKEN, Some("deploy"))
}

pub(crate) fn keys() -> Say {
    let keys = json!({ "ssh_keys": [
        { "id": 1, "name": "laptop", "fingerprint": null, "public_key": "ssh-ed25519 A" },
        { "id": 2, "name": "deploy", "public_key": "ssh-ed25519 B" },
    ] });
    answer(200, &keys.to_string())
}

pub(crate) fn problem(status: u16, message: &str) -> Say {
    let id = match status {
        403 => "Forbidden",
        404 => "not_found",
        409 => "conflict",
        _ => "unprocessable_entity",
    };
    let body = json!({ "id": id, "message": message, "request_id": "4d9d" });
    answer(status, &body.to_string())
}

pub(crate) fn droplet(id: u64) -> Value {
    json!({
        "id": id,
        "name": "prod-db-1",
        "status": "active",
        "created_at": "2026-11-21T10:00:00Z",
        "size_slug": "s-2vcpu-4gb",
        "image": { "slug": "ubuntu-22-04-x64" },
        "region": { "slug": "nyc3" },
        "networks": {
            "v4": [{ "ip_address": "203.0.113.7", "type": "public", "gateway": null }],
            "v6": [],
        },
        "tags": [
            "stagecraft:scope:shop:prod",
            "stagecraft:host:db-1",
            "stagecraft:role:db",
            "stagecraft:image:ubuntu-22_04",
        ],
    })
}
