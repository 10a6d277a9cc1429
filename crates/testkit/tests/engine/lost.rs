use stagecraft_testkit::world::{Behaviour, Fault};

use crate::stage::{Stage, clouds};
use crate::wrong;

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_not_repeated() {
    for (cloud, behaviour) in clouds() {
        for effect in 1..=3 {
            let stage = stage(&behaviour);
            assert_eq!(one_lost(&stage, effect).await, Ok(()), "{cloud}, effect {effect}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_calls_every_loss_harmless_is_noticed() {
    let mut stage = stage(&Behaviour::names_are_free());
    stage.spoil(wrong::repeats_blindly);
    assert!(one_lost(&stage, 2).await.is_err());
}

async fn one_lost(stage: &Stage, effect: u64) -> Result<(), String> {
    stage.inject(Fault::LoseAnswer { effect });
    stage.comes_up_once().await
}

fn stage(behaviour: &Behaviour) -> Stage {
    Stage::new(behaviour.clone(), 3).wants(["web-1", "web-2", "web-3"])
}
