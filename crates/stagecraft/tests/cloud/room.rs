use serde_json::json;
use stagecraft_testkit::emulators::{digitalocean, hetzner};

use crate::account::{Account, Cloud, TOKEN};
use crate::scene::{APP, BOTH, DIGITALOCEAN, HETZNER, Scene, UP, at_once};

const THREE: &[&str] = &["app: { role: app, count: 3 }"];

#[test]
fn what_is_sold_out_here_says_where_there_is_more() {
    let scene = Scene::new(HETZNER, &["app-1: { role: app, size: cx43 }"]);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    ------- stderr -------
    hetzner: listing
    error[order.invalid]: cannot order `app-1`: size `cx43` cannot be ordered in `nbg1` at hetzner now
      --> stagecraft.yml:12:37
       |
    12 |           app-1: { role: app, size: cx43 }
       |                                     ^^^^
       |
       = hint: it can be ordered in `fsn1` and `hel1`
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
    108.00 USD a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER      ADDRESS    RESULT
    app-1  app   digitalocean  127.0.0.1  created, not set up (--no-bootstrap)
    db-1   db    digitalocean  -          failed: cloud.sold-out

    1 not set up, 1 failed.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: failed: cloud.sold-out
    digitalocean: listing

    error[cloud.sold-out]: digitalocean could not create host `db-1`: sold out: Size is not available in this region (request [id])
      hint: `c-4` is offered in `ams3`, `fra1`, `lon1`, `nyc1`, `sfo3`, `sgp1`, `tor1` too: change `region`, or choose another `size`, or try again later
      note: `app-1` is kept; run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    scene
        .cloud
        .digitalocean()
        .change_habits(|habits| habits.shortage = digitalocean::Shortage::Temporary);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    Plan for `shop/prod`

        unchanged  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  up to date
      + create     db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64          84.00 USD/month  does not exist

    1 to create, 1 unchanged.
    108.00 USD a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER      ADDRESS    RESULT
    app-1  app   digitalocean  127.0.0.1  running, not looked at (--no-bootstrap)
    db-1   db    digitalocean  -          failed: cloud.sold-out

    1 not looked at, 1 failed.
    ------- stderr -------
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: failed: cloud.sold-out
    digitalocean: listing

    error[cloud.sold-out]: digitalocean could not create host `db-1`: sold out: size c-4 is temporarily unavailable in nyc3 (request [id])
      hint: it can be had in `nyc1`, `sfo3`, `fra1`, `ams3`, `lon1`, `sgp1`, `tor1`: change `region`
      note: run `stagecraft infra up --no-bootstrap` again to go on
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
    11.88 EUR a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   hetzner   127.0.0.1  created, not set up (--no-bootstrap)
    db-1   db    hetzner   -          failed: cloud.sold-out

    1 not set up, 1 failed.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: failed: cloud.sold-out
    hetzner: listing

    error[cloud.sold-out]: hetzner could not create host `db-1`: sold out: error during placement (request [id])
      hint: `cx33` is offered in `fsn1`, `hel1` too: change `region`, or choose another `size`, or try again later
      note: `app-1` is kept; run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    scene.cloud.hetzner().change_habits(|habits| habits.shortage = hetzner::Shortage::Placement);
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, UP), @"
    Plan for `shop/prod`

        unchanged  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  up to date
      + create     db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  7.13 EUR/month  does not exist

    1 to create, 1 unchanged.
    11.88 EUR a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   hetzner   127.0.0.1  running, not looked at (--no-bootstrap)
    db-1   db    hetzner   -          failed: cloud.sold-out

    1 not looked at, 1 failed.
    ------- stderr -------
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: failed: cloud.sold-out
    hetzner: listing

    error[cloud.sold-out]: hetzner could not create host `db-1`: sold out: error during placement (request [id])
      hint: `cx33` is offered in `fsn1`, `hel1` too: change `region`, or choose another `size`, or try again later
      note: run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-app-1"]);
    restock(&scene.cloud);
    scene.converges_to(&["prod-app-1", "prod-db-1"]);
}

