//! From an agreed plan to a report, shared by the commands that change something.

use std::time::Duration;

use std::collections::BTreeSet;

use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::event::SkipReason;
use stagecraft_core::name::HostName;
use stagecraft_core::plan::{Destroys, Entry, Fate, Hold, Plan};
use stagecraft_core::report::{HostResult, Report};
use stagecraft_engine::StepsFor;

use crate::args::Output;
use crate::documents::{ReportDocument, Verb};
use crate::run::{Ended, Run};
use crate::stop::Stop;
use crate::ui::{Text, names, report_screen, report_troubles};

/// How often a plan is made anew because the cloud moved, as it does while another run is at work.
const ATTEMPTS: usize = 30;
/// How long the cloud is given to settle before a plan is made anew.
const SETTLE: Duration = Duration::from_millis(500);

/// What a command is about to do.
pub(super) struct Task<'a> {
    /// The command, for programs.
    pub(super) verb: Verb,
    /// The command, to type again.
    pub(super) again: String,
    /// What makes hosts ready; `None` leaves them as they are.
    pub(super) steps: Option<&'a StepsFor>,
}

/// Carries a plan out, made anew when the cloud moved on, and shows what came of it.
///
/// # Errors
/// When the plan cannot be carried out as agreed.
pub(super) async fn carry_out(
    run: &Run<'_>,
    task: &Task<'_>,
    mut plan: Plan,
    agreed: &Destroys,
    again: impl AsyncFn() -> Result<Plan, Stop>,
) -> Result<ExitCode, Stop> {
    for _ in 0..ATTEMPTS {
        let approved = plan.approve(agreed).map_err(|_| removes_more())?;
        run.progress.begin(Report::of_plan(approved.plan()));
        match run.guarded(run.engine.apply(&approved, task.steps)).await {
            Ended::Finished(Ok(())) => return finish(run, task, Some(approved.plan())),
            Ended::Abandoned => return abandoned(run, task, Some(approved.plan())),
            Ended::Finished(Err(_stale)) => {
                run.interruptible(tokio::time::sleep(SETTLE)).await?;
                plan = again().await?;
            }
        }
    }
    Err(stale(
        "what exists keeps changing while it is being planned, as if another run were at work",
    ))
}

/// Shows the report of a run that ended by itself.
///
/// # Errors
/// When it cannot be written.
pub(super) fn finish(
    run: &Run<'_>,
    task: &Task<'_>,
    plan: Option<&Plan>,
) -> Result<ExitCode, Stop> {
    show(run, task, plan, &as_it_ended(run.progress.report()))
}

/// To ask for an end when everything is done already interrupts nothing.
fn as_it_ended(mut report: Report) -> Report {
    let mut results = report.hosts.values().map(|host| &host.result);
    let finished = results.all(|result| match result {
        HostResult::Ready
        | HostResult::Removed
        | HostResult::Skipped { because: SkipReason::NoBootstrap } => true,
        HostResult::Failed { .. } | HostResult::Skipped { because: SkipReason::Interrupted } => {
            false
        }
    });
    report.interrupted &= !finished;
    report
}

/// Shows the report of a run that was stopped at once.
///
/// # Errors
/// When it cannot be written.
pub(super) fn abandoned(
    run: &Run<'_>,
    task: &Task<'_>,
    plan: Option<&Plan>,
) -> Result<ExitCode, Stop> {
    let mut report = run.progress.report();
    report.interrupted = true;
    show(run, task, plan, &report)
}

fn show(
    run: &Run<'_>,
    task: &Task<'_>,
    plan: Option<&Plan>,
    report: &Report,
) -> Result<ExitCode, Stop> {
    run.progress.finish();
    let (app, project) = (run.app, run.project);
    let exit = report.exit_code();
    match app.ui.output {
        Output::Json => {
            let document = ReportDocument::new(task.verb, &project.scope, plan, report, exit);
            app.ui.document(&document).map_err(kept)?;
        }
        Output::Human => {
            if app.ui.is_live() {
                app.ui.say(Text::new().end_line());
            }
            let screen = report_screen(report, app.ui.verbose, app.ui.width());
            app.ui.result(&screen).map_err(kept)?;
            let troubles = report_troubles(report, &task.again, &project.next);
            if !troubles.is_empty() {
                app.ui.say(Text::new().end_line());
                app.ui.say(&app.ui.errors(&Stop { exit, troubles }));
            } else if report.interrupted {
                let again = project.next.command(&task.again);
                app.ui.say(Text::new().line(&format!("Run {again} to go on.")));
            }
        }
    }
    Ok(exit)
}

