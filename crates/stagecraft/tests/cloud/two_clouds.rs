use serde_json::json;
use stagecraft_testkit::emulators::Answer;

use crate::account::Account;
use crate::scene::{DIGITALOCEAN, HETZNER, Scene, UP};

#[test]
fn a_file_may_have_hosts_at_two_clouds() {
    let (scene, other) = two_clouds();
    insta::assert_snapshot!(scene.run(UP), @"
    Plan for `shop/prod`

      + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist
      + create  db-1   hetzner       cx23 in nbg1, ubuntu-22.04, amd64         4.75 EUR/month   does not exist

    2 to create.
    4.75 EUR + 24.00 USD a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER      ADDRESS    RESULT
    app-1  app   digitalocean  127.0.0.1  created, not set up (--no-bootstrap)
    db-1   db    hetzner       127.0.0.1  created, not set up (--no-bootstrap)

    2 not set up.
    ------- stderr -------
    app-1: creating
    app-1: created
    app-1: waiting for the machine
    app-1: running at 127.0.0.1
    app-1: running (--no-bootstrap)
    db-1: creating
    db-1: created
    db-1: waiting for the machine
    db-1: running at 127.0.0.1
    db-1: running (--no-bootstrap)
    digitalocean: listing
    hetzner: listing
    [exit status: 0]
    ");
    assert_eq!((scene.cloud.names(), other.names()), (names("app-1"), names("db-1")));
    insta::assert_snapshot!(scene.run("infra plan"), @"
    Plan for `shop/prod`

        unchanged  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  up to date
        unchanged  db-1   hetzner       cx23 in nbg1, ubuntu-22.04, amd64         4.75 EUR/month   up to date

    No machine would change.
    Hosts are not looked into here: `stagecraft infra status` does that.
    4.75 EUR + 24.00 USD a month for the hosts of the file, at list prices.
    ------- stderr -------
    digitalocean: listing
    hetzner: listing
    [exit status: 0]
    ");
}

#[test]
fn a_cloud_that_does_not_answer_keeps_the_other_from_being_touched() {
    let (scene, other) = two_clouds();
    other.spoil(|_, answer| *answer = Answer::new(401, json!({})));
    insta::assert_snapshot!(scene.run(UP), @"
    ------- stderr -------
    digitalocean: listing
    hetzner: listing
    error[plan.blind]: hetzner could not list the hosts of `shop/prod`: the credentials were refused: status 401 without a word of explanation (request [id]); without that, what exists is unknown and nothing is done
      hint: make a token with Read & Write permission in the Hetzner Console, under Security > API tokens of the project, and put it into the variable that `token_env` names
    [exit status: 2]
    ");
    assert_eq!(scene.cloud.effects() + other.effects(), 0);
    insta::assert_snapshot!(scene.run("validate --online"), @"
    ------- stderr -------
    error[cloud.unauthenticated]: hetzner could not check the token: the credentials were refused: status 401 without a word of explanation (request [id])
      hint: make a token with Read & Write permission in the Hetzner Console, under Security > API tokens of the project, and put it into the variable that `token_env` names
    [exit status: 2]
    ");
    other.heal();
    scene.succeed(UP);
    assert_eq!((scene.cloud.names(), other.names()), (names("app-1"), names("db-1")));
    other.spoil(|_, answer| *answer = Answer::new(401, json!({})));
    let told = scene.run("infra down --yes");
    assert!(told.contains("error[plan.blind]: hetzner"), "{told}");
    assert_eq!((scene.cloud.names(), other.names()), (names("app-1"), names("db-1")));
}

/// A scene at DigitalOcean, and an account at Hetzner in the same file.
fn two_clouds() -> (Scene, Account) {
    let (scene, other) = (Scene::new(DIGITALOCEAN, &[]), Account::at(HETZNER));
    scene.write(
        &[
            "app-1: { role: app }".to_owned(),
            format!(
                "\n    hetzner: {{ api_url: {}, token_env: CLOUD_TOKEN, ssh_key_name: deploy, \
             default_region: nbg1, hosts: {{ prod: {{ db-1: {{ role: db }} }} }} }}",
                other.url()
            ),
        ]
        .each_ref()
        .map(String::as_str),
    );
    (scene, other)
}

fn names(host: &str) -> Vec<String> {
    vec![format!("prod-{host}")]
}
