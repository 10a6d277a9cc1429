use serde_json::json;
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::emulators::{Access, Options};
use stagecraft_testkit::world::{Behaviour, Delay};

use super::{Stage, order, order_with};

#[tokio::test]
async fn a_droplet_is_new_then_active_without_an_address_then_has_one_behind_the_private_one() {
    let stage = Stage::new().await;
    let reply = stage.post("/droplets", order("web-1")).await;
    assert_eq!(reply.status, 202);
    let body = reply.body();
    let droplet = &body["droplet"];
    assert_eq!(droplet["networks"], json!({ "v4": [], "v6": [] }));
    assert_eq!((&droplet["status"], &droplet["locked"]), (&json!("new"), &json!(true)));
    assert_eq!(body["links"]["actions"][0]["rel"], "create");
    let mut seen = Vec::new();
    for _ in 0..4 {
        let droplet = stage.get("/droplets").await.body()["droplets"][0].clone();
        let types: Vec<_> = droplet["networks"]["v4"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["type"].clone())
            .collect();
        seen.push((droplet["status"].clone(), types));
    }
    let (new, active) = (json!("new"), json!("active"));
    let (private, public) = (json!("private"), json!("public"));
    let both = vec![private.clone(), public];
    assert_eq!(
        seen,
        [
            (new, vec![]),
            (active.clone(), vec![private]),
            (active.clone(), both.clone()),
            (active, both)
        ]
    );
}

#[tokio::test]
async fn ipv6_is_there_only_if_it_was_asked_for() {
    let stage = Stage::new().await;
    let plain = stage.droplet("plain").await;
    let reply = stage.post("/droplets", order_with("dual", json!({ "ipv6": true }))).await;
    let dual = reply.body()["droplet"]["id"].as_u64().unwrap();
    stage.boot().await;
    let v6 = async |id: u64| {
        let body = stage.get(&format!("/droplets/{id}")).await.body();
        body["droplet"]["networks"]["v6"].clone()
    };
    assert_eq!(v6(plain).await, json!([]));
    assert_eq!(v6(dual).await[0]["netmask"], 64);
}

#[tokio::test]
async fn lists_are_sorted_filtered_and_paged() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for number in 0..25 {
        let changes = json!({ "tags": [if number < 3 { "first" } else { "later" }] });
        let reply = stage.post("/droplets", order_with(&format!("web-{number}"), changes)).await;
        ids.push(reply.body()["droplet"]["id"].as_u64().unwrap());
    }
    let page = stage.get("/droplets").await.body();
    assert_eq!(page["meta"]["total"], 25);
    let next = page["links"]["pages"]["next"].as_str().unwrap();
    assert_eq!(next, "https://api.digitalocean.com/v2/droplets?page=2&per_page=20");
    assert_eq!(stage.listed("").await, ids[..20]);
    assert_eq!(stage.listed("?page=2").await, ids[20..]);
    assert_eq!(stage.listed("?page=2&per_page=3").await, ids[3..6]);
    assert_eq!(stage.listed("?tag_name=first").await, ids[..3]);
    assert_eq!(stage.listed("?name=WEB-7").await, [ids[7]]);
    assert_eq!(stage.listed("?tag_name=none").await, [0; 0]);
    for query in ["?tag_name=first&name=web-1", "?type=all", "?per_page=201", "?page=0"] {
        let reply = stage.get(&format!("/droplets{query}")).await;
        assert_eq!(reply.refusal().0, 422, "{query}");
    }
}

#[tokio::test]
async fn droplets_with_graphics_processors_are_listed_only_when_asked_for() {
    let stage = Stage::new().await;
    let gpu = json!({ "size": "gpu-h100x1-80gb", "region": "tor1" });
    let reply = stage.post("/droplets", order_with("gpu-1", gpu)).await;
    let gpu = reply.body()["droplet"]["id"].as_u64().unwrap();
    let plain = stage.droplet("web-1").await;
    assert_eq!(stage.listed("").await, [plain]);
    assert_eq!(stage.listed("?type=droplets").await, [plain]);
    assert_eq!(stage.listed("?type=gpus").await, [gpu]);
}

#[tokio::test]
async fn a_droplet_that_is_not_visible_yet_is_not_listed_but_answers_by_id() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().visible = Delay::Lists(2));
    let id = stage.droplet("web-1").await;
    assert_eq!(stage.listed("").await, [0; 0]);
    assert_eq!(stage.get(&format!("/droplets/{id}")).await.status, 200);
    assert_eq!(stage.listed("").await, [id]);
}

