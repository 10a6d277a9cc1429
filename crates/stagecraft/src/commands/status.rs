use std::collections::BTreeMap;

use stagecraft_core::error::ExitCode;
use stagecraft_core::inventory::{Instance, Inventory, Lifecycle};
use stagecraft_core::name::HostName;
use stagecraft_core::plan::{Entry, Plan, Policy, Reason};
use stagecraft_engine::{Health, Look};

use crate::app::App;
use crate::args::Output;
use crate::documents::{OpenItem, StatusDocument, StatusHost, StatusState};
use crate::project::Project;
use crate::run::{Logins, with_engine};
use crate::stop::Stop;
use crate::ui::status_screen;

/// Shows how every host is.
pub(super) fn run(app: &App) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    with_engine(app, &project, Logins::Needed, async |run| {
        run.say_left_out();
        let (inventory, plan) = run.plan(&Policy::default()).await?;
        let running: Vec<Instance> = project
            .hosts
            .keys()
            .filter_map(|host| inventory.get(host))
            .filter(|instance| instance.lifecycle == Lifecycle::Running)
            .cloned()
            .collect();
        let steps = run.steps();
        let others: Vec<Instance> = plan
            .stays()
            .into_values()
            .map(|(_, instance)| instance.clone())
            .filter(|instance| running.iter().all(|one| one.owner != instance.owner))
            .collect();
        let looks = run.stoppable(run.engine.inspect(running, &others, &steps)).await;
        run.progress.finish();
        let network = run.network.as_ref().map(|network| network.name().to_owned());
        let (status, exit) = document(&project, &inventory, &plan, network, looks);
        match app.ui.output {
            Output::Json => app.ui.document(&status)?,
            Output::Human => {
                app.ui.result(&status_screen(&status, &project.next, app.ui.width()))?;
            }
        }
        Ok(exit)
    })
}

fn document(
    project: &Project,
    inventory: &Inventory,
    plan: &Plan,
    network: Option<String>,
    mut looks: BTreeMap<HostName, Look>,
) -> (StatusDocument, ExitCode) {
    let own = plan.entries.iter().filter(|entry| !is_surplus(entry));
    let hosts: Vec<StatusHost> = own
        .map(|entry| {
            let instance = inventory.get(&entry.host);
            let in_file = project.hosts.contains_key(&entry.host);
            let (health, membership) = match looks.remove(&entry.host) {
                Some(look) => (Some(look.health), look.membership),
                None => (None, None),
            };
            StatusHost {
                host: entry.host.clone(),
                provider: entry.provider,
                role: entry.role.clone(),
                address: instance.and_then(|i| i.address).map(|address| address.to_string()),
                in_file,
                action: entry.change.action(),
                differences: match &entry.reason {
                    Reason::Differs(differences) => differences.clone(),
                    Reason::Missing { .. }
                    | Reason::UpToDate
                    | Reason::NotUpYet
                    | Reason::SwitchedOff
                    | Reason::InstanceFailed
                    | Reason::Requested
                    | Reason::NotInFile
                    | Reason::Duplicate { .. } => Vec::new(),
                },
                surplus: inventory.of_host(&entry.host).len().saturating_sub(1),
                membership,
                trouble: entry.trouble().map(str::to_owned),
                state: state(instance, in_file, health),
            }
        })
        .collect();
    let exit = exit_of(&hosts);
    let document = StatusDocument {
        project: project.scope.project.clone(),
        environment: project.scope.environment.clone(),
        network,
        hosts,
        exit_code: exit as u8,
    };
    (document, exit)
}

/// How the process should end.
fn exit_of(hosts: &[StatusHost]) -> ExitCode {
    if hosts.iter().any(|host| host.state == StatusState::NotAsked) {
        ExitCode::Interrupted
    } else if hosts.iter().any(StatusHost::is_wrong) {
        ExitCode::SomeHostsFailed
    } else {
        ExitCode::Done
    }
}

fn state(instance: Option<&Instance>, in_file: bool, health: Option<Health>) -> StatusState {
    match (instance, health) {
        (None, _) => StatusState::Missing,
        (Some(_), _) if !in_file => StatusState::NotInFile,
        (Some(instance), None) => StatusState::NotRunning { lifecycle: instance.lifecycle },
        (Some(_), Some(health)) => match health {
            Health::Ready => StatusState::Ready,
            Health::NotReady { open } => StatusState::NotReady {
                open: open
                    .into_iter()
                    .map(|open| OpenItem { step: open.step.to_string(), why: open.why })
                    .collect(),
            },
            Health::Unreachable(failure) => StatusState::Unreachable { failure },
            Health::NotRunning(lifecycle) => StatusState::NotRunning { lifecycle },
            Health::NotAsked => StatusState::NotAsked,
        },
    }
}

fn is_surplus(entry: &Entry) -> bool {
    match entry.reason {
        Reason::Duplicate { .. } => true,
        Reason::Missing { .. }
        | Reason::UpToDate
        | Reason::NotUpYet
        | Reason::SwitchedOff
        | Reason::Differs(_)
        | Reason::InstanceFailed
        | Reason::Requested
        | Reason::NotInFile => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::tests::mixed_status;

    #[test]
    fn a_status_that_was_interrupted_ends_so() {
        let mut hosts = mixed_status().hosts;
        assert_eq!(exit_of(&hosts), ExitCode::SomeHostsFailed);
        assert_eq!(exit_of(&hosts[..1]), ExitCode::Done);
        hosts[0].state = StatusState::NotAsked;
        assert_eq!(exit_of(&hosts), ExitCode::Interrupted);
    }
}
