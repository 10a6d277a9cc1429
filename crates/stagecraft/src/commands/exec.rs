use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::inventory::{Instance, Inventory};
use stagecraft_core::name::{HostName, RoleName};
use stagecraft_core::remote::{Command, Output};
use stagecraft_engine::ExecEvent;

use super::hosts::{Chosen, choose, has_role, role_of};
use crate::app::App;
use crate::args::{self, Exec};
use crate::documents::{ExecDocument, ExecHost, ExecResult};
use crate::project::Project;
use crate::run::{Ended, Logins, Run, with_engine};
use crate::stop::{Stop, some_of};
use crate::ui::{
    CUT_OFF, ExecScreen, NOT_BEGUN, Outcome, Progress, Text, Ui, exec_troubles, names,
};

/// Runs a command on many hosts.
pub(super) fn run(app: &App, args: &Exec) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    let command = command(&args.command, args.timeout)?;
    with_engine(app, &project, Logins::ForCommand, async |run| {
        let inventory = run.observe().await?;
        let mut chosen = choose(run, &inventory, &args.hosts)?;
        let named: Vec<HostName> = chosen.iter().map(|chosen| chosen.host().clone()).collect();
        chosen.retain(|chosen| has_role(run, &inventory, chosen.host(), &args.roles));
        if chosen.is_empty() {
            return Err(none_is_meant(run, &inventory, args, &named));
        }
        let results = Results::new(&app.ui, &run.progress, chosen.iter().map(Chosen::host));
        let mut instances: Vec<Instance> = Vec::new();
        for host in chosen {
            match host {
                Chosen::Running(instance) => instances.push(instance),
                Chosen::NotRunning(_, ref failure) | Chosen::Missing(_, ref failure) => {
                    results.done(host.host(), Outcome::Failed(failure.clone()));
                }
            }
        }
        let meant: Vec<HostName> = instances.iter().map(|i| i.owner.host.clone()).collect();
        let tell = |host: &HostName, what| match what {
            ExecEvent::Begun => results.begun(host),
            ExecEvent::Ended(result) => results.done(host, results.outcome(host, result)),
        };
        let ended = run.guarded(run.engine.exec(instances, &command, &tell)).await;
        run.progress.finish();
        if ended == Ended::Abandoned {
            results.interrupt(&meant);
        }
        results.show(app, &project)
    })
}

/// No host is left: says which could have been named.
fn none_is_meant(run: &Run<'_>, inventory: &Inventory, args: &Exec, named: &[HostName]) -> Stop {
    if args.roles.is_empty() {
        return Stop::usage("there are no hosts in this environment")
            .with_hint(run.known_hosts_hint(inventory));
    }
    let hosts = run.project.hosts.values().map(|host| &host.role);
    let roles: BTreeSet<&RoleName> =
        hosts.chain(inventory.instances().map(|instance| &instance.marks.role)).collect();
    if args.hosts.is_empty() {
        return Stop::usage(format!("no host has the role {}", names(&args.roles)))
            .with_hint(format!("there are the roles {}", names(roles)));
    }
    let role = |host: &HostName| Some((host.clone(), role_of(run, inventory, host)?.clone()));
    let message = format!(
        "none of the hosts named by `--host` has the role {}, and both have to fit",
        names(&args.roles)
    );
    let roles_of = roles_of(named.iter().filter_map(role));
    Stop::usage(message).with_hint(format!("{roles_of}: leave out `--role` or `--host`"))
}

/// `` `db-1` and `db-2` have the role `db`, `web` has the role `app` ``
fn roles_of(hosts: impl IntoIterator<Item = (HostName, RoleName)>) -> String {
    let mut by_role: BTreeMap<RoleName, Vec<HostName>> = BTreeMap::new();
    for (host, role) in hosts {
        by_role.entry(role).or_default().push(host);
    }
    let one = |(role, hosts): (RoleName, Vec<HostName>)| {
        let have = if hosts.len() == 1 { "has" } else { "have" };
        format!("{} {have} the role `{role}`", some_of(&hosts))
    };
    by_role.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A single word is a line for a shell, as it is with `ssh`.
fn command(words: &[String], timeout: Duration) -> Result<Command, Stop> {
    let command = match words {
        [] => return Err(Stop::usage("there is no command to run")),
        [line] => Command::script(line),
        [program, arguments @ ..] => Command::new(program).args(arguments.iter().cloned()),
    };
    Ok(command.with_timeout(timeout))
}

/// What came of the command so far; for people it is shown as it comes.
#[derive(Debug)]
struct Results<'a> {
    ui: &'a Ui,
    progress: &'a Progress,
    screen: ExecScreen,
    /// Where it may run by now, or have run.
    begun: Mutex<BTreeSet<HostName>>,
    outcomes: Mutex<BTreeMap<HostName, Outcome>>,
    /// The first result that could not be shown.
    unwritten: Mutex<Option<Stop>>,
}

