//! An instance that stands before ours for the same host turns up while a run is at work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use stagecraft_core::error::ExitCode;
use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent};
use stagecraft_core::inventory::Owner;
use stagecraft_engine::Cancel;
use stagecraft_testkit::mock::order;
use stagecraft_testkit::world::{Behaviour, EffectKind, Ids, RequestKind};
use stagecraft_testkit::{HostFault, Process};
use tokio::sync::Notify;

use crate::stage::{Stage, Verb, host, ours};
use crate::tape::Tape;

#[tokio::test(start_paused = true)]
async fn a_run_that_still_waits_gives_way_before_it_logs_in() {
    let stage = stage();
    let meet = meet(&stage, |what| matches!(what, HostEvent::Created(_)));
    let tape = Tape::with_hook(Cancel::new(), meet);
    run(&stage, &tape).await;
    let removing = tape.first("web-1", |what| *what == HostEvent::RemovingDuplicate);
    let connected = tape.first("web-1", |what| *what == HostEvent::Connected);
    assert!(removing.is_some() && removing < connected, "{removing:?}, {connected:?}");
    assert_eq!(tape.of(&host("web-1")).iter().filter(|event| is_end(event)).count(), 1);
    gave_way(&stage, &tape);
}

#[tokio::test(start_paused = true)]
async fn a_run_gives_way_at_its_end_and_sets_the_other_up() {
    let stage = stage();
    let tape = Tape::with_hook(Cancel::new(), meet(&stage, is_ready));
    run(&stage, &tape).await;
    gave_way(&stage, &tape);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_stops_a_run_that_gives_way_is_not_told_twice_how_it_ended() {
    for wish in [Wish::WhileItLooks].into_iter().chain((0..40).map(Wish::AtEvent)) {
        let stage = stage();
        let cancel = Cancel::new();
        let (tape, all_ended) = stopping(&stage, &cancel, wish);
        let user = async {
            all_ended.notified().await;
            let lists = lists(&stage);
            if wish == Wish::WhileItLooks {
                // A list that is under way takes longer.
                tokio::time::sleep(Duration::from_micros(1)).await;
                cancel.stop();
            }
            lists
        };
        let (lists_before, ()) = tokio::join!(user, run(&stage, &tape));
        if matches!(wish, Wish::WhileItLooks | Wish::AtEvent(0)) {
            let done = tape.ends().values().all(|end| *end == HostEnd::Ready);
            assert!(done, "{wish:?}: {:?}", tape.ends());
            let looks = u64::from(wish == Wish::WhileItLooks);
            assert_eq!(lists(&stage) - lists_before, looks, "{wish:?}: it looks again");
        }
        let exit = tape.stopped_after().map_or(ExitCode::Done, |_| ExitCode::Interrupted);
        assert_eq!(tape.report().exit_code(), exit, "{wish:?}");
        assert!(stage.run_until_quiet(Verb::Up).await.is_ok(), "{wish:?}");
        assert!(stage.run_until_quiet(Verb::Prune).await.is_ok(), "{wish:?}");
        assert_eq!(stage.one_each(), Ok(()), "{wish:?}");
    }
}

/// When the user asks to stop, once both hosts have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// While the list is under way that shows the surplus.
    WhileItLooks,
    /// Within the event of this number from the one that ends the last host, from 0.
    AtEvent(usize),
}

/// A tape of a run that meets another's instance when it is ready with its own, and is stopped;
/// tells when both hosts have ended.
fn stopping(stage: &Stage, cancel: &Cancel, wish: Wish) -> (Arc<Tape>, Arc<Notify>) {
    let all_ended = Arc::new(Notify::new());
    let meet = meet(stage, is_ready);
    let (told, stop, since) = (Arc::clone(&all_ended), cancel.clone(), AtomicUsize::new(0));
    let tape = Tape::with_hook(cancel.clone(), move |event| {
        meet(event);
        let ends = is_host(event, "web-2") && is_end(event);
        if ends {
            told.notify_one();
        }
        if ends || since.load(Ordering::SeqCst) > 0 {
            let number = since.fetch_add(1, Ordering::SeqCst);
            if wish == Wish::AtEvent(number) {
                stop.stop();
            }
        }
    });
    (tape, all_ended)
}

/// Runs `up` and holds it to what every run is held to.
async fn run(stage: &Stage, tape: &Arc<Tape>) {
    let engine = stage.engine(&Process::new(), tape, stage.seed);
    assert_eq!(stage.taped(Verb::Up, &engine, tape).await, Ok(()));
}

/// The other instance stays, ready, and ours is gone.
fn gave_way(stage: &Stage, tape: &Tape) {
    assert!(tape.ends().values().all(|end| *end == HostEnd::Ready), "{:?}", tape.ends());
    assert_eq!(stage.one_each(), Ok(()));
    let removed = stage.cloud.with(|world, _| {
        let effects = world.effects().iter();
        effects.filter(|effect| matches!(effect.kind, EffectKind::Terminated { .. })).count()
    });
    assert_eq!(removed, 1);
}

/// At the first such event about `web-1`, another's instance of it turns up.
fn meet(stage: &Stage, is: fn(&HostEvent) -> bool) -> impl Fn(&Event) + Send + Sync + 'static {
    let cloud = stage.cloud.clone();
    let wanted = stage.wanted[&host("web-1")].clone();
    let once = Once::new();
    move |event| {
        if is_host(event, "web-1") && matches!(&event.kind, EventKind::Host(_, what) if is(what)) {
            let owner = Owner { scope: ours(), host: wanted.name.clone() };
            let order = order(&owner, &wanted.marks, &wanted.spec);
            once.call_once(|| cloud.with(|world, now| drop(world.plant(now, order))));
        }
    }
}

fn is_end(event: &Event) -> bool {
    matches!(event.kind, EventKind::Host(_, HostEvent::Ended(_)))
}

fn is_ready(what: &HostEvent) -> bool {
    *what == HostEvent::Ended(HostEnd::Ready)
}

fn is_host(event: &Event, name: &str) -> bool {
    matches!(&event.kind, EventKind::Host(host, _) if host.as_str() == name)
}

fn lists(stage: &Stage) -> u64 {
    stage.cloud.with(|world, _| world.requests().of(RequestKind::List))
}

/// All instances are of one age and the last one stands first; one host keeps the run at work.
fn stage() -> Stage {
    let behaviour = Behaviour {
        ids: Ids::Descending,
        clock_grain: Duration::from_secs(86_400),
        latency: Duration::from_millis(400),
        ..Behaviour::names_are_free()
    };
    let stage = Stage::new(behaviour, 4).wants(["web-1", "web-2"]);
    stage.fleet.inject(&host("web-2"), HostFault::RefusesConnections(12));
    stage
}
