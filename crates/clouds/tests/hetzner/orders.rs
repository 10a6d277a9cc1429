use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _, Termination};
use stagecraft_core::desired::Arch;
use stagecraft_core::error::{Diagnose as _, Retry};
use stagecraft_core::inventory::Lifecycle;
use stagecraft_core::name::{Image, InstanceId, Region, Size};
use stagecraft_testkit::emulators::faults::Effect;
use stagecraft_testkit::world::{Behaviour, Delay, Fate};

use crate::stage::{Stage, labels, order, scope, told};

#[tokio::test]
async fn a_server_whose_order_was_not_answered_is_adopted_by_its_name_and_labels() {
    let stage = Stage::new().await;
    stage.once("POST", "/servers", Effect::LostAnswer);
    let lost = stage.provider().create(&order("db-1")).await.unwrap_err();
    assert_eq!(lost.retry(), Retry::Observe, "{}", told(&lost));
    let found = stage.provider().create(&order("db-1")).await.unwrap();
    assert_eq!(found.owner, order("db-1").owner);
    assert_eq!(stage.servers(), ["staging-db-1"]);
}

#[tokio::test]
async fn a_name_that_somebody_else_uses_is_a_conflict_that_says_what_to_do() {
    let stage = Stage::new().await;
    let foreign = stage.plant("staging-db-1", &[("team", "search")]);
    let mut theirs = labels("db-1");
    theirs[0].1 = "bakery";
    let other = stage.plant("staging-web-1", &theirs);
    for (host, expected) in [
        ("db-1", format!("taken by server {foreign}, which is not one of ours")),
        ("web-1", format!("taken by server {other}, which is host `db-1` of `bakery/staging`")),
    ] {
        let error = stage.provider().create(&order(host)).await.unwrap_err();
        let text = told(&error);
        assert!(matches!(error.kind, CloudErrorKind::Conflict(_)), "{text}");
        assert!(text.contains(&format!("create host `{host}`")), "{text}");
        assert!(text.contains(&expected), "{text}");
        assert!(text.contains("hint: rename the host or the environment"), "{text}");
        assert_eq!(error.retry(), Retry::Never);
    }
    assert_eq!(stage.servers(), ["staging-db-1", "staging-web-1"]);
}

#[tokio::test]
async fn an_arm_server_gets_an_arm_image_of_the_same_name() {
    let stage = Stage::new().await;
    let mut order = order("db-1");
    (order.spec.size, order.spec.arch) = ("cax11".into(), Arch::Arm64);
    let made = stage.provider().create(&order).await.unwrap();
    assert_eq!(made.spec, order.spec);
    let posted = stage.exchanges().into_iter().find(|of| of.method == "POST").unwrap();
    let image = &posted.answer.unwrap()["server"]["image"];
    assert_eq!((&image["name"], &image["architecture"]), (&"debian-12".into(), &"arm".into()));
}

#[tokio::test]
async fn the_key_of_the_settings_may_log_in_and_no_password_is_made() {
    let stage = Stage::new().await;
    let made = stage.provider().create(&order("db-1")).await.unwrap();
    let keys = stage.hetzner.keys_of(made.id.as_str().parse().unwrap());
    assert!(matches!(keys.as_slice(), [key] if key.ends_with(" deploy")), "{keys:?}");
    let posted = stage.exchanges().into_iter().find(|of| of.method == "POST").unwrap();
    assert!(posted.answer.unwrap()["root_password"].is_null());
}

#[tokio::test]
async fn a_server_that_cannot_be_made_fails_for_whoever_ordered_it() {
    let behaviour = Behaviour { boot: Delay::Lists(1), ..Behaviour::names_are_unique() };
    let stage = Stage::with(behaviour).await;
    stage.world.with(|world, _| world.decide_fate("staging-db-1", Fate::FailsToBoot));
    let provider = stage.provider();
    let made = provider.create(&order("db-1")).await.unwrap();
    assert_eq!((made.lifecycle, made.trouble), (Lifecycle::Pending, None));
    provider.list(&scope()).await.unwrap();
    let seen = provider.list(&scope()).await.unwrap().remove(0);
    assert_eq!(seen.lifecycle, Lifecycle::Failed);
    assert_eq!(seen.trouble.as_deref(), Some("Action failed (action_failed)"));
    let got = provider.get(&made.id).await.unwrap().unwrap();
    assert_eq!((got.lifecycle, got.trouble), (seen.lifecycle, seen.trouble));
    stage.asked();
    provider.list(&scope()).await.unwrap();
    assert_eq!(stage.asked(), ["GET /v1/servers"], "what failed is not asked about again");
    assert_eq!(provider.terminate(&made.id).await.unwrap(), Termination::Started);
}

