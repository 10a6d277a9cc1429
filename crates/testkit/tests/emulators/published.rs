//! What the DigitalOcean front end takes and says, judged by the published description.

use serde_json::{Value, json};
use stagecraft_testkit::emulators::Exchange;
use stagecraft_testkit::emulators::published::Description;
use stagecraft_testkit::world::Fate;

use crate::digitalocean::{Stage, order, order_with};

#[tokio::test]
async fn everything_digitalocean_takes_and_says_fits_the_description() {
    let Some(description) = description() else { return };
    let exchanges = tour().await;
    assert!(exchanges.len() > 40, "{}", exchanges.len());
    let wrong: Vec<String> =
        exchanges.iter().flat_map(|exchange| description.check(exchange)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_field_that_is_planted_wrong_is_found() {
    let Some(description) = description() else { return };
    let exchanges = tour().await;
    let found = |method: &str, path: &str, status: u16| {
        let fits = |exchange: &&Exchange| {
            exchange.method == method && exchange.path == path && exchange.status == Some(status)
        };
        exchanges.iter().find(fits).unwrap().clone()
    };
    let droplets = found("GET", "/v2/droplets", 200);
    for (pointer, value) in [
        ("/droplets/0/id", json!("1001")),
        ("/droplets/0/status", json!("running")),
        ("/droplets/0/created_at", json!("yesterday")),
        ("/droplets/0/networks/v4", json!({})),
        ("/droplets/0/size/price_hourly", json!("0.01")),
        ("/meta", json!({})),
    ] {
        let mut spoiled = droplets.clone();
        *spoiled.answer.as_mut().unwrap().pointer_mut(pointer).unwrap() = value;
        assert_eq!(description.check(&spoiled).len(), 1, "{pointer}");
    }
    let ordered = found("POST", "/v2/droplets", 202);
    for (field, value) in [
        ("labels", json!({})),
        ("size", Value::Null),
        ("tags", json!(["a=b"])),
        ("names", json!(["web-1"])),
    ] {
        let mut spoiled = ordered.clone();
        spoiled.request.as_mut().unwrap()[field] = value;
        assert!(!description.check(&spoiled).is_empty(), "{field}");
    }
    let refused =
        Exchange { answer: Some(json!({ "error": "no" })), ..found("GET", "/v2/droplets/1", 404) };
    assert!(!description.check(&refused).is_empty());
}

#[expect(clippy::print_stdout, reason = "whoever runs the tests is to know what was not tested")]
fn description() -> Option<Description> {
    let description = Description::load("digitalocean");
    if description.is_none() {
        println!("skipped: the published description is not on this machine");
    }
    description
}

/// Everything the front end can do, and most of what it refuses.
async fn tour() -> Vec<Exchange> {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.decide_fate("bad", Fate::FailsToBoot));
    let dual = json!({ "ipv6": true, "monitoring": true, "tags": ["run:1", "x"] });
    let id = stage.droplet("web-1").await;
    stage.post("/droplets", order_with("web-2", dual)).await;
    stage
        .post("/droplets", order_with("", json!({ "name": null, "names": ["bad", "web-4"] })))
        .await;
    let gpu = json!({ "size": "gpu-h100x1-80gb", "region": "tor1", "image": 159_651_797 });
    stage.post("/droplets", order_with("gpu-1", gpu)).await;
    for wrong in [json!({ "size": "none" }), json!({ "name": "a_b" }), json!({ "ssh_keys": ["x"] })]
    {
        stage.post("/droplets", order_with("web-1", wrong)).await;
    }
    for list in [
        "/account",
        "/account/keys",
        "/actions",
        "/droplets?per_page=1&page=2",
        "/images",
        "/regions",
        "/sizes",
        "/tags",
    ] {
        stage.get(list).await;
        stage.get(list).await;
    }
    for one in [
        "/account/keys/512001",
        "/images/debian-12-x64",
        "/tags/run:1",
        "/tags/none",
        "/droplets/1",
        "/images?type=distribution&per_page=200",
        "/sizes?per_page=3",
        "/droplets?type=gpus",
        "/droplets?name=web-1",
        "/droplets?tag_name=run:1",
    ] {
        stage.get(one).await;
    }
    stage.boot().await;
    for kind in ["power_off", "power_on", "shutdown", "reboot"] {
        stage.post(&format!("/droplets/{id}/actions"), json!({ "type": kind })).await;
        stage.get("/droplets").await;
    }
    stage
        .post(&format!("/droplets/{id}/actions"), json!({ "type": "rename", "name": "other" }))
        .await;
    for path in [
        format!("/droplets/{id}"),
        format!("/droplets/{id}/actions"),
        "/actions/36804636".to_owned(),
    ] {
        stage.get(&path).await;
    }
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea me";
    let added =
        stage.post("/account/keys", json!({ "name": "me", "public_key": key })).await.body();
    let key_path = format!("/account/keys/{}", added["ssh_key"]["id"]);
    stage.ask("PUT", &key_path, Some(json!({ "name": "mine" }))).await;
    stage.delete(&key_path).await;
    stage.post("/tags", json!({ "name": "role:db" })).await;
    let resources =
        json!({ "resources": [{ "resource_id": id.to_string(), "resource_type": "droplet" }] });
    stage.post("/tags/role:db/resources", resources.clone()).await;
    stage.ask("DELETE", "/tags/role:db/resources", Some(resources)).await;
    stage.delete("/tags/role:db").await;
    stage.delete(&format!("/droplets/{id}")).await;
    stage.delete(&format!("/droplets/{id}")).await;
    stage.delete("/droplets?tag_name=x").await;
    let nobody = stage.client.with_token("");
    nobody.ask("GET", "/v2/droplets", None).await;
    for _ in 0..12 {
        stage.get("/account/keys").await;
    }
    stage.world.with(|world, _| world.behaviour().quota = Some(1));
    stage.post("/droplets", order("web-9")).await;
    stage.emulator().record().all()
}
