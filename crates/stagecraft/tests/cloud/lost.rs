use stagecraft_testkit::emulators::faults::{Effect, Rule, When};

use crate::scene::{APP, BOTH, Scene, UP, at_once, soon, status};

#[test]
fn an_order_whose_answer_is_lost_is_found_and_not_repeated() {
    let lost = [
        (Effect::LostAnswer, "cloud.unreachable"),
        (Effect::Truncated, "cloud.unreachable"),
        (Effect::NotJson, "cloud.unexpected-answer"),
        (Effect::Huge { bytes: 20 << 20 }, "cloud.unexpected-answer"),
        (Effect::Html { code: 502, with_effect: true }, "cloud.provider-fault"),
        (Effect::Status { code: 500, with_effect: true }, "cloud.provider-fault"),
        (Effect::Status { code: 503, with_effect: true }, "cloud.provider-fault"),
        (Effect::Status { code: 504, with_effect: true }, "cloud.provider-fault"),
    ];
    at_once(&BOTH, |&provider| {
        at_once(&lost, |(effect, code)| {
            let scene = Scene::new(provider, APP);
            scene.cloud.inject(scene.cloud.fault("POST", "", effect.clone()).when(When::Nth(1)));
            let told = scene.outcome(UP).replace(code, "CODE");
            insta::allow_duplicates! { insta::assert_snapshot!(told, @"
            HOST  ROLE  PROVIDER  ADDRESS  RESULT
            app-1  app  [cloud]  127.0.0.1  created, not set up (--no-bootstrap)

            1 not set up.
            ------- stderr -------
            app-1: creating
            app-1: CODE: unclear whether the machine was made, looking in 1 s
            app-1: created
            app-1: waiting for the machine
            app-1: running at 127.0.0.1
            app-1: running (--no-bootstrap)
            [cloud]: listing
            [exit status: 0]
            "); }
            let orders = scene.cloud.record().of("POST", "/**");
            assert_eq!(orders.len(), 1, "{effect}: ordered once");
            scene.converges_to(&["prod-app-1"]);
        });
    });
}

#[test]
fn an_order_that_never_arrived_is_made_by_the_next_run_if_this_one_is_killed() {
    at_once(&BOTH, |&provider| {
        let scene = Scene::new(provider, APP);
        scene.cloud.inject(scene.cloud.fault("POST", "", Effect::Cut).when(When::Nth(1)));
        let mut child = scene.begin(UP);
        let lists = || {
            let of = |path| scene.cloud.record().of("GET", path).len();
            of("/*/servers") + of("/*/droplets")
        };
        let before = soon(|| (!scene.cloud.record().of("POST", "/**").is_empty()).then(lists));
        soon(|| (lists() > before).then_some(()));
        child.kill().unwrap();
        let told = scene.end(child);
        assert!(
            told.contains("app-1: cloud.unreachable: unclear whether the machine was made"),
            "{told}"
        );
        assert_eq!(scene.cloud.names(), [""; 0]);
        scene.converges_to(&["prod-app-1"]);
    });
}

#[test]
fn a_change_whose_answer_is_lost_is_made_again() {
    let effects = [
        Effect::LostAnswer,
        Effect::Truncated,
        Effect::Cut,
        status(503),
        Effect::Status { code: 500, with_effect: true },
    ];
    at_once(&BOTH, |&provider| {
        at_once(&effects, |effect| {
            let scene = Scene::new(provider, APP);
            scene.succeed(UP);
            let before = scene.cloud.machines();
            scene.write(&["app-1: { role: web, tags: [blue, green] }"]);
            for method in ["POST", "PUT"] {
                let rule = Rule::new(method, "/**", effect.clone());
                scene.cloud.inject(rule.when(When::Nth(1)));
            }
            let told = scene.outcome(UP);
            assert!(told.contains("app-1: updating name, role and tags\n"), "{told}");
            assert!(told.contains(", trying again in 1 s\napp-1: updated\n"), "{told}");
            assert!(told.ends_with("[exit status: 0]"), "{told}");
            assert_eq!(scene.cloud.machines()[0].id, before[0].id, "the same machine");
            scene.converges_to(&["prod-app-1"]);
        });
    });
}

#[test]
fn a_removal_whose_answer_is_lost_is_made_again() {
    let effects = [
        (Effect::LostAnswer, "cloud.unreachable"),
        (Effect::Cut, "cloud.unreachable"),
        (status(503), "cloud.provider-fault"),
        (Effect::Status { code: 500, with_effect: true }, "cloud.provider-fault"),
    ];
    at_once(&BOTH, |&provider| {
        at_once(&effects, |(effect, code)| {
            let scene = Scene::new(provider, APP);
            scene.succeed(UP);
            scene
                .cloud
                .inject(scene.cloud.fault("DELETE", "/*", effect.clone()).when(When::Nth(1)));
            let told = scene.outcome("infra down --yes").replace(code, "CODE");
            insta::allow_duplicates! { insta::assert_snapshot!(told, @"
            HOST  ROLE  PROVIDER  ADDRESS  RESULT
            app-1  app  [cloud]  -  removed

            1 removed.
            ------- stderr -------
            app-1: removing
            app-1: CODE, trying again in 1 s
            app-1: removed
            [cloud]: listing
            [exit status: 0]
            "); }
            assert_eq!(scene.cloud.names(), [""; 0]);
            scene.converges_to(&["prod-app-1"]);
        });
    });
}
