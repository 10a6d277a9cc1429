//! A provider that asks to slow down.

use std::time::Duration;

use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::error::{Code, ExitCode};
use stagecraft_core::event::{EventKind, HostEnd, HostEvent, ProviderEvent, SkipReason};
use stagecraft_engine::Limits;
use stagecraft_testkit::Process;
use stagecraft_testkit::world::{Behaviour, Delay, Fate, Fault, RequestKind, RequestLimits};

use crate::outcome::{MINUTE, assert_all_ready, created, pauses};
use crate::stage::{Stage, Verb};
use crate::tape::Tape;

#[tokio::test(start_paused = true)]
async fn a_limit_that_never_frees_is_a_clear_failure_of_every_host() {
    for (hint, least, most) in [(Some(40), 14, 16), (None, 14, 16), (Some(3600), 0, 1)] {
        let stage = stage(20);
        let after = hint.map(Duration::from_secs);
        fail(&stage, RequestKind::Create, u64::MAX, after);
        let tape = stage.told(Verb::Up).await;
        let report = tape.report();
        assert_eq!((report.failures().count(), report.exit_code()), (20, ExitCode::Cloud));
        let minutes = stage.cloud.now().as_secs() / 60;
        assert!((least..=most).contains(&minutes), "{hint:?}: {:?}", stage.cloud.now());
        for (host, failure) in report.failures() {
            assert_eq!(failure.code, Code::CLOUD_RATE_LIMITED);
            let begins = format!(
                "digitalocean could not create host `{host}`: too many requests: too fast; "
            );
            assert!(failure.message.starts_with(&begins), "{}", failure.message);
            assert_eq!(failure.hints.len(), 2, "{failure:?}");
        }
        let (asked, pauses) = (asked(&stage, RequestKind::Create), pauses(&tape).len());
        assert!(asked <= 10 + pauses as u64, "after a pause one goes first: {asked}");
        assert_eq!(pauses == 0, hint == Some(3600));

        stage.cloud.with(|world, _| world.heal());
        assert!(stage.run_until_quiet(Verb::Up).await.is_ok(), "the next run goes on");
        assert_eq!(stage.one_each(), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn how_long_was_waited_and_what_would_come_is_said() {
    for (hint, expected) in [
        (3600, "too fast; it asks to wait 3601 s, which is too long"),
        (400, "too fast; gave up after waiting 801 s, it asks for 401 s more"),
    ] {
        let stage = stage(1);
        fail(&stage, RequestKind::Create, u64::MAX, Some(Duration::from_secs(hint)));
        let report = stage.told(Verb::Up).await.report();
        let (_, failure) = report.failures().next().expect("it fails");
        assert!(failure.message.ends_with(expected), "{}", failure.message);
    }
}

#[tokio::test(start_paused = true)]
async fn to_be_told_to_slow_down_uses_up_no_try() {
    let stage = stage(1);
    fail(&stage, RequestKind::Create, 9, None);
    let report = stage.told(Verb::Up).await.report();
    assert_eq!(report.exit_code(), ExitCode::Done);
    assert_eq!(asked(&stage, RequestKind::Create), 10);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_limit_takes_nobodys_turn_and_sends_nothing() {
    let mut stage = stage(8);
    stage.limits = Limits { orders: 1, ..Limits::default() };
    fail(&stage, RequestKind::Create, 1, Some(MINUTE));
    let tape = stage.told(Verb::Up).await;
    assert_all_ready(&stage, &tape, 8);
    assert_eq!(pauses(&tape).len(), 1);
    // Between the refusal and the end of the pause nothing came, lists included.
    let first = stage.cloud.with(|world, _| world.effects()[0].at);
    let told = at_of_first_pause(&tape);
    assert!(first >= told + MINUTE, "{first:?} after {told:?}");
    assert_eq!(asked(&stage, RequestKind::Create), 9);
}

#[tokio::test(start_paused = true)]
async fn a_host_is_not_late_because_the_provider_could_not_be_listed() {
    let mut stage = stage(3);
    stage.limits = Limits { boot: 2 * MINUTE, ..Limits::default() };
    stage.cloud.with(|world, _| {
        // Between the pauses the lists show them pending.
        world.behaviour().boot = Delay::Lists(16);
        for request in [8, 10, 12, 14, 16] {
            world.inject(Fault::FailRequest { request, error: limited(Some(2 * MINUTE)) });
        }
    });
    let tape = stage.told(Verb::Up).await;
    assert_all_ready(&stage, &tape, 3);
    assert!(stage.cloud.now() > 9 * MINUTE, "{:?}", stage.cloud.now());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_late_is_so_however_often_the_provider_was_slow() {
    let mut stage = stage(2);
    stage.limits = Limits { boot: 2 * MINUTE, ..Limits::default() };
    stage.cloud.with(|world, _| {
        world.decide_fate("prod-web-1", Fate::StaysPending);
        world.inject(Fault::FailRequest { request: 8, error: limited(Some(5 * MINUTE)) });
    });
    let tape = stage.told(Verb::Up).await;
    let report = tape.report();
    let codes: Vec<Code> = report.failures().map(|(_, failure)| failure.code).collect();
    assert_eq!(codes, [Code::WAIT_TIMED_OUT]);
    let now = stage.cloud.now();
    assert!(now > 7 * MINUTE && now < 8 * MINUTE, "{now:?}");
}

#[tokio::test(start_paused = true)]
async fn lost_answers_under_a_limit_make_no_second_instance() {
    for behaviour in [Behaviour::names_are_free(), late()] {
        for silent in [false, true] {
            let stage = with(behaviour.clone(), 60);
            for effect in [1, 7, 8, 9, 20, 31] {
                stage.inject(Fault::LoseAnswer { effect });
            }
            limit(&stage, RequestLimits::new([(25, MINUTE)]).silent(silent));
            let tape = stage.told(Verb::Up).await;
            assert_all_ready(&stage, &tape, 60);
            assert_eq!(created(&stage), 60);
            assert!(!pauses(&tape).is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_order_is_looked_for_when_the_provider_takes_lists_again() {
    // The list after the loss is refused for longer than an instance may be hidden.
    let stage = with(late(), 1);
    stage.inject(Fault::LoseAnswer { effect: 1 });
    stage.inject(Fault::FailRequest { request: 4, error: limited(Some(3 * MINUTE)) });
    let lists = asked(&stage, RequestKind::List);
    let tape = stage.told(Verb::Up).await;
    assert_all_ready(&stage, &tape, 1);
    assert_eq!(created(&stage), 1);
    assert_eq!(pauses(&tape).len(), 1);
    assert!(asked(&stage, RequestKind::List) - lists < 20);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_stops_does_not_wait_for_the_limit() {
    for (verb, kind) in [
        (Verb::Up, RequestKind::Create),
        (Verb::Up, RequestKind::List),
        (Verb::Down, RequestKind::Terminate),
    ] {
        let stage = stage(60);
        if verb == Verb::Down {
            stage.run_until_quiet(Verb::Up).await.expect("they come up");
        }
        let tape = Tape::new();
        let engine = stage.engine(&Process::new(), &tape, 1);
        let began = stage.cloud.now();
        let user = async {
            // When the lists of the beginning have been read.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            fail(&stage, kind, u64::MAX, Some(5 * MINUTE));
            tokio::time::sleep(Duration::from_secs(8)).await;
            tape.cancel().stop();
        };
        stage.cloud.with(|world, _| world.behaviour().boot = Delay::Time(MINUTE));
        let (checked, ()) = tokio::join!(stage.taped(verb, &engine, &tape), user);
        assert_eq!(checked, Ok(()));
        assert!(stage.cloud.now() - began < Duration::from_secs(11), "{kind:?}");
        assert_eq!(tape.report().exit_code(), ExitCode::Interrupted, "{kind:?}");
        let skipped = HostEnd::Skipped(SkipReason::Interrupted);
        let ends = tape.ends();
        let odd = ends.values().find(|end| **end != skipped && **end != HostEnd::Removed);
        assert_eq!(odd, None, "{kind:?}");
        assert_eq!(pauses(&tape).len(), 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_stops_does_not_wait_for_the_one_that_goes_first() {
    let stage = stage(5);
    fail(&stage, RequestKind::Create, 5, Some(MINUTE));
    let tape = Tape::new();
    let engine = stage.engine(&Process::new(), &tape, 1);
    let user = async {
        tokio::time::sleep(MINUTE / 2).await;
        stage.cloud.with(|world, _| world.behaviour().latency = 10_000 * MINUTE);
        tokio::time::sleep(MINUTE).await;
        tape.cancel().stop();
        stage.cloud.now()
    };
    let (checked, stopped) = tokio::join!(stage.taped(Verb::Up, &engine, &tape), user);
    assert_eq!(checked, Ok(()));
    assert_eq!(asked(&stage, RequestKind::Create), 6, "one went first");
    let events = tape.events().into_iter();
    let ended = events.filter(|event| {
        matches!(&event.kind, EventKind::Host(_, HostEvent::Ended(_)))
            && event.elapsed <= stopped + Duration::from_secs(1)
    });
    assert_eq!(ended.count(), 4, "all others end at once");
}

fn at_of_first_pause(tape: &Tape) -> Duration {
    let pause = |kind: &EventKind| {
        matches!(kind, EventKind::Provider(_, ProviderEvent::RateLimited { .. }))
    };
    let event = tape.events().into_iter().find(|event| pause(&event.kind));
    event.expect("a pause").elapsed
}

pub(crate) fn limit(stage: &Stage, limits: RequestLimits) {
    stage.cloud.with(|world, _| *world.limits() = limits);
}

fn fail(stage: &Stage, kind: RequestKind, times: u64, after: Option<Duration>) {
    stage.inject(Fault::FailNext { kind, times, error: limited(after) });
}

fn limited(after: Option<Duration>) -> CloudErrorKind {
    CloudErrorKind::RateLimited { after, message: "too fast".to_owned() }
}

fn asked(stage: &Stage, kind: RequestKind) -> u64 {
    stage.cloud.with(|world, _| world.requests().of(kind))
}

fn late() -> Behaviour {
    Behaviour { visible: Delay::Time(Duration::from_secs(20)), ..Behaviour::names_are_free() }
}

pub(crate) fn stage(hosts: usize) -> Stage {
    with(Behaviour::names_are_free(), hosts)
}

fn with(behaviour: Behaviour, hosts: usize) -> Stage {
    let names: Vec<String> = (1..=hosts).map(|number| format!("web-{number}")).collect();
    let latency = Duration::from_millis(400);
    Stage::new(Behaviour { latency, ..behaviour }, 3).wants(names.iter().map(String::as_str))
}
