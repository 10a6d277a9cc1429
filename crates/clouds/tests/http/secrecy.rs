use serde_json::json;
use stagecraft_core::cloud::{CloudError, CloudProvider as _, CreateInstance};
use stagecraft_core::error::{Diagnose as _, Failure};
use stagecraft_core::identity::UserData;

use crate::bad_answers::{TOKEN, both, cloud, cloud_at, keys, order, told};
use crate::server::{Say, Server, answer, answer_with};

/// The variable by which a test tells the process it starts where its API is.
const CHILD: &str = "STAGECRAFT_TEST_API";

#[tokio::test]
async fn no_error_shows_the_token_whatever_the_server_repeats() {
    let half = &TOKEN[..TOKEN.len() / 2];
    let escaped: String = TOKEN.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let problem = |message: &str| {
        format!(
            r#"{{"id": "{TOKEN}", "message": "{message}", "request_id": "{TOKEN}",
                "error_attributes": {{"available_regions": ["{}"]}}}}"#,
            &TOKEN[7..]
        )
    };
    for say in [
        answer(401, &problem(&format!("no user for '{half}...'"))),
        answer(403, &problem(TOKEN)),
        answer(404, TOKEN),
        answer(422, &problem(&format!("{TOKEN}{TOKEN}"))),
        answer(422, &problem("no").replace(&TOKEN[7..], &escaped[6 * 7..])),
        answer(422, &format!(r#"{{"id": "no", "message": "{escaped}"}}"#)),
        answer(429, &problem(half)),
        answer_with(503, &[("x-request-id", TOKEN)], "{}"),
        answer_with(500, &[("x-request-id", TOKEN)], &format!("upstream got {TOKEN}")),
        answer_with(307, &[("Location", &format!("https://elsewhere.example/{TOKEN}"))], ""),
        answer_with(200, &[("x-request-id", TOKEN)], TOKEN),
        answer(200, &format!(r#""{TOKEN}""#)),
        answer(200, &format!(r#"{{"account": "{TOKEN}", "droplet": "{TOKEN}"}}"#)),
        answer(200, &format!(r#"{{"{TOKEN}": 1}}"#)),
        Say::Bytes(format!("HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n").into_bytes()),
    ] {
        for error in both(say.clone()).await {
            assert_hidden(&error);
        }
    }
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_not_quoted() {
    let body = r#"{"account": "not expected password", "droplet": "not expected password"}"#;
    for error in both(answer(200, body)).await {
        assert!(!told(&error).contains("password"), "{}", told(&error));
    }
}

#[test]
fn what_goes_to_this_machine_in_the_clear_passes_no_proxy() {
    let api = Server::start([answer(200, r#"{"account": {"email": "ada@shop.example"}}"#)]);
    let proxy = Server::start([answer(200, "{}")]);
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "secrecy::a_process_with_a_proxy_asks_its_api"]).env(CHILD, &api.url);
    let url = proxy.url.trim_end_matches("/v2");
    let proxied = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, url));
    child.envs(proxied).env_remove("NO_PROXY").env_remove("no_proxy");
    let output = child.output().unwrap();
    assert_eq!(proxy.heard(), [], "the token went to the proxy");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(api.lines(), ["GET /v2/account"]);
}

/// The other half of the test above; on its own it does nothing.
#[tokio::test]
async fn a_process_with_a_proxy_asks_its_api() {
    #[expect(clippy::disallowed_methods, reason = "the parent process says so where it listens")]
    if let Ok(url) = std::env::var(CHILD) {
        cloud_at(&url).validate_credentials().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_told_of_a_locked_account_does_not_show_the_token() {
    let body = format!(
        r#"{{"account": {{"email": "{TOKEN}", "status": "locked", "status_message": "{TOKEN}"}}}}"#
    );
    let server = Server::start([answer(200, &body)]);
    let error = cloud(&server).validate_credentials().await.unwrap_err();
    assert!(told(&error).contains("is locked"), "{}", told(&error));
    assert_hidden(&error);
}

#[tokio::test]
async fn names_of_keys_do_not_show_the_token() {
    let body = format!(r#"{{"ssh_keys": [{{"id": 1, "name": "{TOKEN}"}}]}}"#);
    let server = Server::start([answer(200, &body)]);
    assert_hidden(&cloud(&server).create(&order()).await.unwrap_err());
}

#[tokio::test]
async fn what_exists_under_the_name_of_the_token_does_not_show_it() {
    let escaped: String = TOKEN.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    for name in [TOKEN, &escaped] {
        let body = r#"{"droplets": [{"id": 1, "name": "NAME", "status": "active",
            "created_at": "2026-01-01T00:00:00Z", "size_slug": "NAME", "region": {"slug": "NAME"},
            "image": {"slug": "NAME"}, "tags": ["a:NAME", "stagecraft:scope:shop:staging",
            "stagecraft:host:db-1", "stagecraft:role:db"]}], "links": {}, "meta": {"total": 1}}"#
            .replace("NAME", name);
        let server = Server::start([answer(200, &body)]);
        let listed = cloud(&server).list(&order().owner.scope).await.unwrap();
        assert_eq!(listed.len(), 1);
        let shown = format!("{listed:?}");
        assert!(shown.contains("[hidden]") && !shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn the_token_travels_in_one_header_and_nowhere_else() {
    let server = Server::start([keys(), answer(500, "{}")]);
    cloud(&server).create(&order()).await.unwrap_err();
    for heard in server.heard() {
        let (with, without): (Vec<String>, Vec<String>) =
            heard.headers.into_iter().partition(|header| header.contains(TOKEN));
        assert_eq!(with, [format!("authorization: Bearer {TOKEN}")]);
        assert!(!format!("{without:?} {} {}", heard.line, heard.body).contains(TOKEN));
    }
    let shown = format!("{:?}", cloud(&server));
    assert!(shown.contains("127.0.0.1") && recognisable(&shown).is_none(), "{shown}");
}

#[tokio::test]
async fn a_refused_order_does_not_show_the_private_key_in_it() {
    // Random, as the lines of a private key are; the last one is shorter.
    let lines = [
        "Zq3vT8yLw0XrB5nKj7MhUdC2fGsA9eP1oIxVtQzYbN6kRmWlEcJgHu4DaSpOiF",
        "q8Zt3LwYxV0RbN5KjTMhU9",
    ];
    let text = format!(
        "#cloud-config\nssh_keys:\n  ed25519_private: |\n    -----BEGIN KEY-----\n    {}\n    {}\n    -----END KEY-----\n",
        lines[0], lines[1]
    );
    let order = CreateInstance { user_data: Some(UserData::new(text.clone())), ..order() };
    let repeated = |text: &str| answer(422, &json!({ "id": "bad", "message": text }).to_string());
    let whole = format!("user_data is invalid: {text}");
    for say in [
        repeated(&whole),
        repeated(&whole[..whole.len() - 40]),
        repeated(&format!("cannot read {}", &lines[0][5..30])),
        answer(500, &whole),
        answer(422, &whole.replace('\n', " ")),
    ] {
        let server = Server::start([keys(), say]);
        let error = cloud(&server).create(&order).await.unwrap_err();
        assert!(server.heard()[1].body.contains(lines[0]), "it was sent");
        for shown in [told(&error), format!("{error:?}"), format!("{order:?}")] {
            let part = lines.iter().find_map(|line| part_of(line, &shown));
            assert_eq!(part, None, "{shown}");
        }
    }
}

#[test]
fn a_token_that_is_shown_is_found() {
    assert_eq!(recognisable("nothing to see"), None);
    assert!(recognisable(&format!("…{}…", &TOKEN[10..20])).is_some());
}

pub(crate) fn assert_hidden(error: &CloudError) {
    let failure = Failure::from(error);
    for text in [
        told(error),
        format!("{error:?}"),
        format!("{error:#?}"),
        format!("{failure:?}"),
        error.hints().join("\n"),
    ] {
        assert_eq!(recognisable(&text), None, "{text}");
    }
}

/// A part of the token that is long enough to be recognised.
fn recognisable(text: &str) -> Option<&str> {
    part_of(TOKEN, text)
}

/// A part of a secret that is long enough to be recognised.
fn part_of<'s>(secret: &'s str, text: &str) -> Option<&'s str> {
    (0..=secret.len() - 8).map(|at| &secret[at..at + 8]).find(|part| text.contains(part))
}
