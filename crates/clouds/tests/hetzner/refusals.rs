use std::time::Duration;

use stagecraft_core::cloud::{CloudError, CloudErrorKind as Kind, CloudProvider as _};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_testkit::emulators::faults::Effect;
use stagecraft_testkit::emulators::hetzner::Shortage;
use stagecraft_testkit::world::{Behaviour, Delay};

use crate::stage::{READS, Stage, TOKEN, labels, order, scope, told};

#[tokio::test]
async fn a_token_that_nobody_knows_says_how_to_make_one() {
    let stage = Stage::new().await;
    let provider = stage.provider_with("aTokenThatNobodyKnows", Some("deploy"));
    for error in [
        provider.validate_credentials().await.unwrap_err(),
        provider.list(&scope()).await.unwrap_err(),
        provider.create(&order("db-1")).await.unwrap_err(),
    ] {
        expect(&error, |kind| matches!(kind, Kind::InvalidCredentials(_)), "Security > API tokens");
    }
}

#[tokio::test]
async fn a_token_that_may_only_read_cannot_order() {
    let stage = Stage::new().await;
    let provider = stage.provider_with(READS, Some("deploy"));
    provider.list(&scope()).await.unwrap();
    let error = provider.create(&order("db-1")).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::Forbidden(_)), "Read & Write");
    assert!(told(&error).contains("create host `db-1`"), "{}", told(&error));
}

#[tokio::test]
async fn a_shortage_is_sold_out_however_it_is_told() {
    let stage = Stage::new().await;
    stage.hetzner.set_stock("cx23", "fsn1", false);
    for shortage in [Shortage::Unavailable, Shortage::Placement] {
        stage.hetzner.change_habits(|habits| habits.shortage = shortage);
        let provider = stage.provider();
        let error = provider.create(&order("db-1")).await.unwrap_err();
        expect(&error, |kind| matches!(kind, Kind::SoldOut(_)), "or `region`, or try again later");
        provider.catalogue().await.unwrap();
        let error = provider.create(&order("db-1")).await.unwrap_err();
        expect(&error, |kind| matches!(kind, Kind::SoldOut(_)), "offered in `hel1`, `nbg1` too");
    }
    let catalogue = stage.provider().catalogue().await.unwrap();
    let offer = catalogue.sizes.iter().find(|of| of.size.as_str() == "cx23").unwrap();
    assert!(!offer.regions.contains_key(&"fsn1".into()));
}

#[tokio::test]
async fn a_size_that_a_location_never_has_says_so() {
    let stage = Stage::new().await;
    let mut order = order("db-1");
    order.spec.region = "ash".into();
    let error = stage.provider().create(&order).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::InvalidInput(_)), "another `region`");
    assert!(told(&error).contains("unsupported location for server type"), "{}", told(&error));
}

#[tokio::test]
async fn a_limit_says_its_name_and_what_is_used() {
    let behaviour = Behaviour { quota: Some(2), ..Behaviour::names_are_unique() };
    let stage = Stage::with(behaviour).await;
    stage.plant("other", &[]);
    let provider = stage.provider();
    provider.create(&order("web-1")).await.unwrap();
    stage.asked();
    for host in ["web-2", "web-3"] {
        let error = provider.create(&order(host)).await.unwrap_err();
        expect(&error, |kind| matches!(kind, Kind::QuotaExceeded(_)), "under Limits");
        let text = told(&error);
        assert!(text.contains("server_limit"), "{text}");
        assert!(text.contains("servers in the project: 2"), "{text}");
        assert!(text.contains(&format!("create host `{host}`")), "{text}");
    }
    let counted = stage.asked().iter().filter(|asked| *asked == "GET /v1/servers").count();
    assert_eq!(counted, 1, "counted once");
}

#[tokio::test]
async fn an_unknown_key_says_where_the_names_are() {
    let stage = Stage::new().await;
    let provider = stage.provider_with(TOKEN, Some("deplyo"));
    let error = provider.create(&order("db-1")).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::InvalidInput(_)), "`ssh_key_name`");
    assert!(told(&error).contains("deplyo"), "{}", told(&error));
}

