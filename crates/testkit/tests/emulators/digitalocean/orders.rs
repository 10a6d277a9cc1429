use serde_json::{Value, json};
use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::name::{Region, Size};
use stagecraft_testkit::emulators::digitalocean::Shortage;
use stagecraft_testkit::world::{Fault, RequestKind};

use super::{Stage, order, order_with};

#[tokio::test]
async fn an_order_can_be_for_several_droplets_of_one_name_or_many() {
    let stage = Stage::new().await;
    let names = json!({ "name": null, "names": ["web-1", "web-1", "web-2"] });
    let reply = stage.post("/droplets", order_with("", names)).await;
    let body = reply.body();
    assert_eq!((reply.status, body["droplets"].as_array().unwrap().len()), (202, 3));
    assert_eq!(body["links"]["actions"].as_array().unwrap().len(), 3);
    assert_eq!(body["droplet"], Value::Null);
    assert_eq!(stage.listed("?name=web-1").await.len(), 2);
}

#[tokio::test]
async fn what_was_ordered_is_what_is_made() {
    let stage = Stage::new().await;
    let changes = json!({ "image": 195_932_981, "region": "nyc3", "size": "c-4" });
    let body = stage.post("/droplets", order_with("web-1", changes)).await.body();
    let droplet = &body["droplet"];
    assert_eq!(droplet["image"]["slug"], "ubuntu-24-04-x64");
    assert_eq!(
        (&droplet["region"]["slug"], &droplet["size_slug"]),
        (&json!("nyc3"), &json!("c-4"))
    );
    assert_eq!((&droplet["vcpus"], &droplet["memory"]), (&json!(4), &json!(8192)));
    assert_eq!(droplet["tags"], json!(["host:web-1", "run:1"]));
    let id = droplet["id"].as_u64().unwrap();
    assert_eq!(stage.front.user_data(id).as_deref(), Some("#cloud-config\n"));
    assert_eq!(stage.front.keys_of(id).len(), 1);
    assert!(!body.to_string().contains("cloud-config"), "user data is never shown");
}

#[tokio::test]
async fn a_region_can_be_the_beginning_of_one_or_left_out() {
    let stage = Stage::new().await;
    let place = async |region: Value, size: &str| {
        let changes = json!({ "region": region, "size": size });
        let body = stage.post("/droplets", order_with("web-1", changes)).await.body();
        body["droplet"]["region"]["slug"].clone()
    };
    assert_eq!(place(json!("nyc"), "s-1vcpu-1gb").await, "nyc1");
    assert_eq!(place(json!("sfo"), "s-1vcpu-1gb").await, "sfo3");
    assert!(place(Value::Null, "g-2vcpu-8gb").await.is_string());
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_said_and_nothing_is_made() {
    let stage = Stage::new().await;
    let long = "x".repeat((64 << 10) + 1);
    let many: Vec<String> = (0..11).map(|number| format!("web-{number}")).collect();
    for (changes, message) in [
        (json!({ "size": "s-3vcpu" }), "You specified an invalid size for Droplet creation."),
        (json!({ "image": "debian-7" }), "You specified an invalid image for Droplet creation."),
        (json!({ "image": 118_857_366 }), "You specified an invalid image for Droplet creation."),
        (json!({ "region": "mars1" }), "You specified an invalid region for Droplet creation."),
        (json!({ "region": "sfo2" }), "Region is not available"),
        (
            json!({ "size": "m-2vcpu-16gb" , "region": "syd1" }),
            "Size is not available in this region.",
        ),
        (json!({ "size": "so-2vcpu-16gb" }), "Size is not available in this region."),
        (
            json!({ "ssh_keys": [512_001, 7, "de:ad"] }),
            "7, de:ad are invalid key identifiers for Droplet creation.",
        ),
        (
            json!({ "ssh_keys": ["deploy"] }),
            "deploy are invalid key identifiers for Droplet creation.",
        ),
        (
            json!({ "name": "web_1" }),
            "Name Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)",
        ),
        (
            json!({ "name": "web-" }),
            "Name Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)",
        ),
        (json!({ "user_data": long }), "User data is too long, the limit is 64 KiB."),
        (json!({ "name": null }), "exactly one of name and names is required"),
        (json!({ "names": ["a"] }), "exactly one of name and names is required"),
        (json!({ "name": null, "names": many }), "between 1 and 10 names can be given"),
        (json!({ "size": null }), "size is required"),
        (json!({ "size": 5 }), "size must be a string"),
        (json!({ "ipv6": "yes" }), "ipv6 must be a boolean"),
        (json!({ "ssh_keys": [1.5] }), "ssh_keys must be a list of strings or integers"),
        (json!({ "labels": {} }), "labels is not a known attribute"),
        (
            json!({ "tags": ["a=b"] }),
            "tag names may only contain letters, numbers, colons, dashes, and underscores: a=b",
        ),
    ] {
        let reply = stage.post("/droplets", order_with("web-1", changes.clone())).await;
        let expected = (422, "unprocessable_entity".to_owned(), message.to_owned());
        assert_eq!(reply.refusal(), expected, "{changes}");
    }
    let reply = stage.client.ask("POST", "/v2/droplets", Some("[]")).await.unwrap();
    assert_eq!(reply.refusal().0, 400);
    assert_eq!(stage.listed("").await, [0; 0]);
}

#[tokio::test]
async fn ids_of_errors_change_their_case_and_name_their_request() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let reply = stage.get("/droplets/1").await;
        let body = reply.body();
        assert_eq!(reply.header("x-request-id"), body["request_id"].as_str());
        ids.push(body["id"].as_str().unwrap().to_owned());
    }
    ids.sort();
    assert_eq!(ids, ["Not_found", "not_found"]);
}

