//! Hosts at AWS.

use crate::account::{SECRET, SESSION};
use crate::leak;
use crate::scene::{APP, HOSTS, Scene, UP, between};

pub(crate) const GROUP: &str = "stagecraft.shop.prod";

#[test]
fn hosts_come_and_go_at_aws() {
    let scene = Scene::aws(HOSTS);
    insta::assert_snapshot!(scene.run("validate --online"), @"
    `stagecraft.yml` is valid: project `shop`, `prod` with 3 hosts.
    aws: logged in as 123456789012 (arn:aws:iam::123456789012:user/emulated), 3 hosts can be ordered.
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

      + create  app-1  aws  t3.small in us-east-1, ubuntu-22.04, amd64   does not exist
      + create  app-2  aws  t3.small in us-east-1, ubuntu-22.04, amd64   does not exist
      + create  db-1   aws  c5.xlarge in us-east-1, ubuntu-22.04, amd64  does not exist

    3 to create.
    What the hosts of the file cost a month is not known.
    ------- stderr -------
    aws: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run(UP), @"
    Plan for `shop/prod`

      + create  app-1  aws  t3.small in us-east-1, ubuntu-22.04, amd64   does not exist
      + create  app-2  aws  t3.small in us-east-1, ubuntu-22.04, amd64   does not exist
      + create  db-1   aws  c5.xlarge in us-east-1, ubuntu-22.04, amd64  does not exist

    3 to create.
    What the hosts of the file cost a month is not known.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   aws       127.0.0.1  created, not set up (--no-bootstrap)
    app-2  app   aws       127.0.0.1  created, not set up (--no-bootstrap)
    db-1   db    aws       127.0.0.1  created, not set up (--no-bootstrap)

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
    aws: listing
    db-1: creating
    db-1: created
    db-1: waiting for the machine
    db-1: running at 127.0.0.1
    db-1: running (--no-bootstrap)
    [exit status: 0]
    ");
    assert_eq!(scene.cloud.at_aws().groups(), [GROUP]);
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

        unchanged  app-1  aws  t3.small in us-east-1, ubuntu-22.04, amd64   up to date
        unchanged  app-2  aws  t3.small in us-east-1, ubuntu-22.04, amd64   up to date
        unchanged  db-1   aws  c5.xlarge in us-east-1, ubuntu-22.04, amd64  up to date

    No machine would change.
    Hosts are not looked into here: `stagecraft infra status` does that.
    What the hosts of the file cost a month is not known.
    ------- stderr -------
    aws: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(inventory(&scene), @r#"
    Host app-1
      HostName 127.0.0.1
      Port 22
      User ubuntu
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-aws-[id of prod-app-1] ssh-ed25519 [its key]\n'
      HostKeyAlias stagecraft-aws-[id of prod-app-1]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none

    Host app-2
      HostName 127.0.0.1
      Port 22
      User ubuntu
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-aws-[id of prod-app-2] ssh-ed25519 [its key]\n'
      HostKeyAlias stagecraft-aws-[id of prod-app-2]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none

    Host db-1
      HostName 127.0.0.1
      Port 22
      User ubuntu
      HostKeyAlgorithms ssh-ed25519
      KnownHostsCommand /usr/bin/printf 'stagecraft-aws-[id of prod-db-1] ssh-ed25519 [its key]\n'
      HostKeyAlias stagecraft-aws-[id of prod-db-1]
      UserKnownHostsFile none
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
      UpdateHostKeys no
      ControlPath none
    ------- stderr -------
    aws: listing
    [exit status: 0]
    "#);
    insta::assert_snapshot!(scene.run("infra down --yes"), @"
    Plan for `shop/prod`

      - delete  app-1  aws  t3.small in us-east-1, ubuntu-22.04, amd64   running
      - delete  app-2  aws  t3.small in us-east-1, ubuntu-22.04, amd64   running
      - delete  db-1   aws  c5.xlarge in us-east-1, ubuntu-22.04, amd64  running

    3 to remove.

    HOST   ROLE  PROVIDER  ADDRESS  RESULT
    app-1  app   aws       -        removed
    app-2  app   aws       -        removed
    db-1   db    aws       -        removed

    3 removed.
    ------- stderr -------
    app-1: removing
    app-1: removed
    app-2: removing
    app-2: removed
    aws: listing
    db-1: removing
    db-1: removed
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra status"), @"
    HOST   ROLE  PROVIDER  ADDRESS  STATE
    app-1  app   aws       -        does not exist
    app-2  app   aws       -        does not exist
    db-1   db    aws       -        does not exist

    3 of 3 hosts not ready. `stagecraft infra up` works on that.
    ------- stderr -------
    aws: listing
    [exit status: 10]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
    assert_eq!(scene.cloud.at_aws().groups(), [""; 0], "the group went with the last host");
    assert_eq!(scene.cloud.at_aws().key_pairs(), ["deploy"], "the key pair is the user's");
}

#[test]
fn a_host_that_changed_its_size_is_replaced_when_asked_and_one_that_left_is_pruned() {
    let scene = Scene::aws(&["app-1: { role: app }", "db-1: { role: db }"]);
    scene.succeed(UP);
    let before = scene.cloud.machines();
    scene.write(&["app-1: { role: app, size: medium }"]);
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

    Left alone:
      ~ replace  app-1  aws  c5.xlarge in us-east-1, ubuntu-22.04, amd64  size: t3.small -> c5.xlarge; `stagecraft infra up --replace app-1` makes it anew, all data on it is lost
      - delete   db-1   aws  t3.small in us-east-1, ubuntu-22.04, amd64   not in the file; `stagecraft infra up --prune` removes it

    Nothing to do; 2 hosts left alone.
    What the hosts of the file cost a month is not known.
    ------- stderr -------
    aws: listing
    [exit status: 0]
    ");
    insta::assert_snapshot!(scene.run("infra up --no-bootstrap --replace app-1 --yes"), @"
    Plan for `shop/prod`

      ~ replace  app-1  aws  c5.xlarge in us-east-1, ubuntu-22.04, amd64  size: t3.small -> c5.xlarge

    Left alone:
      - delete  db-1  aws  t3.small in us-east-1, ubuntu-22.04, amd64  not in the file; `stagecraft infra up --prune` removes it

    1 to replace; 1 left alone.
    What the hosts of the file cost a month is not known.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   aws       127.0.0.1  old machine removed, created, not looked at (--no-bootstrap)

    1 not looked at.
    ------- stderr -------
    app-1: removing
    app-1: removed
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    aws: listing
    [exit status: 0]
    ");
    let after = scene.cloud.machines();
    assert_eq!(scene.cloud.names(), ["prod-app-1", "prod-db-1"]);
    assert_ne!(after[0].id, before[0].id);
    assert_eq!(after[1].id, before[1].id);
    insta::assert_snapshot!(scene.run("infra up --no-bootstrap --prune --yes"), @"
    Plan for `shop/prod`

        unchanged  app-1  aws  c5.xlarge in us-east-1, ubuntu-22.04, amd64  up to date
      - delete     db-1   aws  t3.small in us-east-1, ubuntu-22.04, amd64   not in the file

    1 to remove, 1 unchanged.
    What the hosts of the file cost a month is not known.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   aws       127.0.0.1  running, not looked at (--no-bootstrap)
    db-1   db    aws       -          removed

    1 removed, 1 not looked at.
    ------- stderr -------
    app-1: running (--no-bootstrap)
    aws: listing
    db-1: removing
    db-1: removed
    [exit status: 0]
    ");
    scene.converges_to(&["prod-app-1"]);
    assert_eq!(scene.cloud.at_aws().groups(), [GROUP], "it is still used");
}

#[test]
fn credentials_that_are_refused_are_told_and_never_shown() {
    let scene = Scene::aws(APP);
    let wrong = SECRET.replace('s', "t");
    insta::assert_snapshot!(scene.in_all_forms(&wrong, UP), @"
    ------- stderr -------
    aws: listing
    error[plan.blind]: aws could not list the hosts of `shop/prod`: the credentials were refused: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details (SignatureDoesNotMatch) (request [id]); without that, what exists is unknown and nothing is done
      hint: check the access key and its secret; if they are temporary, get new ones, e.g. by `aws sso login`
    [exit status: 2]
    ");
    insta::assert_snapshot!(scene.in_all_forms(&wrong, "validate --online"), @"
    ------- stderr -------
    error[cloud.unauthenticated]: aws could not check the credentials: the credentials were refused: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details (SignatureDoesNotMatch) (request [id])
      hint: check the access key and its secret; if they are temporary, get new ones, e.g. by `aws sso login`
    [exit status: 2]
    ");
    scene.cloud.at_aws().change_habits(|habits| {
        for key in habits.access_keys.values_mut() {
            key.expired = true;
        }
    });
    insta::assert_snapshot!(scene.run("infra plan"), @"
    ------- stderr -------
    aws: listing
    error[plan.blind]: aws could not list the hosts of `shop/prod`: the credentials were refused: Request has expired (RequestExpired) (request [id]); without that, what exists is unknown and nothing is done
      hint: get new credentials if they are temporary, e.g. by `aws sso login`, and check the clock of this machine
    [exit status: 2]
    ");
    scene.cloud.at_aws().change_habits(|habits| {
        for key in habits.access_keys.values_mut() {
            key.expired = false;
        }
        habits.denied.insert("RunInstances".to_owned());
    });
    insta::assert_snapshot!(errors(&scene.run(UP)), @"
    error[cloud.forbidden]: aws could not create host `app-1`: not permitted: You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/emulated is not authorized to perform: ec2:RunInstances because no identity-based policy allows the ec2:RunInstances action. Encoded authorization failure message: Xq0kYb3m9dVvSLkD1pXyB7gqWzv5Jw0Uo2nH4rT6 (UnauthorizedOperation) (request [id])
      hint: give this identity the permissions of docs/aws-iam-policy.json; `aws sts decode-authorization-message` explains an encoded message
      note: run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 2]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
    scene.cloud.at_aws().change_habits(|habits| habits.denied.clear());
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn without_an_access_key_nobody_is_asked() {
    let scene = Scene::aws(APP);
    for variable in ["KEY_ID", "CLOUD_TOKEN", "SESSION"] {
        let mut command = scene.command(scene.token(), UP);
        command.env_remove(variable);
        let told = scene.told(&scene.output(&mut command));
        assert!(told.contains("error[cloud.unauthenticated]"), "{told}");
        assert!(told.contains(&format!("`{variable}` is not set")), "{told}");
        assert!(told.ends_with("[exit status: 1]"), "{told}");
    }
    assert_eq!(scene.cloud.record().all(), [], "nobody was asked");
}

#[test]
fn a_secret_or_a_session_that_shows_is_found() {
    for secret in [SECRET, SESSION] {
        assert_eq!(leak::found(&secret.as_bytes()[30..]), Some(&secret[30..35]));
        let scene = Scene::aws(APP);
        scene.keep(".stagecraft/notes", &format!("log: {}", &secret[20..30]));
        let leaking = || drop(scene.run("validate"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(leaking)).is_err());
    }
}

/// What is told from the first error on.
pub(crate) fn errors(told: &str) -> String {
    let (_, errors) = told.split_once("error[").unwrap_or_else(|| panic!("no error in {told}"));
    format!("error[{errors}")
}

/// What other tools are told, with names for the numbers that depend on who was first.
fn inventory(scene: &Scene) -> String {
    let mut told = scene.run("infra inventory --format ssh-config");
    for machine in scene.cloud.machines() {
        let id = stagecraft_testkit::emulators::aws::Aws::instance(&machine.id);
        told = told.replace(&id, &format!("[id of {}]", machine.name));
    }
    between(&told, " ssh-ed25519 ", "\\n'", "[its key]")
}
