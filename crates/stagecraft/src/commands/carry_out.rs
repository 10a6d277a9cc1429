//! From an agreed plan to a report, shared by the commands that change something.

use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::plan::{Destroys, Plan};
use stagecraft_core::report::Report;
use stagecraft_engine::StepsFor;

use crate::args::Output;
use crate::documents::{ReportDocument, Verb};
use crate::run::{Ended, Run};
use crate::stop::Stop;
use crate::ui::{Text, report_screen, report_troubles};

/// How often a plan is made anew because the cloud moved.
const ATTEMPTS: usize = 3;

/// What a command is about to do.
pub(super) struct Task<'a> {
    /// The command, for programs.
    pub(super) verb: Verb,
    /// The command, to type again.
    pub(super) again: &'static str,
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
            Ended::Finished(Err(_stale)) => plan = again().await?,
        }
    }
    Err(stale("what exists keeps changing while it is being planned; nothing was changed"))
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
    show(run, task, plan, &run.progress.report())
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
            app.ui.document(&document)?;
        }
        Output::Human => {
            app.ui.result(&report_screen(report, app.ui.verbose, app.ui.width()))?;
            let troubles = report_troubles(report, task.again, &project.next);
            if !troubles.is_empty() {
                app.ui.say(Text::new().end_line());
                app.ui.say(&app.ui.errors(&Stop { exit, troubles }));
            } else if report.interrupted {
                let again = project.next.command(task.again);
                app.ui.say(Text::new().line(&format!("Run {again} to go on.")));
            }
        }
    }
    Ok(exit)
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
