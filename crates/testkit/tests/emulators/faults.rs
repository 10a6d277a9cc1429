//! What goes wrong between a client and any front end.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use stagecraft_testkit::emulators::faults::{Effect, Rule, When};

use crate::digitalocean::{Stage, order};

#[tokio::test]
async fn a_request_is_cut_off_without_effect_or_its_answer_lost_after_it() {
    let stage = Stage::new().await;
    let body = order("web-1").to_string();
    for (effect, made) in [(Effect::Cut, 0), (Effect::LostAnswer, 1)] {
        stage.emulator().inject(Rule::new("POST", "/droplets", effect));
        assert!(stage.client.ask("POST", "/v2/droplets", Some(&body)).await.is_none());
        stage.emulator().heal();
        assert_eq!(stage.listed("").await.len(), made);
    }
}

#[tokio::test]
async fn a_status_comes_in_the_words_of_the_provider_with_or_without_effect() {
    let stage = Stage::new().await;
    for (code, with_effect, made) in [(503, false, 0), (500, true, 1)] {
        let effect = Effect::Status { code, with_effect };
        stage.emulator().inject(Rule::new("POST", "/droplets", effect));
        let reply = stage.post("/droplets", order("web-1")).await;
        assert_eq!((reply.status, reply.refusal().2.as_str()), (code, "Server Error"));
        stage.emulator().heal();
        assert_eq!(stage.listed("").await.len(), made);
    }
}

#[tokio::test]
async fn a_request_is_told_to_be_one_too_many() {
    let stage = Stage::new().await;
    for (after_seconds, told) in [(Some(7), Some("7")), (None, None)] {
        stage.emulator().inject(Rule::new(
            "POST",
            "/droplets",
            Effect::RateLimited { after_seconds },
        ));
        let reply = stage.post("/droplets", order("web-1")).await;
        assert_eq!((reply.status, reply.header("retry-after")), (429, told));
        stage.emulator().heal();
    }
    assert_eq!(stage.listed("").await, [0; 0]);
}

#[tokio::test]
async fn slowness_is_in_the_time_of_the_world() {
    let stage = Stage::with(stagecraft_testkit::emulators::Options::default(), 1000).await;
    let slow = Effect::Slow { before_ms: 20_000, after_ms: 10_000 };
    stage.emulator().inject(Rule::new("GET", "/sizes", slow));
    let began = stage.world.now();
    assert_eq!(stage.get("/sizes").await.status, 200);
    let took = (stage.world.now() - began).as_secs();
    assert!((30..300).contains(&took), "{took}");
}

#[tokio::test]
async fn an_answer_is_dated_by_the_moment_it_tells_of_however_long_it_is_under_way() {
    let stage = Stage::with(stagecraft_testkit::emulators::Options::default(), 1000).await;
    let under_way = Duration::from_secs(300);
    let slow = Effect::Slow { before_ms: 0, after_ms: 300_000 };
    stage.emulator().inject(Rule::new("GET", "/droplets", slow));
    let reply = stage.get("/droplets").await;
    let dated = httpdate::parse_http_date(reply.header("date").unwrap()).unwrap();
    let arrived = stage.world.with(|world, now| world.epoch_millis(now));
    let arrived = UNIX_EPOCH + Duration::from_millis(arrived);
    assert!(arrived.duration_since(dated).unwrap() >= under_way, "{dated:?}, {arrived:?}");
}

#[tokio::test]
async fn bodies_are_truncated_or_something_else_or_endless() {
    let stage = Stage::new().await;
    let ask = async |effect: Effect| {
        stage.emulator().inject(Rule::new("GET", "/sizes", effect));
        let reply = stage.client.ask("GET", "/v2/sizes", None).await.unwrap();
        stage.emulator().heal();
        reply
    };
    let whole = stage.get("/sizes").await.raw;
    let half = ask(Effect::Truncated).await;
    assert_eq!(
        (half.status, half.header("content-length")),
        (200, Some(&*whole.len().to_string()))
    );
    assert_eq!(half.raw, whole[..whole.len() / 2]);
    let garbage = ask(Effect::NotJson).await;
    let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&garbage.raw);
    assert!(garbage.status == 200 && parsed.is_err());
    let page = ask(Effect::Html { code: 502, with_effect: false }).await;
    assert_eq!((page.status, page.header("content-type")), (502, Some("text/html")));
    let huge = ask(Effect::Huge { bytes: 3 << 20 }).await;
    assert!(huge.raw.len() > 3 << 20, "{}", huge.raw.len());
    assert_eq!((huge.status, huge.header("content-length")), (200, None));
}

#[tokio::test]
async fn a_request_is_sent_elsewhere() {
    let stage = Stage::new().await;
    let to = "http://127.0.0.1:9/v2/sizes".to_owned();
    stage.emulator().inject(Rule::new("GET", "/sizes", Effect::Redirect { to: to.clone() }));
    let reply = stage.get("/sizes").await;
    assert_eq!((reply.status, reply.header("location")), (307, Some(&*to)));
}

#[tokio::test]
async fn only_the_requests_that_a_rule_picks_meet_it_and_the_record_says_so() {
    let stage = Stage::new().await;
    let failing = Effect::Status { code: 500, with_effect: false };
    stage.emulator().inject(Rule::new("GET", "/droplets/*", failing.clone()).when(When::Nth(2)));
    let id = stage.droplet("web-1").await;
    let path = format!("/droplets/{id}");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(stage.get(&path).await.status);
        stage.get("/sizes").await;
    }
    assert_eq!(seen, [200, 500, 200]);
    let met = stage.emulator().record().of("GET", "/v2/droplets/*");
    let faults: Vec<_> = met.iter().map(|exchange| exchange.fault.clone()).collect();
    assert_eq!(faults, [None, Some(failing), None]);
    let line = met[1].to_string();
    assert_eq!(
        line,
        format!(
            "GET /v2/droplets/{id} 500 (injected: {})",
            json!({ "status": { "code": 500, "with_effect": false } })
        )
    );
}
