use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_testkit::emulators::faults::{Effect, Rule};
use stagecraft_testkit::emulators::{Access, Options};
use stagecraft_testkit::world::{Fault, RequestKind};

use super::stage::{Stage, order};

#[tokio::test]
async fn an_unknown_path_is_refused_before_the_token_is_read() {
    let mut stage = Stage::new().await;
    for path in ["/droplets", "/servers/1/unknown", "/servers/abc", "/"] {
        let reply = stage.get(path).await;
        assert_eq!(reply.refusal(), (404, "not_found", "api route not found"), "{path}");
    }
    stage.token = None;
    let reply = stage.get("/droplets").await;
    assert_eq!(reply.refusal(), (404, "not_found", "api route not found"));
}

#[tokio::test]
async fn a_token_is_required_known_and_perhaps_read_only() {
    let tokens = [
        ("reader".to_owned(), Access::ReadOnly),
        ("writer".to_owned(), Access::Full),
        ("nobody".to_owned(), Access::Nothing),
    ];
    let mut stage = Stage::with(Options { tokens: tokens.into(), ..Options::default() }).await;
    stage.token = None;
    let reply = stage.get("/servers").await;
    assert_eq!(reply.refusal(), (401, "unauthorized", "token is required"));
    stage.token = Some("mistyped");
    let reply = stage.get("/servers").await;
    assert_eq!(reply.refusal(), (401, "unauthorized", "the token you have provided is invalid"));
    stage.token = Some("reader");
    assert_eq!(stage.get("/servers").await.status, 200);
    let reply = stage.post("/servers", order("web-1")).await;
    assert_eq!((reply.refusal().0, reply.refusal().1), (401, "token_readonly"));
    assert_eq!(stage.delete("/servers/1").await.refusal().1, "token_readonly");
    stage.token = Some("nobody");
    assert_eq!(stage.get("/servers").await.refusal().1, "forbidden");
    stage.token = Some("writer");
    stage.server("web-1").await;
}

#[tokio::test]
async fn what_is_gone_says_since_when() {
    let stage = Stage::new().await;
    for path in ["/datacenters", "/datacenters/1"] {
        let reply = stage.get(path).await;
        assert_eq!((reply.refusal().0, reply.refusal().1), (410, "deprecated_api_endpoint"));
    }
    let reply = stage.delete("/server_types").await;
    assert_eq!(reply.refusal(), (405, "method_not_allowed", "method not allowed"));
}

#[tokio::test]
async fn what_the_world_refuses_is_said_in_the_words_of_the_api() {
    let stage = Stage::new().await;
    let text = || "because".to_owned();
    for (error, status, code) in [
        (CloudErrorKind::InvalidCredentials(text()), 401, "unauthorized"),
        (CloudErrorKind::Forbidden(text()), 403, "forbidden"),
        (CloudErrorKind::QuotaExceeded(text()), 403, "resource_limit_exceeded"),
        (CloudErrorKind::SoldOut(text()), 412, "resource_unavailable"),
        (CloudErrorKind::InvalidInput(text()), 422, "invalid_input"),
        (CloudErrorKind::NotFound(text()), 404, "not_found"),
        (CloudErrorKind::Conflict(text()), 409, "uniqueness_error"),
        (CloudErrorKind::ProviderFault(text()), 500, "server_error"),
        (CloudErrorKind::Unsupported(text()), 422, "unsupported_error"),
    ] {
        let fault = Fault::FailNext { kind: RequestKind::Create, times: 1, error };
        stage.world.with(|world, _| world.inject(fault));
        let reply = stage.post("/servers", order("web-1")).await;
        assert_eq!((reply.refusal().0, reply.refusal().1), (status, code), "{}", reply.body);
    }
    let error = CloudErrorKind::Unreachable(text());
    let fault = Fault::FailNext { kind: RequestKind::List, times: 1, error };
    stage.world.with(|world, _| world.inject(fault));
    assert!(stage.ask("GET", "/servers", None).await.is_none());
    assert!(stage.world.with(|world, now| world.machines(now)).is_empty());
}

#[tokio::test]
async fn an_injected_status_comes_with_the_code_that_belongs_to_it() {
    let stage = Stage::new().await;
    for (code, word) in [
        (409, "conflict"),
        (423, "locked"),
        (500, "server_error"),
        (502, "bad_gateway"),
        (503, "unavailable"),
        (504, "timeout"),
    ] {
        stage.inject(Rule::new("GET", "/servers", Effect::Status { code, with_effect: false }));
        let reply = stage.get("/servers").await;
        assert_eq!((reply.refusal().0, reply.refusal().1), (code, word));
        stage.heal();
    }
}
