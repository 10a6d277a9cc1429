use std::time::Duration;

use stagecraft_testkit::world::{Behaviour, Delay, Fate};

use crate::account::{Account, Cloud};
use crate::scene::{APP, BOTH, DIGITALOCEAN, Scene, UP, WITHOUT_IPV4, at_once, soon};

#[test]
fn a_machine_that_lists_show_late_is_waited_for() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    behave(&scene.cloud, |of| of.visible = Delay::Both(Duration::from_millis(300), 3));
    insta::assert_snapshot!(scene.outcome(UP), @"
    HOST  ROLE  PROVIDER  ADDRESS  RESULT
    app-1  app  [cloud]  127.0.0.1  created, not set up (--no-bootstrap)

    1 not set up.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    [cloud]: listing
    [exit status: 0]
    ");
    assert_eq!(scene.cloud.names(), ["prod-app-1"], "ordered once");
    scene.rests();
}

#[test]
fn a_machine_whose_address_comes_late_is_waited_for() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        behave(&scene.cloud, |of| of.address = Delay::Time(Duration::from_millis(700)));
        let told = scene.outcome(UP);
        assert!(told.contains("running at 127.0.0.1\n"), "{told}");
        scene.rests();
    });
}

#[test]
fn a_machine_that_stays_pending_is_given_up_in_time() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        destine(&scene.cloud, "prod-app-1", Fate::StaysPending);
        let told = scene.outcome("infra up --no-bootstrap --wait-timeout 2s");
        let told = told.replace(WITHOUT_IPV4, "-");
        insta::allow_duplicates! { insta::assert_snapshot!(told, @"
        HOST  ROLE  PROVIDER  ADDRESS  RESULT
        app-1  app  [cloud]  -  created, failed: wait.timed-out

        1 failed.
        ------- stderr -------
        app-1: creating
        app-1: created
        app-1: waiting for the machine
        app-1: failed: wait.timed-out
        [cloud]: listing

        error[wait.timed-out]: the instance of `app-1` at [cloud] did not come up within 2 s
          hint: run the command again to go on waiting, for longer with `--wait-timeout`
          hint: `stagecraft infra up --replace app-1` orders another
          note: `app-1` is kept; run `stagecraft infra up --no-bootstrap` again to go on
        [exit status: 10]
        "); }
        let stuck = scene.cloud.machines();
        let plan = scene.outcome("infra plan");
        assert!(plan.contains("resume") && plan.contains("1 to resume"), "{plan}");
        let told = scene.outcome("infra up --no-bootstrap --wait-timeout 1s --output json");
        assert!(told.contains("\"wait.timed-out\""), "{told}");
        assert_eq!(scene.cloud.machines(), stuck, "no other was ordered");
        let told = scene.outcome("infra up --no-bootstrap --replace app-1 --yes");
        assert!(told.ends_with("[exit status: 0]"), "{told}");
        assert_ne!(scene.cloud.machines()[0].id, stuck[0].id);
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn a_machine_that_fails_to_boot_is_told_and_replaced_when_asked() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        destine(&scene.cloud, "prod-app-1", Fate::FailsToBoot);
        let told = scene.outcome("infra up --no-bootstrap --wait-timeout 2s");
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(told, @"
            HOST  ROLE  PROVIDER  ADDRESS  RESULT
            app-1  app  [cloud]  -  created, failed: wait.timed-out

            1 failed.
            ------- stderr -------
            app-1: creating
            app-1: created
            app-1: waiting for the machine
            app-1: failed: wait.timed-out
            [cloud]: listing

            error[wait.timed-out]: the instance of `app-1` at [cloud] did not come up within 2 s
              hint: run the command again to go on waiting, for longer with `--wait-timeout`
              hint: `stagecraft infra up --replace app-1` orders another
              note: `app-1` is kept; run `stagecraft infra up --no-bootstrap` again to go on
            [exit status: 10]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(told, @"
            HOST  ROLE  PROVIDER  ADDRESS  RESULT
            app-1  app  [cloud]  2001:db8:0:3ea::1  created, failed: wait.instance-gone

            1 failed.
            ------- stderr -------
            app-1: creating
            app-1: created
            app-1: waiting for the machine
            app-1: failed: wait.instance-gone
            [cloud]: listing

            error[wait.instance-gone]: [cloud] reports that the instance of `app-1` failed: Action failed (action_failed)
              hint: `stagecraft infra up --replace app-1` orders another
              note: `app-1` is kept; run `stagecraft infra up --no-bootstrap` again to go on
            [exit status: 10]
            "),
        }
        let plan = scene.outcome("infra plan");
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(plan, @"
            Plan for `shop/prod`

              + resume  app-1  [cloud]  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  ordered earlier, not up yet

            1 to resume.
            24.00 USD a month for the hosts of the file, at list prices.
            ------- stderr -------
            [cloud]: listing
            [exit status: 0]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(plan, @"
            Plan for `shop/prod`

              + resume  app-1  [cloud]  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  is switched off

            1 to resume.
            4.75 EUR a month for the hosts of the file, at list prices.
            ------- stderr -------
            [cloud]: listing
            [exit status: 0]
            "),
        }
        let status = scene.outcome("infra status");
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(status, @"
            HOST  ROLE  PROVIDER  ADDRESS  STATE
            app-1  app  [cloud]  -  coming up

            1 of 1 host not ready. `stagecraft infra up` works on that.
            ------- stderr -------
            [cloud]: listing
            [exit status: 10]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(status, @"
            HOST  ROLE  PROVIDER  ADDRESS  STATE
            app-1  app  [cloud]  2001:db8:0:3ea::1  switched off

            1 of 1 host not ready. `stagecraft infra up` works on that.
            ------- stderr -------
            [cloud]: listing
            [exit status: 10]
            "),
        }
        let told = scene.outcome("infra up --no-bootstrap --replace app-1 --yes");
        assert!(told.ends_with("[exit status: 0]"), "{told}");
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn a_machine_that_vanishes_while_it_boots_is_made_by_the_next_run() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        behave(&scene.cloud, |of| of.boot = Delay::Time(Duration::from_millis(700)));
        destine(&scene.cloud, "prod-app-1", Fate::Vanishes);
        // As long as a machine is new, a list that lacks it may only be late; a run that comes
        // upon an older one does not wait for it.
        let mut child = scene.begin(UP);
        soon(|| (!scene.cloud.names().is_empty()).then_some(()));
        child.kill().unwrap();
        assert!(scene.end(child).ends_with("[killed]"));
        let told = scene.outcome(UP);
        assert!(told.contains("app-1: running at 127.0.0.1"), "{told}");
        assert_eq!(scene.cloud.names(), ["prod-app-1"]);
        scene.converges_to(&["prod-app-1"]);
    });
}

fn behave(cloud: &Account, change: impl FnOnce(&mut Behaviour)) {
    cloud.world.with(|world, _| change(world.behaviour()));
}

fn destine(cloud: &Account, name: &str, fate: Fate) {
    cloud.world.with(|world, _| world.decide_fate(name, fate));
}
