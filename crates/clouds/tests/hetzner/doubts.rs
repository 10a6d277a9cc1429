use stagecraft_core::cloud::{CloudProvider as _, Termination};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_testkit::emulators::faults::Effect;

use crate::stage::{Stage, labels, order, scope, told};

/// What can happen to a request on its way, and whether it may have been carried out for all that
/// its sender knows.
fn mishaps() -> Vec<(Effect, bool)> {
    vec![
        (Effect::LostAnswer, true),
        (Effect::Cut, true),
        (Effect::Status { code: 500, with_effect: true }, true),
        (Effect::Status { code: 503, with_effect: false }, true),
        (Effect::Status { code: 504, with_effect: true }, true),
        (Effect::Html { code: 502, with_effect: true }, true),
        (Effect::Truncated, true),
        (Effect::NotJson, true),
        (Effect::Html { code: 403, with_effect: false }, false),
        (Effect::Status { code: 422, with_effect: false }, false),
        (Effect::Status { code: 409, with_effect: false }, false),
        (Effect::RateLimited { after_seconds: Some(1) }, false),
        (Effect::Redirect { to: "http://127.0.0.1:9/v1".to_owned() }, false),
    ]
}

#[tokio::test]
async fn an_order_that_was_not_answered_is_in_doubt_and_the_next_one_ends_with_one_server() {
    for (mishap, doubt) in mishaps() {
        let stage = Stage::new().await;
        let provider = stage.provider();
        stage.once("POST", "/servers", mishap.clone());
        let error = provider.create(&order("db-1")).await.unwrap_err();
        assert_eq!(error.maybe_done, doubt, "{mishap:?}: {}", told(&error));
        assert!(told(&error).contains("create host `db-1`"), "{}", told(&error));
        let made = provider.create(&order("db-1")).await.unwrap();
        assert_eq!(provider.list(&scope()).await.unwrap()[0].id, made.id);
        assert_eq!(stage.servers(), ["staging-db-1"], "{mishap:?}");
    }
}

#[tokio::test]
async fn other_changes_are_in_doubt_alike_and_can_be_made_again() {
    for (mishap, doubt) in mishaps() {
        let stage = Stage::new().await;
        let provider = stage.provider();
        let id = stage.plant("staging-db-1", &labels("db-1"));
        let marks = order("db-1").marks;

        stage.once("PUT", "/servers/*", mishap.clone());
        let error = provider.update(&id, &marks).await.unwrap_err();
        assert_eq!(error.maybe_done, doubt, "{mishap:?}: {}", told(&error));
        provider.update(&id, &marks).await.unwrap();
        assert_eq!(provider.get(&id).await.unwrap().unwrap().marks, marks);

        stage.world.with(|world, _| world.stop(&id));
        stage.once("POST", "/servers/*/actions/poweron", mishap.clone());
        let error = provider.start(&id).await.unwrap_err();
        assert_eq!(error.maybe_done, doubt, "{mishap:?}: {}", told(&error));

        stage.once("DELETE", "/servers/*", mishap.clone());
        let error = provider.terminate(&id).await.unwrap_err();
        assert_eq!(error.maybe_done, doubt, "{mishap:?}: {}", told(&error));
        assert!(told(&error).contains("terminate host `db-1`"), "{}", told(&error));
        let ended = provider.terminate(&id).await.unwrap();
        let gone = stage.servers().is_empty();
        assert!(gone, "{mishap:?}: {ended:?}");
    }
}

#[tokio::test]
async fn nothing_is_in_doubt_after_a_look() {
    for (mishap, _) in mishaps() {
        let stage = Stage::new().await;
        let provider = stage.provider();
        let id = stage.plant("staging-db-1", &labels("db-1"));
        stage.always("GET", "/**", mishap.clone());
        let marks = order("db-1").marks;
        let errors = [
            provider.validate_credentials().await.unwrap_err(),
            provider.catalogue().await.unwrap_err(),
            provider.list(&scope()).await.unwrap_err(),
            provider.get(&id).await.unwrap_err(),
            provider.create(&order("web-1")).await.unwrap_err(),
            provider.update(&id, &marks).await.unwrap_err(),
            provider.start(&id).await.unwrap_err(),
            provider.terminate(&id).await.unwrap_err(),
        ];
        for error in errors {
            assert!(!error.maybe_done, "{mishap:?}: {}", told(&error));
            assert_ne!(error.retry(), Retry::Observe);
        }
        assert!(stage.exchanges().iter().all(|of| of.method == "GET"), "{mishap:?}");
    }
}

#[tokio::test]
async fn a_lookup_that_failed_is_not_remembered() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    stage.once("GET", "/images", Effect::Cut);
    provider.create(&order("db-1")).await.unwrap_err();
    provider.create(&order("db-1")).await.unwrap();
}

#[tokio::test]
async fn nothing_is_listed_when_one_page_is_missing() {
    let stage = Stage::new().await;
    for number in 0..60 {
        let host = format!("web-{number}");
        stage.plant(&format!("staging-{host}"), &labels(&host));
    }
    let second = Effect::Status { code: 500, with_effect: false };
    let provider = stage.provider();
    stage.second("GET", "/servers", second);
    provider.list(&scope()).await.unwrap_err();
    assert_eq!(provider.list(&scope()).await.unwrap().len(), 60);
    assert_eq!(provider.terminate(&"4711".into()).await.unwrap(), Termination::AlreadyGone);
}
