use stagecraft_testkit::world::Behaviour;

use crate::pair::{paced, two_at_once};
use crate::stage::{Stage, clouds};
use crate::wrong;

/// How many interleavings are tried on each cloud.
const SEEDS: u64 = 30;

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_end_with_one_instance_per_host() {
    for (cloud, behaviour) in clouds() {
        for seed in 0..SEEDS {
            let stage = stage(&behaviour, seed);
            assert_eq!(two_at_once(&stage).await, Ok(()), "{cloud}, seed {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn runs_that_do_not_see_each_other_are_noticed() {
    let mut noticed = 0;
    for seed in 0..SEEDS {
        let mut stage = stage(&Behaviour::names_are_free(), seed);
        stage.spoil(wrong::sees_only_its_own);
        noticed += u64::from(two_at_once(&stage).await.is_err());
    }
    assert!(noticed > SEEDS / 2, "only {noticed} of {SEEDS}");
}

fn stage(behaviour: &Behaviour, seed: u64) -> Stage {
    Stage::new(paced(behaviour, seed), seed).wants(["db-1", "web-1", "web-2", "web-3"])
}
