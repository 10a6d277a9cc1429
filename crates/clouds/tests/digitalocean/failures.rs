//! What users are told, and what is left, when something goes wrong.

use std::time::Duration;

use stagecraft_core::cloud::{CloudError, CloudErrorKind, CloudProvider as _, Termination};
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::{Lifecycle, Marks};
use stagecraft_testkit::emulators::digitalocean::Shortage;
use stagecraft_testkit::emulators::faults::{Effect, When};
use stagecraft_testkit::world::{Behaviour, Delay};

use crate::stage::{BLIND, IDLE, READS, Stage, marks, order, provider_at, scope, told};

#[tokio::test]
async fn a_token_that_nobody_knows_is_refused_with_what_to_do() {
    let stage = Stage::new().await;
    let error = stage.provider_with("dop_v1_unknown").validate_credentials().await.unwrap_err();
    let text = told(&error);
    assert!(matches!(error.kind, CloudErrorKind::InvalidCredentials(_)), "{text}");
    assert!(text.contains("Unable to authenticate you (request 5ca1ab1e-"), "{text}");
    assert!(text.contains("cloud.digitalocean.com/account/api/tokens"), "{text}");
}

#[tokio::test]
async fn a_token_that_may_not_is_told_the_scopes() {
    let stage = Stage::new().await;
    let may_read = stage.provider_with(READS);
    may_read.validate_credentials().await.unwrap();
    assert_eq!(may_read.list(&scope()).await.unwrap(), []);
    let error = may_read.create(&order("db-1")).await.unwrap_err();
    assert_forbidden(&error, "droplet:create");
    assert!(told(&error).starts_with("digitalocean could not create host `db-1`: not permitted"));
    let error = stage.provider_with(IDLE).validate_credentials().await.unwrap_err();
    assert_forbidden(&error, "account:read");
}

#[tokio::test]
async fn a_token_that_sees_no_tags_never_takes_our_droplets_for_missing() {
    let stage = Stage::new().await;
    let made = stage.provider().create(&order("db-1")).await.unwrap();
    let blind = stage.provider_with(BLIND);
    assert_forbidden(&blind.list(&scope()).await.unwrap_err(), "`tag:read`");
    assert_forbidden(&blind.get(&made.id).await.unwrap_err(), "`tag:read`");
    assert_forbidden(&blind.terminate(&made.id).await.unwrap_err(), "`tag:read`");
    assert_forbidden(&blind.update(&made.id, &marks()).await.unwrap_err(), "`tag:read`");
    assert_eq!(stage.count(), 1);
    // An order goes through, and is in doubt until somebody who sees tags looks.
    let error = blind.create(&order("db-2")).await.unwrap_err();
    assert_forbidden(&error, "`tag:read`");
    assert_eq!(error.retry(), Retry::Observe);
}

#[tokio::test]
async fn a_full_account_says_its_limit_and_use() {
    let stage = Stage::new().await;
    stage.world.with(|world, _| world.behaviour().quota = Some(2));
    let provider = stage.provider();
    for host in ["db-1", "db-2"] {
        provider.create(&order(host)).await.unwrap();
    }
    for _ in 0..2 {
        let error = provider.create(&order("db-3")).await.unwrap_err();
        let text = told(&error);
        assert!(matches!(error.kind, CloudErrorKind::QuotaExceeded(_)), "{text}");
        assert!(text.contains("droplet limit (2 droplets of at most 2)"), "{text}");
        assert!(text.contains("droplet_limit_increase"), "{text}");
        assert!(!error.maybe_done);
    }
    let lookups = stage.asked().iter().filter(|line| *line == "GET /v2/account").count();
    assert_eq!((lookups, stage.count()), (1, 2));
}

