use stagecraft_core::error::ExitCode;
use stagecraft_core::plan::{Destroys, Plan};
use stagecraft_engine::Limits;

use super::carry_out::{Task, carry_out, refuse_protected, refuse_unasked};
use super::plan::{announce, result};
use crate::app::App;
use crate::args::Up;
use crate::documents::Verb;
use crate::project::Project;
use crate::run::{Job, Logins, Networks, Run, with_job};
use crate::stop::Stop;
use crate::ui::{Answer, BAD, Text, can_ask, count, names, removals};

/// Creates what is missing and sets every host up.
pub(super) fn run(app: &App, args: &Up) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    let logins = if args.dry_run { Logins::None } else { Logins::Needed };
    let limits = Limits { boot: args.wait_timeout, ..Limits::default() };
    let networks = match (args.no_bootstrap, args.dry_run) {
        (true, _) => Networks::Off,
        (false, true) => Networks::Known,
        (false, false) => Networks::Joined,
    };
    with_job(app, &project, Job { logins, networks, limits }, async |run| {
        run.say_left_out();
        let policy = args.policy.to_core();
        let (_, plan) = run.plan(&policy).await?;
        if args.dry_run {
            result(app, &project, &plan)?;
            return Ok(ExitCode::Done);
        }
        refuse_protected(&plan, &args.policy.replace)?;
        if !args.no_bootstrap {
            run.check_private_key().await?;
        }
        if plan.finds_changes() {
            announce(app, &project, &plan)?;
        }
        let Some(agreed) = agree(run, &plan).await? else {
            return Ok(ExitCode::Interrupted);
        };
        let steps = (!args.no_bootstrap).then(|| run.steps());
        let task = Task {
            verb: Verb::Up,
            again: args.again(),
            steps: steps.as_ref().map(|steps| steps as _),
        };
        let again = async || Ok(run.plan(&policy).await?.1);
        carry_out(run, &task, plan, &agreed, again).await
    })
}

/// The removals the user agrees to; `None` when the answer is no.
async fn agree(run: &Run<'_>, plan: &Plan) -> Result<Option<Destroys>, Stop> {
    let destroys = plan.destroys();
    if destroys.is_empty() || run.app.global.yes {
        return Ok(Some(destroys));
    }
    let hosts = names(removals(plan));
    if !can_ask(&run.app.ui) {
        return Err(refuse_unasked(&hosts));
    }
    let mut question = Text::new();
    let machines = count(destroys.len(), "machine");
    question
        .put("Remove ")
        .styled(BAD, &machines)
        .put(&format!(" and all data there ({hosts})? [y/N] "));
    match run.ask(question, vec!["y".to_owned(), "Y".to_owned(), "yes".to_owned()]).await? {
        Answer::Yes => Ok(Some(destroys)),
        Answer::No => {
            run.app.ui.say(Text::new().line("Nothing was changed."));
            Ok(None)
        }
    }
}
