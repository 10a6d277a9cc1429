//! One host in trouble: it says why in a documented word, and no other host notices.

use std::time::Duration;

use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::event::{HostEnd, HostEvent};
use stagecraft_testkit::HostFault;
use stagecraft_testkit::world::{Behaviour, Fate, Fault, RequestKind};

use crate::stage::{Stage, Verb, host};

/// The commands run on a new host, by number: it makes its own host key, switches to it, is told to
/// keep it, is looked at, and changed.
const MAKE: u64 = 1;
const SWITCH: u64 = 2;
const CONFIRM: u64 = 3;
const PROBE: u64 = 4;
const CHANGE: u64 = 5;

/// A kind of trouble, what the host says of it, and whether the next run gets it over.
struct Trouble {
    name: &'static str,
    begin: fn(&Stage),
    code: Code,
    passes: bool,
}

#[tokio::test(start_paused = true)]
async fn one_host_in_trouble_says_why_and_all_others_become_ready() {
    for Trouble { name, begin, code, passes } in troubles() {
        let stage = stage();
        begin(&stage);
        let tape = stage.told(Verb::Up).await;
        let report = tape.report();
        let failures: Vec<Code> = report.failures().map(|(_, failure)| failure.code).collect();
        assert_eq!(failures, [code], "{name}");
        let ready = tape.ends().values().filter(|end| **end == HostEnd::Ready).count();
        assert_eq!((ready, report.hosts.len()), (4, 5), "{name}");
        assert_eq!(report.exit_code(), ExitCode::SomeHostsFailed, "{name}");

        stage.cloud.with(|world, _| world.heal());
        stage.fleet.heal();
        let next = stage.run_until_quiet(Verb::Up).await;
        assert_eq!(next.is_ok(), passes, "{name}: {next:?}");
        assert_eq!(stage.one_each(), Ok(()), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_troubles_at_once_keep_nobody_else_from_becoming_ready() {
    let stage = stage().wants(["db-1", "db-2", "db-3"]);
    let refused = HostFault::RefusesConnections(u64::MAX);
    stage.fleet.inject(&host("web-1"), refused);
    stage.fleet.inject(&host("web-2"), HostFault::WrongHostKey);
    stage.fleet.inject(&host("web-3"), HostFault::Hangs { command: CHANGE });
    stage.cloud.with(|world, _| {
        world.decide_fate("prod-web-4", Fate::StaysPending);
        world.decide_fate("prod-web-5", Fate::Vanishes);
        world.behaviour().sold_out.insert(("x-medium".into(), "east".into()));
    });
    let mut stage = stage;
    stage.change("db-1", |wanted| wanted.spec.size = "x-medium".into());
    let tape = stage.told(Verb::Up).await;
    let report = tape.report();
    let failures: Vec<(&str, Code)> =
        report.failures().map(|(host, failure)| (host.as_str(), failure.code)).collect();
    assert_eq!(
        failures,
        [
            ("db-1", Code::CLOUD_SOLD_OUT),
            ("web-1", Code::SSH_FAILED),
            ("web-2", Code::HOST_KEY_MISMATCH),
            ("web-3", Code::DOCKER_INSTALL_FAILED),
            ("web-4", Code::WAIT_TIMED_OUT),
            ("web-5", Code::INSTANCE_GONE),
        ]
    );
    assert_eq!(report.exit_code(), ExitCode::SomeHostsFailed);
    let ready = |event: &HostEvent| *event == HostEvent::Ended(HostEnd::Ready);
    let ended = |event: &HostEvent| matches!(event, HostEvent::Ended(_));
    for fine in ["db-2", "db-3"] {
        let ready = tape.first(fine, ready).expect("it becomes ready");
        for slow in ["web-1", "web-3", "web-4"] {
            assert!(Some(ready) < tape.first(slow, ended), "{fine} waits for {slow}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_every_host_fails_at_the_cloud_the_cloud_is_to_blame() {
    let stage = stage();
    let error = CloudErrorKind::Forbidden("create".to_owned());
    stage.inject(Fault::FailNext { kind: RequestKind::Create, times: u64::MAX, error });
    let report = stage.told(Verb::Up).await.report();
    assert_eq!((report.failures().count(), report.exit_code()), (5, ExitCode::Cloud));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_run_on_a_host_that_is_not_who_it_should_be() {
    let stage = stage();
    stage.fleet.inject(&host("web-2"), HostFault::WrongHostKey);
    stage.told(Verb::Up).await;
    let web = host("web-2");
    assert_eq!((stage.fleet.attempts(&web), stage.fleet.commands(&web)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_host_whose_instance_failed_is_told_how_to_get_another() {
    let stage = stage();
    stage.cloud.with(|world, _| world.decide_fate("prod-web-2", Fate::FailsToBoot));
    for run in ["the first", "the next"] {
        let failure = failure_of(&stage, "web-2").await;
        assert_eq!(failure.code, Code::INSTANCE_GONE, "{run}");
        assert_eq!(
            failure.hints,
            ["`stagecraft infra up --replace web-2` orders another"],
            "{run}: {failure:?}"
        );
    }
    assert!(stage.run_until_quiet(Verb::Replace).await.is_ok());
    assert_eq!(stage.one_each(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_stays_silent_while_hosts_boot_fails_them_and_not_the_next_run() {
    let stage = stage();
    stage.cloud.with(|world, _| {
        for request in 9..500 {
            let error = CloudErrorKind::Unreachable("no route".to_owned());
            world.inject(Fault::FailRequest { request, error });
        }
    });
    let report = stage.told(Verb::Up).await.report();
    assert_eq!((report.failures().count(), report.exit_code()), (5, ExitCode::Cloud));
    assert!(report.failures().all(|(_, failure)| failure.code == Code::CLOUD_UNREACHABLE));
    stage.cloud.with(|world, _| world.heal());
    assert!(stage.run_until_quiet(Verb::Up).await.is_ok());
    assert_eq!(stage.one_each(), Ok(()));
}

fn troubles() -> Vec<Trouble> {
    let trouble = |name, code, begin| Trouble { name, begin, code, passes: true };
    let for_good = |name, code, begin| Trouble { name, begin, code, passes: false };
    vec![
        trouble("sold out", Code::CLOUD_SOLD_OUT, |stage| {
            refuse_one(stage, CloudErrorKind::SoldOut("x-small in east".to_owned()));
        }),
        trouble("quota", Code::CLOUD_QUOTA_EXCEEDED, |stage| {
            refuse_one(stage, CloudErrorKind::QuotaExceeded("machines".to_owned()));
        }),
        trouble("forbidden", Code::CLOUD_FORBIDDEN, |stage| {
            refuse_one(stage, CloudErrorKind::Forbidden("create".to_owned()));
        }),
        trouble("an answer nobody understands", Code::CLOUD_UNEXPECTED_ANSWER, |stage| {
            refuse_one(stage, CloudErrorKind::UnexpectedAnswer("<html>".to_owned()));
        }),
        for_good("fails to boot", Code::INSTANCE_GONE, |stage| fate(stage, Fate::FailsToBoot)),
        for_good("stays pending", Code::WAIT_TIMED_OUT, |stage| fate(stage, Fate::StaysPending)),
        trouble("vanishes", Code::INSTANCE_GONE, |stage| fate(stage, Fate::Vanishes)),
        trouble("refuses connections", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::RefusesConnections(u64::MAX));
        }),
        trouble("refuses keys", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::RefusesKeys(u64::MAX));
        }),
        trouble("never answers", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::NeverAnswers);
        }),
        trouble("another host key", Code::HOST_KEY_MISMATCH, |stage| {
            on_host(stage, HostFault::WrongHostKey);
        }),
        trouble("lost before its own key is made", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: MAKE, happened: false });
        }),
        trouble("lost after its own key is made", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: MAKE, happened: true });
        }),
        trouble("lost before it switches to its own key", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: SWITCH, happened: false });
        }),
        trouble("lost after it switched to its own key", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: SWITCH, happened: true });
        }),
        trouble("lost before the switch is confirmed", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: CONFIRM, happened: false });
        }),
        trouble("lost after the switch is confirmed", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: CONFIRM, happened: true });
        }),
        trouble("making its own key hangs", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::Hangs { command: MAKE });
        }),
        trouble("lost during the probe", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: PROBE, happened: false });
        }),
        trouble("lost before a change", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: CHANGE, happened: false });
        }),
        trouble("lost after a change", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::LosesConnection { command: CHANGE, happened: true });
        }),
        trouble("a change hangs", Code::DOCKER_INSTALL_FAILED, |stage| {
            on_host(stage, HostFault::Hangs { command: CHANGE });
        }),
        trouble("a probe hangs", Code::SSH_FAILED, |stage| {
            on_host(stage, HostFault::Hangs { command: PROBE });
        }),
        for_good("a full disk", Code::HOST_IDENTITY_FAILED, |stage| {
            on_host(stage, HostFault::FullDisk);
        }),
    ]
}

/// Refuses the order of one host, whichever it is.
fn refuse_one(stage: &Stage, error: CloudErrorKind) {
    stage.inject(Fault::FailNext { kind: RequestKind::Create, times: 1, error });
}

fn fate(stage: &Stage, fate: Fate) {
    stage.cloud.with(|world, _| world.decide_fate("prod-web-2", fate));
}

fn on_host(stage: &Stage, fault: HostFault) {
    stage.fleet.inject(&host("web-2"), fault);
}

async fn failure_of(stage: &Stage, name: &str) -> Failure {
    match stage.told(Verb::Up).await.ends().remove(&host(name)) {
        Some(HostEnd::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

fn stage() -> Stage {
    let latency = Duration::from_millis(200);
    Stage::new(Behaviour { latency, ..Behaviour::names_are_free() }, 5)
        .wants(["web-1", "web-2", "web-3", "web-4", "web-5"])
}