impl<'a> Results<'a> {
    fn new<'h>(
        ui: &'a Ui,
        progress: &'a Progress,
        hosts: impl IntoIterator<Item = &'h HostName>,
    ) -> Self {
        Self {
            ui,
            progress,
            screen: ExecScreen::new(hosts),
            begun: Mutex::default(),
            outcomes: Mutex::default(),
            unwritten: Mutex::default(),
        }
    }

    fn begun(&self, host: &HostName) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone());
    }

    fn done(&self, host: &HostName, outcome: Outcome) {
        if self.ui.output == args::Output::Human {
            self.progress.result_of(host, || {
                if let Err(stop) = self.show_one(host, &outcome) {
                    let mut unwritten =
                        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
                    unwritten.get_or_insert(stop);
                }
            });
        }
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.insert(host.clone(), kept(self.ui.output, outcome));
    }

    fn show_one(&self, host: &HostName, outcome: &Outcome) -> Result<(), Stop> {
        const NOTHING: &[String] = &[];
        let (printed, words) = match outcome {
            Outcome::Ended(output) => return self.ui.result(&self.screen.block(host, output)),
            Outcome::Failed(failure) => {
                let words = format!("{}: {}", failure.code, failure.message);
                (failure.output.as_slice(), words)
            }
            Outcome::CutOff => (NOTHING, CUT_OFF.to_owned()),
            Outcome::NotBegun => (NOTHING, NOT_BEGUN.to_owned()),
        };
        let printed = printed.iter().map(String::as_str);
        let shown = self.ui.result(&self.screen.printed(host, printed));
        self.ui.say(&self.screen.verdict(host, &words));
        shown
    }

    /// Hosts without an outcome were cut off.
    fn interrupt(&self, meant: &[HostName]) {
        for host in meant {
            let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            let is_done = outcomes.contains_key(host);
            drop(outcomes);
            if !is_done {
                self.done(host, self.interrupted(host));
            }
        }
    }

    fn outcome(&self, host: &HostName, result: Result<Output, Failure>) -> Outcome {
        match result {
            Ok(output) => Outcome::Ended(output),
            Err(failure) if failure.code == Code::INTERRUPTED => self.interrupted(host),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    fn interrupted(&self, host: &HostName) -> Outcome {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.contains(host) { Outcome::CutOff } else { Outcome::NotBegun }
    }

    fn show(self, app: &App, project: &Project) -> Result<ExitCode, Stop> {
        let unwritten = self.unwritten.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = unwritten {
            return Err(stop.with_note("the command ran all the same"));
        }
        let outcomes = self.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let interrupted = outcomes.values().any(Outcome::is_interrupted);
        let all = outcomes.values().all(Outcome::success);
        let exit = match (interrupted, all) {
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
            args::Output::Human if !all => {
                app.ui.say(Text::new().end_line());
                app.ui.say(&app.ui.errors(&Stop { exit, troubles: exec_troubles(&outcomes) }));
            }
            args::Output::Human => {}
        }
        Ok(exit)
    }
}

/// What is needed of an outcome to the end. What people have seen of it is not, and it may be much.
fn kept(form: args::Output, outcome: Outcome) -> Outcome {
    match (form, outcome) {
        (args::Output::Human, Outcome::Ended(Output { status, .. })) => {
            Outcome::Ended(Output { status, ..Output::default() })
        }
        (args::Output::Human, Outcome::Failed(failure)) => {
            Outcome::Failed(failure.with_output(Vec::new()))
        }
        (args::Output::Json | args::Output::Human, outcome) => outcome,
    }
}

fn host_document((host, outcome): (HostName, Outcome)) -> ExecHost {
    let result = match outcome.into_result() {
        Ok(Output { status, stdout, stderr }) => ExecResult::Ran { status, stdout, stderr },
        Err(failure) => ExecResult::Failed { failure },
    };
    ExecHost { host, result }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_with_their_roles() {
        let hosts = [("db-1", "db"), ("web", "app"), ("db-2", "db")]
            .map(|(host, role)| (host.parse().unwrap(), role.parse().unwrap()));
        let told = "`web` has the role `app`, `db-1` and `db-2` have the role `db`";
        assert_eq!(roles_of(hosts), told);
    }

    #[test]
    fn what_people_have_seen_is_not_kept_to_the_end() {
        let output = Output { status: 3, stdout: "much".to_owned(), stderr: "more".to_owned() };
        let ended = || Outcome::Ended(output.clone());
        assert_eq!(kept(args::Output::Json, ended()), ended());
        let status = Output { status: 3, ..Output::default() };
        assert_eq!(kept(args::Output::Human, ended()), Outcome::Ended(status));
        let bare = Failure::new(Code::SSH_FAILED, "no answer");
        let failed = || Outcome::Failed(bare.clone().with_output(vec!["much".to_owned()]));
        assert_eq!(kept(args::Output::Json, failed()), failed());
        assert_eq!(kept(args::Output::Human, failed()), Outcome::Failed(bare.clone()));
    }
}
