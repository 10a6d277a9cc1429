use std::rc::Rc;

use stagecraft_testkit::world::{AnswerFate, Behaviour};

use crate::kill::{self, killed_at};
use crate::scene::scene;
use crate::stage::{Verb, clouds};
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
    stage.provider = Rc::new(wrong::drops_labels);
    drop(stage.run(Verb::Up).await);
    assert!(stage.one_each().is_err());
    let mut stage = scene(Verb::Up, &Behaviour::names_are_free()).await;
    let right = stage.run_until_quiet(Verb::Up).await.expect("the right one works");
    stage = scene(Verb::Up, &Behaviour::names_are_free()).await;
    stage.provider = Rc::new(wrong::drops_labels);
    assert!(killed_at(&stage, Verb::Up, 2, AnswerFate::Lost, &right).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_owns_by_name_is_noticed() {
    let stage = scene(Verb::Down, &Behaviour::names_are_free()).await;
    let right = stage.run_until_quiet(Verb::Down).await.expect("the right one works");
    let mut stage = scene(Verb::Down, &Behaviour::names_are_free()).await;
    let first = stage.effects() + 1;
    stage.provider = Rc::new(wrong::owns_by_name);
    assert!(killed_at(&stage, Verb::Down, first, AnswerFate::Lost, &right).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_forgets_the_role_is_noticed() {
    kill::notices_that_a_role_is_forgotten(async || {
        scene(Verb::Up, &Behaviour::names_are_free()).await
    })
    .await;
}

/// Kills the command after each of its effects, on every cloud.
async fn everywhere(verb: Verb) {
    for (cloud, behaviour) in clouds() {
        kill::everywhere(verb, cloud, 1, async || scene(verb, &behaviour).await).await;
    }
}
