//! Lists, looks and changes, answer by answer: which requests are made, and what each answer leads to.

use serde_json::{Value, json};
use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _, Termination};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::Marks;

use crate::answers::{cloud, droplet, problem};
use crate::server::{Server, answer};
use crate::stage::{marks, scope};

#[tokio::test]
async fn a_list_is_read_to_the_last_page_below_our_own_address() {
    let page = |droplets: Value, next: Option<u32>| {
        let url = |page| format!("https://api.digitalocean.com/v2/droplets?page={page}");
        let links = next.map_or(json!({}), |page| json!({ "pages": { "next": url(page) } }));
        let page = json!({ "droplets": droplets, "links": links, "meta": { "total": 3 } });
        answer(200, &page.to_string())
    };
    let server = Server::start([
        page(json!([droplet(7), droplet(8)]), Some(2)),
        page(json!([droplet(8), droplet(9)]), None),
    ]);
    let list = cloud(&server.url).list(&scope()).await.unwrap();
    let ids: Vec<&str> = list.iter().map(|instance| instance.id.as_str()).collect();
    assert_eq!(ids, ["7", "8", "9"], "what is shown twice is there once");
    let tag = "tag_name=stagecraft%3Ascope%3Ashop%3Aprod";
    assert_eq!(
        server.lines(),
        [1, 2].map(|page| format!("GET /v2/droplets?{tag}&page={page}&per_page=200"))
    );
}

#[tokio::test]
async fn pages_that_go_nowhere_are_not_understood() {
    let page = json!({ "droplets": [], "links": { "pages": { "next": "https://x/?page=1" } } });
    let server = Server::start([answer(200, &page.to_string())]);
    let error = cloud(&server.url).list(&scope()).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::UnexpectedAnswer(_)), "{error}");
}

#[tokio::test]
async fn a_droplet_without_tags_is_foreign_only_if_the_token_may_read_tags() {
    let mut bare = droplet(7);
    bare["tags"] = json!([]);
    let bare = answer(200, &json!({ "droplet": bare }).to_string());
    let server = Server::start([bare.clone(), answer(200, r#"{"tags": []}"#)]);
    assert_eq!(cloud(&server.url).get(&"7".into()).await.unwrap(), None);
    assert_eq!(server.lines()[1], "GET /v2/tags?per_page=1");

    let server = Server::start([bare, problem(403, "You are not authorized")]);
    let error = cloud(&server.url).terminate(&"7".into()).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::Forbidden(_)), "{error}");
    assert!(error.hints[0].contains("`tag:read`"), "{:?}", error.hints);
}

#[tokio::test]
async fn what_is_not_ours_is_never_changed() {
    let mut foreign = droplet(7);
    foreign["tags"] = json!(["stagecraft:scope:shop:prod", "blue"]);
    let foreign = answer(200, &json!({ "droplet": foreign }).to_string());
    let id = "7".into();
    let server = Server::start([foreign.clone(), foreign.clone(), foreign]);
    let cloud = cloud(&server.url);
    let errors = [
        cloud.terminate(&id).await.unwrap_err(),
        cloud.start(&id).await.unwrap_err(),
        cloud.update(&id, &marks()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().ends_with("droplet 7 is not one of ours"), "{error}");
        assert!(matches!(error.kind, CloudErrorKind::NotFound(_)));
    }
    assert_eq!(server.lines(), ["GET /v2/droplets/7"; 3]);
}

#[tokio::test]
async fn what_is_gone_is_gone_and_a_page_that_is_not_found_is_not() {
    let gone = || problem(404, "The resource you requested could not be found.");
    let server = Server::start([gone(), gone(), gone()]);
    let cloud_ = cloud(&server.url);
    let id = "7".into();
    assert_eq!(cloud_.get(&id).await.unwrap(), None);
    assert_eq!(cloud_.terminate(&id).await.unwrap(), Termination::AlreadyGone);
    let error = cloud_.start(&id).await.unwrap_err();
    assert!(error.to_string().ends_with("there is no droplet 7"), "{error}");

    let server = Server::start([answer(404, "<html>nginx</html>")]);
    let error = cloud(&server.url).terminate(&id).await.unwrap_err();
    assert!(error.hints[0].contains("api_url"), "{error}");
}

#[tokio::test]
async fn an_id_that_is_no_number_is_not_asked_for() {
    // Nothing listens here.
    let cloud = cloud("http://127.0.0.1:9/v2");
    for odd in ["", "..", "7?tag_name=x"] {
        assert_eq!(cloud.get(&odd.into()).await.unwrap(), None);
        assert_eq!(cloud.terminate(&odd.into()).await.unwrap(), Termination::AlreadyGone);
    }
}

#[tokio::test]
async fn a_removal_under_way_is_success_and_one_that_is_over_too() {
    let there = answer(200, &json!({ "droplet": droplet(7) }).to_string());
    for (said, ended) in [
        (answer(204, ""), Termination::Started),
        (problem(409, "a destroy is already running"), Termination::Started),
        (problem(404, "no such droplet"), Termination::AlreadyGone),
    ] {
        let server = Server::start([there.clone(), said]);
        assert_eq!(cloud(&server.url).terminate(&"7".into()).await.unwrap(), ended);
        assert_eq!(server.lines()[1], "DELETE /v2/droplets/7");
    }
    let busy = problem(422, "Droplet already has a pending event.");
    let server = Server::start([there, busy]);
    let error = cloud(&server.url).terminate(&"7".into()).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(_)), "{error}");
    assert!(error.to_string().starts_with("digitalocean could not terminate host `db-1`"));
}

