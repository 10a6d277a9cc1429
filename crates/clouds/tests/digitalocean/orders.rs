//! Orders, answer by answer.

use serde_json::json;
use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::Lifecycle;

use crate::answers::{cloud, droplet, keys, problem};
use crate::server::{Say, Server, answer};
use crate::stage::{TOKEN, order, provider_at};

#[tokio::test]
async fn keys_are_listed_once_for_all_orders_and_the_catalogue() {
    let empty = |items: &str| answer(200, &json!({ items: [] }).to_string());
    let server = Server::start([
        keys(),
        answer(202, &json!({ "droplet": droplet(7) }).to_string()),
        answer(202, &json!({ "droplet": droplet(8) }).to_string()),
        empty("sizes"),
        empty("sizes"),
        empty("sizes"),
    ]);
    let cloud = cloud(&server.url);
    assert_eq!(cloud.create(&order("db-1")).await.unwrap().id.as_str(), "7");
    assert_eq!(cloud.create(&order("db-1")).await.unwrap().id.as_str(), "8");
    // Answered by sizes whatever it asks for; what counts is that it does not ask for keys.
    drop(cloud.catalogue().await);
    let lines = server.lines();
    assert_eq!(lines[0], "GET /v2/account/keys?page=1&per_page=200");
    assert_eq!(lines[1..3], ["POST /v2/droplets", "POST /v2/droplets"]);
    assert!(lines[3..].iter().all(|line| !line.contains("keys")), "{lines:?}");
}

#[tokio::test]
async fn a_lookup_of_keys_that_failed_is_made_again() {
    let made = answer(202, &json!({ "droplet": droplet(7) }).to_string());
    let server = Server::start([answer(500, "{}"), keys(), made]);
    let cloud = cloud(&server.url);
    let error = cloud.create(&order("db-1")).await.unwrap_err();
    assert!(!error.maybe_done, "{error}");
    cloud.create(&order("db-1")).await.unwrap();
}

#[tokio::test]
async fn without_a_key_nothing_is_ordered() {
    let two = json!({ "ssh_keys": [{ "id": 1, "name": "laptop" }, { "id": 2, "name": "ci" }] });
    for (name, listed, message, hint) in [
        (None, None, "no SSH key is named that may log in", "set `ssh_key_name`"),
        (
            Some("deploy"),
            Some(two),
            "the account has no SSH key named `deploy`",
            "the account has `ci`, `laptop`",
        ),
        (
            Some("deploy"),
            Some(json!({ "ssh_keys": [] })),
            "the account has no SSH key named `deploy`",
            "the account has no SSH keys",
        ),
        (
            Some("deploy"),
            Some(
                json!({ "ssh_keys": [{ "id": 1, "name": "deploy" }, { "id": 2, "name": "deploy" }] }),
            ),
            "the account has 2 SSH keys named `deploy`",
            "rename one of them",
        ),
    ] {
        let answers: Vec<Say> = listed.iter().map(|keys| answer(200, &keys.to_string())).collect();
        let asked = answers.len();
        let server = Server::start(answers);
        let error = provider_at(&server.url, TOKEN, name).create(&order("db-1")).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("digitalocean could not create host `db-1`: {message}")
        );
        assert!(error.hints[0].starts_with(hint), "{:?}", error.hints);
        assert_eq!(server.lines().len(), asked);
    }
}

#[tokio::test]
async fn a_full_account_says_its_limit_and_use_and_looks_them_up_once() {
    let full = problem(422, "creating this/these droplet(s) will exceed your droplet limit");
    // The two are asked for at once, and this server cannot tell them apart.
    let either =
        answer(200, r#"{"account": {"droplet_limit": 10}, "droplets": [], "meta": {"total": 10}}"#);
    let server = Server::start([keys(), full.clone(), either.clone(), either, full]);
    let cloud = cloud(&server.url);
    for _ in 0..2 {
        let error = cloud.create(&order("db-1")).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "digitalocean could not create host `db-1`: a limit of the account is reached: creating \
             this/these droplet(s) will exceed your droplet limit (10 droplets of at most 10) \
             (request 4d9d)"
        );
        assert!(error.hints[0].contains("droplet_limit_increase"));
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn a_full_account_that_says_no_more_is_still_full() {
    let full = problem(422, "creating this/these droplet(s) will exceed your droplet limit");
    let server = Server::start([keys(), full, answer(403, "{}"), answer(403, "{}")]);
    let error = cloud(&server.url).create(&order("db-1")).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::QuotaExceeded(_)), "{error}");
}

#[tokio::test]
async fn a_key_that_is_not_known_everywhere_yet_is_tried_again() {
    let late = problem(422, "1 are invalid key identifiers for Droplet creation.");
    let server = Server::start([keys(), late]);
    let error = cloud(&server.url).create(&order("db-1")).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(pause) if !pause.is_zero()), "{error}");
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_not_repeated() {
    for lost in [Say::Bytes(Vec::new()), answer(500, "{}"), answer(504, "<html>")] {
        let server = Server::start([keys(), lost]);
        let error = cloud(&server.url).create(&order("db-1")).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Observe, "{error}");
        assert_eq!(server.lines().len(), 2);
    }
}

#[tokio::test]
async fn a_new_droplet_is_pending_and_has_no_address() {
    let mut new = droplet(7);
    new["status"] = "new".into();
    new["networks"] = json!({ "v4": [], "v6": [] });
    let made = json!({ "droplet": new, "links": { "actions": [{ "id": 1, "rel": "create" }] } });
    let server = Server::start([keys(), answer(202, &made.to_string())]);
    let made = cloud(&server.url).create(&order("db-1")).await.unwrap();
    assert_eq!((made.lifecycle, made.address), (Lifecycle::Pending, None));
}
