use crate::account::{Cloud, TOKEN};
use crate::scene::{APP, BOTH, DIGITALOCEAN, HETZNER, Scene, UP, at_once, status};

#[test]
fn an_ssh_key_that_is_not_there_is_told_with_those_that_are() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.write_with("ssh_key_name: deployment", APP);
        let told = scene.in_all_forms(TOKEN, UP);
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(told, @"
            ------- stderr -------
            digitalocean: listing
            error[order.invalid]: cannot order `app-1`: the digitalocean account has no SSH key named `deployment`
             --> stagecraft.yml:9:21
              |
            9 |       ssh_key_name: deployment
              |                     ^^^^^^^^^^
              |
              = hint: there is `deploy`: change `ssh_key_name`, or add the key to the account
            [exit status: 1]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(told, @"
            ------- stderr -------
            hetzner: listing
            error[order.invalid]: cannot order `app-1`: the hetzner account has no SSH key named `deployment`
             --> stagecraft.yml:9:21
              |
            9 |       ssh_key_name: deployment
              |                     ^^^^^^^^^^
              |
              = hint: there is `deploy`: change `ssh_key_name`, or add the key to the account
            [exit status: 1]
            "),
        }
        assert!(scene.in_all_forms(TOKEN, "validate --online").contains("`deploy`"));
        assert_eq!(scene.cloud.names(), [""; 0]);
        scene.write(APP);
        scene.converges_to(&["prod-app-1"]);
    });
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
      --> stagecraft.yml:12:39
       |
    12 |           app-1: { role: app, region: nyc9 }
       |                                       ^^^^
       |
       = hint: there are `nyc1`, `nyc2`, `nyc3`, `syd1`, `ams3` and 6 more

    error[order.invalid]: cannot order `db-1`: digitalocean has no size `s-2vcpu-4g` for amd64
      --> stagecraft.yml:13:35
       |
    13 |           db-1: { role: db, size: s-2vcpu-4g }
       |                                   ^^^^^^^^^^
       |
       = hint: there are `s-2vcpu-4gb`, `s-2vcpu-4gb-intel`, `s-2vcpu-2gb`, `g-2vcpu-8gb`, `s-1vcpu-1gb` and 13 more

    error[order.invalid]: cannot order `old-1`: size `512mb` cannot be ordered in `nyc3` at digitalocean now
      --> stagecraft.yml:14:37
       |
    14 |           old-1: { role: old, size: 512mb }
       |                                     ^^^^^
       |
       = hint: it cannot be ordered anywhere now; there are `c-2`, `c-4`, `c-8`, `large`, `small` and 12 more

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
      --> stagecraft.yml:12:39
       |
    12 |           app-1: { role: app, region: nbg }
       |                                       ^^^
       |
       = hint: there are `nbg1`, `ash`, `hil`, `sin`, `fsn1` and 1 more

    error[order.invalid]: cannot order `arm-1`: hetzner has no size `cx23` for arm64
      --> stagecraft.yml:16:37
       |
    16 |           arm-1: { role: app, size: cx23, arch: arm64 }
       |                                     ^^^^
       |
       = hint: there are `cax21`, `cax11`, `cax31`, `cax41`, `large` and 2 more

    error[order.invalid]: cannot order `db-1`: hetzner has no size `cx24` for amd64
      --> stagecraft.yml:13:35
       |
    13 |           db-1: { role: db, size: cx24 }
       |                                   ^^^^
       |
       = hint: there are `cx23`, `ccx23`, `cpx21`, `cpx22`, `cpx42` and 19 more

    error[order.invalid]: cannot order `old-1`: size `cx22` cannot be ordered in `nbg1` at hetzner now
      --> stagecraft.yml:14:37
       |
    14 |           old-1: { role: old, size: cx22 }
       |                                     ^^^^
       |
       = hint: it cannot be ordered anywhere now; there are `cpx22`, `cx23`, `ccx23`, `cpx12`, `cpx32` and 13 more

    error[order.invalid]: cannot order `us-1`: size `cx23` cannot be ordered in `ash` at hetzner now
      --> stagecraft.yml:15:36
       |
    15 |           us-1: { role: app, size: cx23, region: ash }
       |                                    ^^^^
       |
       = hint: it can be ordered in `fsn1`, `hel1` and `nbg1`

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
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.succeed(UP);
        scene.cloud.spoil(|call, answer| {
            let Some(images) = answer.body.as_mut().and_then(|body| body.get_mut("images")) else {
                return;
            };
            assert_eq!(call.path, ["images"]);
            images.as_array_mut().unwrap().retain(|image| {
                let name =
                    image["slug"].as_str().or_else(|| image["name"].as_str()).unwrap_or_default();
                !name.starts_with("ubuntu-22")
            });
        });
        scene.write(&["app-1: { role: app }", "app-2: { role: app }"]);
        let told = scene.in_all_forms(TOKEN, UP);
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(told, @"
            ------- stderr -------
            digitalocean: listing
            error[order.invalid]: cannot order `app-2`: digitalocean has no image `ubuntu-22.04` for amd64
              --> stagecraft.yml:13:11
               |
            13 |           app-2: { role: app }
               |           ^^^^^
               |
               = hint: there are `ubuntu-24.04` and `debian-12`
            [exit status: 1]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(told, @"
            ------- stderr -------
            hetzner: listing
            error[order.invalid]: cannot order `app-2`: hetzner has no image `ubuntu-22.04` for amd64
              --> stagecraft.yml:13:11
               |
            13 |           app-2: { role: app }
               |           ^^^^^
               |
               = hint: there are `ubuntu-24.04` and `debian-12`
            [exit status: 1]
            "),
        }
        assert_eq!(scene.cloud.names(), ["prod-app-1"]);
        scene.write(APP);
        scene.rests();
        scene.write(&["app-1: { role: app }", "app-2: { role: app, image: debian-12 }"]);
        scene.converges_to(&["prod-app-1", "prod-app-2"]);
    });
}