#[tokio::test]
async fn a_size_that_is_sold_out_is_offered_where_there_is_room() {
    let stage = Stage::new().await;
    let of = order("db-1").spec;
    stage.world.with(|world, _| world.behaviour().sold_out.insert((of.size, of.region)));
    for (shortage, hint) in [
        (Shortage::NotInRegion, "is offered in `ams3`, `blr1`, "),
        (Shortage::Temporary, "it can be had in `"),
    ] {
        stage.account.change_habits(|habits| habits.shortage = shortage);
        let provider = stage.provider();
        provider.catalogue().await.unwrap();
        let error = provider.create(&order("db-1")).await.unwrap_err();
        let text = told(&error);
        assert!(matches!(error.kind, CloudErrorKind::SoldOut(_)), "{text}");
        assert!(text.contains(hint) && !text.contains("`nyc3`"), "{text}");
        assert_eq!(error.retry(), Retry::Never);
    }
    assert_eq!(stage.count(), 0);
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let stage = Stage::new().await;
    for (size, region, message) in [
        ("s-3vcpu-9gb", "nyc3", "You specified an invalid size for Droplet creation"),
        ("s-2vcpu-4gb", "xyz9", "You specified an invalid region for Droplet creation"),
    ] {
        let mut order = order("db-1");
        (order.spec.size, order.spec.region) = (size.into(), region.into());
        let error = stage.provider().create(&order).await.unwrap_err();
        assert!(matches!(&error.kind, CloudErrorKind::InvalidInput(why) if why == message));
    }
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_found_by_the_next_list() {
    for lost in [
        Effect::LostAnswer,
        Effect::Truncated,
        Effect::NotJson,
        Effect::Status { code: 500, with_effect: true },
        Effect::Html { code: 504, with_effect: true },
    ] {
        let stage = Stage::new().await;
        let provider = stage.provider();
        stage.inject("POST", "/droplets", When::All, lost);
        let error = provider.create(&order("db-1")).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Observe, "{}", told(&error));
        assert!(told(&error).starts_with("digitalocean could not create host `db-1`: "));
        let list = provider.list(&scope()).await.unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!((&list[0].owner, &list[0].spec), (&order("db-1").owner, &order("db-1").spec));
    }
}

#[tokio::test]
async fn a_create_that_was_refused_leaves_no_doubt() {
    for (refused, class) in [
        (Effect::RateLimited { after_seconds: Some(7) }, Retry::After(Duration::from_secs(7))),
        (Effect::Status { code: 401, with_effect: false }, Retry::Never),
        (Effect::Status { code: 403, with_effect: false }, Retry::Never),
        (Effect::Status { code: 422, with_effect: false }, Retry::Never),
        (Effect::Redirect { to: "http://127.0.0.1:9/v2".to_owned() }, Retry::Never),
    ] {
        let stage = Stage::new().await;
        stage.inject("POST", "/droplets", When::All, refused);
        let error = stage.provider().create(&order("db-1")).await.unwrap_err();
        assert_eq!(error.retry(), class, "{}", told(&error));
        assert_eq!(stage.count(), 0);
    }
}

#[tokio::test]
async fn a_limit_without_a_pause_is_waited_for_no_longer_than_a_minute() {
    let stage = Stage::limited().await;
    stage.inject("GET", "/droplets", When::All, Effect::RateLimited { after_seconds: None });
    let error = stage.provider().list(&scope()).await.unwrap_err();
    // The only request counted so far is forgotten in an hour.
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(60)), "{}", told(&error));
}

