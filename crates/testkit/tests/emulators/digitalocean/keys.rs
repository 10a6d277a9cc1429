use std::time::Duration;

use serde_json::{Value, json};

use super::{Stage, order_with};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFJE8BnVZcTFYYWPG1xC+fq/ZR+SuIq/wkiLURAXpFRG me";

#[tokio::test]
async fn a_key_is_found_by_id_and_by_fingerprint_but_not_by_name() {
    let stage = Stage::new().await;
    let added = stage.post("/account/keys", json!({ "name": "me", "public_key": KEY })).await;
    assert_eq!(added.status, 201);
    let key = added.body()["ssh_key"].clone();
    let fingerprint = key["fingerprint"].as_str().unwrap();
    for given in [key["id"].to_string(), fingerprint.to_owned(), fingerprint.replace(':', "%3A")] {
        let reply = stage.get(&format!("/account/keys/{given}")).await;
        assert_eq!(reply.body()["ssh_key"]["name"], "me", "{given}");
    }
    assert_eq!(stage.get("/account/keys/me").await.status, 404);
    let listed = stage.get("/account/keys").await.body();
    assert_eq!(
        (listed["ssh_keys"].as_array().unwrap().len(), &listed["meta"]["total"]),
        (2, &json!(2))
    );
}

#[tokio::test]
async fn a_key_can_be_there_once_and_is_removed_once() {
    let stage = Stage::new().await;
    let body = json!({ "name": "me", "public_key": KEY });
    let id = stage.post("/account/keys", body.clone()).await.body()["ssh_key"]["id"].to_string();
    let message = "SSH Key is already in use on your account".to_owned();
    let expected = (422, "unprocessable_entity".to_owned(), message);
    assert_eq!(stage.post("/account/keys", body).await.refusal(), expected);
    let wrong = json!({ "name": "other", "public_key": "ssh-ed25519 nonsense" });
    assert_eq!(stage.post("/account/keys", wrong).await.status, 422);
    let path = format!("/account/keys/{id}");
    let renamed = stage.ask("PUT", &path, Some(json!({ "name": "mine" }))).await;
    assert_eq!(renamed.body()["ssh_key"]["name"], "mine");
    assert_eq!([stage.delete(&path).await.status, stage.delete(&path).await.status], [204, 404]);
}

#[tokio::test]
async fn a_new_key_can_take_a_while_to_be_usable() {
    let stage = Stage::with(stagecraft_testkit::emulators::Options::default(), 1000).await;
    stage.front.change_habits(|habits| habits.late_key_seconds = 120);
    let added = stage.post("/account/keys", json!({ "name": "me", "public_key": KEY })).await;
    let key: Value = added.body()["ssh_key"]["id"].clone();
    let ordering = order_with("web-1", json!({ "ssh_keys": [key] }));
    let reply = stage.post("/droplets", ordering.clone()).await;
    let message = format!("{key} are invalid key identifiers for Droplet creation.");
    assert_eq!(reply.refusal().2, message);
    stage.world.sleep(Duration::from_secs(120)).await;
    assert_eq!(stage.post("/droplets", ordering).await.status, 202);
}
