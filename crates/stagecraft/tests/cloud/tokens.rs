use crate::account::{NOTHING, READS, TAGLESS, TOKEN, UNKNOWN};
use crate::leak;
use crate::scene::{APP, BOTH, DIGITALOCEAN, HETZNER, Scene, UP, at_once};

#[test]
fn without_a_token_the_cloud_is_not_asked() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        let run = |token: Option<&str>| {
            let mut command = scene.command("", UP);
            match token {
                Some(token) => command.env("CLOUD_TOKEN", token),
                None => command.env_remove("CLOUD_TOKEN"),
            };
            scene.told(&scene.output(&mut command))
        };
        for (token, why) in [
            (None, "`CLOUD_TOKEN` is not set".to_owned()),
            (Some(String::new()), "`CLOUD_TOKEN` is empty".to_owned()),
            (Some(format!("{} {}", &TOKEN[..20], &TOKEN[20..])), "white space inside".to_owned()),
            (Some(format!("\"{TOKEN}\"")), "it has quotes".to_owned()),
        ] {
            let told = run(token.as_deref());
            assert!(told.contains("error[cloud.unauthenticated]") && told.contains(&why), "{told}");
            assert!(told.ends_with("[exit status: 1]"), "{told}");
        }
        assert_eq!(scene.cloud.record().all(), [], "nobody was asked");
        let around = run(Some(&format!(" {TOKEN}\n")));
        assert!(around.ends_with("[exit status: 0]"), "{around}");
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn a_wrong_token_is_told_at_once() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    insta::assert_snapshot!(scene.in_all_forms(UNKNOWN, UP), @"
    ------- stderr -------
    digitalocean: listing
    error[plan.blind]: digitalocean could not list the hosts of `shop/prod`: the credentials were refused: Unable to authenticate you (request [id]); without that, what exists is unknown and nothing is done
      hint: make a new token at https://cloud.digitalocean.com/account/api/tokens and put it into the variable that `token_env` names
    [exit status: 2]
    ");
    insta::assert_snapshot!(scene.in_all_forms(UNKNOWN, "validate --online"), @"
    ------- stderr -------
    error[cloud.unauthenticated]: digitalocean could not look at the account: the credentials were refused: Unable to authenticate you (request [id])
      hint: make a new token at https://cloud.digitalocean.com/account/api/tokens and put it into the variable that `token_env` names
    [exit status: 2]
    ");
    let scene = Scene::new(HETZNER, APP);
    insta::assert_snapshot!(scene.in_all_forms(UNKNOWN, UP), @"
    ------- stderr -------
    hetzner: listing
    error[plan.blind]: hetzner could not list the hosts of `shop/prod`: the credentials were refused: the token you have provided is invalid (request [id]); without that, what exists is unknown and nothing is done
      hint: make a token with Read & Write permission in the Hetzner Console, under Security > API tokens of the project, and put it into the variable that `token_env` names
    [exit status: 2]
    ");
    insta::assert_snapshot!(scene.in_all_forms(UNKNOWN, "validate --online"), @"
    ------- stderr -------
    error[cloud.unauthenticated]: hetzner could not check the token: the credentials were refused: the token you have provided is invalid (request [id])
      hint: make a token with Read & Write permission in the Hetzner Console, under Security > API tokens of the project, and put it into the variable that `token_env` names
    [exit status: 2]
    ");
}

#[test]
fn a_wrong_token_is_told_by_every_command() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.succeed(UP);
        let before = scene.cloud.machines();
        let lines = [
            "infra plan",
            "infra status",
            "infra bootstrap",
            "infra inventory",
            "infra down --yes",
        ];
        for line in lines {
            let told = scene.in_all_forms(UNKNOWN, line);
            assert!(told.contains("error[plan.blind]"), "{line}: {told}");
            assert!(told.ends_with("[exit status: 2]"), "{line}: {told}");
        }
        assert_eq!(scene.cloud.machines(), before);
    });
}

