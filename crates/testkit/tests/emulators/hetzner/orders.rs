use serde_json::{Value, json};
use stagecraft_testkit::emulators::hetzner::Shortage;

use super::stage::{Stage, order, order_with};

#[tokio::test]
async fn an_order_is_answered_by_a_server_and_what_is_done_to_it() {
    let stage = Stage::new().await;
    let reply = stage.post("/servers", order("web-1")).await;
    assert_eq!(reply.status, 201);
    let Value::Object(body) = &reply.body else { panic!("{}", reply.body) };
    assert_eq!(body["server"]["status"], "initializing");
    assert_eq!(body["server"]["location"]["name"], "fsn1");
    assert_eq!(body["server"]["image"]["architecture"], "x86");
    assert_eq!(body["server"]["labels"], json!({ "role": "web" }));
    assert_eq!(body["action"]["command"], "create_server");
    assert_eq!(body["action"]["status"], "running");
    assert_eq!(body["action"]["finished"], Value::Null);
    assert_eq!(body["action"]["resources"], json!([{ "id": 1001, "type": "server" }]));
    assert_eq!(body["next_actions"][0]["command"], "start_server");
    assert_eq!(body["root_password"], Value::Null);
}

#[tokio::test]
async fn an_order_without_a_key_is_answered_with_a_password() {
    let stage = Stage::new().await;
    let reply = stage.post("/servers", order_with("web-1", json!({ "ssh_keys": [] }))).await;
    assert!(reply.body["root_password"].as_str().is_some_and(|password| password.len() > 8));
}

#[tokio::test]
async fn types_images_places_and_keys_go_by_id_or_name() {
    let stage = Stage::new().await;
    let key = stage.get("/ssh_keys").await.body["ssh_keys"][0]["id"].clone();
    let by_id = json!({
        "server_type": 45, "image": "161547270", "location": "3", "ssh_keys": [key],
    });
    let reply = stage.post("/servers", order_with("arm-1", by_id)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let server = &reply.body["server"];
    assert_eq!(server["server_type"]["name"], "cax11");
    assert_eq!(server["image"]["name"], "ubuntu-24.04");
    assert_eq!(server["image"]["architecture"], "arm");
    assert_eq!(server["location"]["name"], "hel1");
    assert_eq!(stage.hetzner.keys_of(1001).len(), 1);
}

#[tokio::test]
async fn an_image_by_name_is_the_one_for_the_architecture_of_the_type() {
    let stage = Stage::new().await;
    let arm = json!({ "server_type": "cax11", "image": "debian-12" });
    let reply = stage.post("/servers", order_with("arm-1", arm)).await;
    assert_eq!(reply.body["server"]["image"]["architecture"], "arm");
    let wrong = json!({ "server_type": "cax11", "image": "114690387" });
    let reply = stage.post("/servers", order_with("arm-2", wrong)).await;
    assert_eq!(reply.refusal().1, "invalid_input");
}

#[tokio::test]
async fn everything_wrong_with_an_order_is_said_at_once() {
    let stage = Stage::new().await;
    let wrong = json!({
        "name": "-web", "image": null, "location": 7, "labels": { "a:b": "c" },
        "start_after_create": "yes", "regoin": "fsn1", "user_data": "x".repeat(32 * 1024 + 1),
    });
    let reply = stage.post("/servers", order_with("web", wrong)).await;
    assert_eq!(reply.refusal().0, 422);
    assert_eq!(reply.refusal().1, "invalid_input");
    let fields = reply.details()["fields"].as_array().unwrap();
    let names: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["name", "image", "location", "labels", "user_data", "start_after_create", "regoin"]
    );
    assert_eq!(fields[6]["messages"], json!(["unknown field"]));
    let none = stage.answer("POST", "/servers", Some("{".to_owned())).await;
    assert_eq!(none.refusal().1, "json_error");
    assert!(stage.world.with(|world, now| world.machines(now)).is_empty());
}

#[tokio::test]
async fn a_datacenter_is_refused_and_never_shown() {
    let stage = Stage::new().await;
    let reply =
        stage.post("/servers", order_with("web", json!({ "datacenter": "fsn1-dc14" }))).await;
    assert_eq!(reply.refusal(), (422, "invalid_input", "invalid input in field 'datacenter'"));
    stage.server("web-1").await;
    for path in ["/servers", "/server_types", "/locations", "/pricing", "/images"] {
        assert!(!stage.get(path).await.body.to_string().contains("datacenter"), "{path}");
    }
}

