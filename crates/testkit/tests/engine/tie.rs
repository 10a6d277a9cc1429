//! Two runs at once whose instances are of one age, as far as the provider tells it.

use std::time::Duration;

use stagecraft_testkit::Process;
use stagecraft_testkit::world::{Behaviour, Delay, EffectKind, Ids, Rng};

use crate::stage::{Stage, Verb};

#[tokio::test(start_paused = true)]
async fn of_two_instances_of_one_age_both_runs_keep_the_same() {
    for ids in [Ids::Ascending, Ids::Descending] {
        let mut met = 0;
        for seed in 0..60 {
            let stage = stage(ids, seed);
            let (one, other) = (Process::new(), Process::new());
            tokio::join!(
                stage.command(Verb::Up, &one, seed),
                stage.command(Verb::Up, &other, seed + 1)
            );
            assert_eq!(stage.one_each(), Ok(()), "{ids:?}, seed {seed}");
            assert!(stage.run_until_quiet(Verb::Up).await.is_ok(), "{ids:?}, seed {seed}");
            met += stage.cloud.with(|world, _| {
                let effects = world.effects().iter();
                effects.filter(|effect| matches!(effect.kind, EffectKind::Created { .. })).count()
                    / 3
            });
        }
        assert!(met > 10, "{ids:?}: they hardly ever both ordered");
    }
}

fn stage(ids: Ids, seed: u64) -> Stage {
    let mut rng = Rng::new(seed);
    let behaviour = Behaviour {
        ids,
        clock_grain: Duration::from_secs(86_400),
        latency: Duration::from_millis(rng.below(1500)),
        boot: Delay::Time(Duration::from_secs(5 + rng.below(20))),
        ..Behaviour::names_are_free()
    };
    Stage::new(behaviour, seed).wants(["web-1", "web-2"])
}
