use serde_json::{Value, json};

use super::stage::Stage;

/// Made by `ssh-keygen` for this test.
pub(super) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEIPzgqaNCMih48oSzBEH/I7tG+7mabw8cVquQpLrHa0 tester";
const FINGERPRINT: &str = "38:83:e7:2f:7d:74:e7:f3:ef:20:ea:63:eb:6a:e8:6e";

#[tokio::test]
async fn keys_are_made_found_by_name_or_fingerprint_and_removed() {
    let stage = Stage::new().await;
    let reply = stage.post("/ssh_keys", json!({ "name": "mine", "public_key": KEY })).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let key = &reply.body["ssh_key"];
    assert_eq!(key["fingerprint"], FINGERPRINT);
    for query in ["", "?name=deploy", "?name=other", &format!("?fingerprint={FINGERPRINT}")] {
        let names = stage.get(&format!("/ssh_keys{query}")).await.each("ssh_keys", "name");
        let expected: &[&str] = match query {
            "" => &["deploy", "mine"],
            "?name=deploy" => &["deploy"],
            "?name=other" => &[],
            _ => &["mine"],
        };
        assert_eq!(names, expected, "{query}");
    }
    let path = format!("/ssh_keys/{}", key["id"]);
    let renamed = stage.put(&path, json!({ "name": "ours" })).await;
    assert_eq!(renamed.body["ssh_key"]["name"], "ours");
    let removed = stage.delete(&path).await;
    assert_eq!((removed.status, &removed.body), (204, &Value::Null));
    assert_eq!(stage.get(&path).await.refusal().0, 404);
}

#[tokio::test]
async fn a_key_is_there_once_by_name_and_by_itself() {
    let stage = Stage::new().await;
    stage.post("/ssh_keys", json!({ "name": "mine", "public_key": KEY })).await;
    let again = stage.post("/ssh_keys", json!({ "name": "copy", "public_key": KEY })).await;
    assert_eq!(again.refusal(), (409, "uniqueness_error", "SSH key not unique"));
    let no_key =
        stage.post("/ssh_keys", json!({ "name": "x", "public_key": "ssh-rsa AAAA" })).await;
    assert_eq!(no_key.refusal().1, "invalid_input");
    let unnamed = stage.post("/ssh_keys", json!({ "name": "", "public_key": KEY })).await;
    assert_eq!(unnamed.details()["fields"][0]["name"], "name");
}
