use stagecraft_testkit::world::{AnswerFate, Behaviour, Fault};

use crate::scene::scene;
use crate::stage::{Picture, Stage, Verb, clouds};
use crate::wrong;

#[tokio::test(start_paused = true)]
async fn up_killed_anywhere_converges_when_run_again() {
    everywhere(Verb::Up).await;
}

#[tokio::test(start_paused = true)]
async fn replace_killed_anywhere_converges_when_run_again() {
    everywhere(Verb::Replace).await;
}

#[tokio::test(start_paused = true)]
async fn prune_killed_anywhere_converges_when_run_again() {
    everywhere(Verb::Prune).await;
}

#[tokio::test(start_paused = true)]
async fn down_killed_anywhere_converges_when_run_again() {
    everywhere(Verb::Down).await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_drops_labels_is_noticed() {
    let mut stage = scene(Verb::Up, &Behaviour::names_are_free()).await;
    stage.provider = wrong::drops_labels;
    drop(stage.run(Verb::Up).await);
    assert!(stage.one_each().is_err());
    let mut stage = scene(Verb::Up, &Behaviour::names_are_free()).await;
    let right = stage.run_until_quiet(Verb::Up).await.expect("the right one works");
    stage = scene(Verb::Up, &Behaviour::names_are_free()).await;
    stage.provider = wrong::drops_labels;
    assert!(killed_at(stage, Verb::Up, 2, AnswerFate::Lost, &right).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_owns_by_name_is_noticed() {
    let stage = scene(Verb::Down, &Behaviour::names_are_free()).await;
    let right = stage.run_until_quiet(Verb::Down).await.expect("the right one works");
    let mut stage = scene(Verb::Down, &Behaviour::names_are_free()).await;
    let first = stage.effects() + 1;
    stage.provider = wrong::owns_by_name;
    assert!(killed_at(stage, Verb::Down, first, AnswerFate::Lost, &right).await.is_err());
}

/// Kills the command after each of its effects, with and without the answer, on every cloud.
async fn everywhere(verb: Verb) {
    for (cloud, behaviour) in clouds() {
        let stage = scene(verb, &behaviour).await;
        let first = stage.effects() + 1;
        let right = stage.run_until_quiet(verb).await.expect("it works when nobody is killed");
        let last = stage.effects();
        assert!(first <= last, "{verb:?} does nothing on {cloud}");
        for effect in first..=last {
            for answer in [AnswerFate::Lost, AnswerFate::Delivered] {
                let stage = scene(verb, &behaviour).await;
                let outcome = killed_at(stage, verb, effect, answer, &right).await;
                assert_eq!(
                    outcome,
                    Ok(()),
                    "{verb:?} on {cloud}, killed at effect {effect} of {first}..={last}, answer {answer:?}"
                );
            }
        }
    }
}

/// Kills the command at one effect, and runs it again until it has nothing to do.
async fn killed_at(
    stage: Stage,
    verb: Verb,
    effect: u64,
    answer: AnswerFate,
    right: &Picture,
) -> Result<(), String> {
    stage.inject(Fault::Crash { effect, answer });
    let survived = stage.run(verb).await.is_some();
    if stage.effects() < effect || (survived && answer == AnswerFate::Lost) {
        return Err("it was not killed".to_owned());
    }
    let picture = stage.run_until_quiet(verb).await?;
    stage.left_others_alone()?;
    if picture == *right {
        Ok(())
    } else {
        Err(format!("it ends with {picture:#?} and not with {right:#?}"))
    }
}