#[test]
fn a_token_that_may_read_only_plans_and_makes_nothing() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    assert!(scene.in_all_forms(READS, "infra plan").ends_with("[exit status: 0]"));
    insta::assert_snapshot!(scene.in_all_forms(READS, UP), @"
    Plan for `shop/prod`

      + create  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  24.00 USD/month  does not exist

    1 to create.
    24.00 USD a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER      ADDRESS  RESULT
    app-1  app   digitalocean  -        failed: cloud.forbidden

    1 failed.
    ------- stderr -------
    app-1: creating
    app-1: failed: cloud.forbidden
    digitalocean: listing

    error[cloud.forbidden]: digitalocean could not create host `app-1`: not permitted: You are not authorized to perform this operation (request [id])
      hint: give the token full access, or at least these scopes: account:read, actions:read, droplet:create, droplet:delete, droplet:read, droplet:update, image:read, regions:read, sizes:read, ssh_key:read, tag:create, tag:delete, tag:read
      note: run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 2]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
    scene.converges_to(&["prod-app-1"]);
    insta::assert_snapshot!(scene.in_all_forms(READS, "infra down --yes"), @"
    Plan for `shop/prod`

      - delete  app-1  digitalocean  s-2vcpu-4gb in nyc3, ubuntu-22.04, amd64  running

    1 to remove.

    HOST   ROLE  PROVIDER      ADDRESS    RESULT
    app-1  app   digitalocean  127.0.0.1  failed: cloud.forbidden

    1 failed.
    ------- stderr -------
    app-1: removing
    app-1: failed: cloud.forbidden
    digitalocean: listing

    error[cloud.forbidden]: digitalocean could not terminate host `app-1`: not permitted: You are not authorized to perform this operation (request [id])
      hint: give the token full access, or at least these scopes: account:read, actions:read, droplet:create, droplet:delete, droplet:read, droplet:update, image:read, regions:read, sizes:read, ssh_key:read, tag:create, tag:delete, tag:read
      note: run `stagecraft infra down` again to go on
    [exit status: 2]
    ");
    scene.converges_to(&["prod-app-1"]);

    let scene = Scene::new(HETZNER, APP);
    assert!(scene.in_all_forms(READS, "infra plan").ends_with("[exit status: 0]"));
    insta::assert_snapshot!(scene.in_all_forms(READS, UP), @"
    Plan for `shop/prod`

      + create  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  4.75 EUR/month  does not exist

    1 to create.
    4.75 EUR a month for the hosts of the file, at list prices.

    HOST   ROLE  PROVIDER  ADDRESS  RESULT
    app-1  app   hetzner   -        failed: cloud.forbidden

    1 failed.
    ------- stderr -------
    app-1: creating
    app-1: failed: cloud.forbidden
    hetzner: listing

    error[cloud.forbidden]: hetzner could not create host `app-1`: not permitted: token is only allowed to read (request [id])
      hint: use a token with Read & Write permission, made in the Hetzner Console under Security > API tokens of the project
      note: run `stagecraft infra up --no-bootstrap` again to go on
    [exit status: 2]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
    scene.converges_to(&["prod-app-1"]);
    insta::assert_snapshot!(scene.in_all_forms(READS, "infra down --yes"), @"
    Plan for `shop/prod`

      - delete  app-1  hetzner  cx23 in nbg1, ubuntu-22.04, amd64  running

    1 to remove.

    HOST   ROLE  PROVIDER  ADDRESS    RESULT
    app-1  app   hetzner   127.0.0.1  failed: cloud.forbidden

    1 failed.
    ------- stderr -------
    app-1: removing
    app-1: failed: cloud.forbidden
    hetzner: listing

    error[cloud.forbidden]: hetzner could not terminate host `app-1`: not permitted: token is only allowed to read (request [id])
      hint: use a token with Read & Write permission, made in the Hetzner Console under Security > API tokens of the project
      note: run `stagecraft infra down` again to go on
    [exit status: 2]
    ");
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_token_that_may_nothing_is_told_what_it_needs() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    insta::assert_snapshot!(scene.in_all_forms(NOTHING, UP), @"
    ------- stderr -------
    digitalocean: listing
    error[plan.blind]: digitalocean could not list the hosts of `shop/prod`: not permitted: You are not authorized to perform this operation (request [id]); without that, what exists is unknown and nothing is done
      hint: give the token full access, or at least these scopes: account:read, actions:read, droplet:create, droplet:delete, droplet:read, droplet:update, image:read, regions:read, sizes:read, ssh_key:read, tag:create, tag:delete, tag:read
    [exit status: 2]
    ");
    scene.converges_to(&["prod-app-1"]);
    let scene = Scene::new(HETZNER, APP);
    insta::assert_snapshot!(scene.in_all_forms(NOTHING, UP), @"
    ------- stderr -------
    hetzner: listing
    error[plan.blind]: hetzner could not list the hosts of `shop/prod`: not permitted: insufficient permissions for this request (request [id]); without that, what exists is unknown and nothing is done
      hint: use a token with Read & Write permission, made in the Hetzner Console under Security > API tokens of the project
    [exit status: 2]
    ");
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_token_that_sees_no_tags_neither_makes_nor_removes() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    insta::assert_snapshot!(scene.in_all_forms(TAGLESS, UP), @"
    ------- stderr -------
    digitalocean: listing
    error[plan.blind]: digitalocean could not list the hosts of `shop/prod`: not permitted: the token may not read tags (request [id]); without that, what exists is unknown and nothing is done
      hint: give the token the scope `tag:read`: tags say which droplets are yours
    [exit status: 2]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
    scene.converges_to(&["prod-app-1"]);
    for line in [UP, "infra down --yes", "infra status"] {
        let told = scene.in_all_forms(TAGLESS, line);
        assert!(told.contains("`tag:read`"), "{told}");
    }
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_cloud_that_repeats_the_token_does_not_make_it_show() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.cloud.spoil(|call, answer| {
            let token = call.token.clone().unwrap_or_default();
            let message =
                format!("no user has the token {token}, which begins with {}", &token[..6]);
            let body = serde_json::json!({
                "id": token,
                "message": message,
                "request_id": token,
                "error": { "code": token, "message": message },
            });
            *answer = stagecraft_testkit::emulators::Answer::new(403, body);
        });
        for line in [UP, "infra plan", "validate --online", "infra status", "infra down --yes"] {
            let told = scene.in_all_forms(TOKEN, line);
            assert!(told.contains("no user has the token [hidden]"), "{told}");
        }
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn a_token_that_shows_is_found() {
    assert_eq!(leak::found(TOKEN.as_bytes()), Some(&TOKEN[..5]));
    assert_eq!(leak::found(&TOKEN.as_bytes()[40..45]), Some(&TOKEN[40..45]));
    assert_eq!(leak::found(b"the token has 64 characters"), None);

    let scene = Scene::new(HETZNER, &[&format!("app-1: {{ role: {TOKEN} }}")]);
    let leaking = || drop(scene.run("validate"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(leaking)).is_err());

    let scene = Scene::new(HETZNER, APP);
    scene.keep(".stagecraft/notes", &format!("log: {}", &TOKEN[20..30]));
    let leaking = || drop(scene.run("validate"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(leaking)).is_err());
}
