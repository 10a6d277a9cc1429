use std::time::Duration;

use stagecraft_testkit::emulators::faults::{Effect, Rule};

use super::stage::Stage;

#[tokio::test]
async fn every_answer_says_how_many_requests_are_left() {
    let stage = Stage::new().await;
    let first = stage.get("/servers").await;
    assert_eq!(first.header("ratelimit-limit"), Some("3600"));
    assert_eq!(first.header("ratelimit-remaining"), Some("3599"));
    let reset: u64 = first.header("ratelimit-reset").unwrap().parse().unwrap();
    assert!((1_700_000_000..1_700_000_010).contains(&reset), "{reset}");
    assert!(first.header("x-correlation-id").is_some_and(|id| id.len() > 8));
    assert_eq!(stage.get("/servers").await.header("ratelimit-remaining"), Some("3598"));
}

#[tokio::test]
async fn a_request_too_many_is_told_with_the_beginning_of_the_token() {
    let stage = Stage::new().await;
    let too_many = Effect::RateLimited { after_seconds: None };
    stage.inject(Rule::new("GET", "/servers", too_many));
    let reply = stage.get("/servers").await;
    let message = "Limit of '3600' requests per hour for token 'emulated...' reached.";
    assert_eq!(reply.refusal(), (429, "rate_limit_exceeded", message));
    assert_eq!(reply.header("retry-after"), None);
}

#[tokio::test]
async fn the_bucket_is_refilled_one_by_one() {
    use stagecraft_testkit::emulators::{Front, Limits};
    let stage = Stage::new().await;
    let mut limits = Limits::new(stage.hetzner.limits());
    let mut take = |now| limits.take("t", "GET", "/servers", now);
    assert!((0..3600).all(|_| take(0).is_ok()));
    assert_eq!(take(0).unwrap_err().after, Some(Duration::from_secs(1)));
    assert!(take(1000).is_ok() && take(1000).is_err() && take(2000).is_ok());
}
