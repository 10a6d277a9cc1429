//! Two runs of one command at once.

use std::time::Duration;

use stagecraft_testkit::Process;
use stagecraft_testkit::world::{Behaviour, Delay, Rng};

use crate::stage::{Stage, Verb};

/// Runs `up` twice at once, the second a little later.
pub(crate) async fn two_at_once(stage: &Stage) -> Result<(), String> {
    let (one, other) = (Process::new(), Process::new());
    let head_start = stage.cloud.with(|world, _| world.rng().below(4000));
    tokio::join!(stage.command(Verb::Up, &one, stage.seed), async {
        stage.cloud.sleep(Duration::from_millis(head_start)).await;
        stage.command(Verb::Up, &other, stage.seed + 1).await
    });
    stage.run_until_quiet(Verb::Up).await?;
    stage.left_others_alone()?;
    stage.one_each()
}

/// The same behaviour at a pace that is different for each seed.
pub(crate) fn paced(behaviour: &Behaviour, seed: u64) -> Behaviour {
    let mut rng = Rng::new(seed);
    let mut millis = |choices: [u64; 4]| {
        let choice = usize::try_from(rng.below(4)).unwrap_or_default();
        Duration::from_millis(choices[choice])
    };
    Behaviour {
        latency: millis([0, 20, 300, 1500]),
        boot: Delay::Time(millis([100, 1000, 5000, 20_000])),
        visible: if behaviour.visible == Delay::NONE {
            Delay::NONE
        } else {
            behaviour.visible.then(Delay::Time(millis([0, 1000, 5000, 9000])))
        },
        ..behaviour.clone()
    }
}
