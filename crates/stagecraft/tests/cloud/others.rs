use serde_json::json;
use stagecraft_testkit::world::{Order, Seen};

use crate::account::{Account, Api, Cloud, TOKEN};
use crate::scene::{APP, BOTH, DIGITALOCEAN, HETZNER, Scene, UP, WITHOUT_IPV4, at_once};

#[test]
fn a_machine_that_was_switched_off_is_switched_on() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.succeed(UP);
        let before = scene.cloud.machines();
        scene.cloud.world.with(|world, _| world.stop(&before[0].id));
        let status = scene.outcome("infra status").replace(WITHOUT_IPV4, "-");
        let plan = what(provider, &scene.outcome("infra plan"));
        let told = scene.outcome(UP);
        insta::allow_duplicates! {
            insta::assert_snapshot!(status, @"
            HOST  ROLE  PROVIDER  ADDRESS  STATE
            app-1  app  [cloud]  -  switched off

            1 of 1 host not ready. `stagecraft infra up` works on that.
            ------- stderr -------
            [cloud]: listing
            [exit status: 10]
            ");
            insta::assert_snapshot!(plan, @"
            Plan for `shop/prod`

              + resume  app-1  [cloud]  [size], ubuntu-22.04, amd64  [price]/month  is switched off

            1 to resume.
            [price] a month for the hosts of the file, at list prices.
            ------- stderr -------
            [cloud]: listing
            [exit status: 0]
            ");
            insta::assert_snapshot!(told, @"
            HOST  ROLE  PROVIDER  ADDRESS  RESULT
            app-1  app  [cloud]  127.0.0.1  switched on, not looked at (--no-bootstrap)

            1 not looked at.
            ------- stderr -------
            app-1: switching on
            app-1: switched on
            app-1: waiting for the machine
            app-1: running at 127.0.0.1
            app-1: running (--no-bootstrap)
            [cloud]: listing
            [exit status: 0]
            ");
        }
        assert_eq!(scene.cloud.machines()[0].id, before[0].id);
        scene.rests();
    });
}

#[test]
fn a_machine_that_somebody_deleted_is_made_anew() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.succeed(UP);
        let before = scene.cloud.machines();
        scene.cloud.world.with(|world, _| world.remove(&before[0].id));
        assert!(scene.run("infra plan").contains("does not exist"));
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn a_second_machine_of_a_host_is_shown_and_goes_when_asked() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    scene.succeed(UP);
    let first = scene.cloud.machines().remove(0);
    let second = copy(&scene.cloud, &first);
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

        unchanged  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  up to date

    Left alone:
      - delete  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  surplus: an older machine stands for `app-1`; `stagecraft infra up --prune` removes it

    1 unchanged; 1 left alone.
    24.00 USD a month for the hosts of the file, at list prices.
    ------- stderr -------
    digitalocean: listing
    [exit status: 0]
    ");
    scene.succeed(UP);
    assert_eq!(scene.cloud.names(), ["prod-app-1", "prod-app-1"], "nothing goes unasked");
    insta::assert_snapshot!(scene.run("infra up --no-bootstrap --prune"), @"
    Plan for `shop/prod`

        unchanged  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  up to date
      - delete     app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64                   surplus: an older machine stands for `app-1`

    1 to remove, 1 unchanged.
    24.00 USD a month for the hosts of the file, at list prices.

    ------- stderr -------
    digitalocean: listing
    error[usage]: this would remove `app-1`, and there is nobody to ask
      hint: add `--yes` if that is meant
      note: nothing was changed
    [exit status: 1]
    ");
    assert_eq!(scene.cloud.names().len(), 2);
    insta::assert_snapshot!(scene.outcome("infra up --no-bootstrap --prune --yes"), @"
    HOST  ROLE  PROVIDER  ADDRESS  RESULT
    app-1  app  [cloud]  -  old machine removed, not looked at (--no-bootstrap)

    1 not looked at.
    ------- stderr -------
    app-1: removing
    app-1: removed
    app-1: running (--no-bootstrap)
    [cloud]: listing
    [exit status: 0]
    ");
    assert_eq!(scene.cloud.machines()[0].id, first.id, "the older stays, {second} goes");
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn tags_that_somebody_changed_are_put_right_in_place() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, &["app-1: { role: app, tags: [blue] }"]);
        scene.succeed(UP);
        let before = scene.cloud.machines().remove(0);
        paint_red(&scene.cloud, &before);
        let plan = what(provider, &scene.outcome("infra plan"));
        insta::allow_duplicates! {
            insta::assert_snapshot!(plan, @"
            Plan for `shop/prod`

              ~ update  app-1  [cloud]  [size], ubuntu-22.04, amd64  [price]/month  tags: red -> blue

            1 to update.
            [price] a month for the hosts of the file, at list prices.
            ------- stderr -------
            [cloud]: listing
            [exit status: 0]
            ");
            insta::assert_snapshot!(scene.outcome(UP), @"
            HOST  ROLE  PROVIDER  ADDRESS  RESULT
            app-1  app  [cloud]  127.0.0.1  updated, not looked at (--no-bootstrap)

            1 not looked at.
            ------- stderr -------
            app-1: updating name, role and tags
            app-1: updated
            app-1: running (--no-bootstrap)
            [cloud]: listing
            [exit status: 0]
            ");
        }
        let after = scene.cloud.machines().remove(0);
        assert_eq!((after.id, after.labels, after.tags), (before.id, before.labels, before.tags));
        scene.rests();
    });
}