#[tokio::test]
async fn only_what_is_off_is_switched_on() {
    let with = |status: &str| {
        let mut shown = droplet(7);
        shown["status"] = status.into();
        answer(200, &json!({ "droplet": shown }).to_string())
    };
    for status in ["new", "active"] {
        let server = Server::start([with(status)]);
        cloud(&server.url).start(&"7".into()).await.unwrap();
    }
    let on = problem(422, "Droplet is already powered on");
    for said in [answer(201, r#"{"action": {"id": 1}}"#), on] {
        let server = Server::start([with("off"), said]);
        cloud(&server.url).start(&"7".into()).await.unwrap();
        let heard = server.heard().remove(1);
        assert_eq!(heard.line, "POST /v2/droplets/7/actions");
        assert_eq!(heard.body, r#"{"type":"power_on"}"#);
    }
}

#[tokio::test]
async fn an_update_adds_first_and_uses_a_tags_own_spelling() {
    let mut shown = droplet(7);
    shown["tags"].as_array_mut().unwrap().push("OLD".into());
    let server = Server::start([
        answer(200, &json!({ "droplet": shown }).to_string()),
        // `blue` is new on the droplet and written `Blue` in the account.
        problem(404, "no such tag"),
        answer(201, r#"{"tag": {"name": "Blue"}}"#),
        answer(204, ""),
        answer(204, ""),
        problem(404, "no such tag"),
        answer(201, r#"{"action": {"id": 1, "status": "in-progress"}}"#),
    ]);
    let marks = Marks { name: "prod-new".to_owned(), protected: true, ..marks() };
    cloud(&server.url).update(&"7".into(), &marks).await.unwrap();
    let said: Vec<String> =
        server.heard().into_iter().map(|heard| format!("{} {}", heard.line, heard.body)).collect();
    let droplet = r#"{"resources":[{"resource_id":"7","resource_type":"droplet"}]}"#;
    assert_eq!(
        said,
        [
            "GET /v2/droplets/7 ".to_owned(),
            format!("POST /v2/tags/blue/resources {droplet}"),
            r#"POST /v2/tags {"name":"blue"}"#.to_owned(),
            format!("POST /v2/tags/Blue/resources {droplet}"),
            format!("POST /v2/tags/stagecraft:protected/resources {droplet}"),
            format!("DELETE /v2/tags/OLD/resources {droplet}"),
            r#"POST /v2/droplets/7/actions {"type":"rename","name":"prod-new"}"#.to_owned(),
        ]
    );
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_one_look() {
    let server = Server::start([answer(200, &json!({ "droplet": droplet(7) }).to_string())]);
    let same = Marks { tags: [].into(), ..marks() };
    cloud(&server.url).update(&"7".into(), &same).await.unwrap();
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_tag_that_cannot_be_is_refused_before_anything_is_changed() {
    let server = Server::start([answer(200, &json!({ "droplet": droplet(7) }).to_string())]);
    let marks = Marks { tags: ["Not a tag".to_owned()].into(), ..marks() };
    let error = cloud(&server.url).update(&"7".into(), &marks).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::InvalidInput(_)), "{error}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_account_is_named_after_its_team_and_tells_of_trouble() {
    for (account, name) in [
        (json!({ "email": "a@b.example", "team": { "name": "Ops" }, "status": "active" }), "Ops"),
        (json!({ "email": "a@b.example", "team": null, "status": "archived" }), "a@b.example"),
        (
            json!({ "email": "a@b.example", "status": "warning", "status_message": "pay\u{7} soon" }),
            "a@b.example (DigitalOcean warns: pay soon)",
        ),
    ] {
        let server = Server::start([answer(200, &json!({ "account": account }).to_string())]);
        assert_eq!(cloud(&server.url).validate_credentials().await.unwrap().name, name);
        assert_eq!(server.lines(), ["GET /v2/account"]);
    }
    let locked = json!({ "account": { "email": "a@b.example", "status": "locked" } });
    let server = Server::start([answer(200, &locked.to_string())]);
    let error = cloud(&server.url).validate_credentials().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "digitalocean could not look at the account: not permitted: the account a@b.example is locked"
    );
}
