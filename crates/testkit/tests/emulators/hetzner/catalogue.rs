use serde_json::{Value, json};

use super::stage::{Stage, order_with};

#[tokio::test]
async fn types_fill_more_than_one_page() {
    let stage = Stage::new().await;
    let first = stage.get("/server_types").await;
    assert_eq!(first.each("server_types", "name").len(), 25);
    assert_eq!(first.body["meta"]["pagination"]["next_page"], 2);
    assert_eq!(types(&stage).await.len(), 29);
}

#[tokio::test]
async fn where_a_type_is_sold_is_told_per_location() {
    let stage = Stage::new().await;
    let types = types(&stage).await;
    let gone = named(&types, "cx22");
    assert!(gone["locations"].as_array().unwrap().iter().all(|place| {
        place["deprecation"]["unavailable_after"] == "2023-10-31T23:59:59Z"
            && place["available"] == false
    }));
    assert_eq!(places(named(&types, "cx23")), ["fsn1", "nbg1", "hel1"]);
    assert_eq!(places(named(&types, "cax11")), ["fsn1", "nbg1", "hel1"]);
    assert_eq!(named(&types, "cax11")["architecture"], "arm");
    assert_eq!(named(&types, "ccx13")["cpu_type"], "dedicated");
    let out = at(named(&types, "cx43"), "nbg1");
    assert_eq!((&out["available"], &out["deprecation"]), (&json!(false), &Value::Null));
    // What is said of the whole type misleads: overseas it is sold.
    let mixed = named(&types, "cpx21");
    assert_eq!(mixed["deprecated"], true);
    assert_eq!(at(mixed, "ash")["deprecation"], Value::Null);
    assert_eq!(at(mixed, "ash")["available"], true);
    assert!(at(mixed, "fsn1")["deprecation"].is_object());
}

#[tokio::test]
async fn prices_are_decimal_strings_for_each_location_where_there_is_one() {
    let stage = Stage::new().await;
    let types = types(&stage).await;
    let price = &named(&types, "cx23")["prices"][0];
    assert_eq!(price["location"], "fsn1");
    let monthly = json!({ "net": "3.4900000000", "gross": "4.1531000000000000" });
    assert_eq!(price["price_monthly"], monthly);
    let priced = |name: &str| {
        let prices = named(&types, name)["prices"].as_array().unwrap().clone();
        prices.iter().map(|price| price["location"].as_str().unwrap().to_owned()).collect()
    };
    let (listed, sold): (_, Vec<String>) = (places(named(&types, "cpx62")), priced("cpx62"));
    assert!(listed.contains(&"sin") && !sold.contains(&"sin".to_owned()));
    let pricing = stage.get("/pricing").await.body["pricing"].clone();
    assert_eq!((&pricing["currency"], &pricing["vat_rate"]), (&json!("EUR"), &json!("19.000000")));
    assert_eq!(pricing["primary_ips"][0]["prices"][0]["price_monthly"]["net"], "0.5000000000");
    assert_eq!(named(pricing["server_types"].as_array().unwrap(), "cx23")["prices"][0], *price);
}

#[tokio::test]
async fn a_shortage_can_be_told_beforehand() {
    let stage = Stage::new().await;
    stage.hetzner.set_stock("cx23", "fsn1", false);
    assert_eq!(at(named(&types(&stage).await, "cx23"), "fsn1")["available"], false);
    stage.hetzner.set_stock("cx23", "fsn1", true);
    stage.world.with(|world, _| {
        world.behaviour().sold_out.insert(("cx23".into(), "fsn1".into()));
    });
    assert_eq!(at(named(&types(&stage).await, "cx23"), "fsn1")["available"], true);
    stage.hetzner.change_habits(|habits| habits.announces_shortage = true);
    assert_eq!(at(named(&types(&stage).await, "cx23"), "fsn1")["available"], false);
}

#[tokio::test]
async fn an_image_is_there_once_for_each_architecture() {
    let stage = Stage::new().await;
    let both = stage.get("/images?type=system&name=ubuntu-24.04").await;
    assert_eq!(both.each("images", "architecture"), ["x86", "arm"]);
    let one = stage.get("/images?type=system&name=ubuntu-24.04&architecture=arm").await;
    assert_eq!(one.each("images", "id"), [161_547_270]);
    for name in ["ubuntu-22.04", "debian-12"] {
        assert_eq!(stage.get(&format!("/images?name={name}")).await.each("images", "id").len(), 2);
    }
}

#[tokio::test]
async fn deprecated_images_are_hidden_unless_asked_for() {
    let stage = Stage::new().await;
    let hidden = stage.get("/images?name=ubuntu-20.04").await;
    assert_eq!(hidden.body["images"], json!([]));
    let shown = stage.get("/images?name=ubuntu-20.04&include_deprecated=true").await;
    assert!(shown.each("images", "deprecated").iter().all(Value::is_string));
    let snapshots = stage.get("/images?type=snapshot").await;
    assert_eq!(snapshots.each("images", "name"), [Value::Null]);
}

#[tokio::test]
async fn resources_are_told_one_by_one_too() {
    let stage = Stage::new().await;
    assert_eq!(stage.get("/server_types/114").await.body["server_type"]["name"], "cx23");
    assert_eq!(stage.get("/images/114690387").await.body["image"]["name"], "debian-12");
    assert_eq!(stage.get("/locations/1").await.body["location"]["network_zone"], "eu-central");
    assert_eq!(stage.get("/locations?name=hel1").await.each("locations", "id"), [3]);
    for path in ["/server_types/1", "/images/1", "/locations/9"] {
        assert_eq!(stage.get(path).await.refusal().0, 404, "{path}");
    }
}

#[tokio::test]
async fn novelties_are_in_every_answer() {
    let stage = Stage::new().await;
    stage.hetzner.change_habits(|habits| habits.novelties = true);
    let reply = stage.post("/servers", order_with("web-1", json!({}))).await;
    assert_eq!(reply.body["server"]["status"], "preparing");
    assert!(reply.body["server"]["novelty"].is_object() && reply.body["novelty"].is_object());
    assert_eq!(reply.body["server"]["labels"], json!({ "role": "web" }));
    let types = types(&stage).await;
    assert_eq!(named(&types, "ax23")["architecture"], "riscv");
}

async fn types(stage: &Stage) -> Vec<Value> {
    let mut types = Vec::new();
    for page in 1..=2 {
        let reply = stage.get(&format!("/server_types?page={page}")).await;
        types.extend(reply.body["server_types"].as_array().unwrap().iter().cloned());
    }
    types
}

fn named<'a>(entries: &'a [Value], name: &str) -> &'a Value {
    entries.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn places(entry: &Value) -> Vec<&str> {
    let places = entry["locations"].as_array().unwrap();
    places.iter().map(|place| place["name"].as_str().unwrap()).collect()
}

fn at<'a>(entry: &'a Value, place: &str) -> &'a Value {
    named(entry["locations"].as_array().unwrap(), place)
}
