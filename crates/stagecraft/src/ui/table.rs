//! What a run came to: a line per host, then every failure with what to do about it.

use stagecraft_core::converge::{StepReport, StepResult};
use stagecraft_core::error::Failure;
use stagecraft_core::event::SkipReason;
use stagecraft_core::report::{Deed, HostReport, HostResult, Report};

use super::text::{BAD, BOLD, FAINT, GOOD, PLAIN, Text, WARN, names};
use super::{Cell, Columns};
use crate::next::Next;
use crate::stop::Trouble;

/// The table of a report, and what it comes to.
pub(crate) fn report_screen(report: &Report, verbose: bool, width: usize) -> Text {
    let mut text = Text::new();
    let mut columns = Columns::with_heading(&["HOST", "ROLE", "PROVIDER", "ADDRESS", "RESULT"]);
    for host in report.hosts.values() {
        columns.row(vec![
            Cell::styled(BOLD, host.host.as_str()),
            host.role.as_str().into(),
            host.provider.as_str().into(),
            host.address.as_deref().unwrap_or("-").into(),
            result(host),
        ]);
        if verbose {
            for step in &host.steps {
                let mut cells: Vec<Cell> = vec![Cell::from(""); 4];
                cells.push(Cell::styled(FAINT, format!("{}: {}", step.step, word(&step.result))));
                columns.row(cells);
            }
        }
    }
    if !columns.is_empty() && !report.hosts.is_empty() {
        text.append(&columns.render(width)).end_line();
    }
    text.styled(BOLD, &summary(report)).end_line();
    text
}

/// The failures of a report as messages; the last says what was kept and how to go on.
pub(crate) fn troubles(report: &Report, again: &str, next: &Next) -> Vec<Trouble> {
    let mut troubles: Vec<Trouble> = Vec::new();
    for (host, failure) in report.failures() {
        // A failure of a whole provider is told once, not once for every host.
        let same = troubles.iter_mut().find(|known| known.failure == *failure);
        if same.is_none() {
            let mut failure = failure.clone();
            if !failure.message.contains(host.as_str()) {
                failure.message = format!("`{host}`: {}", failure.message);
            }
            troubles.push(Trouble::from(failure));
        }
    }
    let kept: Vec<&str> = report
        .hosts
        .values()
        .filter(|host| host.result == HostResult::Ready || is_kept(host))
        .map(|host| host.host.as_str())
        .collect();
    if let Some(last) = troubles.last_mut() {
        let kept = match kept.as_slice() {
            [] => String::new(),
            [_] => format!("{} is kept; ", names(&kept)),
            [_, ..] => format!("{} are kept; ", names(&kept)),
        };
        last.notes.push(format!("{kept}run {} again to go on", next.command(again)));
    }
    troubles
}

/// A machine was made, even if its host is not ready.
fn is_kept(host: &HostReport) -> bool {
    host.done.contains(&Deed::Created) && !host.done.contains(&Deed::Removed)
}

fn result(host: &HostReport) -> Cell {
    match &host.result {
        HostResult::Ready => Cell::styled(GOOD, format!("ready ({})", what_was_done(host))),
        HostResult::Removed => Cell::styled(GOOD, "removed"),
        HostResult::Failed { failure } => Cell::styled(BAD, failed(host, failure)),
        HostResult::Skipped { because: SkipReason::NoBootstrap } => {
            let deeds = deeds(host);
            let deeds = if deeds.is_empty() { "running".to_owned() } else { deeds.join(", ") };
            let not = if is_kept(host) { "not set up" } else { "not looked at" };
            Cell::styled(PLAIN, format!("{deeds}, {not} (--no-bootstrap)"))
        }
        HostResult::Skipped { because: SkipReason::Interrupted } => {
            let mut deeds = deeds(host);
            deeds.push("interrupted".to_owned());
            Cell::styled(WARN, deeds.join(", "))
        }
    }
}

