use std::time::Duration;

use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent};

use super::*;
use crate::ui::alike::SHOWN;
use crate::ui::samples::{host, next, running};

#[test]
fn a_report_on_a_narrow_screen() {
    let shown = report_screen(&mixed_report(), false, 80).plain();
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown, @"
    HOST   ROLE  PROVIDER  ADDRESS     RESULT
    app-1  app   local     172.30.0.2  ready (created; docker-install,
                                       docker-service changed)
    app-2  app   local     172.30.0.2  ready (nothing changed)
    db-1   db    local     172.30.0.2  created, failed at docker-install:
                                       docker_install_failed
    old-1  old   local     -           removed
    web-1  web   local     -           running, not looked at (--no-bootstrap)

    2 ready, 1 removed, 1 not looked at, 1 failed.
    ");
}

#[test]
fn a_verbose_report_lists_every_step() {
    insta::assert_snapshot!(report_screen(&mixed_report(), true, 120).plain(), @"
    HOST   ROLE  PROVIDER  ADDRESS     RESULT
    app-1  app   local     172.30.0.2  ready (created; docker-install, docker-service changed)
                                       os: satisfied
                                       docker-install: changed
                                       docker-service: changed
    app-2  app   local     172.30.0.2  ready (nothing changed)
                                       os: satisfied
    db-1   db    local     172.30.0.2  created, failed at docker-install: docker_install_failed
                                       os: satisfied
                                       docker-install: failed
                                       docker-service: skipped
    old-1  old   local     -           removed
    web-1  web   local     -           running, not looked at (--no-bootstrap)

    2 ready, 1 removed, 1 not looked at, 1 failed.
    ");
}

#[test]
fn failures_say_what_was_kept_and_how_to_go_on() {
    let troubles = troubles(&mixed_report(), "infra up", &next());
    insta::assert_snapshot!(crate::ui::error::render(&troubles, false, 80).plain(), @"
    error[docker_install_failed]: `db-1`: installing docker.io:
      `apt-get install -y docker.io` ended with status 100
      | E: Unable to locate package docker.io
      hint: log in with `stagecraft ssh db-1` and run `apt-get update`
      note: `app-1`, `app-2` and `db-1` are kept; run `stagecraft infra up` again to
            go on
    ");
}

#[test]
fn a_host_without_a_machine_is_not_tried_again() {
    let mut report = Report::of_hosts([HostReport::of_instance(&running("a", "10.0.0.1"))]);
    let failure = Failure::new(Code::HOST_MISSING, "`a` does not exist").with_hint("run up");
    report.apply(&event("a", HostEvent::Ended(HostEnd::Failed(failure))));
    let troubles = troubles(&report, "infra bootstrap", &next());
    assert!(troubles[0].notes.is_empty(), "{troubles:?}");
}

#[test]
fn to_wait_for_a_boot_is_no_change() {
    let mut report = Report::of_hosts([HostReport::of_instance(&running("a", "10.0.0.1"))]);
    report.apply(&event("a", HostEvent::Started));
    report.apply(&event("a", step(BOOT_STEP, StepResult::Changed)));
    report.apply(&event("a", HostEvent::Ended(HostEnd::Ready)));
    let shown = report_screen(&report, false, 80).plain();
    assert!(shown.contains("ready (switched on; waited for its boot)"), "{shown}");
}

#[test]
fn a_failure_of_the_whole_provider_is_told_once() {
    let hosts = ["web-1", "web-2"];
    let mut report =
        Report::of_hosts(hosts.map(|name| HostReport::of_instance(&running(name, "10.0.0.1"))));
    let failure = Failure::new(Code::CLOUD_UNREACHABLE, "local could not list: no answer");
    for name in hosts {
        report.apply(&event(name, HostEvent::Ended(HostEnd::Failed(failure.clone()))));
    }
    let troubles = troubles(&report, "infra up", &next());
    let told: Vec<_> = troubles.iter().map(|of| of.failure.message.as_str()).collect();
    assert_eq!(told, ["`web-1` and `web-2`: local could not list: no answer"]);
}

#[test]
fn of_many_failures_of_a_kind_some_are_told_and_whose_the_others_are() {
    let names: Vec<String> = (1..=200).map(|number| format!("web-{number:03}")).collect();
    let hosts = names.iter().map(|name| HostReport::of_instance(&running(name, "10.0.0.1")));
    let mut report = Report::of_hosts(hosts);
    for name in &names {
        let failure = Failure::new(Code::SSH_FAILED, format!("nobody at {name}.test"));
        report.apply(&event(name, HostEvent::Created(Box::new(running(name, "10.0.0.1")))));
        report.apply(&event(name, HostEvent::Ended(HostEnd::Failed(failure))));
    }
    let troubles = troubles(&report, "infra up", &next());
    assert_eq!(troubles.len(), SHOWN + 1);
    let last = &troubles[SHOWN];
    assert_eq!(
        last.failure.message,
        "`web-006`, `web-007`, `web-008`, `web-009` and 191 more hosts failed in this way too"
    );
    let kept = "`web-001`, `web-002`, `web-003`, `web-004` and 196 more hosts are kept";
    assert!(last.notes[0].starts_with(kept), "{:?}", last.notes);
}

#[test]
fn a_run_that_changed_nothing_says_so() {
    let mut report = Report::of_hosts([HostReport::of_instance(&running("a", "10.0.0.1"))]);
    report.apply(&event("a", step("docker-install", StepResult::Satisfied)));
    report.apply(&event("a", HostEvent::Ended(HostEnd::Ready)));
    insta::assert_snapshot!(report_screen(&report, false, 80).plain(), @"
    HOST  ROLE  PROVIDER  ADDRESS   RESULT
    a     a     local     10.0.0.1  ready (nothing changed)

    Everything is up to date.
    ");
}

#[test]
fn a_run_without_hosts_does_not_say_that_there_are_none() {
    let shown = report_screen(&Report::default(), false, 80).plain();
    assert_eq!(shown, "There is no host to work on.\n");
}

#[test]
fn a_host_made_without_bootstrap_is_not_set_up_and_one_that_was_there_not_looked_at() {
    let mut report = Report::of_hosts(
        ["a", "b"].map(|name| HostReport::of_instance(&running(name, "10.0.0.1"))),
    );
    report.apply(&event("a", HostEvent::Created(Box::new(running("a", "10.0.0.1")))));
    for name in ["a", "b"] {
        report.apply(&event(name, HostEvent::Ended(HostEnd::Skipped(SkipReason::NoBootstrap))));
    }
    insta::assert_snapshot!(report_screen(&report, false, 80).plain(), @"
    HOST  ROLE  PROVIDER  ADDRESS   RESULT
    a     a     local     10.0.0.1  created, not set up (--no-bootstrap)
    b     b     local     10.0.0.1  running, not looked at (--no-bootstrap)

    1 not set up, 1 not looked at.
    ");
}

#[test]
fn a_run_that_was_cut_off_does_not_claim_success() {
    let mut report = Report::of_hosts([HostReport::of_instance(&running("a", "10.0.0.1"))]);
    report.interrupted = true;
    insta::assert_snapshot!(report_screen(&report, false, 80).plain(), @"
    HOST  ROLE  PROVIDER  ADDRESS   RESULT
    a     a     local     10.0.0.1  interrupted

    Interrupted: 1 not done.
    ");
}

#[test]
fn what_a_host_prints_is_shown_and_not_obeyed() {
    let mut report = Report::of_hosts([HostReport::of_instance(&running("a", "10.0.0.1"))]);
    let evil = "\x1b[2J\x1b]0;owned\x07";
    let failure = Failure::new(Code::DOCKER_INSTALL_FAILED, format!("`a`: {evil}"))
        .with_output(vec![evil.to_owned()]);
    report.apply(&event("a", HostEvent::Ended(HostEnd::Failed(failure))));
    let troubles = troubles(&report, "infra up", &next());
    let shown = crate::ui::error::render(&troubles, false, 80).plain();
    assert!(!shown.contains(['\x1b', '\x07']) && shown.contains("␛[2J"), "{shown:?}");
}

#[test]
fn a_host_whose_network_was_not_told_says_so_and_what_to_do() {
    let mut report = Report::of_hosts([HostReport::of_instance(&running("a", "10.0.0.1"))]);
    let failure = Failure::new(Code::SSH_FAILED, "could not reach `a` at 10.0.0.1:22: refused")
        .with_hint("remove its node in the tailnet's admin console");
    report.apply(&event("a", HostEvent::NotSignedOff(failure)));
    report.apply(&event("a", HostEvent::Terminated(Box::new(running("a", "10.0.0.1")))));
    report.apply(&event("a", HostEvent::Ended(HostEnd::Removed)));
    insta::assert_snapshot!(report_screen(&report, false, 100).plain(), @"
    HOST  ROLE  PROVIDER  ADDRESS  RESULT
    a     a     local     -        removed
                                   not signed off: could not reach `a` at 10.0.0.1:22: refused
                                   hint: remove its node in the tailnet's admin console

    1 removed.
    ");
}

#[test]
fn a_host_that_only_had_to_be_told_of_others_is_in_the_report_from_then_on() {
    let mut report = Report::of_hosts([]);
    report.apply(&event("b", HostEvent::Connected));
    assert!(report.hosts.is_empty(), "nobody asked about it");
    report.apply(&event("b", HostEvent::Included(Box::new(running("b", "10.0.0.2")))));
    report.apply(&event("b", HostEvent::Ended(HostEnd::Ready)));
    assert_eq!(report.hosts[&host("b")].result, HostResult::Ready);
}

/// One host of every kind of end.
pub(crate) fn mixed_report() -> Report {
    let names = ["app-1", "app-2", "db-1", "old-1", "web-1"];
    let mut report = Report::of_hosts(names.map(|name| {
        let mut host = HostReport::of_instance(&running(name, "172.30.0.2"));
        host.address = None;
        host
    }));
    let failure = Failure::new(
        Code::DOCKER_INSTALL_FAILED,
        "installing docker.io: `apt-get install -y docker.io` ended with status 100",
    )
    .with_output(vec!["E: Unable to locate package docker.io".to_owned()])
    .with_hint("log in with `stagecraft ssh db-1` and run `apt-get update`");
    let at = |name| HostEvent::Running(Box::new(running(name, "172.30.0.2")));
    let created = |name| HostEvent::Created(Box::new(running(name, "172.30.0.2")));
    for (name, what) in [
        ("app-1", created("app-1")),
        ("app-1", at("app-1")),
        ("app-1", step("os", StepResult::Satisfied)),
        ("app-1", step("docker-install", StepResult::Changed)),
        ("app-1", step("docker-service", StepResult::Changed)),
        ("app-1", HostEvent::Ended(HostEnd::Ready)),
        ("app-2", at("app-2")),
        ("app-2", step("os", StepResult::Satisfied)),
        ("app-2", HostEvent::Ended(HostEnd::Ready)),
        ("db-1", created("db-1")),
        ("db-1", step("os", StepResult::Satisfied)),
        ("db-1", step("docker-install", StepResult::Failed(failure.clone()))),
        ("db-1", step("docker-service", StepResult::Skipped)),
        ("db-1", HostEvent::Ended(HostEnd::Failed(failure))),
        ("old-1", HostEvent::Terminated(Box::new(running("old-1", "172.30.0.2")))),
        ("old-1", HostEvent::Ended(HostEnd::Removed)),
        ("web-1", HostEvent::Ended(HostEnd::Skipped(SkipReason::NoBootstrap))),
    ] {
        report.apply(&event(name, what));
    }
    report
}

fn step(name: &str, result: StepResult) -> HostEvent {
    HostEvent::Step(StepReport { step: name.to_owned(), result })
}

fn event(name: &str, what: HostEvent) -> Event {
    Event { sequence: 0, elapsed: Duration::ZERO, kind: EventKind::Host(host(name), what) }
}
