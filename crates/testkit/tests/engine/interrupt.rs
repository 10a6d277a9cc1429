//! The user asks to stop: once, and nothing new begins; twice, and everything ends where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use stagecraft_core::error::ExitCode;
use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent, SkipReason};
use stagecraft_core::identity::STEP;
use stagecraft_core::name::HostName;
use stagecraft_engine::{Cancel, Limits};
use stagecraft_testkit::Process;
use stagecraft_testkit::world::Behaviour;
use stagecraft_testkit::world::first_boot::HOST_KEY;
use tokio::sync::Notify;

use crate::outcome::Picture;
use crate::scene::scene;
use crate::stage::{Stage, Verb, clouds, host, ours, steps};
use crate::tape::{Tape, begins};

const VERBS: [Verb; 4] = [Verb::Up, Verb::Replace, Verb::Prune, Verb::Down];

#[tokio::test(start_paused = true)]
async fn a_run_stopped_at_any_event_begins_nothing_new_and_the_next_one_goes_on() {
    everywhere(async |verb, behaviour, right, run| {
        for event in run {
            let stage = narrow(verb, behaviour).await;
            let when = When::Event(event.sequence);
            let outcome = stopped(&stage, verb, when).await;
            outcome.and(goes_on(&stage, verb, right).await).map_err(|bad| at(when, &bad))?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_run_stopped_between_events_begins_nothing_new_and_the_next_one_goes_on() {
    everywhere(async |verb, behaviour, right, run| {
        let took = run.last().map(|event| event.elapsed).unwrap_or_default();
        // Moments of their own, and those at which something else happens too.
        let between = (1..12).map(|part| took * part / 12);
        let with: BTreeSet<Duration> = run.iter().map(|event| event.elapsed).collect();
        for when in with.into_iter().chain(between).map(When::Moment) {
            let stage = narrow(verb, behaviour).await;
            let outcome = stopped(&stage, verb, when).await;
            outcome.and(goes_on(&stage, verb, right).await).map_err(|bad| at(when, &bad))?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_run_dropped_at_any_event_is_gone_on_with_by_the_next_one() {
    everywhere(async |verb, behaviour, right, run| {
        for sequence in run.iter().map(|event| event.sequence) {
            let stage = narrow(verb, behaviour).await;
            let tape = dropped(&stage, verb, move |event| event.sequence == sequence).await;
            let before = tape.events().len();
            let (ended, report) = (tape.ends(), tape.report());
            if report.hosts.keys().any(|host| !ended.contains_key(host))
                && report.exit_code() != ExitCode::Interrupted
            {
                return Err(at(sequence, "a report that was cut off claims to be whole"));
            }
            goes_on(&stage, verb, right).await.map_err(|bad| at(sequence, &bad))?;
            if tape.events().len() > before {
                return Err(at(sequence, "a run that was dropped goes on telling"));
            }
        }
        Ok(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bootstrap_stopped_at_any_event_begins_nothing_new() {
    let tape = Tape::new();
    bootstrapped(&tape).await;
    assert_eq!(tape.check(), Ok(()));
    assert!(tape.ends().values().all(|end| *end == HostEnd::Ready));
    for sequence in 0..tape.events().len() as u64 {
        let tape = stopping_at(sequence);
        bootstrapped(&tape).await;
        assert_eq!(tape.check(), Ok(()), "at event {sequence}");
        assert_eq!(tape.report().exit_code(), ExitCode::Interrupted, "at event {sequence}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_left_booting_is_given_time_by_the_next_run() {
    let stage = Stage::new(Behaviour::names_are_free(), 1).wants(["web-1"]);
    // Half a minute, until SSH answers.
    stage.fleet.boot_slowly(18);
    let runs = |event: &Event| matches!(event.kind, EventKind::Host(_, HostEvent::Running(_)));
    dropped(&stage, Verb::Up, runs).await;
    let ends = stage.told(Verb::Up).await.ends();
    assert_eq!(ends, [(host("web-1"), HostEnd::Ready)].into());
}

#[tokio::test(start_paused = true)]
async fn of_two_runs_at_once_one_may_be_stopped_at_any_event() {
    let latency = Duration::from_millis(900);
    let behaviour = Behaviour { latency, ..Behaviour::names_are_free() };
    for sequence in 0..60 {
        let stage = Stage::new(behaviour.clone(), sequence).wants(["web-1", "web-2"]);
        let tape = stopping_at(sequence);
        let engine = stage.engine(&Process::new(), &tape, 1);
        let other = Process::new();
        let (checked, _) =
            tokio::join!(stage.taped(Verb::Up, &engine, &tape), stage.command(Verb::Up, &other, 2));
        assert_eq!(checked, Ok(()), "at event {sequence}");
        // What the stopped one had no time to take back it is asked to.
        for verb in [Verb::Up, Verb::Prune] {
            let outcome = stage.run_until_quiet(verb).await;
            assert!(outcome.is_ok(), "at event {sequence}: {outcome:?}");
        }
        assert_eq!(stage.one_each(), Ok(()), "at event {sequence}");
    }
}

/// Tries something for each command on each cloud, given what the command comes to, and events it
/// tells when it is left alone: on the first cloud all, on each other a share of its own.
async fn everywhere(
    attempt: impl AsyncFn(Verb, &Behaviour, &Picture, &[Event]) -> Result<(), String>,
) {
    for (number, (cloud, behaviour)) in clouds().into_iter().enumerate() {
        for verb in VERBS {
            let stage = narrow(verb, &behaviour).await;
            let mut events = stage.told(verb).await.events();
            let right = stage.run_until_quiet(verb).await.expect("it works when left alone");
            events.retain(|event| number == 0 || event.sequence % 4 == number as u64 - 1);
            let outcome = attempt(verb, &behaviour, &right, &events).await;
            assert_eq!(outcome, Ok(()), "{verb:?} on {cloud}");
        }
    }
}

/// A scene in which hosts wait for their turn.
async fn narrow(verb: Verb, behaviour: &Behaviour) -> Stage {
    let mut stage = scene(verb, behaviour).await;
    stage.limits = Limits { orders: 1, logins: 2, ..Limits::default() };
    stage
}

/// Sets up four bare hosts that run, two at a time.
async fn bootstrapped(tape: &Arc<Tape>) {
    let hosts = ["web-1", "web-2", "web-3", "web-4"];
    let mut stage = Stage::new(Behaviour::names_are_free(), 1).wants(hosts);
    stage.run_until_quiet(Verb::Up).await.expect("a scene");
    for id in hosts.map(|host| stage.id_of(host)) {
        stage.cloud.with(|world, _| {
            world.disk(&id).expect("its disk").files.retain(|path, _| path == HOST_KEY);
        });
    }
    stage.limits.logins = 2;
    let quiet = stage.engine(&Process::new(), &Tape::new(), 1);
    let instances: Vec<_> = quiet.observe(&ours()).await.instances().cloned().collect();
    tape.begin_with(&instances);
    stage.engine(&Process::new(), tape, 1).bootstrap(instances, Vec::new(), &steps).await;
    tape.end();
}

/// A tape whose user asks to stop from within the event of this number.
fn stopping_at(sequence: u64) -> Arc<Tape> {
    let cancel = Cancel::new();
    let wish = cancel.clone();
    Tape::with_hook(cancel, move |event| {
        if event.sequence == sequence {
            wish.stop();
        }
    })
}

/// When the user asks to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Within the event of this number.
    Event(u64),
    /// This long after the beginning.
    Moment(Duration),
}

/// Runs a command beside a user who stops it, and looks at how it ended.
async fn stopped(stage: &Stage, verb: Verb, when: When) -> Result<(), String> {
    let (cancel, begun) = (Cancel::new(), Arc::new(OnceLock::new()));
    let (cloud, fleet) = (stage.cloud.clone(), stage.fleet.clone());
    let count = move || cloud.changes().read().begun + fleet.logins().read().begun;
    let stop = {
        let (cancel, begun, count) = (cancel.clone(), Arc::clone(&begun), count.clone());
        move || {
            begun.get_or_init(&count);
            cancel.stop();
        }
    };
    let user = stop.clone();
    let tape = Tape::with_hook(cancel, move |event| {
        if when == When::Event(event.sequence) {
            stop();
        }
    });
    let engine = stage.engine(&Process::new(), &tape, stage.seed);
    let run = async {
        let run = stage.taped(verb, &engine, &tape);
        tokio::select! {
            checked = run => checked,
            () = tokio::time::sleep(Duration::from_secs(900)) => Err("it goes on and on".to_owned()),
        }
    };
    let user = async {
        if let When::Moment(moment) = when {
            tokio::time::sleep(moment).await;
            user();
        }
    };
    tokio::join!(biased; user, run).1?;
    let (Some(begun), Some(stopped_after)) = (begun.get(), tape.stopped_after()) else {
        return Ok(());
    };
    // What was just told to begin, begins.
    let told =
        tape.events().iter().filter(|event| when == When::Event(event.sequence)).any(|event| {
            begins(&event.kind) && !matches!(what(event.clone()), Some(HostEvent::Doing { .. }))
        });
    // A host that is switching to its own key is connected to anew, or would go back.
    let switching = switching(&tape.events()[..stopped_after]);
    let begun = begun + u64::from(told);
    if !(begun..=begun + switching).contains(&count()) {
        return Err(format!("{begun} changes and logins had begun, and then {}", count()));
    }
    let report = tape.report();
    if report.exit_code() != ExitCode::Interrupted {
        return Err(format!("it ends with {:?}", report.exit_code()));
    }
    let events = tape.events();
    let untouched = report
        .hosts
        .keys()
        .filter(|host| !events[..stopped_after].iter().any(|event| is_about(event, host)));
    for host in untouched {
        let told: Vec<HostEvent> = tape.of(host).into_iter().filter_map(what).collect();
        if told != [HostEvent::Ended(HostEnd::Skipped(SkipReason::Interrupted))] {
            return Err(format!("`{host}` had not begun, and then {told:?}"));
        }
    }
    Ok(())
}

/// Runs a command and drops it as soon as it has told such an event.
async fn dropped(
    stage: &Stage,
    verb: Verb,
    is: impl Fn(&Event) -> bool + Send + Sync + 'static,
) -> Arc<Tape> {
    let now = Arc::new(Notify::new());
    let notify = Arc::clone(&now);
    let tape = Tape::with_hook(Cancel::new(), move |event| {
        if is(event) {
            notify.notify_one();
        }
    });
    let process = Process::new();
    let engine = stage.engine(&process, &tape, stage.seed);
    tokio::select! {
        biased;
        () = now.notified() => {}
        checked = stage.taped(verb, &engine, &tape) => assert_eq!(checked, Ok(()), "not dropped"),
    }
    tape
}

async fn goes_on(stage: &Stage, verb: Verb, right: &Picture) -> Result<(), String> {
    let picture = stage.run_until_quiet(verb).await?;
    stage.left_others_alone()?;
    if picture == *right {
        Ok(())
    } else {
        Err(format!("it ends with {picture:#?} and not with {right:#?}"))
    }
}

/// How many hosts were last told to be switching to their own host key.
fn switching(events: &[Event]) -> u64 {
    let mut last: BTreeMap<&HostName, &HostEvent> = BTreeMap::new();
    for event in events {
        if let EventKind::Host(host, what) = &event.kind {
            last.insert(host, what);
        }
    }
    let is = |what: &&HostEvent| matches!(what, HostEvent::Doing { step: STEP, doing } if doing.starts_with("switching"));
    last.into_values().filter(is).count() as u64
}

fn is_about(event: &Event, host: &HostName) -> bool {
    matches!(&event.kind, EventKind::Host(of, _) if of == host)
}

fn what(event: Event) -> Option<HostEvent> {
    match event.kind {
        EventKind::Host(_, what) => Some(what),
        EventKind::Provider(..) | EventKind::Stopping => None,
    }
}

fn at(moment: impl Debug, bad: &str) -> String {
    format!("at {moment:?}: {bad}")
}
