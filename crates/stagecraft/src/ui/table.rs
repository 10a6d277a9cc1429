//! What a run came to: a line per host, then every failure with what to do about it.

use stagecraft_core::converge::{StepReport, StepResult};
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::SkipReason;
use stagecraft_core::report::{Deed, HostReport, HostResult, Report};

use super::natural::by_name;
use super::text::{BAD, BOLD, FAINT, GOOD, PLAIN, Text, WARN};
use super::{Cell, Columns};
use crate::next::Next;
use crate::stop::{Trouble, some_of};

/// The step that changes nothing but waits until the host's own set-up is over.
const BOOT_STEP: &str = "boot";

/// The table of a report, and what it comes to.
pub(crate) fn report_screen(report: &Report, verbose: bool, width: usize) -> Text {
    let mut text = Text::new();
    let mut columns = Columns::with_heading(&["HOST", "ROLE", "PROVIDER", "ADDRESS", "RESULT"]);
    for host in by_name(report.hosts.values(), |host| &host.host) {
        columns.row(vec![
            Cell::styled(BOLD, host.host.as_str()),
            host.role.as_str().into(),
            host.provider.as_str().into(),
            host.address.as_deref().unwrap_or("-").into(),
            result(host),
        ]);
        if let Some(failure) = &host.left_behind {
            let hints = failure.hints.iter().map(|hint| format!("hint: {hint}"));
            for words in [format!("not signed off: {}", failure.message)].into_iter().chain(hints) {
                let mut cells: Vec<Cell> = vec![Cell::from(""); 4];
                cells.push(Cell::styled(WARN, words));
                columns.row(cells);
            }
        }
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
    let mut troubles = super::alike::told(by_name(report.failures(), |(host, _)| host));
    let kept = report
        .hosts
        .values()
        .filter(|host| host.result == HostResult::Ready || is_kept(host))
        .map(|host| &host.host);
    let kept = by_name(kept, |host| host);
    // A host without a machine stays without one, however often it is looked for.
    let helps = report.failures().any(|(_, failure)| failure.code != Code::HOST_MISSING);
    if let Some(last) = troubles.last_mut() {
        let mut note: Vec<String> = match kept.as_slice() {
            [] => Vec::new(),
            [_] => vec![format!("{} is kept", some_of(&kept))],
            [_, ..] => vec![format!("{} are kept", some_of(&kept))],
        };
        if helps {
            note.push(format!("run {} again to go on", next.command(again)));
        }
        if !note.is_empty() {
            last.notes.push(note.join("; "));
        }
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
        .filter(|step| *step != BOOT_STEP)
        .collect();
    let mut words = deeds(host);
    if host.steps.iter().any(|step| step.step == BOOT_STEP && step.result == StepResult::Changed) {
        words.push("waited for its boot".to_owned());
    }
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
            Deed::RemovalBegun => "removal under way",
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
pub(crate) mod tests;
