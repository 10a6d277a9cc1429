use std::net::TcpListener;

use crate::account::{Cloud, TOKEN};
use crate::scene::{APP, BOTH, HETZNER, HOSTS, Scene, UP, at_once};
use crate::terminal;

#[test]
fn a_host_that_runs_and_does_not_answer_is_unreachable() {
    let scene = Scene::new(HETZNER, APP);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ssh = format!("infra: {{ bootstrap: {{ ssh: {{ port: {port} }} }} }}\ncloud:\n");
    scene.edit("cloud:\n", &ssh);
    scene.succeed(UP);
    let told = scene.run("infra status").replace(&port.to_string(), "[port]");
    insta::assert_snapshot!(told, @"
    HOST   ROLE  PROVIDER  ADDRESS    STATE
    app-1  app   hetzner   127.0.0.1  unreachable: ssh_failed: could not reach `app-1` at 127.0.0.1:[port]: connection refused; gave up after 15 s
                                      hint: see whether the machine runs, `infra.bootstrap.ssh.port` is where SSH answers, and no firewall is in the way
                                      hint: if the machine is broken, `stagecraft infra up --replace app-1` makes a new, empty one, unless it is protected

    1 of 1 host not ready.
    ------- stderr -------
    app-1: connecting by SSH
    hetzner: listing
    [exit status: 10]
    ");
}

#[test]
fn a_plan_for_programs_has_prices_in_cents() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        let (plan, code) = scene.json_as(TOKEN, "infra plan");
        assert_eq!(code, Some(0));
        let told = serde_json::to_string_pretty(&plan).unwrap();
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(told, @r#"
            {
              "schema_version": 1,
              "kind": "plan",
              "project": "shop",
              "environment": "prod",
              "finds_changes": true,
              "hosts": [
                {
                  "host": "app-1",
                  "provider": "digitalocean",
                  "role": "app",
                  "action": "create",
                  "reason": "missing",
                  "trouble": null,
                  "differences": [],
                  "left_alone": null,
                  "updates_in_place": false,
                  "spec": {
                    "region": "nyc3",
                    "size": "s-2vcpu-4gb",
                    "image": "ubuntu-22.04",
                    "arch": "amd64",
                    "spot": false
                  },
                  "monthly": {
                    "cents": 2400,
                    "currency": "USD"
                  },
                  "notices": []
                }
              ],
              "summary": {
                "create": 1,
                "delete": 0,
                "replace": 0,
                "resume": 0,
                "unchanged": 0,
                "update": 0
              },
              "left_alone": 0,
              "not_selected": 0,
              "monthly": [
                {
                  "cents": 2400,
                  "currency": "USD"
                }
              ],
              "network": null
            }
            "#),
            Cloud::Hetzner => insta::assert_snapshot!(told, @r#"
            {
              "schema_version": 1,
              "kind": "plan",
              "project": "shop",
              "environment": "prod",
              "finds_changes": true,
              "hosts": [
                {
                  "host": "app-1",
                  "provider": "hetzner",
                  "role": "app",
                  "action": "create",
                  "reason": "missing",
                  "trouble": null,
                  "differences": [],
                  "left_alone": null,
                  "updates_in_place": false,
                  "spec": {
                    "region": "nbg1",
                    "size": "cx23",
                    "image": "ubuntu-22.04",
                    "arch": "amd64",
                    "spot": false
                  },
                  "monthly": {
                    "cents": 475,
                    "currency": "EUR"
                  },
                  "notices": []
                }
              ],
              "summary": {
                "create": 1,
                "delete": 0,
                "replace": 0,
                "resume": 0,
                "unchanged": 0,
                "update": 0
              },
              "left_alone": 0,
              "not_selected": 0,
              "monthly": [
                {
                  "cents": 475,
                  "currency": "EUR"
                }
              ],
              "network": null
            }
            "#),
        }
    });
}

#[test]
fn results_fit_a_terminal_of_80_columns() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, HOSTS);
        let show = |line: &str| terminal::show(&scene, line, 80);
        let plan = show("infra plan");
        let up = show(UP);
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(plan + "\n" + &up, @"
            Plan for `shop/prod`

              + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64
                    24.00 USD/month, does not exist
              + create  app-2  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64
                    24.00 USD/month, does not exist
              + create  db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64
                    84.00 USD/month, does not exist

            3 to create.
            132.00 USD a month for the hosts of the file, at list prices.

            Plan for `shop/prod`

              + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64
                    24.00 USD/month, does not exist
              + create  app-2  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64
                    24.00 USD/month, does not exist
              + create  db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64
                    84.00 USD/month, does not exist

            3 to create.
            132.00 USD a month for the hosts of the file, at list prices.

            HOST   ROLE  PROVIDER      ADDRESS    RESULT
            app-1  app   digitalocean  127.0.0.1  created, not set up (--no-bootstrap)
            app-2  app   digitalocean  127.0.0.1  created, not set up (--no-bootstrap)
            db-1   db    digitalocean  127.0.0.1  created, not set up (--no-bootstrap)

            3 not set up.
            "),
            Cloud::Hetzner => insta::assert_snapshot!(plan + "\n" + &up, @"
            Plan for `shop/prod`

              + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month
                    does not exist
              + create  app-2  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month
                    does not exist
              + create  db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  7.13 EUR/month
                    does not exist

            3 to create.
            16.63 EUR a month for the hosts of the file, at list prices.

            Plan for `shop/prod`

              + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month
                    does not exist
              + create  app-2  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month
                    does not exist
              + create  db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  7.13 EUR/month
                    does not exist

            3 to create.
            16.63 EUR a month for the hosts of the file, at list prices.

            HOST   ROLE  PROVIDER  ADDRESS    RESULT
            app-1  app   hetzner   127.0.0.1  created, not set up (--no-bootstrap)
            app-2  app   hetzner   127.0.0.1  created, not set up (--no-bootstrap)
            db-1   db    hetzner   127.0.0.1  created, not set up (--no-bootstrap)

            3 not set up.
            "),
        }
        for line in ["infra plan", "infra inventory --format ssh-config", "infra down --yes"] {
            let shown = show(line);
            // What is for OpenSSH is as wide as a key.
            let lines = shown.lines().filter(|line| !line.contains("KnownHostsCommand"));
            let widest = lines.map(|line| line.chars().count()).max();
            assert!(widest <= Some(80), "{line}");
        }
    });
}
