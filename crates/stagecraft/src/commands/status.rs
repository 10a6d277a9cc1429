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
        let looks = run.interruptible(run.engine.inspect(running, &others, &steps)).await?;
        run.progress.finish();
        let network = run.network.as_ref().map(|network| network.name().to_owned());
        let status = document(&project, &inventory, &plan, network, looks);
        let exit = if status.exit_code == 0 { ExitCode::Done } else { ExitCode::SomeHostsFailed };
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
) -> StatusDocument {
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
    let wrong = hosts.iter().any(StatusHost::is_wrong);
    StatusDocument {
        project: project.scope.project.clone(),
        environment: project.scope.environment.clone(),
        network,
        hosts,
        exit_code: if wrong { ExitCode::SomeHostsFailed } else { ExitCode::Done } as u8,
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