#[tokio::test]
async fn what_an_order_names_must_exist() {
    let stage = Stage::new().await;
    for (field, given, message) in [
        ("server_type", "cx99", "server type 'cx99' not found"),
        ("image", "ubuntu-18.04", "image 'ubuntu-18.04' not found"),
        ("location", "mars1", "location 'mars1' not found"),
    ] {
        let reply = stage.post("/servers", order_with("web", json!({ field: given }))).await;
        assert_eq!(reply.refusal(), (422, "invalid_input", message));
    }
    let reply = stage.post("/servers", order_with("web", json!({ "ssh_keys": ["other"] }))).await;
    assert_eq!(reply.refusal(), (422, "invalid_input", "SSH key 'other' not found"));
}

#[tokio::test]
async fn a_type_that_is_not_sold_in_a_location_is_refused_there() {
    let stage = Stage::new().await;
    for (kind, place) in
        [("cx22", "fsn1"), ("cx23", "ash"), ("cax11", "ash"), ("cpx62", "sin"), ("cpx21", "nbg1")]
    {
        let wanted = json!({ "server_type": kind, "location": place });
        let reply = stage.post("/servers", order_with("web", wanted)).await;
        let expected = (422, "invalid_input", "unsupported location for server type");
        assert_eq!(reply.refusal(), expected, "{kind} in {place}");
    }
    for (name, kind, place) in [("a", "cpx21", "hil"), ("b", "cpx41", "sin"), ("c", "cpx22", "ash")]
    {
        let wanted = json!({ "server_type": kind, "location": place });
        let reply = stage.post("/servers", order_with(name, wanted)).await;
        assert_eq!(reply.status, 201, "{kind} in {place}: {}", reply.body);
    }
}

#[tokio::test]
async fn the_same_shortage_is_told_in_either_of_two_ways() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| {
        world.behaviour().sold_out.insert(("cx23".into(), "fsn1".into()));
    });
    let message = "error during placement";
    let reply = stage.post("/servers", order("web")).await;
    assert_eq!(reply.refusal(), (412, "resource_unavailable", message));
    stage.hetzner.change_habits(|habits| habits.shortage = Shortage::Placement);
    let reply = stage.post("/servers", order("web")).await;
    assert_eq!(reply.refusal(), (422, "placement_error", message));
    let listed = json!({ "server_type": "cx43", "location": "nbg1" });
    let reply = stage.post("/servers", order_with("web", listed)).await;
    assert_eq!(reply.refusal(), (422, "placement_error", message));
}

#[tokio::test]
async fn without_a_location_the_first_with_stock_is_taken() {
    let stage = Stage::new().await;
    stage.hetzner.set_stock("cx23", "fsn1", false);
    let reply = stage.post("/servers", order_with("web", json!({ "location": null }))).await;
    assert_eq!(reply.body["server"]["location"]["name"], "nbg1");
}

#[tokio::test]
async fn a_name_is_given_once_and_the_details_do_not_say_so() {
    let stage = Stage::new().await;
    stage.server("web-1").await;
    let reply = stage.post("/servers", order("web-1")).await;
    assert_eq!(reply.refusal(), (409, "uniqueness_error", "server name is already used"));
    assert_eq!(reply.details(), &json!({}));
    let found = stage.get("/servers?name=web-1").await;
    assert_eq!(found.each("servers", "id"), [1001]);
    assert_eq!(stage.get("/servers?name=web").await.each("servers", "id"), [] as [Value; 0]);
}

#[tokio::test]
async fn a_full_project_names_the_limit() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().quota = Some(1));
    stage.server("web-1").await;
    let reply = stage.post("/servers", order("web-2")).await;
    assert_eq!(reply.refusal().0, 403);
    assert_eq!(reply.refusal().1, "resource_limit_exceeded");
    assert_eq!(reply.details(), &json!({ "limits": [{ "name": "server_limit" }] }));
}

#[tokio::test]
async fn user_data_is_kept_and_never_shown() {
    let stage = Stage::new().await;
    let data = "#cloud-config\n# mark-of-user-data";
    let reply = stage.post("/servers", order_with("web-1", json!({ "user_data": data }))).await;
    assert_eq!(reply.status, 201);
    assert_eq!(stage.hetzner.user_data(1001).as_deref(), Some(data));
    for path in ["/servers", "/servers/1001", "/servers/1001/actions"] {
        stage.get(path).await;
    }
    let shown = stage.exchanges().into_iter().filter_map(|exchange| exchange.answer);
    assert!(shown.into_iter().all(|answer| !answer.to_string().contains("mark-of-user-data")));
    let longest = order_with("web-2", json!({ "user_data": "x".repeat(32 * 1024) }));
    assert_eq!(stage.post("/servers", longest).await.status, 201);
}
