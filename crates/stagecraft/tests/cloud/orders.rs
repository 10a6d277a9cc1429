use serde_json::json;
use stagecraft_testkit::emulators::faults::{Effect, When};
use stagecraft_testkit::emulators::{digitalocean, hetzner};

use crate::account::{Account, Api, TOKEN};
use crate::scene::{BOTH, DIGITALOCEAN, HETZNER, Scene, UP};

const APP: &[&str] = &["app-1: { role: app }"];
const THREE: &[&str] = &["app: { role: app, count: 3 }"];

#[test]
fn an_ssh_key_that_is_not_there_is_told_with_those_that_are() {
    for provider in BOTH {
        let scene = Scene::new(provider, APP);
        scene.write_with("ssh_key_name: deployment", APP);
        let told = scene.in_all_forms(TOKEN, UP);
        match provider {
            DIGITALOCEAN => insta::assert_snapshot!(told, @""),
            _ => insta::assert_snapshot!(told, @""),
        }
        assert!(scene.in_all_forms(TOKEN, "validate --online").contains("`deploy`"));
        assert_eq!(scene.cloud.names(), [""; 0]);
        scene.write(APP);
        scene.converges_to(&["prod-app-1"]);
    }
}

#[test]
fn what_does_not_exist_is_told_with_the_nearest_that_does() {
    let hosts = [
        "app-1: { role: app, region: nyc9 }",
        "db-1: { role: db, size: s-2vcpu-4g }",
        "old-1: { role: old, size: 512mb }",
    ];
    let scene = Scene::new(DIGITALOCEAN, &hosts);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"");
    assert_eq!(scene.cloud.names(), [""; 0]);

    let hosts = [
        "app-1: { role: app, region: nbg }",
        "db-1: { role: db, size: cx24 }",
        "old-1: { role: old, size: cx22 }",
        "us-1: { role: app, size: cx23, region: ash }",
        "arm-1: { role: app, size: cx23, arch: arm64 }",
    ];
    let scene = Scene::new(HETZNER, &hosts);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"");
    assert_eq!(scene.cloud.names(), [""; 0]);
}

#[test]
fn what_the_file_does_not_allow_is_told_before_anybody_is_asked() {
    let scene = Scene::new(DIGITALOCEAN, &[]);
    let hosts = ["app-1: { role: app, region: fra1 }", "db-1: { role: db, size: c-8 }"];
    scene.write_with("ssh_key_name: deploy\nregions: [nyc1, nyc3]\nsizes: [small, c-4]", &hosts);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"");
    assert_eq!(scene.cloud.record().all(), []);
}

#[test]
fn an_image_that_is_retired_is_told_and_hosts_made_of_it_stay() {
    for provider in BOTH {
        let scene = Scene::new(provider, APP);
        scene.succeed(UP);
        scene.cloud.spoil(|call, answer| {
            let Some(images) = answer.body.as_mut().and_then(|body| body.get_mut("images")) else {
                return;
            };
            assert_eq!(call.path, ["images"]);
            images.as_array_mut().unwrap().retain(|image| {
                let name = image["slug"].as_str().or(image["name"].as_str()).unwrap_or_default();
                !name.starts_with("ubuntu-22")
            });
        });
        scene.write(&["app-1: { role: app }", "app-2: { role: app }"]);
        let told = scene.in_all_forms(TOKEN, UP);
        match provider {
            DIGITALOCEAN => insta::assert_snapshot!(told, @""),
            _ => insta::assert_snapshot!(told, @""),
        }
        assert_eq!(scene.cloud.names(), ["prod-app-1"]);
        scene.write(APP);
        scene.rests();
        scene.write(&["app-1: { role: app }", "app-2: { role: app, image: debian-12 }"]);
        scene.converges_to(&["prod-app-1", "prod-app-2"]);
    }
}

#[test]
fn what_is_sold_out_here_says_where_there_is_more() {
    let scene = Scene::new(HETZNER, &["app-1: { role: app, size: cx43 }"]);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"");
    assert_eq!(scene.cloud.names(), [""; 0]);
    scene.edit("size: cx43", "size: cx43, region: hel1");
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_size_that_sells_out_before_the_order_fails_its_host_alone() {
    let hosts = ["app-1: { role: app }", "db-1: { role: db, size: medium }"];
    let scene = Scene::new(DIGITALOCEAN, &hosts);
    sell_out(&scene.cloud, "c-4", "nyc3");
    insta::assert_snapshot!(scene.run(UP), @"");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    habits_of_digitalocean(&scene, |habits| habits.shortage = digitalocean::Shortage::Temporary);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    restock(&scene.cloud);
    scene.converges_to(&["prod-app-1", "prod-db-1"]);

    let scene = Scene::new(HETZNER, &hosts);
    sell_out(&scene.cloud, "cx33", "nbg1");
    insta::assert_snapshot!(scene.run(UP), @"");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    habits_of_hetzner(&scene, |habits| habits.shortage = hetzner::Shortage::Placement);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    restock(&scene.cloud);
    scene.converges_to(&["prod-app-1", "prod-db-1"]);
}