/// The run is over, whoever reads about it.
fn kept(stop: Stop) -> Stop {
    stop.with_note("what was done to hosts is kept; `stagecraft infra status` shows them")
}

/// Refuses to pass over in silence what was asked for by name.
///
/// # Errors
/// When one of the named hosts is protected, and the plan would remove it if it were not.
pub(super) fn refuse_protected<'h>(
    plan: &Plan,
    named: impl IntoIterator<Item = &'h HostName>,
) -> Result<(), Stop> {
    let protected: BTreeSet<&HostName> = plan
        .entries
        .iter()
        .filter(|entry| entry.fate == Fate::LeftAlone(Hold::Protected))
        .map(|entry| &entry.host)
        .collect();
    let refused: Vec<&HostName> =
        named.into_iter().filter(|host| protected.contains(host)).collect();
    let still_marked = |host: &HostName| {
        let wanted = |entry: &Entry| Some(entry.change.wanted()?.marks.protected);
        plan.entries.iter().any(|entry| entry.host == *host && wanted(entry) == Some(false))
    };
    match refused.as_slice() {
        [] => Ok(()),
        [first, ..] if still_marked(first) => Err(Stop::usage(format!(
            "protected hosts are never removed: {}",
            names(&refused)
        ))
        .with_hint(format!(
            "the machine of `{first}` is still marked as protected: run `stagecraft infra up` \
             first, then with `--replace {first}`"
        ))
        .with_note("nothing was changed")),
        [first, ..] => Err(Stop::usage(format!(
            "protected hosts are never removed: {}",
            names(&refused)
        ))
        .with_hint(format!(
            "set `protected: false` for `{first}` in the file, and run `stagecraft infra up` first"
        ))
        .with_note("nothing was changed")),
    }
}

/// Removing something needs an answer, and there is nobody to ask.
pub(super) fn refuse_unasked(hosts: &str) -> Stop {
    Stop::usage(format!("this would remove {hosts}, and there is nobody to ask"))
        .with_hint("add `--yes` if that is meant")
        .with_note("nothing was changed")
}

fn removes_more() -> Stop {
    stale("what exists changed since the plan was shown, and a new plan would remove more")
        .with_note("nothing was changed")
}

fn stale(message: &str) -> Stop {
    Stop::new(ExitCode::Cloud, Failure::new(Code::PLAN_STALE, message))
        .with_hint("run the command again and read the new plan")
}

#[cfg(test)]
mod tests {
    use stagecraft_core::plan::Policy;
    use stagecraft_core::report::HostReport;

    use super::*;
    use crate::ui::samples::{host, plan, running, wanted};
    use crate::ui::tests::mixed_report;

    #[test]
    fn a_wish_to_stop_that_came_when_all_was_done_interrupts_nothing() {
        let mut report = mixed_report();
        report.interrupted = true;
        assert!(as_it_ended(report.clone()).interrupted, "one failed");
        report.hosts.retain(|_, host| !matches!(host.result, HostResult::Failed { .. }));
        let ended = as_it_ended(report.clone());
        assert_eq!((ended.interrupted, ended.exit_code()), (false, ExitCode::Done));
        let cut_off = HostReport::of_instance(&running("z", "10.0.0.1"));
        report.hosts.insert(cut_off.host.clone(), cut_off);
        assert_eq!(as_it_ended(report).exit_code(), ExitCode::Interrupted);
    }

    #[test]
    fn a_protected_host_that_is_named_is_not_passed_over_in_silence() {
        let mut other = running("db-1", "10.0.0.1");
        other.spec.size = "medium".into();
        other.marks.protected = true;
        let policy = Policy { replace: [host("db-1")].into(), ..Policy::default() };
        let plan = plan([wanted("db-1"), wanted("app-1")], [other], &policy);
        let refused = refuse_protected(&plan, &policy.replace).unwrap_err();
        assert_eq!(refused.exit, ExitCode::Usage);
        assert!(refused.troubles[0].failure.hints[0].contains("is still marked"), "{refused:?}");
        assert!(refuse_protected(&plan, [&host("app-1")]).is_ok());
        assert!(refuse_protected(&plan, []).is_ok());
    }
}
