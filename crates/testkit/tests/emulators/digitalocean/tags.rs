use serde_json::{Value, json};

use super::{Stage, order_with};

#[tokio::test]
async fn a_tag_keeps_the_case_of_its_first_use() {
    let stage = Stage::new().await;
    stage.post("/tags", json!({ "name": "PROD" })).await;
    let reply = stage.post("/droplets", order_with("web-1", json!({ "tags": ["prod"] }))).await;
    let body = reply.body();
    assert_eq!(body["droplet"]["tags"], json!(["PROD"]));
    assert_eq!(stage.listed("?tag_name=prod").await, [0; 0]);
    assert_eq!(stage.listed("?tag_name=PROD").await.len(), 1);
    assert_eq!(stage.get("/tags/prod").await.status, 404);
    assert_eq!(stage.get("/tags/PROD").await.status, 200);
}

#[tokio::test]
async fn tags_are_made_by_orders_and_count_what_carries_them() {
    let stage = Stage::new().await;
    let id = stage.droplet("web-1").await;
    let body = stage.get("/tags").await.body();
    let names: Vec<&Value> =
        body["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    assert_eq!(names, ["host:web-1", "run:1"]);
    let tag = stage.get("/tags/run:1").await.body()["tag"].clone();
    assert_eq!(tag["resources"]["droplets"]["count"], 1);
    let uri = format!("https://api.digitalocean.com/v2/droplets/{id}");
    assert_eq!(tag["resources"]["last_tagged_uri"], uri);
}

#[tokio::test]
async fn droplets_are_tagged_and_untagged_afterwards() {
    let stage = Stage::new().await;
    let id = stage.droplet("web-1").await;
    let resources =
        json!({ "resources": [{ "resource_id": id.to_string(), "resource_type": "droplet" }] });
    assert_eq!(stage.post("/tags/role:db/resources", resources.clone()).await.status, 404);
    let made = stage.post("/tags", json!({ "name": "role:db" })).await;
    assert_eq!((made.status, &made.body()["tag"]["name"]), (201, &json!("role:db")));
    assert_eq!(stage.post("/tags/role:db/resources", resources.clone()).await.status, 204);
    assert_eq!(stage.listed("?tag_name=role:db").await, [id]);
    let reply = stage.ask("DELETE", "/tags/role:db/resources", Some(resources)).await;
    assert_eq!(reply.status, 204);
    assert_eq!(stage.listed("?tag_name=role:db").await, [0; 0]);
    assert_eq!(stage.delete("/tags/run:1").await.status, 204);
    let tags = stage.get(&format!("/droplets/{id}")).await.body()["droplet"]["tags"].clone();
    assert_eq!(tags, json!(["host:web-1"]));
}

#[tokio::test]
async fn only_droplets_that_exist_can_be_tagged_here() {
    let stage = Stage::new().await;
    let id = stage.droplet("web-1").await;
    let resource = |id: &str, kind: &str| json!({ "resources": [{ "resource_id": id, "resource_type": kind }] });
    for body in [resource("1", "droplet"), resource(&id.to_string(), "volume")] {
        assert_eq!(stage.post("/tags/run:1/resources", body).await.status, 404);
    }
    for body in
        [json!({}), json!({ "resources": [{ "resource_id": 7, "resource_type": "droplet" }] })]
    {
        assert_eq!(stage.post("/tags/run:1/resources", body).await.status, 422);
    }
    assert_eq!(stage.post("/tags", json!({ "name": "a b" })).await.status, 422);
}
