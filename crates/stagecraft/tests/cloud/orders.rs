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
            DIGITALOCEAN => insta::assert_snapshot!(told, @"
            ------- stderr -------
            digitalocean: listing
            error[order.invalid]: cannot order `app-1`: the digitalocean account has no SSH key named `deployment`
              --> stagecraft.yml:12:11
               |
            12 |           app-1: { role: app }
               |           ^^^^^
               |
               = hint: there is `deploy`
            [exit status: 1]
            "),
            _ => insta::assert_snapshot!(told, @"
            ------- stderr -------
            hetzner: listing
            error[order.invalid]: cannot order `app-1`: the hetzner account has no SSH key named `deployment`
              --> stagecraft.yml:12:11
               |
            12 |           app-1: { role: app }
               |           ^^^^^
               |
               = hint: there is `deploy`
            [exit status: 1]
            "),
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
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    ------- stderr -------
    digitalocean: listing
    error[order.invalid]: cannot order `app-1`: digitalocean has no region `nyc9`
      --> stagecraft.yml:12:11
       |
    12 |           app-1: { role: app, region: nyc9 }
       |           ^^^^^
       |
       = hint: there is `nyc1`, `nyc2`, `nyc3`, `syd1`, `ams3`, and 6 more

    error[order.invalid]: cannot order `db-1`: digitalocean has no size `s-2vcpu-4g` for amd64
      --> stagecraft.yml:13:11
       |
    13 |           db-1: { role: db, size: s-2vcpu-4g }
       |           ^^^^
       |
       = hint: there is `s-2vcpu-4gb`, `s-2vcpu-4gb-intel`, `s-2vcpu-2gb`, `g-2vcpu-8gb`, `s-1vcpu-1gb`, and 16 more

    error[order.invalid]: cannot order `old-1`: size `512mb` cannot be ordered in `nyc3` at digitalocean now
      --> stagecraft.yml:14:11
       |
    14 |           old-1: { role: old, size: 512mb }
       |           ^^^^^
       |
       = hint: it cannot be ordered anywhere now

    3 problems in `stagecraft.yml`
    [exit status: 1]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);

    let hosts = [
        "app-1: { role: app, region: nbg }",
        "db-1: { role: db, size: cx24 }",
        "old-1: { role: old, size: cx22 }",
        "us-1: { role: app, size: cx23, region: ash }",
        "arm-1: { role: app, size: cx23, arch: arm64 }",
    ];
    let scene = Scene::new(HETZNER, &hosts);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    ------- stderr -------
    hetzner: listing
    error[order.invalid]: cannot order `app-1`: hetzner has no region `nbg`
      --> stagecraft.yml:12:11
       |
    12 |           app-1: { role: app, region: nbg }
       |           ^^^^^
       |
       = hint: there is `nbg1`, `ash`, `hil`, `sin`, `fsn1`, and 1 more

    error[order.invalid]: cannot order `arm-1`: hetzner has no size `cx23` for arm64
      --> stagecraft.yml:16:11
       |
    16 |           arm-1: { role: app, size: cx23, arch: arm64 }
       |           ^^^^^
       |
       = hint: there is `cax21`, `cax11`, `cax31`, `cax41`, `large`, and 2 more

    error[order.invalid]: cannot order `db-1`: hetzner has no size `cx24` for amd64
      --> stagecraft.yml:13:11
       |
    13 |           db-1: { role: db, size: cx24 }
       |           ^^^^
       |
       = hint: there is `cx22`, `cx23`, `cx42`, `ccx23`, `cpx21`, and 23 more

    error[order.invalid]: cannot order `old-1`: size `cx22` cannot be ordered in `nbg1` at hetzner now
      --> stagecraft.yml:14:11
       |
    14 |           old-1: { role: old, size: cx22 }
       |           ^^^^^
       |
       = hint: it cannot be ordered anywhere now

    error[order.invalid]: cannot order `us-1`: size `cx23` cannot be ordered in `ash` at hetzner now
      --> stagecraft.yml:15:11
       |
    15 |           us-1: { role: app, size: cx23, region: ash }
       |           ^^^^
       |
       = hint: it can be ordered in `fsn1`, `hel1`, `nbg1`

    5 problems in `stagecraft.yml`
    [exit status: 1]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
}

