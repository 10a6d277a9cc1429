use std::time::Duration;

use stagecraft_testkit::Process;
use stagecraft_testkit::world::{Behaviour, Delay, Rng};

use crate::stage::{Stage, Verb, clouds};
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
        stage.provider = wrong::sees_only_its_own;
        noticed += u64::from(two_at_once(&stage).await.is_err());
    }
    assert!(noticed > SEEDS / 2, "only {noticed} of {SEEDS}");
}

async fn two_at_once(stage: &Stage) -> Result<(), String> {
    let (one, other) = (Process::new(), Process::new());
    let head_start = stage.cloud.with(|world, _| world.rng().below(4000));
    tokio::join!(stage.command(Verb::Up, &one, stage.seed), async {
        tokio::time::sleep(Duration::from_millis(head_start)).await;
        stage.command(Verb::Up, &other, stage.seed + 1).await
    });
    stage.run_until_quiet(Verb::Up).await?;
    stage.left_others_alone()?;
    stage.one_each()
}

/// A cloud whose pace is different for each seed.
fn stage(behaviour: &Behaviour, seed: u64) -> Stage {
    let mut rng = Rng::new(seed);
    let mut millis = |choices: [u64; 4]| {
        let choice = usize::try_from(rng.below(4)).unwrap_or_default();
        Duration::from_millis(choices[choice])
    };
    let behaviour = Behaviour {
        latency: millis([0, 20, 300, 1500]),
        boot: Delay::Time(millis([100, 1000, 5000, 20_000])),
        visible: if behaviour.visible == Delay::NONE {
            Delay::NONE
        } else {
            behaviour.visible.then(Delay::Time(millis([0, 1000, 5000, 9000])))
        },
        ..behaviour.clone()
    };
    Stage::new(behaviour, seed).wants(["db-1", "web-1", "web-2", "web-3"])
}
