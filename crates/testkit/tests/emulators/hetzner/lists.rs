use serde_json::{Value, json};

use super::stage::{Stage, order_with};

#[tokio::test]
async fn a_page_has_25_servers_unless_told_and_never_more_than_50() {
    let stage = Stage::new().await;
    for number in 0..60 {
        stage.server(&format!("web-{number}")).await;
    }
    let mut found = Vec::new();
    let mut next = json!(1);
    while !next.is_null() {
        let page = stage.get(&format!("/servers?per_page=100&page={next}")).await;
        found.push(page.each("servers", "id"));
        next = page.body["meta"]["pagination"]["next_page"].clone();
    }
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [50, 10]);
    let ids: Vec<Value> = (1001..=1060).map(Value::from).collect();
    assert_eq!(found.concat(), ids);
    let page = stage.get("/servers").await;
    assert_eq!(page.each("servers", "id").len(), 25);
    assert_eq!(
        page.body["meta"]["pagination"],
        json!({ "page": 1, "per_page": 25, "previous_page": null, "next_page": 2,
                "last_page": 3, "total_entries": 60 })
    );
    assert_eq!(stage.get("/servers?page=0").await.refusal().1, "invalid_input");
}

#[tokio::test]
async fn totals_may_be_null() {
    let stage = Stage::new().await;
    stage.hetzner.change_habits(|habits| habits.silent_totals = true);
    stage.server("web-1").await;
    for path in ["/servers", "/ssh_keys", "/server_types", "/images", "/locations"] {
        let page = stage.get(path).await.body["meta"]["pagination"].clone();
        assert_eq!((&page["last_page"], &page["total_entries"]), (&Value::Null, &Value::Null));
    }
}

#[tokio::test]
async fn labels_pick_servers() {
    let stage = Stage::new().await;
    for (name, labels) in [
        ("a", json!({ "role": "web", "env": "prod" })),
        ("b", json!({ "role": "db", "env": "prod" })),
        ("c", json!({ "env": "dev" })),
    ] {
        stage.post("/servers", order_with(name, json!({ "labels": labels }))).await;
    }
    for (selector, expected) in [
        ("role%3Dweb", &["a"][..]),
        ("role%3D%3Dweb%2Cenv%3Dprod", &["a"]),
        ("role%21%3Dweb", &["b", "c"]),
        ("role", &["a", "b"]),
        ("%21role", &["c"]),
        ("role+in+%28web%2Cdb%29", &["a", "b"]),
        ("env+notin+%28dev%29%2Crole", &["a", "b"]),
        ("role%3Dother", &[]),
    ] {
        let found = stage.get(&format!("/servers?label_selector={selector}")).await;
        assert_eq!(found.each("servers", "name"), expected, "{selector}");
    }
    let wrong = stage.get("/servers?label_selector=role%3Dx%2C").await;
    assert_eq!(wrong.refusal().1, "invalid_input");
    assert_eq!(wrong.details()["fields"][0]["name"], "label_selector");
}

#[tokio::test]
async fn servers_are_picked_by_status_and_sorted() {
    let stage = Stage::new().await;
    stage.server("b").await;
    stage.boot().await;
    stage.server("a").await;
    let names = async |query: &str| stage.get(&format!("/servers?{query}")).await;
    let both = names("status=running&status=initializing").await;
    assert_eq!(both.each("servers", "name"), ["b", "a"]);
    assert_eq!(names("status=running").await.each("servers", "name"), ["b"]);
    assert_eq!(names("sort=name").await.each("servers", "name"), ["a", "b"]);
    assert_eq!(names("sort=id%3Adesc").await.each("servers", "name"), ["a", "b"]);
    assert_eq!(names("status=frozen").await.refusal().1, "invalid_input");
    assert_eq!(names("sort=price").await.refusal().1, "invalid_input");
}

#[tokio::test]
async fn actions_are_told_by_id_only() {
    let stage = Stage::new().await;
    let all = stage.get("/actions").await;
    assert_eq!((all.refusal().0, all.refusal().1), (410, "deprecated_api_endpoint"));
    assert!(all.details()["announcement"].is_string());
    let one = stage.server("web-1").await;
    let actions = stage.get(&format!("/servers/{one}/actions")).await.each("actions", "id");
    let known = stage.get(&format!("/actions?id={}&id=1", actions[1])).await;
    assert_eq!(known.each("actions", "id"), actions[1..]);
    assert_eq!(stage.get("/actions/1").await.refusal().0, 404);
    assert_eq!(stage.get("/actions?id=x").await.refusal().1, "invalid_input");
}