#[test]
fn what_the_file_does_not_allow_is_told_before_anybody_is_asked() {
    let scene = Scene::new(DIGITALOCEAN, &[]);
    let hosts = ["app-1: { role: app, region: fra1 }", "db-1: { role: db, size: c-8 }"];
    scene.write_with("ssh_key_name: deploy\nregions: [nyc1, nyc3]\nsizes: [small, c-4]", &hosts);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    ------- stderr -------
    error[config.invalid-value]: `fra1` is not one of the regions allowed for `digitalocean`
      --> stagecraft.yml:14:39
       |
    10 |       regions: [nyc1, nyc3]
       |       ------- the list
    ...
    14 |           app-1: { role: app, region: fra1 }
       |                                       ^^^^ not allowed
       |
       = hint: use `nyc1` or `nyc3`, or extend the list

    error[config.invalid-value]: `c-8` is not one of the sizes allowed for `digitalocean`
      --> stagecraft.yml:15:35
       |
    11 |       sizes: [small, c-4]
       |       ----- the list
    ...
    15 |           db-1: { role: db, size: c-8 }
       |                                   ^^^ not allowed
       |
       = hint: use `c-4` or `small`, or extend the list

    2 problems in `stagecraft.yml`
    [exit status: 1]
    ");
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
            DIGITALOCEAN => insta::assert_snapshot!(told, @"
            ------- stderr -------
            digitalocean: listing
            error[order.invalid]: cannot order `app-2`: digitalocean has no image `ubuntu-22.04` for amd64
              --> stagecraft.yml:13:11
               |
            13 |           app-2: { role: app }
               |           ^^^^^
               |
               = hint: there is `ubuntu-24.04`, `debian-12`
            [exit status: 1]
            "),
            _ => insta::assert_snapshot!(told, @"
            ------- stderr -------
            hetzner: listing
            error[order.invalid]: cannot order `app-2`: hetzner has no image `ubuntu-22.04` for amd64
              --> stagecraft.yml:13:11
               |
            13 |           app-2: { role: app }
               |           ^^^^^
               |
               = hint: there is `ubuntu-24.04`, `debian-12`
            [exit status: 1]
            "),
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
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    ------- stderr -------
    hetzner: listing
    error[order.invalid]: cannot order `app-1`: size `cx43` cannot be ordered in `nbg1` at hetzner now
      --> stagecraft.yml:12:11
       |
    12 |           app-1: { role: app, size: cx43 }
       |           ^^^^^
       |
       = hint: it can be ordered in `fsn1`, `hel1`
    [exit status: 1]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
    scene.edit("size: cx43", "size: cx43, region: hel1");
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_size_that_sells_out_before_the_order_fails_its_host_alone() {
    let hosts = ["app-1: { role: app }", "db-1: { role: db, size: medium }"];
    let scene = Scene::new(DIGITALOCEAN, &hosts);
    sell_out(&scene.cloud, "c-4", "nyc3");
    insta::assert_snapshot!(scene.run(UP), @"
    Plan for `shop/prod`

      + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist
      + create  db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64          84.00 USD/month  does not exist

    2 to create.
    108.00 USD a month from now on, at list prices.

    HOST   ROLE  PROVIDER      ADDRESS   RESULT
    app-1  app   digitalocean  10.1.0.x  created, not set up (--no-bootstrap)
    db-1   db    digitalocean  -         failed: cloud.sold-out

    1 not set up, 1 failed.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 10.1.0.x
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: failed: cloud.sold-out
    digitalocean: listing

    error[cloud.sold-out]: digitalocean could not create host `db-1`: sold out: Size is not available in this region (request [id])
      hint: choose another `region` or `size`, or try again later
      note: `app-1` is kept; run `stagecraft infra up` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    habits_of_digitalocean(&scene, |habits| habits.shortage = digitalocean::Shortage::Temporary);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    Plan for `shop/prod`

        unchanged  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  up to date
      + create     db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64          84.00 USD/month  does not exist

    1 to create, 1 unchanged.
    108.00 USD a month from now on, at list prices.

    HOST   ROLE  PROVIDER      ADDRESS   RESULT
    app-1  app   digitalocean  10.1.0.x  running, not looked at (--no-bootstrap)
    db-1   db    digitalocean  -         failed: cloud.sold-out

    1 not looked at, 1 failed.
    ------- stderr -------
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: failed: cloud.sold-out
    digitalocean: listing

    error[cloud.sold-out]: digitalocean could not create host `db-1`: sold out: size c-4 is temporarily unavailable in nyc3 (request [id])
      hint: it can be had in `nyc1`, `sfo3`, `fra1`, `ams3`, `lon1`, `sgp1`, `tor1`: change `region`
      note: run `stagecraft infra up` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    restock(&scene.cloud);
    scene.converges_to(&["prod-app-1", "prod-db-1"]);

    let scene = Scene::new(HETZNER, &hosts);
    sell_out(&scene.cloud, "cx33", "nbg1");
    insta::assert_snapshot!(scene.run(UP), @"
    Plan for `shop/prod`

      + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist
      + create  db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  7.13 EUR/month  does not exist

    2 to create.
    11.88 EUR a month from now on, at list prices.

    HOST   ROLE  PROVIDER  ADDRESS   RESULT
    app-1  app   hetzner   10.2.0.x  created, not set up (--no-bootstrap)
    db-1   db    hetzner   -         failed: cloud.sold-out

    1 not set up, 1 failed.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 10.2.0.x
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: failed: cloud.sold-out
    hetzner: listing

    error[cloud.sold-out]: hetzner could not create host `db-1`: sold out: error during placement (request [id])
      hint: choose another `region` or another `size` for the host; `stagecraft validate --online` says what can be ordered now
      note: `app-1` is kept; run `stagecraft infra up` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    habits_of_hetzner(&scene, |habits| habits.shortage = hetzner::Shortage::Placement);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    Plan for `shop/prod`

        unchanged  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  up to date
      + create     db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  7.13 EUR/month  does not exist

    1 to create, 1 unchanged.
    11.88 EUR a month from now on, at list prices.

    HOST   ROLE  PROVIDER  ADDRESS   RESULT
    app-1  app   hetzner   10.2.0.x  running, not looked at (--no-bootstrap)
    db-1   db    hetzner   -         failed: cloud.sold-out

    1 not looked at, 1 failed.
    ------- stderr -------
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: failed: cloud.sold-out
    hetzner: listing

    error[cloud.sold-out]: hetzner could not create host `db-1`: sold out: error during placement (request [id])
      hint: choose another `region` or another `size` for the host; `stagecraft validate --online` says what can be ordered now
      note: run `stagecraft infra up` again to go on
    [exit status: 10]
    ");
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
            DIGITALOCEAN => insta::assert_snapshot!(errors, @"
            error[cloud.quota-exceeded]: digitalocean could not create host `app-N`: a limit of the account is reached: creating this/these droplet(s) will exceed your droplet limit (3 droplets of at most 3) (request [id])
              hint: remove droplets, or ask for a higher limit at https://cloud.digitalocean.com/account/team/droplet_limit_increase
              note: `app-1` and `app-3` are kept; run `stagecraft infra up` again to go on
            [exit status: 10]
            "),
            _ => insta::assert_snapshot!(errors, @"
            error[cloud.quota-exceeded]: hetzner could not create host `app-N`: a limit of the account is reached: server_limit exceeded; servers in the project: 3 (request [id])
              hint: see the limits of the project in the Hetzner Console under Limits, and ask there for higher ones
              note: `app-1` and `app-2` are kept; run `stagecraft infra up` again to go on
            [exit status: 10]
            "),
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
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    Plan for `shop/prod`

      + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist
      + create  db-1   hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist

    2 to create.
    9.50 EUR a month from now on, at list prices.

    HOST   ROLE  PROVIDER  ADDRESS   RESULT
    app-1  app   hetzner   -         failed: cloud.conflict
    db-1   db    hetzner   10.2.0.x  created, not set up (--no-bootstrap)

    1 not set up, 1 failed.
    ------- stderr -------
    app-1: creating
    app-1: failed: cloud.conflict
    db-1: creating
    db-1: created
    db-1: waiting for the machine
    db-1: running at 10.2.0.x
    db-1: running (--no-bootstrap)
    hetzner: listing

    error[cloud.conflict]: hetzner could not create host `app-1`: the name `prod-app-1` is taken by server 1002, which is not one of ours (request [id])
      hint: rename the host or the environment in the file, or remove server 1002 in the Hetzner Console if nobody needs it
      note: `db-1` is kept; run `stagecraft infra up` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-db-1"]);
    insta::assert_snapshot!(scene.succeed("infra down --yes"), @"
    Plan for `shop/prod`

      - delete  db-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  running

    1 to remove.

    HOST  ROLE  PROVIDER  ADDRESS  RESULT
    db-1  db    hetzner   -        removed

    1 removed.
    ------- stderr -------
    db-1: removing
    db-1: removed
    hetzner: listing
    [exit status: 0]
    ");
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
            DIGITALOCEAN => insta::assert_snapshot!(told, @"
            Plan for `shop/prod`

              + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist

            1 to create.
            24.00 USD a month from now on, at list prices.

            HOST   ROLE  PROVIDER      ADDRESS  RESULT
            app-1  app   digitalocean  -        failed: cloud.invalid-request

            1 failed.
            ------- stderr -------
            app-1: creating
            app-1: failed: cloud.invalid-request
            digitalocean: listing

            error[cloud.invalid-request]: digitalocean could not create host `app-1`: The request could not be processed (request [id])
              note: run `stagecraft infra up` again to go on
            [exit status: 2]
            "),
            _ => insta::assert_snapshot!(told, @"
            Plan for `shop/prod`

              + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist

            1 to create.
            4.75 EUR a month from now on, at list prices.

            HOST   ROLE  PROVIDER  ADDRESS  RESULT
            app-1  app   hetzner   -        failed: cloud.invalid-request

            1 failed.
            ------- stderr -------
            app-1: creating
            app-1: failed: cloud.invalid-request
            hetzner: listing

            error[cloud.invalid-request]: hetzner could not create host `app-1`: invalid input (request [id])
              note: run `stagecraft infra up` again to go on
            [exit status: 2]
            "),
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
