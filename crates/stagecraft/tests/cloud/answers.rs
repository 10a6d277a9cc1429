use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use stagecraft_testkit::emulators::faults::{Effect, When};

use crate::account::{Cloud, TOKEN};
use crate::scene::{APP, BOTH, DIGITALOCEAN, HETZNER, Scene, UP, at_once, calm, soon, status};

#[test]
fn a_list_that_fails_for_a_moment_is_asked_for_again() {
    let passing = [
        (Effect::LostAnswer, "cloud.unreachable"),
        (Effect::Cut, "cloud.unreachable"),
        (Effect::Truncated, "cloud.unreachable"),
        (status(500), "cloud.provider-fault"),
        (status(502), "cloud.provider-fault"),
        (status(503), "cloud.provider-fault"),
        (status(504), "cloud.provider-fault"),
        (Effect::Html { code: 502, with_effect: false }, "cloud.provider-fault"),
    ];
    at_once(&BOTH, |&provider| {
        at_once(&passing, |(effect, code)| {
            let scene = Scene::new(provider, APP);
            scene.cloud.inject(scene.cloud.fault("GET", "", effect.clone()).when(When::Nth(1)));
            let told = scene.outcome(UP).replace(code, "CODE");
            insta::allow_duplicates! { insta::assert_snapshot!(told, @"
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
            [cloud]: CODE, trying again in 1 s
            [cloud]: listing
            [exit status: 0]
            "); }
            scene.converges_to(&["prod-app-1"]);
        });
    });
}

#[test]
fn a_list_that_is_not_understood_stops_everything() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.succeed(UP);
        let before = scene.cloud.machines();
        for (effect, why) in [
            (Effect::NotJson, "the answer was not understood: it is not JSON"),
            (Effect::Huge { bytes: 20 << 20 }, "it is larger than 16 MiB"),
            (Effect::Redirect { to: "https://elsewhere.example/".to_owned() }, "status 307 at"),
        ] {
            scene.cloud.heal();
            scene.cloud.inject(scene.cloud.fault("GET", "", effect));
            // Neither asks for keys, which DigitalOcean lists ten times a minute.
            for line in ["infra down --yes", "infra inventory"] {
                let told = scene.run(line);
                assert!(told.contains("error[plan.blind]") && told.contains(why), "{told}");
                assert!(told.ends_with("[exit status: 2]"), "{told}");
            }
        }
        insta::allow_duplicates! {
            insta::assert_snapshot!(scene.alike(&scene.in_all_forms(TOKEN, UP)), @"
            ------- stderr -------
            [cloud]: listing
            error[plan.blind]: [cloud] could not list the hosts of `shop/prod`: the answer was not understood: status 307 at http://[address]/[version], which points to https://elsewhere.example/; without that, what exists is unknown and nothing is done
              hint: check `api_url`; redirects are not followed
            [exit status: 2]
            ");
        }
        assert_eq!(scene.cloud.machines(), before);
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn a_cloud_that_is_down_is_given_up_after_some_tries() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.cloud.inject(scene.cloud.fault("GET", "", status(503)));
        let told = calm(&scene.run(UP));
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(told, @"
            ------- stderr -------
            digitalocean: listing
            digitalocean: cloud.provider-fault, trying again in [n] s
            error[plan.blind]: digitalocean could not list the hosts of `shop/prod`: it failed: Server Error (request [id]); without that, what exists is unknown and nothing is done
              hint: this is at DigitalOcean's end: see https://status.digitalocean.com, and run the command again later
            [exit status: 2]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(told, @"
            ------- stderr -------
            hetzner: listing
            hetzner: cloud.provider-fault, trying again in [n] s
            error[plan.blind]: hetzner could not list the hosts of `shop/prod`: it failed: service unavailable (request [id]); without that, what exists is unknown and nothing is done
              hint: this is at Hetzner's end: see https://status.hetzner.com, and run the command again later
            [exit status: 2]
            "),
        }
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn a_slow_answer_is_waited_for() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        let slow = Effect::Slow { before_ms: 300, after_ms: 300 };
        scene.cloud.inject(scene.cloud.fault("POST", "", slow.clone()));
        scene.cloud.inject(scene.cloud.fault("GET", "", slow));
        scene.succeed(UP);
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn too_many_requests_are_waited_for_as_long_as_the_cloud_says() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        let limited = Effect::RateLimited { after_seconds: Some(1) };
        scene.cloud.inject(scene.cloud.fault("POST", "", limited.clone()).when(When::Nth(1)));
        let told = scene.outcome(UP);
        match provider {
            Cloud::DigitalOcean => insta::assert_snapshot!(told, @"
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
            [cloud]: rate limit reached, going on in 2 s
            [exit status: 0]
            "),
            Cloud::Hetzner => insta::assert_snapshot!(told, @"
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
            [cloud]: rate limit reached, going on in 3 s
            [exit status: 0]
            "),
        }
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn too_many_requests_without_a_word_on_how_long_to_wait() {
    let limited = Effect::RateLimited { after_seconds: None };
    let scene = Scene::new(HETZNER, APP);
    scene.cloud.inject(scene.cloud.fault("GET", "", limited.clone()).when(When::Nth(1)));
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
    [cloud]: rate limit reached, going on in 3 s
    [cloud]: listing
    [exit status: 0]
    ");
    scene.converges_to(&["prod-app-1"]);

    // An hour's budget that is used up frees its first request within the hour.
    let scene = Scene::new(DIGITALOCEAN, APP);
    scene.cloud.inject(scene.cloud.fault("POST", "", limited));
    let child = scene.begin(UP);
    soon(|| (!scene.cloud.record().of("POST", "/**").is_empty()).then_some(()));
    thread::sleep(Duration::from_millis(200));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let told = scene.end(child);
    insta::assert_snapshot!(scene.alike(&told), @"
    HOST  ROLE  PROVIDER  ADDRESS  RESULT
    app-1  app  [cloud]  -  interrupted

    Interrupted: 1 not done.
    ------- stderr -------
    app-1: creating
    app-1: interrupted
    [cloud]: listing
    [cloud]: rate limit reached, going on in 61 s
    stopping: nothing new is started; press Ctrl-C again to stop at once
    Run `stagecraft infra up --no-bootstrap` to go on.
    [exit status: 130]
    ");
    assert_eq!(scene.cloud.names(), [""; 0]);
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn a_terminal_that_is_closed_stops_a_run_as_one_wish_and_not_one_of_nohup() {
    at_once(&[(false, 130, 0), (true, 0, 1)], |&(nohup, exit, made)| {
        let scene = Scene::new(DIGITALOCEAN, APP);
        let limited = Effect::RateLimited { after_seconds: Some(4) };
        scene.cloud.inject(scene.cloud.fault("POST", "", limited).when(When::Nth(1)));
        let mut command = scene.command(TOKEN, UP);
        if nohup {
            let mut ignoring = Command::new("nohup");
            ignoring.arg(command.get_program()).args(command.get_args());
            ignoring.current_dir(command.get_current_dir().unwrap()).env_clear();
            ignoring.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = ignoring;
        }
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        soon(|| (!scene.cloud.record().of("POST", "/**").is_empty()).then_some(()));
        for _ in 0..2 {
            kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
            thread::sleep(Duration::from_millis(50));
        }
        let told = scene.end(child);
        assert!(told.ends_with(&format!("[exit status: {exit}]")), "{told}");
        assert!(told.contains("app-1  app   digitalocean"), "the report comes: {told}");
        assert_eq!(scene.cloud.names().len(), made);
    });
}

#[test]
fn an_api_url_where_nobody_listens_is_named() {
    let scene = Scene::new(HETZNER, APP);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    scene.edit(&scene.cloud.address(), &free);
    let told = calm(&scene.run("infra plan")).replace(&free, "[address]");
    insta::assert_snapshot!(told, @"
    ------- stderr -------
    hetzner: listing
    hetzner: cloud.unreachable, trying again in [n] s
    error[plan.blind]: hetzner could not list the hosts of `shop/prod`: it did not answer: Connection refused (os error 111) at http://[address]/v1; without that, what exists is unknown and nothing is done
      hint: check `api_url` and the network of this machine, `HTTPS_PROXY` included
    [exit status: 2]
    ");
    scene.edit(&free, &scene.cloud.address());
    scene.converges_to(&["prod-app-1"]);
}

#[test]
fn an_api_url_that_leads_to_something_else_is_told() {
    let scene = Scene::new(DIGITALOCEAN, APP);
    scene.edit("/v2", "/v3");
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, "infra plan"), @"
    ------- stderr -------
    digitalocean: listing
    error[plan.blind]: digitalocean could not list the hosts of `shop/prod`: the answer was not understood: The resource you were accessing could not be found (request [id]); without that, what exists is unknown and nothing is done
      hint: check `api_url`: it ends with the version, as in `https://api.digitalocean.com/v2`
    [exit status: 2]
    ");
    let scene = Scene::new(HETZNER, APP);
    scene.edit("/v1", "");
    insta::assert_snapshot!(scene.in_all_forms(TOKEN, "infra plan"), @"
    ------- stderr -------
    hetzner: listing
    error[plan.blind]: hetzner could not list the hosts of `shop/prod`: the answer was not understood: api route not found (request [id]); without that, what exists is unknown and nothing is done
      hint: check `api_url`: it ends with the version, as in `https://api.hetzner.cloud/v1`
    [exit status: 2]
    ");
    scene.edit("http://", "https://");
    insta::assert_snapshot!(calm(&scene.run("infra plan")), @"
    ------- stderr -------
    hetzner: listing
    hetzner: cloud.unreachable, trying again in [n] s
    error[plan.blind]: hetzner could not list the hosts of `shop/prod`: it did not answer: what answers does not speak TLS at https://[address]; without that, what exists is unknown and nothing is done
      hint: check `api_url` and the network of this machine, `HTTPS_PROXY` included
    [exit status: 2]
    ");
}