#[test]
fn a_protected_host_stays_when_all_go() {
    at_once(&BOTH, |&provider| {
        let scene =
            Scene::new(provider, &["app-1: { role: app }", "db-1: { role: db, protected: true }"]);
        scene.succeed(UP);
        let down = scene.run("infra down --yes");
        let named = scene.in_all_forms(TOKEN, "infra down --host db-1 --yes");
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(down, @"
            Plan for `shop/prod`

              - delete  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  running

            Left alone:
              - delete  db-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  running; protected: declare it with `protected: false` in the file and run `stagecraft infra up` first

            1 to remove; 1 left alone.

            HOST   ROLE  PROVIDER      ADDRESS  RESULT
            app-1  app   digitalocean  -        removed

            1 removed.
            ------- stderr -------
            app-1: removing
            app-1: removed
            digitalocean: listing
            [exit status: 0]
            "),
            Cloud::Hetzner => assert!(down.contains("left alone"), "{down}"),
        }
        insta::allow_duplicates! { insta::assert_snapshot!(scene.alike(&named), @"
        ------- stderr -------
        [cloud]: listing
        error[usage]: protected hosts are never removed: `db-1`
          hint: set `protected: false` for `db-1` in the file, and run `stagecraft infra up` first
          note: nothing was changed
        [exit status: 1]
        "); }
        assert_eq!(scene.cloud.names(), ["prod-db-1"]);
        scene.write(&["app-1: { role: app }"]);
        let pruned = scene.run("infra up --no-bootstrap --prune --yes");
        assert!(pruned.contains("protected"), "{pruned}");
        assert_eq!(scene.cloud.names(), ["prod-app-1", "prod-db-1"], "the machine remembers");
        scene.write(&["app-1: { role: app }", "db-1: { role: db }"]);
        scene.converges_to(&["prod-app-1", "prod-db-1"]);
        scene.succeed("infra down --yes");
        assert_eq!(scene.cloud.names(), [""; 0]);
    });
}

#[test]
fn a_server_that_is_protected_in_the_console_says_so() {
    let scene = Scene::new(HETZNER, &["app-1: { role: app }", "db-1: { role: db }"]);
    scene.succeed(UP);
    let server: u64 = scene.cloud.machines()[1].id.as_str().parse().unwrap();
    let api = scene.cloud.hetzner();
    api.protect(server, true);
    insta::assert_snapshot!(scene.outcome("infra down --yes"), @"
    HOST  ROLE  PROVIDER  ADDRESS  RESULT
    app-1  app  [cloud]  -  removed
    db-1  db  [cloud]  127.0.0.1  failed: cloud.invalid-request

    1 removed, 1 failed.
    ------- stderr -------
    app-1: removing
    app-1: removed
    db-1: removing
    db-1: failed: cloud.invalid-request
    [cloud]: listing

    error[cloud.invalid-request]: [cloud] could not terminate host `db-1`: server deletion is protected (request [id])
      hint: take the protection off the server in the Hetzner Console if it is to go
      note: run `stagecraft infra down` again to go on
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), ["prod-db-1"]);
    api.protect(server, false);
    scene.succeed("infra down --yes");
    assert_eq!(scene.cloud.names(), [""; 0]);
}

/// Another machine with the same tags, as if two had been ordered.
fn copy(cloud: &Account, of: &Seen) -> String {
    let Seen { name, labels, tags, spec, .. } = of.clone();
    cloud.world.with(|world, now| {
        world.plant(now, Order { name, labels, tags, spec, user_data: None }).to_string()
    })
}

/// Puts the tag `red` in the place of `blue`, as somebody in the console would.
fn paint_red(cloud: &Account, machine: &Seen) {
    let id = machine.id.as_str();
    let status = match cloud.api {
        Api::DigitalOcean(_) => {
            let droplet =
                json!({ "resources": [{ "resource_id": id, "resource_type": "droplet" }] });
            cloud.ask("POST", &["tags"], &json!({ "name": "red" }));
            cloud.ask("POST", &["tags", "red", "resources"], &droplet);
            cloud.ask("DELETE", &["tags", "blue", "resources"], &droplet).status
        }
        Api::Hetzner(_) => {
            let mut labels = machine.labels.clone();
            labels.remove("blue");
            labels.insert("red".to_owned(), String::new());
            cloud.ask("PUT", &["servers", id], &json!({ "labels": labels })).status
        }
        Api::Aws(_) => panic!("it has another dialect"),
    };
    assert!((200..300).contains(&status), "{status}");
}

/// The plan of a small host without what it is called and costs at its provider.
fn what(provider: Cloud, plan: &str) -> String {
    let (size, price) = match provider {
        Cloud::Hetzner => ("cx23 in nbg1", "4.75 EUR"),
        Cloud::DigitalOcean => ("s-2vcpu-4gb in nyc3", "24.00 USD"),
    };
    plan.replace(size, "[size]").replace(price, "[price]")
}