#[test]
fn an_account_that_is_full_says_its_limit_and_how_much_is_used() {
    at_once(&BOTH, |&provider| {
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
        let (_, errors) = told.split_once("error[").unwrap();
        let errors =
            format!("error[{errors}").replace(&kept(failed), "KEPT").replace(failed, "app-N");
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(errors, @"
            error[cloud.quota-exceeded]: digitalocean could not create host `app-N`: a limit of the account is reached: creating this/these droplet(s) will exceed your droplet limit (3 droplets of at most 3) (request [id])
              hint: remove droplets, or ask for a higher limit at https://cloud.digitalocean.com/account/team/droplet_limit_increase
              note: KEPT are kept; run `stagecraft infra up --no-bootstrap` again to go on
            [exit status: 10]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(errors, @"
            error[cloud.quota-exceeded]: hetzner could not create host `app-N`: a limit of the account is reached: server_limit exceeded; servers in the project: 3 (request [id])
              hint: see the limits of the project in the Hetzner Console under Limits, and ask there for higher ones
              note: KEPT are kept; run `stagecraft infra up --no-bootstrap` again to go on
            [exit status: 10]
            "),
        }
        assert_eq!(scene.cloud.names().len(), 2);
        scene.cloud.world.with(|world, _| world.behaviour().quota = None);
        scene.converges_to(&["prod-app-1", "prod-app-2", "prod-app-3"]);
    });
}

#[test]
fn a_key_that_was_just_added_is_waited_for() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    scene.cloud.digitalocean().change_habits(|habits| habits.late_key_seconds = 3);
    let key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLUI4SotagtkyKzlwhEOTKnRqbPUU0NTusem0Ie8HBw new";
    let body = json!({ "name": "new", "public_key": key });
    assert_eq!(scene.cloud.ask("POST", &["account", "keys"], &body).status, 201);
    scene.write_with("ssh_key_name: new", APP);
    insta::assert_snapshot!(scene.run(UP), @"
    Plan for `shop/prod`

      + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist

    1 to create.
    24.00 USD a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER      ADDRESS    RESULT
    app-1  app   digitalocean  127.0.0.1  created, not set up (--no-bootstrap)

    1 not set up.
    ------- stderr -------
    app-1: creating
    app-1: cloud.provider-fault, trying again in 6 s
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    digitalocean: listing
    [exit status: 0]
    ");
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
    9.50 EUR a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   hetzner   -          failed: cloud.conflict
    db-1   db    hetzner   127.0.0.1  created, not set up (--no-bootstrap)

    1 not set up, 1 failed.
    ------- stderr -------
    app-1: creating
    app-1: failed: cloud.conflict
    db-1: creating
    db-1: created
    db-1: waiting for the machine
    db-1: running at 127.0.0.1
    db-1: running (--no-bootstrap)
    hetzner: listing

    error[cloud.conflict]: hetzner could not create host `app-1`: the name `prod-app-1` is taken by server 1002, which is not one of ours (request [id])
      hint: rename the host or the environment in the file, or remove server 1002 in the Hetzner Console if nobody needs it
      note: `db-1` is kept; run `stagecraft infra up --no-bootstrap` again to go on
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

/// The two others of three.
fn kept(failed: &str) -> String {
    let others = ["`app-1`", "`app-2`", "`app-3`"].into_iter().filter(|of| !of.contains(failed));
    others.collect::<Vec<_>>().join(" and ")
}

fn sell_out(cloud: &Account, size: &str, region: &str) {
    let pair = (size.into(), region.into());
    cloud.world.with(|world, _| world.behaviour().sold_out.insert(pair));
}

fn restock(cloud: &Account) {
    cloud.world.with(|world, _| world.behaviour().sold_out.clear());
}
