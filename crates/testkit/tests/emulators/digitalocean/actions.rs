use serde_json::json;
use stagecraft_testkit::emulators::{Options, faults::Rule};
use stagecraft_testkit::world::Fate;

use super::Stage;

#[tokio::test]
async fn a_droplet_is_switched_off_and_on() {
    let stage = Stage::new().await;
    let id = stage.droplet("web-1").await;
    stage.boot().await;
    let status =
        async || stage.get(&format!("/droplets/{id}")).await.body()["droplet"]["status"].clone();
    let act = async |kind: &str| {
        stage.post(&format!("/droplets/{id}/actions"), json!({ "type": kind })).await
    };
    let reply = act("power_off").await;
    let action = reply.body()["action"].clone();
    assert_eq!(
        (reply.status, &action["status"], &action["type"]),
        (201, &json!("in-progress"), &json!("power_off"))
    );
    assert_eq!(status().await, "off");
    assert_eq!(act("power_on").await.status, 201);
    assert_eq!(status().await, "new");
    stage.boot().await;
    assert_eq!(status().await, "active");
    assert_eq!(act("explode").await.status, 422);
    assert_eq!(act("resize").await.status, 422);
    let renamed = json!({ "type": "rename", "name": "web-2" });
    assert_eq!(stage.post(&format!("/droplets/{id}/actions"), renamed).await.status, 201);
    assert_eq!(stage.listed("?name=web-2").await, [id]);
    let kinds = stage.get(&format!("/droplets/{id}/actions")).await.body();
    let kinds: Vec<_> =
        kinds["actions"].as_array().unwrap().iter().map(|one| one["type"].clone()).collect();
    assert_eq!(kinds, ["rename", "power_on", "power_off", "create"]);
}

#[tokio::test]
async fn the_action_that_creates_ends_with_the_boot_or_in_an_error() {
    let stage = Stage::with(Options::default(), 1000).await;
    stage.world.with(|world, _| world.decide_fate("bad", Fate::FailsToBoot));
    let good = stage.droplet("good").await;
    let bad = stage.droplet("bad").await;
    let state = async |id: u64| {
        let actions = stage.get(&format!("/droplets/{id}/actions")).await.body();
        let id = actions["actions"][0]["id"].clone();
        let action = stage.get(&format!("/actions/{id}")).await.body()["action"].clone();
        (action["status"].clone(), action["completed_at"].is_null())
    };
    assert_eq!(state(good).await, (json!("in-progress"), true));
    stage.boot().await;
    stage.world.sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(state(good).await, (json!("completed"), false));
    assert_eq!(state(bad).await, (json!("errored"), false));
    let droplet = stage.get(&format!("/droplets/{bad}")).await.body()["droplet"].clone();
    assert_eq!(droplet["status"], "new");
}

#[tokio::test]
async fn an_account_can_refuse_to_do_two_things_at_once() {
    let stage = Stage::with(Options::default(), 1000).await;
    stage.front.change_habits(|habits| habits.busy_refuses = true);
    let id = stage.droplet("web-1").await;
    let path = format!("/droplets/{id}");
    let reply = stage.delete(&path).await;
    assert_eq!(reply.refusal().2, "Droplet already has a pending event.");
    stage.boot().await;
    stage.world.sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(stage.delete(&path).await.status, 204);
}

#[tokio::test]
async fn an_action_whose_answer_is_lost_has_happened() {
    let stage = Stage::new().await;
    let id = stage.droplet("web-1").await;
    let lost = stagecraft_testkit::emulators::faults::Effect::LostAnswer;
    stage.emulator().inject(Rule::new("POST", "/droplets/*/actions", lost));
    let body = json!({ "type": "power_off" }).to_string();
    let path = format!("/v2/droplets/{id}/actions");
    assert!(stage.client.ask("POST", &path, Some(&body)).await.is_none());
    let droplet = stage.get(&format!("/droplets/{id}")).await.body()["droplet"].clone();
    assert_eq!(droplet["status"], "off");
}