#[tokio::test]
async fn an_ipv4_that_comes_late_is_waited_for_by_everybody() {
    let (boot, address) = (Delay::NONE, Delay::Lists(3));
    let stage = Stage::with(Behaviour { boot, address, ..Behaviour::names_are_unique() }).await;
    let provider = stage.provider();
    provider.create(&order("db-1")).await.unwrap();
    let first = provider.list(&scope()).await.unwrap().remove(0);
    assert_eq!((first.lifecycle, first.address), (Lifecycle::Pending, None));
    let another = stage.provider().list(&scope()).await.unwrap().remove(0);
    assert_eq!(
        (another.lifecycle, another.address),
        (Lifecycle::Pending, None),
        "ordered just now"
    );
    let up = provider.list(&scope()).await.unwrap().remove(0);
    assert_eq!(up.lifecycle, Lifecycle::Running);
    assert!(up.address.is_some_and(|address| address.is_ipv4()), "{up:?}");
}

#[tokio::test]
async fn a_list_survives_that_its_actions_are_forgotten_but_not_that_they_cannot_be_read() {
    let behaviour = Behaviour { boot: Delay::Lists(9), ..Behaviour::names_are_unique() };
    let stage = Stage::with(behaviour).await;
    let provider = stage.provider();
    provider.create(&order("db-1")).await.unwrap();
    stage.once("GET", "/actions", Effect::Status { code: 503, with_effect: false });
    let error = provider.list(&scope()).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(_)), "{}", told(&error));
    stage.once("GET", "/actions", Effect::Status { code: 404, with_effect: false });
    let listed = provider.list(&scope()).await.unwrap();
    assert_eq!(listed[0].lifecycle, Lifecycle::Pending);
}

#[tokio::test]
async fn what_is_stopped_is_switched_on_and_what_runs_is_left_as_it_is() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let made = provider.create(&order("db-1")).await.unwrap();
    stage.world.with(|world, _| world.stop(&made.id));
    // Actions of the order and of switching it off must end first.
    stage.world.sleep(std::time::Duration::from_secs(5)).await;
    provider.start(&made.id).await.unwrap();
    assert_eq!(provider.list(&scope()).await.unwrap()[0].lifecycle, Lifecycle::Running);
    stage.asked();
    provider.start(&made.id).await.unwrap();
    assert_eq!(stage.asked(), [format!("GET /v1/servers/{}", made.id)]);
}

#[tokio::test]
async fn an_update_keeps_whose_a_server_is_and_removes_labels_nobody_knows() {
    let stage = Stage::new().await;
    let unknown = [("stagecraft.shoe-size", "44"), ("stagecraft.protected", "true")];
    let id = stage.plant("staging-db-1", &[&labels("db-1")[..], &unknown].concat());
    let provider = stage.provider();
    let before = provider.get(&id).await.unwrap().unwrap();
    assert!(before.marks.protected && before.marks.tags.contains("stagecraft.shoe-size:44"));
    let marks = order("db-1").marks;
    provider.update(&id, &marks).await.unwrap();
    let after = provider.get(&id).await.unwrap().unwrap();
    assert_eq!((after.owner, after.spec), (before.owner, before.spec));
    assert_eq!(after.marks, marks);
}

#[tokio::test]
async fn a_new_name_that_is_taken_is_a_conflict() {
    let stage = Stage::new().await;
    stage.plant("taken", &[]);
    let id = stage.plant("staging-db-1", &labels("db-1"));
    let mut marks = order("db-1").marks;
    marks.name = "taken".to_owned();
    let error = stage.provider().update(&id, &marks).await.unwrap_err();
    let text = told(&error);
    assert!(matches!(error.kind, CloudErrorKind::Conflict(_)), "{text}");
    assert!(text.contains("update host `db-1`") && text.contains("the name `taken`"), "{text}");
}

