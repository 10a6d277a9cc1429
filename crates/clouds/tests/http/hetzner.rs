use serde_json::{Value, json};
use stagecraft_clouds::hetzner::{HetznerProvider, HetznerSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::Lifecycle;

use crate::bad_answers::{TOKEN, order, told};
use crate::secrecy::assert_hidden;
use crate::server::{Say, Server, answer, answer_with};

#[tokio::test]
async fn a_name_that_is_free_again_when_it_is_looked_up_is_tried_again() {
    let server = Server::start([images(), taken(), page("servers", &[], None)]);
    let error = cloud(&server).create(&order()).await.unwrap_err();
    assert!(told(&error).contains("was taken, and is free again"), "{}", told(&error));
    assert!(matches!(error.retry(), Retry::After(pause) if !pause.is_zero()), "{error:?}");
    assert_eq!(error.request_id.as_deref(), Some("7f3e"));
    assert_eq!(
        server.lines(),
        [
            "GET /v2/images?type=system&per_page=50&page=1",
            "POST /v2/servers",
            "GET /v2/servers?name=staging-db-1",
        ]
    );
}

#[tokio::test]
async fn a_server_that_is_not_what_was_asked_for_by_name_is_not_adopted() {
    let mut other = server("running");
    other["name"] = "staging-db-2".into();
    let server = Server::start([images(), taken(), page("servers", &[other], None)]);
    let error = cloud(&server).create(&order()).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::ProviderFault(_)), "{}", told(&error));
}

#[tokio::test]
async fn a_new_server_without_its_labels_is_in_doubt() {
    let mut bare = server("initializing");
    bare["labels"] = json!({});
    let created = json!({ "server": bare, "action": null, "next_actions": [] });
    let server = Server::start([images(), answer(201, &created.to_string())]);
    let error = cloud(&server).create(&order()).await.unwrap_err();
    assert!(told(&error).contains("lacks the labels it was ordered with"), "{}", told(&error));
    assert_eq!(error.retry(), Retry::Observe);
}

#[tokio::test]
async fn a_root_password_is_in_no_error_whatever_is_wrong_with_its_answer() {
    let password = "YItygq1v3GYjjMomLaKc";
    let whole = json!({ "server": server("running"), "root_password": password });
    let mut bare = whole.clone();
    bare["server"]["labels"] = json!({});
    let mut odd = whole.clone();
    odd["server"]["id"] = password.into();
    let text = whole.to_string();
    let cut_off = &text[..text.len() - 2];
    for body in [bare.to_string(), odd.to_string(), cut_off.to_owned(), format!("x{text}")] {
        let server = Server::start([images(), answer(201, &body)]);
        let error = cloud(&server).create(&order()).await.unwrap_err();
        let shown = format!("{} {error:?}", told(&error));
        assert!(!shown.contains(&password[..6]), "{shown}");
        assert!(error.maybe_done);
    }
}