#[tokio::test]
async fn what_cannot_be_ordered_is_refused_before_anything_is_sent() {
    let stage = Stage::new().await;
    let error = stage.provider_with(TOKEN, None).create(&order("db-1")).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::InvalidInput(_)), "set `ssh_key_name`");
    let mut tagged = order("db-1");
    tagged.marks.tags.insert("two words".to_owned());
    let error = stage.provider().create(&tagged).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::InvalidInput(_)), "tag `two words` cannot be");
    assert_eq!(stage.asked(), Vec::<String>::new());
    let mut unknown = order("db-1");
    unknown.spec.image = "beos-5".into();
    let error = stage.provider().create(&unknown).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::InvalidInput(_)), "no image `beos-5` for amd64");
    assert_eq!(stage.asked(), ["GET /v1/images"]);
}

#[tokio::test]
async fn a_protected_server_is_not_tried_again_and_says_how_to_unprotect_it() {
    let stage = Stage::new().await;
    let id = stage.plant("staging-db-1", &labels("db-1"));
    stage.hetzner.protect(id.as_str().parse().unwrap(), true);
    let error = stage.provider().terminate(&id).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::InvalidInput(_)), "take the protection off");
    assert_eq!(error.retry(), Retry::Never);
    assert!(told(&error).contains("terminate host `db-1`"), "{}", told(&error));
    assert_eq!(stage.servers(), ["staging-db-1"]);
}

#[tokio::test]
async fn a_server_that_is_busy_is_tried_again_in_two_seconds() {
    let behaviour = Behaviour { boot: Delay::Lists(3), ..Behaviour::names_are_unique() };
    let stage = Stage::with(behaviour).await;
    stage.hetzner.change_habits(|habits| habits.locks_everything = true);
    let provider = stage.provider();
    let made = provider.create(&order("db-1")).await.unwrap();
    let mut marks = made.marks.clone();
    marks.protected = true;
    for error in [
        provider.terminate(&made.id).await.unwrap_err(),
        provider.update(&made.id, &marks).await.unwrap_err(),
    ] {
        expect(&error, |kind| matches!(kind, Kind::ProviderFault(_)), "locked");
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(2)));
    }
    let conflict = Effect::Status { code: 409, with_effect: false };
    stage.once("DELETE", "/servers/*", conflict);
    let error = provider.terminate(&made.id).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(2)), "{}", told(&error));
}

#[tokio::test]
async fn too_many_requests_ask_for_a_pause_and_do_not_repeat_the_token() {
    let stage = Stage::new().await;
    stage.always("GET", "/servers", Effect::RateLimited { after_seconds: None });
    let error = stage.provider().list(&scope()).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::RateLimited { .. }), "Limit of '3600' requests");
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(2)));
    assert!(told(&error).contains("[hidden]"), "{}", told(&error));
}

#[tokio::test]
async fn an_api_that_is_somewhere_else_says_to_check_where_it_is() {
    let stage = Stage::new().await;
    let to = "https://elsewhere.example/v1".to_owned();
    stage.always("GET", "/**", Effect::Redirect { to });
    let error = stage.provider().list(&scope()).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::UnexpectedAnswer(_)), "check `api_url`");
    stage.heal();
    stage.always("GET", "/**", Effect::Status { code: 410, with_effect: false });
    let error = stage.provider().list(&scope()).await.unwrap_err();
    expect(&error, |kind| matches!(kind, Kind::UnexpectedAnswer(_)), "newer version");
}

fn expect(error: &CloudError, kind: impl Fn(&Kind) -> bool, words: &str) {
    let text = told(error);
    assert!(kind(&error.kind), "{text}");
    assert!(text.contains(words), "{text}");
    assert!(text.starts_with("hetzner could not "), "{text}");
    assert!(!error.maybe_done, "{text}");
}