#[tokio::test]
async fn nothing_is_done_to_a_server_that_is_not_ours_or_gone() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    let foreign = stage.plant("staging-db-1", &[("stagecraft.project", "shop")]);
    let gone = InstanceId::from("4711");
    let marks = order("db-1").marks;
    for (id, why) in [(&foreign, "is not one of ours"), (&gone, "there is no server 4711")] {
        let mut errors = vec![
            provider.update(id, &marks).await.unwrap_err(),
            provider.start(id).await.unwrap_err(),
        ];
        errors.extend(provider.terminate(id).await.err());
        for error in &errors {
            assert!(matches!(error.kind, CloudErrorKind::NotFound(_)), "{}", told(error));
            assert!(told(error).contains(why), "{}", told(error));
        }
        assert_eq!(errors.len(), if *id == gone { 2 } else { 3 });
    }
    assert_eq!(provider.terminate(&gone).await.unwrap(), Termination::AlreadyGone);
    assert!(stage.exchanges().iter().all(|of| of.method == "GET"));
    assert_eq!(stage.servers(), ["staging-db-1"]);
}

#[tokio::test]
async fn what_is_being_removed_is_gone_already_and_cannot_be_started() {
    let shutdown = Delay::Lists(100);
    let stage = Stage::with(Behaviour { shutdown, ..Behaviour::names_are_unique() }).await;
    let provider = stage.provider();
    let id = stage.plant("staging-db-1", &labels("db-1"));
    assert_eq!(provider.terminate(&id).await.unwrap(), Termination::Started);
    assert_eq!(provider.list(&scope()).await.unwrap()[0].lifecycle, Lifecycle::Terminating);
    assert_eq!(provider.terminate(&id).await.unwrap(), Termination::AlreadyGone);
    let error = provider.start(&id).await.unwrap_err();
    assert!(told(&error).contains("is being removed"), "{}", told(&error));
    // Its name is not free yet.
    let error = provider.create(&order("db-1")).await.unwrap_err();
    assert!(told(&error).contains("still being removed"), "{}", told(&error));
    assert!(matches!(error.retry(), Retry::After(pause) if !pause.is_zero()), "{error:?}");
}

#[tokio::test]
async fn the_catalogue_says_what_is_sold_where_and_for_how_much() {
    let stage = Stage::new().await;
    let catalogue = stage.provider().catalogue().await.unwrap();
    let names = ["ash", "fsn1", "hel1", "hil", "nbg1", "sin"];
    assert_eq!(catalogue.regions, names.map(Region::from).into());
    let offer = |name: &str| catalogue.sizes.iter().find(|of| of.size.as_str() == name).unwrap();
    let sold = |name: &str| offer(name).regions.keys().map(Region::as_str).collect::<Vec<_>>();
    assert_eq!(sold("cx23"), ["fsn1", "hel1", "nbg1"], "Europe only");
    assert_eq!(sold("cx43"), ["fsn1", "hel1"], "out of stock in nbg1");
    assert_eq!(sold("cx22"), Vec::<&str>::new(), "gone");
    assert_eq!(sold("cax11"), ["fsn1", "hel1", "nbg1"], "priced elsewhere, but not listed");
    let price = |name: &str, region: &str| {
        offer(name).regions[&region.into()].as_ref().map(ToString::to_string)
    };
    // 3.49 and 0.50 with 19 % tax.
    assert_eq!(price("cx23", "fsn1").as_deref(), Some("4.75 EUR"));
    let small = &catalogue.portable_sizes[&("small".into(), Arch::Amd64)];
    assert_eq!(small, &["cpx22", "cx22", "cx23"].map(Size::from).into());
    let large = &catalogue.portable_sizes[&("large".into(), Arch::Arm64)];
    assert_eq!(large, &[Size::from("cax31")].into());
    for arch in [Arch::Amd64, Arch::Arm64] {
        for image in ["ubuntu-22.04", "ubuntu-24.04", "debian-12"] {
            assert!(catalogue.images.contains(&(Image::from(image), arch)), "{image} {arch}");
        }
    }
    assert_eq!(catalogue.ssh_keys, Some(["deploy".to_owned()].into()));
}