/// `failed at docker-install: docker_install_failed`
fn failed(host: &HostReport, failure: &Failure) -> String {
    let at = host.steps.iter().find(|step| matches!(step.result, StepResult::Failed(_)));
    let mut words = deeds(host);
    words.push(match at {
        Some(step) => format!("failed at {}: {}", step.step, failure.code),
        None => format!("failed: {}", failure.code),
    });
    words.join(", ")
}

fn what_was_done(host: &HostReport) -> String {
    let changed: Vec<&str> = host
        .steps
        .iter()
        .filter(|step| step.result == StepResult::Changed)
        .map(|step: &StepReport| step.step.as_str())
        .collect();
    let mut words = deeds(host);
    if !changed.is_empty() {
        words.push(format!("{} changed", changed.join(", ")));
    }
    if words.is_empty() { "nothing changed".to_owned() } else { words.join("; ") }
}

fn deeds(host: &HostReport) -> Vec<String> {
    host.done
        .iter()
        .map(|deed| match deed {
            Deed::Created => "created",
            Deed::Started => "switched on",
            Deed::Updated => "updated",
            Deed::Removed => "old machine removed",
        })
        .map(str::to_owned)
        .collect()
}

fn word(result: &StepResult) -> &'static str {
    match result {
        StepResult::Satisfied => "satisfied",
        StepResult::Changed => "changed",
        StepResult::Failed(_) => "failed",
        StepResult::Skipped => "skipped",
    }
}

fn summary(report: &Report) -> String {
    let mut ready = 0;
    let mut removed = 0;
    let mut failed = 0;
    let mut not_set_up = 0;
    let mut not_looked_at = 0;
    let mut interrupted = 0;
    for host in report.hosts.values() {
        match host.result {
            HostResult::Ready => ready += 1,
            HostResult::Removed => removed += 1,
            HostResult::Failed { .. } => failed += 1,
            HostResult::Skipped { because: SkipReason::NoBootstrap } if is_kept(host) => {
                not_set_up += 1;
            }
            HostResult::Skipped { because: SkipReason::NoBootstrap } => not_looked_at += 1,
            HostResult::Skipped { because: SkipReason::Interrupted } => interrupted += 1,
        }
    }
    if ready == report.hosts.len() && report.changed_nothing() && !report.interrupted {
        return match ready {
            0 => "There is no host to work on.".to_owned(),
            _ => "Everything is up to date.".to_owned(),
        };
    }
    let counts: Vec<String> = [
        (ready, "ready"),
        (removed, "removed"),
        (not_set_up, "not set up"),
        (not_looked_at, "not looked at"),
        (failed, "failed"),
        (interrupted, "not done"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect();
    match (counts.is_empty(), report.interrupted) {
        (true, _) => "Interrupted.".to_owned(),
        (false, true) => format!("Interrupted: {}.", counts.join(", ")),
        (false, false) => format!("{}.", counts.join(", ")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use stagecraft_core::error::Code;
    use stagecraft_core::event::{Event, EventKind, HostEnd, HostEvent};

    use super::*;
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
        error[docker_install_failed]: `db-1`: installing docker.io: `apt-get install -y docker.io` ended with status 100
          | E: Unable to locate package docker.io
          hint: log in with `stagecraft ssh db-1` and run `apt-get update`
          note: `app-1`, `app-2` and `db-1` are kept; run `stagecraft infra up` again to go on
        ");
    }

    #[test]
    fn a_failure_of_the_whole_provider_is_told_once() {
        let mut report = Report::of_hosts(
            ["a", "b"].map(|name| HostReport::of_instance(&running(name, "10.0.0.1"))),
        );
        let failure = Failure::new(Code::CLOUD_UNREACHABLE, "local could not list: no answer");
        for name in ["a", "b"] {
            report.apply(&event(name, HostEvent::Ended(HostEnd::Failed(failure.clone()))));
        }
        assert_eq!(troubles(&report, "infra up", &next()).len(), 1);
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
        insta::assert_snapshot!(report_screen(&report, false, 80).plain(), @"");
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
}
