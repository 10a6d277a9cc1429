use serde_json::{Value, json};
use stagecraft_testkit::world::{AnswerFate, Delay, Fate, Fault};

use super::stage::{Stage, order, order_with};

#[tokio::test]
async fn a_server_is_initializing_then_starting_then_running() {
    let stage = Stage::new().await;
    let reply = stage.post("/servers", order("web-1")).await;
    let action = reply.body["action"]["id"].clone();
    let next = reply.body["next_actions"][0]["id"].clone();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let done = stage.get(&format!("/actions?id={action}&id={next}")).await;
        let statuses = done.each("actions", "status");
        seen.push((stage.status(1001).await, statuses[0].clone(), statuses[1].clone()));
        stage.get("/servers").await;
    }
    let expected = [
        ("initializing", "running", "running"),
        ("initializing", "running", "running"),
        ("starting", "success", "running"),
        ("starting", "success", "running"),
        ("running", "success", "success"),
    ];
    assert_eq!(
        seen,
        expected
            .map(|(status, create, start)| { (status.to_owned(), json!(create), json!(start)) })
    );
    let done = stage.get(&format!("/actions/{action}")).await;
    assert_eq!(done.body["action"]["progress"], 100);
    assert!(done.body["action"]["finished"].is_string());
    assert_eq!(done.body["action"]["error"], Value::Null);
}

#[tokio::test]
async fn a_running_server_has_an_address_or_gets_one_late() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().address = Delay::Lists(1));
    stage.server("web-1").await;
    stage.boot().await;
    let early = stage.get("/servers/1001").await.body["server"].clone();
    assert_eq!((&early["status"], &early["public_net"]["ipv4"]), (&json!("running"), &Value::Null));
    stage.get("/servers").await;
    let late = stage.get("/servers/1001").await.body["server"].clone();
    assert_eq!(late["status"], "running");
    assert!(late["public_net"]["ipv4"]["ip"].as_str().is_some_and(|ip| ip.starts_with("10.")));
    assert_eq!(late["public_net"]["ipv6"]["ip"], "2001:db8:0:3e9::/64");
}

#[tokio::test]
async fn a_server_may_be_ordered_without_either_address() {
    let stage = Stage::new().await;
    let only_6 = json!({ "public_net": { "enable_ipv4": false, "enable_ipv6": true } });
    stage.post("/servers", order_with("web-1", only_6)).await;
    stage.boot().await;
    let net = stage.get("/servers/1001").await.body["server"]["public_net"].clone();
    assert_eq!(net["ipv4"], Value::Null);
    assert!(net["ipv6"].is_object());
}

#[tokio::test]
async fn a_server_that_fails_to_boot_is_off_and_its_actions_say_error() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.decide_fate("web-1", Fate::FailsToBoot));
    let reply = stage.post("/servers", order("web-1")).await;
    stage.boot().await;
    assert_eq!(stage.status(1001).await, "off");
    let action = stage.get(&format!("/actions/{}", reply.body["next_actions"][0]["id"])).await;
    assert_eq!(action.body["action"]["status"], "error");
    assert_eq!(action.body["action"]["error"]["code"], "action_failed");
}

#[tokio::test]
async fn a_server_that_vanishes_leaves_actions_that_say_error() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.decide_fate("web-1", Fate::Vanishes));
    let reply = stage.post("/servers", order("web-1")).await;
    stage.boot().await;
    let gone = stage.get("/servers/1001").await;
    assert_eq!(gone.refusal(), (404, "not_found", "server with ID '1001' not found"));
    let action = stage.get(&format!("/actions/{}", reply.body["next_actions"][0]["id"])).await;
    assert_eq!(action.body["action"]["status"], "error");
}

#[tokio::test]
async fn a_server_that_is_stuck_never_runs() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.decide_fate("web-1", Fate::StaysPending));
    stage.server("web-1").await;
    stage.boot().await;
    stage.boot().await;
    assert_eq!(stage.status(1001).await, "starting");
}

#[tokio::test]
async fn removing_is_answered_by_an_action_once_and_by_404_then() {
    let stage = Stage::new().await;
    stage.server("web-1").await;
    stage.boot().await;
    let reply = stage.delete("/servers/1001").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["action"]["command"], "delete_server");
    let id = &reply.body["action"]["id"];
    let action = stage.get(&format!("/actions/{id}")).await;
    assert_eq!(action.body["action"]["status"], "success");
    assert_eq!(stage.delete("/servers/1001").await.refusal().0, 404);
    assert_eq!(stage.get("/servers").await.body["servers"], json!([]));
}

#[tokio::test]
async fn a_server_that_goes_slowly_is_deleting() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().shutdown = Delay::Lists(1));
    stage.server("web-1").await;
    let reply = stage.delete("/servers/1001").await;
    assert_eq!(stage.status(1001).await, "deleting");
    assert_eq!(stage.delete("/servers/1001").await.refusal().0, 404);
    stage.get("/servers").await;
    assert_eq!(stage.status(1001).await, "gone");
    let action = stage.get(&format!("/actions/{}", reply.body["action"]["id"])).await;
    assert_eq!(action.body["action"]["status"], "success");
}

