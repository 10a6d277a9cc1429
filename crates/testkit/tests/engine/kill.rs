//! Commands that are killed, and run again until they have nothing to do.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use stagecraft_testkit::Process;
use stagecraft_testkit::world::{AnswerFate, Fault};

use crate::outcome::Picture;
use crate::stage::{Stage, Verb};
use crate::wrong;

/// Kills a command after each of its effects, with and without the answer; so many at once.
pub(crate) async fn everywhere(
    verb: Verb,
    cloud: &str,
    at_once: usize,
    scene: impl AsyncFn() -> Stage,
) {
    let stage = scene().await;
    let first = stage.effects() + 1;
    let right = stage.run_until_quiet(verb).await.expect("it works when nobody is killed");
    let last = stage.effects();
    assert!(first <= last, "{verb:?} does nothing on {cloud}");
    let cases = (first..=last)
        .flat_map(|effect| [AnswerFate::Lost, AnswerFate::Delivered].map(|fate| (effect, fate)));
    let (scene, right) = (&scene, &right);
    let kill = |(effect, answer)| async move {
        let outcome = killed_at(&scene().await, verb, effect, answer, right).await;
        assert_eq!(
            outcome,
            Ok(()),
            "{verb:?} on {cloud}, killed at effect {effect} of {first}..={last}, answer {answer:?}"
        );
    };
    stream::iter(cases).map(kill).buffer_unordered(at_once).collect::<()>().await;
}

/// Kills a command at one effect, and runs it again until it has nothing to do.
pub(crate) async fn killed_at(
    stage: &Stage,
    verb: Verb,
    effect: u64,
    answer: AnswerFate,
    right: &Picture,
) -> Result<(), String> {
    stage.inject(Fault::Crash { effect, answer });
    let survived = killed(stage, verb, &Process::new(), right).await?;
    if stage.effects() < effect || (survived && answer == AnswerFate::Lost) {
        return Err("it was not killed".to_owned());
    }
    Ok(())
}

/// Runs a command in a process that will be killed, and then again until it has nothing to do.
/// Says whether the process survived.
pub(crate) async fn killed(
    stage: &Stage,
    verb: Verb,
    process: &Process,
    right: &Picture,
) -> Result<bool, String> {
    let survived = process.run(stage.command(verb, process, stage.seed)).await.is_some();
    let picture = stage.run_until_quiet(verb).await?;
    stage.left_others_alone()?;
    if picture == *right {
        Ok(survived)
    } else {
        Err(format!("it ends with {picture:#?} and not with {right:#?}"))
    }
}

/// Kills `up` of a provider that writes down no role: what is left in the end is not right.
pub(crate) async fn notices_that_a_role_is_forgotten(scene: impl AsyncFn() -> Stage) {
    let right = scene().await.run_until_quiet(Verb::Up).await.expect("the right one works");
    let mut stage = scene().await;
    stage.spoil(wrong::forgets_the_role);
    let first = stage.effects() + 1;
    let outcome = killed_at(&stage, Verb::Up, first, AnswerFate::Lost, &right).await;
    assert!(outcome.is_err_and(|why| why.starts_with("it ends with")));
}

/// Kills `up` while its order of this number is under way, which arrives so much later; then runs
/// it again until it has nothing to do.
pub(crate) async fn killed_with_a_stray(
    stage: &Stage,
    create: u64,
    after: Duration,
) -> Result<(), String> {
    stage.inject(Fault::Stray { create, after });
    if stage.run(Verb::Up).await.is_some() {
        return Err("it was not killed".to_owned());
    }
    drop(stage.run(Verb::Up).await);
    stage.cloud.sleep(Duration::from_secs(300)).await;
    quiet_and_pruned(stage, Verb::Up).await?;
    stage.one_each()?;
    stage.left_others_alone()
}

/// A run removes only surplus it made itself; for that of two killed runs it has to be asked.
pub(crate) async fn quiet_and_pruned(stage: &Stage, verb: Verb) -> Result<Picture, String> {
    stage.run_until_quiet(verb).await?;
    stage.run_until_quiet(Verb::Prune).await
}