#[tokio::test]
async fn the_limit_of_the_account_holds_for_all_droplets_of_an_order_together() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().quota = Some(2));
    stage.droplet("web-1").await;
    let names = json!({ "name": null, "names": ["web-2", "web-3"] });
    let reply = stage.post("/droplets", order_with("", names)).await;
    let message = "creating this/these droplet(s) will exceed your droplet limit".to_owned();
    assert_eq!(reply.refusal(), (422, "unprocessable_entity".to_owned(), message));
    assert_eq!(stage.listed("").await.len(), 1);
}

#[tokio::test]
async fn a_shortage_is_told_in_either_way() {
    let stage = Stage::new().await;
    let pair = (Size("s-2vcpu-4gb".to_owned()), Region::from("fra1"));
    stage.world.with(|world, _| world.behaviour().sold_out.insert(pair));
    let reply = stage.post("/droplets", order("web-1")).await;
    assert_eq!(reply.refusal().2, "Size is not available in this region.");
    stage.front.change_habits(|habits| habits.shortage = Shortage::Temporary);
    let reply = stage.post("/droplets", order("web-1")).await;
    assert!(reply.refusal().2.contains("temporarily unavailable"), "{}", reply.body());
    let elsewhere = reply.body()["error_attributes"]["available_regions"].clone();
    let elsewhere = elsewhere.as_array().unwrap();
    assert!(elsewhere.contains(&json!("ams3")) && !elsewhere.contains(&json!("fra1")));
}

#[tokio::test]
async fn faults_of_the_world_come_through() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.inject(Fault::LoseAnswer { effect: 1 }));
    let body = order("web-1").to_string();
    assert!(stage.client.ask("POST", "/v2/droplets", Some(&body)).await.is_none());
    let made = stage.listed("?tag_name=run:1").await;
    assert_eq!(made.len(), 1, "it was made all the same");
    assert!(stage.front.user_data(made[0]).is_some(), "with all that was ordered");
    let failing = |error| Fault::FailNext { kind: RequestKind::Create, times: 1, error };
    for (error, status) in [
        (CloudErrorKind::ProviderFault("oops".to_owned()), 500),
        (CloudErrorKind::Forbidden("no".to_owned()), 403),
        (CloudErrorKind::RateLimited { after: None, message: String::new() }, 429),
        (CloudErrorKind::Conflict("busy".to_owned()), 409),
    ] {
        stage.world.with(|world, _| world.inject(failing(error)));
        assert_eq!(stage.post("/droplets", order("web-2")).await.status, status);
    }
    let lost = CloudErrorKind::Unreachable("gone".to_owned());
    stage.world.with(|world, _| world.inject(failing(lost)));
    assert!(stage.client.ask("POST", "/v2/droplets", Some(&body)).await.is_none());
    assert_eq!(stage.listed("").await.len(), 1);
}
