use crate::scene::{DIGITALOCEAN, HETZNER, HOSTS, Scene, UP, between};

#[test]
fn hosts_come_and_go_at_digitalocean() {
    let scene = Scene::new(DIGITALOCEAN, HOSTS);
    insta::assert_snapshot!(scene.run("validate --online"), @"
    `stagecraft.yml` is valid: project `shop`, `prod` with 3 hosts.
    digitalocean: logged in as Example, 3 hosts can be ordered.
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

      + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist
      + create  app-2  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist
      + create  db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64          84.00 USD/month  does not exist

    3 to create.
    132.00 USD a month for the hosts of the file, at list prices.
    ------- stderr -------
    digitalocean: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run(UP), @"
    Plan for `shop/prod`

      + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist
      + create  app-2  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist
      + create  db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64          84.00 USD/month  does not exist

    3 to create.
    132.00 USD a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER      ADDRESS    RESULT
    app-1  app   digitalocean  127.0.0.1  created, not set up (--no-bootstrap)
    app-2  app   digitalocean  127.0.0.1  created, not set up (--no-bootstrap)
    db-1   db    digitalocean  127.0.0.1  created, not set up (--no-bootstrap)

    3 not set up.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    app-2: creating
    app-2: created
    app-2: waiting for the machine
    app-2: running at 127.0.0.1
    app-2: running (--no-bootstrap)
    db-1: creating
    db-1: created
    db-1: waiting for the machine
    db-1: running at 127.0.0.1
    db-1: running (--no-bootstrap)
    digitalocean: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

        unchanged  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  up to date
        unchanged  app-2  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  up to date
        unchanged  db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64          84.00 USD/month  up to date

    No machine would change.
    Hosts are not looked into here: `stagecraft infra status` does that.
    132.00 USD a month for the hosts of the file, at list prices.
    ------- stderr -------
    digitalocean: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(inventory(&scene), @"
    Host app-1
      HostName 127.0.0.1
      Port 22
      User root
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-digitalocean-[id of prod-app-1] ssh-ed25519 [its key]\\n'
      HostKeyAlias stagecraft-digitalocean-[id of prod-app-1]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none

    Host app-2
      HostName 127.0.0.1
      Port 22
      User root
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-digitalocean-[id of prod-app-2] ssh-ed25519 [its key]\\n'
      HostKeyAlias stagecraft-digitalocean-[id of prod-app-2]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none

    Host db-1
      HostName 127.0.0.1
      Port 22
      User root
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-digitalocean-[id of prod-db-1] ssh-ed25519 [its key]\\n'
      HostKeyAlias stagecraft-digitalocean-[id of prod-db-1]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none
    ------- stderr -------
    digitalocean: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra down --yes"), @"
    Plan for `shop/prod`

      - delete  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  running
      - delete  app-2  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  running
      - delete  db-1   digitalocean  c-4 in nyc3, ubuntu-22.04, amd64          running

    3 to remove.

    HOST   ROLE  PROVIDER      ADDRESS  RESULT
    app-1  app   digitalocean  -        removed
    app-2  app   digitalocean  -        removed
    db-1   db    digitalocean  -        removed

    3 removed.
    ------- stderr -------
    app-1: removing
    app-1: removed
    app-2: removing
    app-2: removed
    db-1: removing
    db-1: removed
    digitalocean: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra status"), @"
    HOST   ROLE  PROVIDER      ADDRESS  STATE
    app-1  app   digitalocean  -        does not exist
    app-2  app   digitalocean  -        does not exist
    db-1   db    digitalocean  -        does not exist

    3 of 3 hosts not ready. `stagecraft infra up` works on that.
    ------- stderr -------
    digitalocean: listing
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
}

#[test]
fn hosts_come_and_go_at_hetzner() {
    let scene = Scene::new(HETZNER, HOSTS);
    insta::assert_snapshot!(scene.run("validate --online"), @"
    `stagecraft.yml` is valid: project `shop`, `prod` with 3 hosts.
    hetzner: logged in as the project of the token, 3 hosts can be ordered.
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

      + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist
      + create  app-2  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist
      + create  db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  7.13 EUR/month  does not exist

    3 to create.
    16.63 EUR a month for the hosts of the file, at list prices.
    ------- stderr -------
    hetzner: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run(UP), @"
    Plan for `shop/prod`

      + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist
      + create  app-2  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist
      + create  db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  7.13 EUR/month  does not exist

    3 to create.
    16.63 EUR a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   hetzner   127.0.0.1  created, not set up (--no-bootstrap)
    app-2  app   hetzner   127.0.0.1  created, not set up (--no-bootstrap)
    db-1   db    hetzner   127.0.0.1  created, not set up (--no-bootstrap)

    3 not set up.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    app-2: creating
    app-2: created
    app-2: waiting for the machine
    app-2: running at 127.0.0.1
    app-2: running (--no-bootstrap)
    db-1: creating
    db-1: created
    db-1: waiting for the machine
    db-1: running at 127.0.0.1
    db-1: running (--no-bootstrap)
    hetzner: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

        unchanged  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  up to date
        unchanged  app-2  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  up to date
        unchanged  db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  7.13 EUR/month  up to date

    No machine would change.
    Hosts are not looked into here: `stagecraft infra status` does that.
    16.63 EUR a month for the hosts of the file, at list prices.
    ------- stderr -------
    hetzner: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(inventory(&scene), @"
    Host app-1
      HostName 127.0.0.1
      Port 22
      User root
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-hetzner-[id of prod-app-1] ssh-ed25519 [its key]\\n'
      HostKeyAlias stagecraft-hetzner-[id of prod-app-1]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none

    Host app-2
      HostName 127.0.0.1
      Port 22
      User root
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-hetzner-[id of prod-app-2] ssh-ed25519 [its key]\\n'
      HostKeyAlias stagecraft-hetzner-[id of prod-app-2]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none

    Host db-1
      HostName 127.0.0.1
      Port 22
      User root
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-hetzner-[id of prod-db-1] ssh-ed25519 [its key]\\n'
      HostKeyAlias stagecraft-hetzner-[id of prod-db-1]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none
    ------- stderr -------
    hetzner: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra down --yes"), @"
    Plan for `shop/prod`

      - delete  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  running
      - delete  app-2  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  running
      - delete  db-1   hetzner  cx33 in nbg1, ubuntu-22.04, amd64  running

    3 to remove.

    HOST   ROLE  PROVIDER  ADDRESS  RESULT
    app-1  app   hetzner   -        removed
    app-2  app   hetzner   -        removed
    db-1   db    hetzner   -        removed

    3 removed.
    ------- stderr -------
    app-1: removing
    app-1: removed
    app-2: removing
    app-2: removed
    db-1: removing
    db-1: removed
    hetzner: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra status"), @"
    HOST   ROLE  PROVIDER  ADDRESS  STATE
    app-1  app   hetzner   -        does not exist
    app-2  app   hetzner   -        does not exist
    db-1   db    hetzner   -        does not exist

    3 of 3 hosts not ready. `stagecraft infra up` works on that.
    ------- stderr -------
    hetzner: listing
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
}

/// What other tools are told, with names for the numbers that depend on who was first.
fn inventory(scene: &Scene) -> String {
    let mut told = scene.run("infra inventory --format ssh-config");
    for machine in scene.cloud.machines() {
        for end in ["\n", " "] {
            let (id, name) = (format!("-{}{end}", machine.id), machine.name.as_str());
            told = told.replace(&id, &format!("-[id of {name}]{end}"));
        }
    }
    between(&told, " ssh-ed25519 ", "\\n'", "[its key]")
}
