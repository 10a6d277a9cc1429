use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Command, Output};

use super::hosts::{Chosen, choose, has_role};
use crate::app::App;
use crate::args::{self, Exec};
use crate::documents::{ExecDocument, ExecHost, ExecResult};
use crate::project::Project;
use crate::run::{Ended, Logins, with_engine};
use crate::stop::Stop;
use crate::ui::{ExecScreen, Text, Ui, count, names};

/// Runs a command on many hosts.
pub(super) fn run(app: &App, args: &Exec) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    let command = command(&args.command, args.timeout)?;
    with_engine(app, &project, Logins::Needed, async |run| {
        let inventory = run.observe().await?;
        let mut chosen = choose(run, &inventory, &args.hosts)?;
        chosen.retain(|chosen| has_role(run, &inventory, chosen.host(), &args.roles));
        if chosen.is_empty() {
            return Err(Stop::usage("no host is meant: none has the role and name given")
                .with_hint(run.known_hosts_hint()));
        }
        let results = Results::new(&app.ui, chosen.iter().map(Chosen::host));
        let mut instances: Vec<Instance> = Vec::new();
        for host in chosen {
            match host {
                Chosen::Running(instance) => instances.push(instance),
                Chosen::NotRunning(_, ref failure) | Chosen::Missing(_, ref failure) => {
                    results.done(host.host(), Err(failure.clone()));
                }
            }
        }
        let meant: Vec<HostName> = instances.iter().map(|i| i.owner.host.clone()).collect();
        let done = |host: &HostName, outcome| results.done(host, outcome);
        let ended = run.guarded(run.engine.exec(instances, &command, &done)).await;
        run.progress.finish();
        if ended == Ended::Abandoned {
            results.interrupt(&meant);
        }
        results.show(app, &project)
    })
}

/// A single word is a line for a shell, as it is with `ssh`.
fn command(words: &[String], timeout: u64) -> Result<Command, Stop> {
    let command = match words {
        [] => return Err(Stop::usage("there is no command to run")),
        [line] => Command::script(line),
        [program, arguments @ ..] => Command::new(program).args(arguments.iter().cloned()),
    };
    Ok(command.with_timeout(Duration::from_secs(timeout)))
}

/// What came of the command so far; for people it is shown as it comes.
#[derive(Debug)]
struct Results<'a> {
    ui: &'a Ui,
    screen: ExecScreen,
    outcomes: Mutex<BTreeMap<HostName, Result<Output, Failure>>>,
    /// The first result that could not be shown.
    unwritten: Mutex<Option<Stop>>,
}

impl<'a> Results<'a> {
    fn new<'h>(ui: &'a Ui, hosts: impl IntoIterator<Item = &'h HostName>) -> Self {
        Self {
            ui,
            screen: ExecScreen::new(hosts),
            outcomes: Mutex::default(),
            unwritten: Mutex::default(),
        }
    }

    fn done(&self, host: &HostName, outcome: Result<Output, Failure>) {
        if self.ui.output == args::Output::Human {
            let shown = match &outcome {
                Ok(output) => self.ui.result(&self.screen.block(host, output)),
                Err(failure) => {
                    self.ui.say(&self.screen.failure(host, failure));
                    Ok(())
                }
            };
            if let Err(stop) = shown {
                self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stop);
            }
        }
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.insert(host.clone(), outcome);
    }

    /// Hosts without an outcome were cut off.
    fn interrupt(&self, meant: &[HostName]) {
        for host in meant {
            let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            let is_done = outcomes.contains_key(host);
            drop(outcomes);
            if !is_done {
                let message = "interrupted; the command may still run";
                self.done(host, Err(Failure::new(Code::INTERRUPTED, message)));
            }
        }
    }

    fn show(self, app: &App, project: &Project) -> Result<ExitCode, Stop> {
        let unwritten = self.unwritten.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = unwritten {
            return Err(stop);
        }
        let outcomes = self.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let interrupted = outcomes
            .values()
            .any(|outcome| matches!(outcome, Err(failure) if failure.code == Code::INTERRUPTED));
        let failed: Vec<&HostName> = outcomes
            .iter()
            .filter(|(_, outcome)| !outcome.as_ref().is_ok_and(Output::success))
            .map(|(host, _)| host)
            .collect();
        let exit = match (interrupted, failed.is_empty()) {
            (true, _) => ExitCode::Interrupted,
            (false, false) => ExitCode::SomeHostsFailed,
            (false, true) => ExitCode::Done,
        };
        match app.ui.output {
            args::Output::Json => app.ui.document(&ExecDocument {
                project: project.scope.project.clone(),
                environment: project.scope.environment.clone(),
                interrupted,
                exit_code: exit as u8,
                hosts: outcomes.into_iter().map(host_document).collect(),
            })?,
            args::Output::Human if !failed.is_empty() => {
                let message = format!(
                    "the command failed on {} of {}: {}",
                    failed.len(),
                    count(outcomes.len(), "host"),
                    names(&failed)
                );
                let mut failure = Failure::new(Code::COMMAND_FAILED, message);
                let hints: BTreeSet<&String> = outcomes
                    .values()
                    .filter_map(|outcome| outcome.as_ref().err())
                    .flat_map(|failure| &failure.hints)
                    .collect();
                failure.hints.extend(hints.into_iter().cloned());
                app.ui.say(Text::new().end_line());
                app.ui.say(&app.ui.errors(&Stop::new(exit, failure)));
            }
            args::Output::Human => {}
        }
        Ok(exit)
    }
}

fn host_document((host, outcome): (HostName, Result<Output, Failure>)) -> ExecHost {
    let result = match outcome {
        Ok(Output { status, stdout, stderr }) => ExecResult::Ran { status, stdout, stderr },
        Err(failure) => ExecResult::Failed { failure },
    };
    ExecHost { host, result }
}
