//! Requests that fail and are made again, and those that are not.

use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::error::{Code, ExitCode};
use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent, SkipReason};
use stagecraft_engine::Cancel;
use stagecraft_testkit::world::{Behaviour, Delay, EffectKind, Fault, RequestKind};
use stagecraft_testkit::{HostFault, Process};
use tokio::sync::Notify;

use crate::outcome::{created, pauses};
use crate::scene::scene;
use crate::stage::{Stage, Verb, host, ours};
use crate::tape::Tape;
use crate::wrong;

const HINT: Duration = Duration::from_secs(9);

#[tokio::test(start_paused = true)]
async fn a_rate_limited_order_waits_for_at_least_as_long_as_it_was_told() {
    let stage = stage();
    fail(&stage, RequestKind::Create, 3, limited(HINT));
    let tape = stage.told(Verb::Up).await;
    assert_eq!(tape.report().exit_code(), ExitCode::Done);
    let told = pauses(&tape);
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|after| *after >= HINT), "{told:?}");
    let creates = stage.cloud.with(|world, _| {
        let effects = world.effects().iter();
        effects.filter(|effect| matches!(effect.kind, EffectKind::Created { .. })).count()
    });
    assert_eq!(creates, 1);
    let created = tape.of(&host("web-1")).into_iter().find(is_created).expect("it is created");
    assert!(created.elapsed >= HINT * 3, "{created:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limited_list_waits_for_at_least_as_long_as_it_was_told() {
    let stage = stage();
    fail(&stage, RequestKind::List, 2, limited(HINT));
    let tape = Tape::new();
    let began = stage.cloud.now();
    let seen = stage.engine(&Process::new(), &tape, 1).observe(&ours()).await;
    assert!(seen.unlisted().is_empty());
    assert!(stage.cloud.now() - began >= HINT * 2);
    let told = pauses(&tape);
    assert!(told.len() == 2 && told.iter().all(|after| *after >= HINT), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_more_than_five_times() {
    let silent = || CloudErrorKind::Unreachable("no route".to_owned());
    let stage = stage();
    fail(&stage, RequestKind::Create, u64::MAX, silent());
    let report = stage.told(Verb::Up).await.report();
    let codes: Vec<Code> = report.failures().map(|(_, failure)| failure.code).collect();
    assert_eq!((codes, asked(&stage, RequestKind::Create)), (vec![Code::CLOUD_UNREACHABLE], 5));

    fail(&stage, RequestKind::List, u64::MAX, silent());
    let before = asked(&stage, RequestKind::List);
    let seen = stage.engine(&Process::new(), &Tape::new(), 1).observe(&ours()).await;
    assert_eq!(seen.unlisted().len(), 1);
    assert_eq!(asked(&stage, RequestKind::List) - before, 5);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_silent_for_a_minute_ends_nobodys_wait() {
    for (silent, ends_well) in [(60, true), (600, false)] {
        let mut behaviour = Behaviour::names_are_free();
        behaviour.boot = Delay::Time(Duration::from_secs(20));
        let stage = Stage::new(behaviour, 1).wants(["web-1", "web-2"]);
        let outage = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let error = CloudErrorKind::Unreachable("no route".to_owned());
            fail(&stage, RequestKind::List, u64::MAX, error);
            tokio::time::sleep(Duration::from_secs(silent)).await;
            stage.cloud.with(|world, _| world.heal());
        };
        let (tape, ()) = tokio::join!(stage.told(Verb::Up), outage);
        let report = tape.report();
        assert_eq!(report.exit_code() == ExitCode::Done, ends_well, "{silent} s");
        for (_, failure) in report.failures() {
            assert_eq!(failure.code, Code::CLOUD_UNREACHABLE);
        }
        let last = tape.events().last().map(|event| event.elapsed.as_secs());
        // Whoever waits for longer is told soon after two minutes.
        assert!(last.is_some_and(|last| last < 170), "{silent} s: {last:?}");
        assert!(stage.run_until_quiet(Verb::Up).await.is_ok(), "the next run goes on");
        assert_eq!(stage.one_each(), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_loses_an_answer_and_lasts_a_while_is_waited_out() {
    let stage = stage();
    stage.inject(Fault::LoseAnswer { effect: 1 });
    let (cloud, began) = (stage.cloud.clone(), Arc::<OnceLock<()>>::default());
    let tape = Tape::with_hook(Cancel::new(), move |event| {
        let is_lost = matches!(event.kind, EventKind::Host(_, HostEvent::LookingForLost { .. }));
        if is_lost && began.set(()).is_ok() {
            let error = CloudErrorKind::Unreachable("no route".to_owned());
            let fault = Fault::FailNext { kind: RequestKind::List, times: u64::MAX, error };
            cloud.with(|world, _| world.inject(fault));
        }
    });
    let engine = stage.engine(&Process::new(), &tape, 1);
    let outage = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        stage.cloud.with(|world, _| world.heal());
    };
    let (run, ()) = tokio::join!(stage.taped(Verb::Up, &engine, &tape), outage);
    assert_eq!((run, tape.report().exit_code()), (Ok(()), ExitCode::Done));
    assert_eq!((stage.one_each(), created(&stage)), (Ok(()), 1), "it is found, not ordered again");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_stood_still_while_it_connected_tries_again() {
    let stage = stage();
    stage.fleet.inject(&host("web-1"), HostFault::NeverAnswers);
    let connects = Arc::<Notify>::default();
    let told = Arc::clone(&connects);
    let tape = Tape::with_hook(Cancel::new(), move |event| {
        if matches!(event.kind, EventKind::Host(_, HostEvent::WaitingForSsh)) {
            told.notify_one();
        }
    });
    let engine = stage.engine(&Process::new(), &tape, 1);
    let sleep = async {
        connects.notified().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Nothing of this process runs meanwhile.
        tokio::time::advance(Duration::from_secs(3600)).await;
        stage.fleet.heal();
    };
    let (run, ()) = tokio::join!(stage.taped(Verb::Up, &engine, &tape), sleep);
    assert_eq!((run, tape.report().exit_code()), (Ok(()), ExitCode::Done));
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_an_hour_is_not_waited_for() {
    let stage = stage();
    fail(&stage, RequestKind::Create, 1, limited(Duration::from_secs(3600)));
    let report = stage.told(Verb::Up).await.report();
    let codes: Vec<Code> = report.failures().map(|(_, failure)| failure.code).collect();
    assert_eq!(codes, [Code::CLOUD_RATE_LIMITED]);
    assert!(stage.cloud.now() < Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_not_tried_again() {
    let stage = stage();
    stage.inject(Fault::RefuseCredentials);
    let engine = stage.engine(&Process::new(), &Tape::new(), 1);
    let seen = engine.observe(&ours()).await;
    let codes: Vec<Code> = seen.unlisted().values().map(|failure| failure.code).collect();
    assert_eq!(codes, [Code::CLOUD_UNAUTHENTICATED]);
    assert_eq!(asked(&stage, RequestKind::List), 1);
    assert!(engine.validate_credentials().await.values().all(Result::is_err));
    assert_eq!(asked(&stage, RequestKind::Validate), 1);
    stage.cloud.with(|world, _| world.heal());

    let refused = CloudErrorKind::InvalidCredentials("revoked".to_owned());
    fail(&stage, RequestKind::Create, u64::MAX, refused);
    let report = stage.told(Verb::Up).await.report();
    assert_eq!((report.exit_code(), asked(&stage, RequestKind::Create)), (ExitCode::Cloud, 1));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_gets_no_answer_is_repeated() {
    let stage = stage();
    fail(&stage, RequestKind::List, 2, CloudErrorKind::Unreachable("reset".to_owned()));
    fail(&stage, RequestKind::Catalogue, 2, CloudErrorKind::ProviderFault("503".to_owned()));
    let engine = stage.engine(&Process::new(), &Tape::new(), 1);
    assert!(engine.observe(&ours()).await.unlisted().is_empty());
    assert_eq!(asked(&stage, RequestKind::List), 3);
    let of = [stage.cloud.provider()].into();
    assert!(engine.catalogues(&of).await.is_ok());
    assert_eq!(asked(&stage, RequestKind::Catalogue), 3);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_loses_its_answer_is_made_again_and_done_once() {
    for verb in [Verb::Up, Verb::Replace, Verb::Prune, Verb::Down] {
        let left_alone = scene(verb, &Behaviour::names_are_free()).await;
        let first = left_alone.effects() + 1;
        let right = left_alone.run_until_quiet(verb).await.expect("a scene");
        for effect in first..=left_alone.effects() {
            let stage = scene(verb, &Behaviour::names_are_free()).await;
            stage.inject(Fault::LoseAnswer { effect });
            let lost = stage.run_until_quiet(verb).await.expect("it gets over it");
            assert_eq!(lost, right, "{verb:?}, effect {effect}");
            assert_eq!(stage.effects(), left_alone.effects(), "{verb:?}, effect {effect}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_stops_does_not_wait_for_the_next_try() {
    let hint = Duration::from_secs(200);
    for kind in [RequestKind::Create, RequestKind::Terminate] {
        let verb = if kind == RequestKind::Create { Verb::Up } else { Verb::Down };
        let stage = stage();
        if verb == Verb::Down {
            stage.run_until_quiet(Verb::Up).await.expect("it comes up");
        }
        let before = asked(&stage, kind);
        fail(&stage, kind, 1, limited(hint));
        let tape = Tape::new();
        let engine = stage.engine(&Process::new(), &tape, 1);
        let began = stage.cloud.now();
        let user = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            tape.cancel().stop();
        };
        let (checked, ()) = tokio::join!(stage.taped(verb, &engine, &tape), user);
        assert_eq!(checked, Ok(()));
        assert!(stage.cloud.now() - began < Duration::from_secs(6), "{kind:?}");
        assert_eq!(asked(&stage, kind) - before, 1, "{kind:?}");
        assert_eq!(tape.report().exit_code(), ExitCode::Interrupted);
        let skipped = HostEnd::Skipped(SkipReason::Interrupted);
        assert_eq!(tape.ends(), [(host("web-1"), skipped)].into(), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_not_asked_for_early_because_the_user_stops() {
    let stage = stage();
    fail(&stage, RequestKind::List, 1, limited(Duration::from_secs(200)));
    let tape = Tape::new();
    let engine = stage.engine(&Process::new(), &tape, 1);
    let user = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        tape.cancel().stop();
    };
    let scope = ours();
    let (seen, ()) = tokio::join!(engine.observe(&scope), user);
    assert_eq!((seen.unlisted().len(), asked(&stage, RequestKind::List)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn one_list_that_makes_no_sense_does_not_end_the_wait_of_every_host() {
    let garbled = || CloudErrorKind::UnexpectedAnswer("it is not JSON".to_owned());
    for (lists, exit) in [(2, ExitCode::Done), (u64::MAX, ExitCode::Cloud)] {
        let stage = Stage::new(Behaviour::names_are_free(), 3).wants(["web-1", "web-2"]);
        let (cloud, counted) = (stage.cloud.clone(), Arc::default());
        // From when the machines are ordered on.
        let tape = Tape::with_hook(Cancel::new(), move |event| {
            let first: &OnceLock<()> = &counted;
            if is_created(event) && first.set(()).is_ok() {
                let fault =
                    Fault::FailNext { kind: RequestKind::List, times: lists, error: garbled() };
                cloud.with(|world, _| world.inject(fault));
            }
        });
        let engine = stage.engine(&Process::new(), &tape, 1);
        assert_eq!(stage.taped(Verb::Up, &engine, &tape).await, Ok(()));
        assert_eq!(tape.report().exit_code(), exit, "{lists} lists");
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_promised_and_not_made_is_not_told_as_done() {
    let mut stage = stage();
    stage.run_until_quiet(Verb::Up).await.expect("it comes up");
    stage.provider = Rc::new(wrong::keeps_machines);
    let report = stage.told(Verb::Down).await.report();
    let codes: Vec<Code> = report.failures().map(|(_, failure)| failure.code).collect();
    assert_eq!(codes, [Code::WAIT_TIMED_OUT]);
}

fn fail(stage: &Stage, kind: RequestKind, times: u64, error: CloudErrorKind) {
    stage.inject(Fault::FailNext { kind, times, error });
}

fn limited(after: Duration) -> CloudErrorKind {
    CloudErrorKind::RateLimited { after: Some(after), message: String::new() }
}

fn asked(stage: &Stage, kind: RequestKind) -> u64 {
    stage.cloud.with(|world, _| world.requests().of(kind))
}

fn is_created(event: &Event) -> bool {
    matches!(event.kind, EventKind::Host(_, HostEvent::Created(_)))
}

fn stage() -> Stage {
    Stage::new(Behaviour::names_are_free(), 3).wants(["web-1"])
}
