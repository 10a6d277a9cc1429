//! Clouds on which what is being removed is still in the way.

use std::rc::Rc;
use std::time::Duration;

use stagecraft_testkit::world::{Behaviour, Delay, EffectKind};

use crate::stage::{Stage, Verb, host};
use crate::wrong;

#[tokio::test(start_paused = true)]
async fn a_successor_is_ordered_when_the_name_is_free_again() {
    let mut stage = settled(slow_to_let_go()).await;
    stage.change("web-1", |wanted| wanted.spec.size = "x-medium".into());
    let outcome = stage.run_until_quiet(Verb::Replace).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(stage.one_each(), Ok(()));
    assert!(ordered_after_removal(&stage) >= Duration::from_secs(12));
}

#[tokio::test(start_paused = true)]
async fn what_was_just_taken_down_can_be_brought_up_again() {
    let mut stage = settled(slow_to_let_go()).await;
    stage.change("web-1", |wanted| wanted.marks.protected = false);
    stage.run(Verb::Down).await.expect("nobody is killed");
    let outcome = stage.run_until_quiet(Verb::Up).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(stage.one_each(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_removed_twin_that_is_still_listed_is_not_taken_for_the_successor() {
    let mut stage = settled(Behaviour {
        shutdown: Delay::Time(Duration::from_secs(12)),
        ..Behaviour::names_are_free()
    })
    .await;
    stage.plant_twin("web-1");
    stage.change("web-1", |wanted| wanted.spec.size = "x-medium".into());
    stage.provider = Rc::new(wrong::hides_termination);
    let ends = stage.told(Verb::Replace).await.ends();
    assert_eq!(ends[&host("web-1")], stagecraft_core::event::HostEnd::Ready);
    let created = stage.cloud.with(|world, _| {
        let effects = world.effects().iter();
        effects.filter(|effect| matches!(effect.kind, EffectKind::Created { .. })).count()
    });
    assert_eq!((created, stage.one_each()), (2 + 1, Ok(())));
}

/// Names are unique, and a removed machine holds its name for a while.
fn slow_to_let_go() -> Behaviour {
    Behaviour { shutdown: Delay::Time(Duration::from_secs(12)), ..Behaviour::names_are_unique() }
}

/// How long after the last removal the last order came.
fn ordered_after_removal(stage: &Stage) -> Duration {
    stage.cloud.with(|world, _| {
        let at = |is: fn(&EffectKind) -> bool| {
            let mut effects = world.effects().iter().rev();
            effects.find(|effect| is(&effect.kind)).map(|effect| effect.at).unwrap_or_default()
        };
        let created = at(|kind| matches!(kind, EffectKind::Created { .. }));
        created.saturating_sub(at(|kind| matches!(kind, EffectKind::Terminated { .. })))
    })
}

async fn settled(behaviour: Behaviour) -> Stage {
    let stage = Stage::new(behaviour, 9).wants(["web-1", "web-2"]);
    stage.run_until_quiet(Verb::Up).await.expect("a scene");
    stage
}
