use std::collections::BTreeSet;
use std::time::Duration;

use stagecraft_core::error::{ExitCode, chain};
use stagecraft_core::inventory::Inventory;
use stagecraft_core::name::HostName;
use stagecraft_core::plan::{Destroys, Plan, plan_down};

use super::carry_out::{Task, carry_out, finish, refuse_protected, refuse_unasked};
use super::plan::announce;
use crate::app::App;
use crate::args::{Down, Output};
use crate::documents::Verb;
use crate::project::Project;
use crate::run::{Logins, Run, with_engine};
use crate::stop::Stop;
use crate::ui::{Answer, BAD, BOLD, Text, can_ask, count, names, plan_screen, removals};

/// Who waits for longer is told for what.
const UNNOTICED: Duration = Duration::from_secs(2);

/// Removes the hosts of the environment.
pub(super) fn run(app: &App, args: &Down) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    let only: BTreeSet<HostName> = args.hosts.iter().cloned().collect();
    let protected: BTreeSet<HostName> = project
        .hosts
        .values()
        .filter(|host| host.protected)
        .map(|host| host.name.clone())
        .collect();
    with_engine(app, &project, Logins::IfNeeded, async |run| {
        let plan_for = |inventory: &Inventory| {
            plan_down(&project.scope, inventory, &protected, &only)
                .map(|plan| run.with_network(plan))
                .map_err(|error| run.no_plan(&error, inventory))
        };
        run.say_left_out();
        let plan = plan_for(&run.observe().await?)?;
        refuse_protected(&plan, &only)?;
        let task = Task { verb: Verb::Down, again: args.again(), steps: None };
        if !plan.has_effects() {
            let exit = nothing_to_remove(run, &task, &plan)?;
            tidy(run, &only).await;
            return Ok(exit);
        }
        announce(app, &project, &plan)?;
        let Some(agreed) = agree(run, &plan).await? else {
            return Ok(ExitCode::Interrupted);
        };
        let again = async || plan_for(&run.observe().await?);
        let exit = carry_out(run, &task, plan, &agreed, again).await?;
        if exit == ExitCode::Done {
            tidy(run, &only).await;
        }
        Ok(exit)
    })
}

/// Removes what was made for the environment besides its hosts, unless some were to stay. What cannot be
/// removed is told, and costs nothing.
async fn tidy(run: &Run<'_>, only: &BTreeSet<HostName>) {
    if !only.is_empty() {
        return;
    }
    let patiently = async {
        let tidied = run.engine.tidy(&run.project.scope);
        tokio::pin!(tidied);
        if let Ok(tidied) = tokio::time::timeout(UNNOTICED, &mut tidied).await {
            return tidied;
        }
        let why = "removing what the hosts shared, as soon as the cloud lets go of it ...";
        run.app.ui.say(Text::new().line(why));
        tidied.await
    };
    // Who does not want to wait for it has it done by the next run.
    let tidied = run.interruptible(patiently).await;
    if let Ok(Err(left)) = tidied {
        for error in left {
            let again = run.project.next.command("infra down");
            let note = format!("note: {}; {again} tries again", chain(&error));
            run.app.ui.say(Text::new().line(&note));
        }
    }
}

fn nothing_to_remove(run: &Run<'_>, task: &Task<'_>, plan: &Plan) -> Result<ExitCode, Stop> {
    let app = run.app;
    if app.ui.output == Output::Json {
        return finish(run, task, Some(plan));
    }
    if plan.entries.is_empty() {
        let mut text = Text::new();
        text.styled(BOLD, "There is nothing to remove.").end_line();
        app.ui.result(&text)?;
    } else {
        // It says what is left alone, and why.
        app.ui.result(&plan_screen(plan, &run.project.next, app.ui.width()))?;
    }
    Ok(ExitCode::Done)
}

/// The removals the user agrees to; `None` when the answer is no.
async fn agree(run: &Run<'_>, plan: &Plan) -> Result<Option<Destroys>, Stop> {
    let destroys = plan.destroys();
    if run.app.global.yes {
        return Ok(Some(destroys));
    }
    let hosts = names(removals(plan));
    if !can_ask(&run.app.ui) {
        return Err(refuse_unasked(&hosts));
    }
    let environment = run.project.scope.environment.as_str();
    let mut question = Text::new();
    question
        .put("This removes ")
        .styled(BAD, &count(destroys.len(), "machine"))
        .put(" and all data there. Type ")
        .styled(BOLD, environment)
        .put(" to go on: ");
    match run.ask(question, vec![environment.to_owned()]).await? {
        Answer::Yes => Ok(Some(destroys)),
        Answer::No => {
            let why = format!("`{environment}` was not typed: nothing was changed.");
            run.app.ui.say(Text::new().line(&why));
            Ok(None)
        }
    }
}