#[tokio::test]
async fn a_protected_server_stays_until_the_protection_is_lifted() {
    let stage = Stage::new().await;
    stage.server("web-1").await;
    let protect = |delete: bool| json!({ "delete": delete, "rebuild": delete });
    let path = "/servers/1001/actions/change_protection";
    let reply = stage.post(path, protect(true)).await;
    assert_eq!(reply.body["action"]["status"], "success");
    assert_eq!(stage.get("/servers/1001").await.body["server"]["protection"]["delete"], true);
    let refusal = stage.delete("/servers/1001").await;
    assert_eq!(refusal.refusal(), (423, "protected", "server deletion is protected"));
    stage.post(path, protect(false)).await;
    assert_eq!(stage.delete("/servers/1001").await.status, 200);
}

#[tokio::test]
async fn a_running_action_locks_a_server_against_others() {
    let stage = Stage::new().await;
    stage.server("web-1").await;
    let locked = (423, "locked", "cannot perform operation because server is locked");
    assert_eq!(stage.get("/servers/1001").await.body["server"]["locked"], true);
    let on = stage.answer("POST", "/servers/1001/actions/poweron", None).await;
    assert_eq!(on.refusal(), locked);
    stage.hetzner.change_habits(|habits| habits.locks_everything = true);
    assert_eq!(stage.delete("/servers/1001").await.refusal(), locked);
    assert_eq!(stage.put("/servers/1001", json!({ "name": "web-2" })).await.refusal(), locked);
    stage.boot().await;
    assert_eq!(stage.get("/servers/1001").await.body["server"]["locked"], false);
    assert_eq!(stage.delete("/servers/1001").await.status, 200);
}

#[tokio::test]
async fn a_server_that_is_off_can_be_switched_on() {
    let stage = Stage::new().await;
    let off = json!({ "start_after_create": false });
    let reply = stage.post("/servers", order_with("web-1", off)).await;
    assert_eq!(reply.body["next_actions"], json!([]));
    assert_eq!(stage.status(1001).await, "off");
    let on = stage.answer("POST", "/servers/1001/actions/poweron", None).await;
    assert_eq!((on.status, &on.body["action"]["command"]), (201, &json!("start_server")));
    assert_eq!(stage.status(1001).await, "initializing");
    stage.boot().await;
    assert_eq!(stage.status(1001).await, "running");
    let again = stage.answer("POST", "/servers/1001/actions/poweron", None).await;
    assert_eq!(again.body["action"]["status"], "success");
    let off = stage.answer("POST", "/servers/1001/actions/shutdown", None).await;
    assert_eq!((off.status, &off.body["action"]["status"]), (201, &json!("running")));
    assert_eq!(stage.status(1001).await, "stopping");
}

#[tokio::test]
async fn a_change_replaces_name_and_labels_it_names() {
    let stage = Stage::new().await;
    stage.server("web-1").await;
    stage.server("web-2").await;
    let labels = json!({ "env": "prod", "bare": "" });
    let reply = stage.put("/servers/1001", json!({ "labels": labels })).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body["server"]["name"], "web-1");
    assert_eq!(reply.body["server"]["labels"], labels);
    let reply = stage.put("/servers/1001", json!({ "name": "web-9" })).await;
    assert_eq!(reply.body["server"]["labels"], labels);
    let taken = stage.put("/servers/1001", json!({ "name": "web-2" })).await;
    assert_eq!(taken.refusal(), (409, "uniqueness_error", "server name is already used"));
    let reserved = json!({ "labels": { "hetzner.cloud/x": "y" } });
    assert_eq!(stage.put("/servers/1001", reserved).await.refusal().1, "invalid_input");
    assert_eq!(stage.put("/servers/9", json!({ "name": "a" })).await.refusal().0, 404);
}

#[tokio::test]
async fn the_image_of_a_server_may_be_gone() {
    let stage = Stage::new().await;
    stage.server("web-1").await;
    stage.hetzner.forget_image(1001);
    assert_eq!(stage.get("/servers/1001").await.body["server"]["image"], Value::Null);
}

#[tokio::test]
async fn a_lost_answer_leaves_a_server_with_all_it_was_ordered_with() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.inject(Fault::LoseAnswer { effect: 1 }));
    let wanted = order_with("web-1", json!({ "user_data": "#!/bin/sh", "image": "debian-12" }));
    assert!(stage.ask("POST", "/servers", Some(wanted.to_string())).await.is_none());
    let found = stage.get("/servers?name=web-1").await;
    assert_eq!(found.body["servers"][0]["image"]["name"], "debian-12");
    assert_eq!(stage.hetzner.user_data(1001).as_deref(), Some("#!/bin/sh"));
    assert_eq!(stage.get("/servers/1001/actions").await.each("actions", "command").len(), 2);
}

#[tokio::test]
async fn whoever_is_killed_before_the_answer_does_not_get_it() {
    let stage = Stage::new().await;
    let crash = Fault::Crash { effect: 1, answer: AnswerFate::Lost };
    stage.world.with(|world, _| world.inject(crash));
    assert!(stage.ask("POST", "/servers", Some(order("web-1").to_string())).await.is_none());
    assert_eq!(stage.get("/servers").await.each("servers", "name"), ["web-1"]);
}