#[tokio::test]
async fn reads_that_fail_can_be_made_again() {
    for failing in [
        Effect::Cut,
        Effect::LostAnswer,
        Effect::Status { code: 500, with_effect: false },
        Effect::Html { code: 502, with_effect: false },
    ] {
        let stage = Stage::new().await;
        let provider = stage.provider();
        provider.create(&order("db-1")).await.unwrap();
        stage.inject("GET", "/droplets", When::First(1), failing);
        let error = provider.list(&scope()).await.unwrap_err();
        assert!(matches!(error.retry(), Retry::After(_)), "{}", told(&error));
        assert_eq!(provider.list(&scope()).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_terminate_whose_answer_was_lost_can_be_made_again() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let made = provider.create(&order("db-1")).await.unwrap();
    stage.inject("DELETE", "/droplets/*", When::First(1), Effect::LostAnswer);
    let error = provider.terminate(&made.id).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Observe, "{}", told(&error));
    assert!(told(&error).starts_with("digitalocean could not terminate host `db-1`: "));
    assert_eq!(provider.terminate(&made.id).await.unwrap(), Termination::AlreadyGone);
}

#[tokio::test]
async fn a_droplet_that_is_busy_is_tried_again() {
    let behaviour =
        Behaviour { boot: Delay::Time(Duration::from_secs(20)), ..Behaviour::names_are_free() };
    let stage = Stage::with(behaviour).await;
    stage.account.change_habits(|habits| habits.busy_refuses = true);
    let provider = stage.provider();
    let made = provider.create(&order("db-1")).await.unwrap();
    let error = provider.terminate(&made.id).await.unwrap_err();
    assert!(told(&error).contains("it failed: Droplet already has a pending event"));
    assert!(matches!(error.retry(), Retry::After(pause) if !pause.is_zero()));
}

#[tokio::test]
async fn a_droplet_that_is_up_without_an_address_is_pending() {
    let behaviour =
        Behaviour { boot: Delay::NONE, address: Delay::Lists(3), ..Behaviour::names_are_free() };
    let stage = Stage::with(behaviour).await;
    let provider = stage.provider();
    provider.create(&order("db-1")).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let host = provider.list(&scope()).await.unwrap().remove(0);
        assert_eq!(host.address.is_some(), host.lifecycle == Lifecycle::Running);
        seen.push(host.lifecycle);
    }
    assert_eq!((seen[0], seen[3]), (Lifecycle::Pending, Lifecycle::Running), "{seen:?}");
}

#[tokio::test]
async fn an_update_cut_short_anywhere_keeps_the_host_ours_and_is_finished_by_the_next() {
    let wanted = Marks {
        name: "prod-new".to_owned(),
        role: "web".parse().unwrap(),
        protected: true,
        tags: ["green".to_owned(), "red".to_owned()].into(),
    };
    let mut cut_short = 0;
    for number in 1.. {
        let mut left_over = false;
        for cut in [Effect::Cut, Effect::LostAnswer] {
            let stage = Stage::new().await;
            let provider = stage.provider();
            let made = provider.create(&order("db-1")).await.unwrap();
            stage.inject_at(number, cut);
            let Err(error) = provider.update(&made.id, &wanted).await else { continue };
            (cut_short, left_over) = (cut_short + 1, true);
            assert!(told(&error).contains("update"), "{}", told(&error));
            stage.heal();
            let list = stage.provider().list(&scope()).await.unwrap();
            assert_eq!(list.len(), 1, "cut at request {number}");
            assert_eq!((&list[0].owner, &list[0].spec), (&made.owner, &made.spec));
            provider.update(&made.id, &wanted).await.unwrap();
            let host = provider.get(&made.id).await.unwrap().unwrap();
            assert_eq!(host.marks, wanted, "cut at request {number}");
        }
        if !left_over {
            break;
        }
    }
    // A look, four new tags at three requests each, two to take off, and the new name.
    assert_eq!(cut_short, 2 * (1 + 4 * 3 + 2 + 1));
}

#[tokio::test]
async fn an_api_that_is_not_there_is_unreachable_without_doubt() {
    let nowhere = provider_at("http://127.0.0.1:9/v2", crate::stage::TOKEN, Some("deploy"));
    let error = nowhere.create(&order("db-1")).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::Unreachable(_)), "{}", told(&error));
    assert!(!error.maybe_done);
}

fn assert_forbidden(error: &CloudError, hint: &str) {
    let text = told(error);
    assert!(matches!(error.kind, CloudErrorKind::Forbidden(_)), "{text}");
    assert!(error.hints.iter().any(|told| told.contains(hint)), "{text}");
}