#[test]
fn an_account_that_is_full_says_its_limit_and_how_much_is_used() {
    for provider in BOTH {
        let scene = Scene::new(provider, THREE);
        // One of them is somebody else's.
        scene.cloud.world.with(|world, _| world.behaviour().quota = Some(3));
        let told = scene.run(UP);
        let left = told.matches("created, not set up").count();
        assert_eq!(left, 2, "{told}");
        // Which of them has no room is chance.
        let failed = ["app-1", "app-2", "app-3"]
            .into_iter()
            .find(|host| !scene.cloud.names().contains(&format!("prod-{host}")))
            .unwrap();
        let (_, errors) = told.split_once("\n\n").map(|_| told.split_once("error[").unwrap()).unwrap();
        let errors = format!("error[{errors}").replace(failed, "app-N");
        match provider {
            DIGITALOCEAN => insta::assert_snapshot!(errors, @""),
            _ => insta::assert_snapshot!(errors, @""),
        }
        assert_eq!(scene.cloud.names().len(), 2);
        scene.cloud.world.with(|world, _| world.behaviour().quota = None);
        scene.converges_to(&["prod-app-1", "prod-app-2", "prod-app-3"]);
    }
}

#[test]
fn a_key_that_was_just_added_is_waited_for() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    habits_of_digitalocean(&scene, |habits| habits.late_key_seconds = 3);
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKkVuyWMyCeVNzvZcWGhZCbGmLnkM1XzyHCLYSoTA1pG x";
    let body = json!({ "name": "new", "public_key": key });
    assert_eq!(scene.cloud.ask("POST", &["account", "keys"], &body).status, 201);
    scene.write_with("ssh_key_name: new", APP);
    insta::assert_snapshot!(scene.run(UP), @"");
    scene.rests();
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
}

#[test]
fn a_name_that_somebody_else_holds_is_not_taken_over() {
    let mut scene = Scene::new(HETZNER, &["app-1: { role: app }", "db-1: { role: db }"]);
    scene.cloud.plant("prod-app-1", &[]);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"");
    assert_eq!(scene.cloud.names(), ["prod-db-1"]);
    insta::assert_snapshot!(scene.succeed("infra down --yes"), @"");
    scene.write(&["web-1: { role: app }", "db-1: { role: db }"]);
    scene.converges_to(&["prod-db-1", "prod-web-1"]);
}

#[test]
fn a_name_that_somebody_else_has_too_does_not_matter_where_names_are_free() {
    let mut scene = Scene::new(DIGITALOCEAN, APP);
    scene.cloud.plant("prod-app-1", &["stagecraft:scope:shop:staging", "stagecraft:host:app-1"]);
    scene.cloud.plant("prod-app-1", &["app"]);
    scene.converges_to(&["prod-app-1"]);
    scene.succeed("infra down --yes");
    assert_eq!(scene.cloud.names(), [""; 0]);
}

#[test]
fn an_order_that_is_refused_says_why_in_the_providers_words() {
    for provider in BOTH {
        let scene = Scene::new(provider, APP);
        scene.cloud.inject(scene.cloud.fault("POST", "", status(422)));
        let told = scene.in_all_forms(TOKEN, UP);
        match provider {
            DIGITALOCEAN => insta::assert_snapshot!(told, @""),
            _ => insta::assert_snapshot!(told, @""),
        }
        scene.converges_to(&["prod-app-1"]);
    }
}

#[test]
fn an_order_that_the_token_may_not_make_says_what_it_needs() {
    for provider in BOTH {
        let scene = Scene::new(provider, APP);
        scene.cloud.inject(scene.cloud.fault("POST", "", status(403)).when(When::First(3)));
        let told = scene.in_all_forms(TOKEN, UP);
        assert!(told.contains("create host `app-1`: not permitted: "), "{told}");
        assert!(told.ends_with("[exit status: 10]"), "{told}");
        scene.converges_to(&["prod-app-1"]);
    }
}

fn status(code: u16) -> Effect {
    Effect::Status { code, with_effect: false }
}

fn sell_out(cloud: &Account, size: &str, region: &str) {
    let pair = (size.into(), region.into());
    cloud.world.with(|world, _| world.behaviour().sold_out.insert(pair));
}

fn restock(cloud: &Account) {
    cloud.world.with(|world, _| world.behaviour().sold_out.clear());
}

fn habits_of_digitalocean(scene: &Scene, change: impl FnOnce(&mut digitalocean::Habits)) {
    let Api::DigitalOcean(api) = &scene.cloud.api else { panic!("another provider") };
    api.change_habits(change);
}

fn habits_of_hetzner(scene: &Scene, change: impl FnOnce(&mut hetzner::Habits)) {
    let Api::Hetzner(api) = &scene.cloud.api else { panic!("another provider") };
    api.change_habits(change);
}
