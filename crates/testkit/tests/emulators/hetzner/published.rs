use serde_json::{Value, json};
use stagecraft_testkit::emulators::published::Description;
use stagecraft_testkit::emulators::{Access, Options};
use stagecraft_testkit::world::{Delay, Fate};

use super::keys::KEY;
use super::stage::{Stage, order, order_with};

#[tokio::test]
async fn everything_asked_and_answered_is_as_the_provider_published_it() {
    let Some(description) = Description::load("hetzner") else {
        println!("skipped: there is no published description here");
        return;
    };
    let exchanges = tour().await.exchanges();
    assert!(exchanges.len() > 50, "only {}", exchanges.len());
    let wrong: Vec<String> =
        exchanges.iter().flat_map(|exchange| description.check(exchange)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let served: Vec<_> = exchanges.iter().filter(|exchange| exchange.status < Some(300)).collect();
    for field in ["id", "status", "public_net", "server_type", "image", "locked", "labels"] {
        let mut planted = (*served.iter().find(|it| it.path == "/v1/servers").unwrap()).clone();
        planted.answer.as_mut().unwrap()["server"][field] = json!({ "never": "published" });
        let found = description.check(&planted);
        let tolerated = field == "labels";
        assert_eq!(found.is_empty(), tolerated, "{field}: {found:?}");
    }
}

#[tokio::test]
async fn what_the_strict_description_refuses_is_refused() {
    let Some(description) = Description::load("hetzner") else {
        println!("skipped: there is no published description here");
        return;
    };
    let stage = Stage::new().await;
    let values =
        [json!(7.5), json!("x y"), json!(true), json!([1.5]), json!({ "a": 1 }), Value::Null];
    let fields = [
        "name",
        "server_type",
        "image",
        "location",
        "ssh_keys",
        "labels",
        "user_data",
        "start_after_create",
        "automount",
        "public_net",
        "volumes",
        "networks",
        "firewalls",
        "placement_group",
        "datacenter",
        "unheard_of",
    ];
    for field in fields {
        for value in &values {
            let mut wanted = order("web");
            wanted[field] = value.clone();
            let reply = stage.post("/servers", wanted).await;
            if reply.status == 201 {
                stage.delete(&format!("/servers/{}", reply.body["server"]["id"])).await;
            }
        }
    }
    let orders: Vec<_> =
        stage.exchanges().into_iter().filter(|exchange| exchange.method == "POST").collect();
    let bad: Vec<_> =
        orders.iter().filter(|order| !description.check_request(order).is_empty()).collect();
    let accepted: Vec<_> = bad.iter().filter(|order| order.status == Some(201)).collect();
    assert!(bad.len() > 50, "only {} of {} are refused", bad.len(), orders.len());
    assert!(accepted.is_empty(), "{accepted:?}");
}

/// An account in which everything was done once that can be done, right or wrong.
async fn tour() -> Stage {
    let tokens = [("emulatedtoken", Access::Full), ("reader", Access::ReadOnly)];
    let tokens = tokens.map(|(token, access)| (token.to_owned(), access)).into();
    let mut stage = Stage::with(Options { tokens, ..Options::default() }).await;
    stage.world.with(|world, _| {
        world.behaviour().address = Delay::Lists(1);
        world.behaviour().shutdown = Delay::Lists(1);
        world.behaviour().sold_out.insert(("cx53".into(), "fsn1".into()));
        world.decide_fate("fails", Fate::FailsToBoot);
        world.decide_fate("vanishes", Fate::Vanishes);
    });
    for path in [
        "/server_types",
        "/server_types?page=2&name=cx23",
        "/server_types/22",
        "/images?type=system&type=app&architecture=x86&include_deprecated=true&sort=name:desc",
        "/images?type=snapshot",
        "/images/15512617",
        "/locations?sort=id",
        "/locations/6",
        "/pricing",
        "/actions",
        "/datacenters",
        "/droplets",
        "/servers?page=0",
        "/servers?label_selector=a%3Db%2C",
        "/servers/1",
        "/ssh_keys/1",
        "/images/1",
    ] {
        stage.get(path).await;
    }
    let key = stage.post("/ssh_keys", json!({ "name": "mine", "public_key": KEY })).await;
    stage.post("/ssh_keys", json!({ "name": "mine", "public_key": KEY })).await;
    stage.get("/ssh_keys?name=mine&sort=name").await;
    let path = format!("/ssh_keys/{}", key.body["ssh_key"]["id"]);
    stage.put(&path, json!({ "labels": { "of": "test" } })).await;
    stage.get(&path).await;

    let rich = json!({
        "server_type": "cax11", "image": "debian-12", "ssh_keys": ["mine", "deploy"],
        "user_data": "#cloud-config", "start_after_create": true, "automount": false,
        "public_net": { "enable_ipv4": true, "enable_ipv6": true },
    });
    stage.post("/servers", order_with("rich", rich)).await;
    let only_6 = json!({ "public_net": { "enable_ipv4": false }, "ssh_keys": [] });
    stage.post("/servers", order_with("v6", only_6)).await;
    stage.post("/servers", order_with("off", json!({ "start_after_create": false }))).await;
    for name in ["fails", "vanishes", "fails"] {
        stage.post("/servers", order(name)).await;
    }
    stage.post("/servers", order_with("none", json!({ "server_type": "cx53" }))).await;
    stage.post("/servers", order_with("none", json!({ "server_type": "cx22" }))).await;
    stage.post("/servers", order_with("none", json!({ "datacenter": "fsn1-dc14" }))).await;
    stage.answer("POST", "/servers", Some("[".to_owned())).await;
    stage.answer("POST", "/servers/1003/actions/poweron", None).await;
    stage.answer("POST", "/servers/1003/actions/poweroff", None).await;
    stage.hetzner.forget_image(1001);
    for _ in 0..6 {
        let servers = stage.get("/servers?status=running&status=off&per_page=2&page=2").await;
        assert_eq!(servers.status, 200);
        stage.get("/servers").await;
        stage.get("/servers/1001/actions?status=success").await;
        stage.get("/actions?id=580000001&id=580000002&id=580000007").await;
    }
    stage.get("/actions/580000001").await;
    stage.put("/servers/1001", json!({ "name": "richer", "labels": { "env": "" } })).await;
    stage.put("/servers/1001", json!({ "name": "v6" })).await;
    let protection = json!({ "delete": true, "rebuild": true });
    stage.post("/servers/1002/actions/change_protection", protection).await;
    for server in [1001, 1001, 1002, 1005] {
        stage.delete(&format!("/servers/{server}")).await;
        stage.get(&format!("/servers/{server}")).await;
    }
    stage.delete(&path).await;
    stage.token = Some("reader");
    stage.delete("/servers/1002").await;
    stage.token = None;
    stage.get("/servers").await;
    stage
}