#[tokio::test]
async fn pages_that_do_not_end_are_not_read_for_ever() {
    let again = || page("servers", &[server("running")], Some(1));
    let server = Server::start([again(), again()]);
    let error = cloud(&server).list(&order().owner.scope).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::UnexpectedAnswer(_)), "{}", told(&error));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_server_that_moves_to_a_page_that_was_read_is_not_missed() {
    let numbered = |id: u64| {
        let mut server = server("running");
        server["id"] = id.into();
        server
    };
    let servers = |ids: &[u64]| ids.iter().map(|&id| numbered(id)).collect::<Vec<_>>();
    let of = |ids: &[u64], next: Option<u64>, total: u64| {
        let pagination = json!({ "next_page": next, "total_entries": total });
        let page = json!({ "servers": servers(ids), "meta": { "pagination": pagination } });
        answer(200, &page.to_string())
    };
    // Between the pages 1 is removed, and 3 moves to the first.
    let server = Server::start([
        of(&[1, 2], Some(2), 4),
        of(&[4], None, 3),
        of(&[2, 3], Some(2), 3),
        of(&[4], None, 3),
    ]);
    let listed = cloud(&server).list(&order().owner.scope).await.unwrap();
    let ids: Vec<&str> = listed.iter().map(|instance| instance.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4"], "1 may be seen until the next list");
}

#[tokio::test]
async fn servers_of_others_that_a_list_shows_all_the_same_are_left_out() {
    let mut others = server("running");
    others["labels"]["stagecraft.environment"] = "staging".into();
    let mut bare = server("running");
    bare["labels"] = json!({});
    let server = Server::start([page("servers", &[others, server("running"), bare], None)]);
    let listed = cloud(&server).list(&order().owner.scope).await.unwrap();
    assert!(matches!(listed.as_slice(), [only] if only.lifecycle == Lifecycle::Running));
}

#[tokio::test]
async fn a_wrong_path_or_a_proxy_that_says_404_is_not_a_server_that_is_gone() {
    let no_route = refusal("not_found", "api route not found", Value::Null);
    for body in [no_route, "<html>404</html>".to_owned(), "{}".to_owned()] {
        let server = Server::start([answer(404, &body), answer(404, &body)]);
        let cloud = cloud(&server);
        for error in [
            cloud.get(&"42".into()).await.unwrap_err(),
            cloud.terminate(&"42".into()).await.unwrap_err(),
        ] {
            assert!(matches!(error.kind, CloudErrorKind::UnexpectedAnswer(_)), "{}", told(&error));
            assert!(error.hints()[0].contains("check `api_url`"), "{:?}", error.hints());
        }
    }
}

#[tokio::test]
async fn an_action_that_failed_at_once_is_told() {
    let failed = json!({ "action": {
        "id": 9, "status": "error", "error": { "code": "server_error", "message": TOKEN },
    }});
    let one = || answer(200, &json!({ "server": server("off") }).to_string());
    let server = Server::start([one(), answer(201, &failed.to_string())]);
    let error = cloud(&server).start(&"42".into()).await.unwrap_err();
    assert!(told(&error).contains("start host `db-1`: it failed: [hidden] (server_error)"));
    assert_eq!(error.retry(), Retry::Observe);
    assert_hidden(&error);
}

#[tokio::test]
async fn trouble_with_a_server_does_not_show_the_token() {
    let action = json!({
        "id": 9, "status": "error", "error": { "code": "server_error", "message": TOKEN },
    });
    let created = json!({ "server": server("initializing"), "action": action });
    let server = Server::start([images(), answer(201, &created.to_string())]);
    let made = cloud(&server).create(&order()).await.unwrap();
    assert_eq!(made.lifecycle, Lifecycle::Failed);
    assert_eq!(made.trouble.as_deref(), Some("[hidden] (server_error)"));
}

#[tokio::test]
async fn no_error_shows_the_token_whatever_the_api_repeats() {
    let half = &TOKEN[..TOKEN.len() / 2];
    let details = json!({
        "fields": [{ "name": TOKEN, "messages": [TOKEN] }], "limits": [{ "name": TOKEN }],
    });
    let said = |code: &str, message: &str| refusal(code, message, details.clone());
    for say in [
        answer(401, &said("unauthorized", &format!("no user for '{half}...'"))),
        answer(403, &said("resource_limit_exceeded", TOKEN)),
        answer(409, &said(TOKEN, "")),
        answer(422, &said("invalid_input", &format!("{TOKEN}{TOKEN}"))),
        answer(429, &said("rate_limit_exceeded", half)),
        answer_with(503, &[("x-correlation-id", TOKEN)], TOKEN),
        answer_with(200, &[("x-correlation-id", TOKEN)], &json!({ TOKEN: TOKEN }).to_string()),
        answer(200, &json!({ "meta": TOKEN, "server": TOKEN, "servers": TOKEN }).to_string()),
    ] {
        // The count of servers that follows when a limit is reached gets the same answer.
        let server = Server::start([images(), say.clone(), say.clone()]);
        assert_hidden(&cloud(&server).create(&order()).await.unwrap_err());
        let server = Server::start([say]);
        assert_hidden(&cloud(&server).list(&order().owner.scope).await.unwrap_err());
    }
}

fn cloud(server: &Server) -> HetznerProvider {
    HetznerProvider::new(HetznerSettings {
        api_url: Some(BaseUrl::parse(&server.url).unwrap()),
        token: Token::new(TOKEN).unwrap(),
        ssh_key_name: Some("deploy".to_owned()),
    })
}

/// The server of that order.
fn server(status: &str) -> Value {
    json!({
        "id": 42,
        "name": "staging-db-1",
        "status": status,
        "created": "2026-11-20T10:00:00Z",
        "public_net": { "ipv4": { "ip": "203.0.113.7" }, "ipv6": null },
        "server_type": { "name": "cx23", "architecture": "x86" },
        "location": { "name": "fsn1" },
        "image": null,
        "labels": {
            "stagecraft.project": "shop",
            "stagecraft.environment": "staging",
            "stagecraft.host": "db-1",
            "stagecraft.role": "db",
            "stagecraft.image": "ubuntu-22.04",
        },
    })
}

fn images() -> Say {
    let image = json!({ "id": 7, "name": "ubuntu-22.04", "architecture": "x86" });
    page("images", &[image], None)
}

fn page(key: &str, items: &[Value], next: Option<u64>) -> Say {
    let pagination = json!({ "pagination": { "page": 1, "next_page": next } });
    answer(200, &json!({ key: items, "meta": pagination }).to_string())
}

fn taken() -> Say {
    let body = refusal("uniqueness_error", "server name is already used", json!({}));
    answer_with(409, &[("x-correlation-id", "7f3e")], &body)
}

fn refusal(code: &str, message: &str, details: Value) -> String {
    json!({ "error": { "code": code, "message": message, "details": details } }).to_string()
}
