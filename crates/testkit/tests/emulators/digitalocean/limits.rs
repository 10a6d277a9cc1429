use std::time::Duration;

use stagecraft_testkit::emulators::{Emulator, Options};

use super::Stage;

#[tokio::test]
async fn every_answer_tells_of_the_limit_of_the_hour() {
    let stage = Stage::new().await;
    let first = stage.get("/sizes").await;
    let number = |reply: &crate::client::Reply, name: &str| -> u64 {
        reply.header(name).unwrap().parse().unwrap()
    };
    let told = ["ratelimit-limit", "ratelimit-remaining"].map(|name| number(&first, name));
    assert_eq!(told, [5000, 4999]);
    let reset = number(&first, "ratelimit-reset");
    assert!((1_700_003_600..1_700_003_610).contains(&reset), "{reset}: an hour after the first");
    let second = stage.get("/nothing").await;
    assert_eq!(number(&second, "ratelimit-remaining"), 4998);
    assert_eq!(number(&second, "ratelimit-reset"), reset, "the oldest decides");
    assert_eq!(second.header("date"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
}

#[tokio::test]
async fn two_hundred_and_fifty_in_a_minute_are_enough_and_how_long_to_wait_is_told() {
    let stage = Stage::with(Options::default(), 4).await;
    for _ in 0..250 {
        assert_eq!(stage.get("/regions").await.status, 200);
    }
    let reply = stage.get("/regions").await;
    let message = "API rate limit exceeded.".to_owned();
    assert_eq!(reply.refusal(), (429, "too_many_requests".to_owned(), message));
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let other = stage.client.with_token("of-somebody-else");
    assert_eq!(other.ask("GET", "/v2/regions", None).await.unwrap().status, 200);
}

#[tokio::test]
async fn keys_are_listed_ten_times_a_minute_and_found_as_often_as_one_likes() {
    let stage = Stage::with(Options::default(), 200).await;
    let mut refused = 0;
    for _ in 0..12 {
        refused += u32::from(stage.get("/account/keys").await.status == 429);
    }
    assert_eq!(refused, 2);
    assert_eq!(stage.get("/account/keys/512001").await.status, 200);
    stage.world.sleep(Duration::from_secs(60)).await;
    assert_eq!(stage.get("/account/keys").await.status, 200);
}

#[tokio::test]
async fn in_the_case_of_the_hour_no_time_is_told() {
    use stagecraft_testkit::emulators::{Call, Front, Over};
    let stage = Stage::new().await;
    let after = Some(Duration::from_secs(30));
    let told = |rule| {
        let answer = stage.front.limited(&Call::default(), &Over { rule, after });
        answer.headers.iter().any(|(name, _)| name == "retry-after")
    };
    let [hour, minute, keys] = stage.front.limits()[..] else { panic!("three limits") };
    assert_eq!([Some(hour), Some(minute), Some(keys), None].map(told), [false, true, true, true]);
}

#[tokio::test]
async fn limits_are_those_of_the_account_however_many_servers_show_it_and_can_be_left_out() {
    let stage = Stage::new().await;
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let second = stage.emulator().listen(loopback).await.unwrap();
    stage.get("/sizes").await;
    let client = crate::client::Client::new(second.address());
    let reply = client.ask("GET", "/v2/sizes", None).await.unwrap();
    assert_eq!(reply.header("ratelimit-remaining"), Some("4998"));
    let options = Options { limited: false, ..Options::default() };
    let unlimited = Emulator::new(&stage.world, stage.front.clone(), options);
    let unlimited = unlimited.listen(loopback).await.unwrap();
    let client = crate::client::Client::new(unlimited.address());
    for _ in 0..300 {
        assert_eq!(client.ask("GET", "/v2/regions", None).await.unwrap().status, 200);
    }
}