#[test]
fn an_order_that_is_refused_says_why_in_the_providers_words() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.cloud.inject(scene.cloud.fault("POST", "", status(422)));
        let told = scene.in_all_forms(TOKEN, UP);
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(told, @"
            Plan for `shop/prod`

              + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist

            1 to create.
            24.00 USD a month for the hosts of the file, at list prices.

            HOST   ROLE  PROVIDER      ADDRESS  RESULT
            app-1  app   digitalocean  -        failed: cloud.invalid-request

            1 failed.
            ------- stderr -------
            app-1: creating
            app-1: failed: cloud.invalid-request
            digitalocean: listing

            error[cloud.invalid-request]: digitalocean could not create host `app-1`: The request could not be processed (request [id])
              note: run `stagecraft infra up --no-bootstrap` again to go on
            [exit status: 2]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(told, @"
            Plan for `shop/prod`

              + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist

            1 to create.
            4.75 EUR a month for the hosts of the file, at list prices.

            HOST   ROLE  PROVIDER  ADDRESS  RESULT
            app-1  app   hetzner   -        failed: cloud.invalid-request

            1 failed.
            ------- stderr -------
            app-1: creating
            app-1: failed: cloud.invalid-request
            hetzner: listing

            error[cloud.invalid-request]: hetzner could not create host `app-1`: invalid input (request [id])
              note: run `stagecraft infra up --no-bootstrap` again to go on
            [exit status: 2]
            "),
        }
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn an_order_that_the_token_may_not_make_says_what_it_needs() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.cloud.inject(scene.cloud.fault("POST", "", status(403)));
        let told = scene.in_all_forms(TOKEN, UP);
        assert!(told.contains("create host `app-1`: not permitted: "), "{told}");
        assert!(told.ends_with("[exit status: 2]"), "{told}");
        scene.converges_to(&["prod-app-1"]);
    });
}
