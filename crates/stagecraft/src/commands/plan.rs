use stagecraft_core::error::ExitCode;
use stagecraft_core::plan::Plan;

use crate::app::App;
use crate::args::{self, Output};
use crate::documents::PlanDocument;
use crate::project::Project;
use crate::run::{Logins, with_engine};
use crate::stop::Stop;
use crate::ui::plan_screen;

/// Shows what would change.
pub(super) fn run(app: &App, args: &args::Plan) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    with_engine(app, &project, Logins::None, async |run| {
        run.say_left_out();
        let (_, plan) = run.plan(&args.policy.to_core()).await?;
        result(app, &project, &plan)?;
        Ok(if args.detailed_exitcode && plan.finds_changes() {
            ExitCode::ChangesFound
        } else {
            ExitCode::Done
        })
    })
}

/// Shows a plan as the result of a command.
pub(super) fn result(app: &App, project: &Project, plan: &Plan) -> Result<(), Stop> {
    match app.ui.output {
        Output::Json => app.ui.document(&PlanDocument::from(plan)),
        Output::Human => app.ui.result(&plan_screen(plan, &project.next, app.ui.width())),
    }
}

/// Shows a plan that is about to be carried out. Standard output is for the one document.
pub(super) fn announce(app: &App, project: &Project, plan: &Plan) -> Result<(), Stop> {
    let mut screen = plan_screen(plan, &project.next, app.ui.width());
    screen.end_line();
    match app.ui.output {
        Output::Human => app.ui.result(&screen),
        Output::Json => {
            app.ui.say(&screen);
            Ok(())
        }
    }
}

impl args::Policy {
    /// The same for the plan.
    pub(super) fn to_core(&self) -> stagecraft_core::plan::Policy {
        stagecraft_core::plan::Policy {
            prune: self.prune,
            replace: self.replace.iter().cloned().collect(),
            only: self.hosts.iter().cloned().collect(),
        }
    }
}
