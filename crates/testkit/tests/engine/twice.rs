//! Killed, and killed again; and an order that arrives when its sender is dead.

use std::time::Duration;

use stagecraft_testkit::world::{AnswerFate, Behaviour, EffectKind, Fault};

use crate::kill::{killed_with_a_stray, quiet_and_pruned};
use crate::stage::{Stage, Verb, clouds};

#[tokio::test(start_paused = true)]
async fn killed_twice_anywhere_it_converges_when_run_again() {
    for (cloud, behaviour) in clouds() {
        for verb in [Verb::Up, Verb::Replace] {
            let stage = scene(verb, &behaviour).await;
            let first = stage.effects() + 1;
            let right = quiet_and_pruned(&stage, verb).await.expect("it works when left alone");
            let last = stage.effects();
            for (one, two) in
                (first..last).flat_map(|one| (one + 1..=last).map(move |two| (one, two)))
            {
                for answer in [AnswerFate::Lost, AnswerFate::Delivered] {
                    let stage = scene(verb, &behaviour).await;
                    for effect in [one, two] {
                        stage.inject(Fault::Crash { effect, answer });
                        drop(stage.run(verb).await);
                    }
                    assert!(stage.effects() >= two, "it was killed once only");
                    let picture = quiet_and_pruned(&stage, verb).await;
                    assert_eq!(
                        picture.as_ref(),
                        Ok(&right),
                        "{verb:?} on {cloud}, killed at {one} and {two}, answers {answer:?}"
                    );
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_arrives_when_its_sender_is_dead_leaves_no_orphan() {
    for (cloud, behaviour) in clouds() {
        for create in [1, 2] {
            for after in [0, 200, 1000, 5000, 15_000, 25_000, 120_000].map(Duration::from_millis) {
                let outcome = killed_with_a_stray(&two(&behaviour), create, after).await;
                assert_eq!(outcome, Ok(()), "{cloud}, order {create}, {after:?} late");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_removes_its_own_instance_when_an_older_stray_turns_up() {
    let latency = Duration::from_millis(900);
    let behaviour = Behaviour { latency, ..Behaviour::names_are_free() };
    let mut met = 0;
    for after in (0..30).map(|step| Duration::from_millis(step * 100)) {
        let stage = two(&behaviour);
        stage.inject(Fault::Stray { create: 1, after });
        assert!(stage.run(Verb::Up).await.is_none(), "it is killed");
        drop(stage.run(Verb::Up).await);
        let removed = stage.cloud.with(|world, _| {
            let mut effects = world.effects().iter();
            effects.any(|effect| matches!(effect.kind, EffectKind::Terminated { .. }))
        });
        if removed {
            met += 1;
            assert_eq!(stage.one_each(), Ok(()), "{after:?}");
        }
    }
    assert!(met > 0, "the stray never came between list and order");
}

/// Two hosts, for `Replace` both to be made anew.
async fn scene(verb: Verb, behaviour: &Behaviour) -> Stage {
    let mut stage = two(behaviour);
    if verb == Verb::Replace {
        stage.wanted.pop_last();
        stage.run_until_quiet(Verb::Up).await.expect("a scene");
        stage.change("web-1", |wanted| wanted.spec.size = "x-medium".into());
    }
    stage
}

fn two(behaviour: &Behaviour) -> Stage {
    Stage::new(behaviour.clone(), 13).wants(["web-1", "web-2"])
}