#[tokio::test]
async fn a_droplet_is_destroyed_once() {
    let stage = Stage::new().await;
    let id = stage.droplet("web-1").await;
    let path = format!("/droplets/{id}");
    let reply = stage.delete(&path).await;
    assert_eq!((reply.status, reply.raw.len()), (204, 0));
    assert_eq!(stage.listed("").await, [0; 0]);
    assert_eq!(stage.get(&path).await.status, 404);
    assert_eq!(stage.delete(&path).await.refusal().1, "not_found");
    assert_eq!(stage.delete("/droplets/4711").await.status, 404);
    assert_eq!(stage.delete("/droplets/none").await.status, 404);
}

#[tokio::test]
async fn an_account_can_show_what_it_destroys_for_a_while() {
    let stage = Stage::new().await;
    stage.front.change_habits(|habits| habits.lingers = true);
    let id = stage.droplet("web-1").await;
    stage.boot().await;
    stage.delete(&format!("/droplets/{id}")).await;
    let body = stage.get("/droplets").await.body();
    let droplet = &body["droplets"][0];
    assert_eq!((&droplet["id"], &droplet["locked"]), (&json!(id), &json!(true)));
    assert_eq!(stage.listed("").await, [0; 0]);
}

#[tokio::test]
async fn destroying_by_tag_needs_a_tag_and_spares_the_rest() {
    let stage = Stage::new().await;
    let doomed = stage.droplet("web-1").await;
    let other = json!({ "tags": ["run:2"] });
    let reply = stage.post("/droplets", order_with("web-2", other)).await;
    let spared = reply.body()["droplet"]["id"].as_u64().unwrap();
    for query in ["", "?tag_name=", "?tag=run:1"] {
        assert_eq!(stage.delete(&format!("/droplets{query}")).await.refusal().0, 422, "{query}");
    }
    assert_eq!(stage.listed("").await, [doomed, spared]);
    assert_eq!(stage.delete("/droplets?tag_name=run:1").await.status, 204);
    assert_eq!(stage.listed("").await, [spared]);
}

#[tokio::test]
async fn a_machine_that_was_stopped_is_off_and_one_nobody_ordered_here_is_shown_too() {
    let stage = Stage::new().await;
    let id = stage.droplet("web-1").await;
    stage.boot().await;
    stage.world.with(|world, _| world.stop(&InstanceId(id.to_string())));
    let status = stage.get(&format!("/droplets/{id}")).await.body()["droplet"]["status"].clone();
    assert_eq!(status, "off");
}

#[tokio::test]
async fn a_token_without_the_right_to_see_tags_sees_none() {
    let tokens = [("full".to_owned(), Access::Full), ("blind".to_owned(), Access::WithoutTags)];
    let options = Options { tokens: tokens.into(), ..Options::default() };
    let mut stage = Stage::with(options, 1).await;
    stage.client = stage.client.with_token("full");
    let id = stage.droplet("web-1").await;
    let tags = |body: serde_json::Value| body["droplet"]["tags"].clone();
    let path = format!("/droplets/{id}");
    assert_eq!(tags(stage.get(&path).await.body()), json!(["host:web-1", "run:1"]));
    stage.client = stage.client.with_token("blind");
    assert_eq!(tags(stage.get(&path).await.body()), json!([]));
    assert_eq!(stage.listed("").await, [id]);
    assert_eq!(stage.listed("?tag_name=run:1").await, [0; 0]);
    assert_eq!(stage.get("/tags").await.status, 403);
}

#[tokio::test]
async fn what_no_description_knows_can_be_switched_on() {
    let stage = Stage::new().await;
    stage.front.change_habits(|habits| habits.novelties = true);
    stage.droplet("web-1").await;
    stage.boot().await;
    let droplets = stage.get("/droplets").await.body();
    assert_eq!(droplets["droplets"][0]["networks"]["v4"][0]["type"], "anycast");
    assert!(droplets["droplets"][0]["novelty"].is_object() && droplets["novelty"].is_array());
    let images = stage.get("/images?per_page=200").await.body();
    let known = images["images"].as_array().unwrap();
    assert!(known.iter().any(|image| image["distribution"] == "AlmaLinux"));
}

#[tokio::test]
async fn the_account_tells_its_limit() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| {
        *world.behaviour() = Behaviour { quota: Some(7), ..Behaviour::names_are_free() };
    });
    let account = stage.get("/account").await.body()["account"].clone();
    assert_eq!((&account["droplet_limit"], &account["status"]), (&json!(7), &json!("active")));
}
