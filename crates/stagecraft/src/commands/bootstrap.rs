use stagecraft_core::error::{ExitCode, Failure};
use stagecraft_core::inventory::{Instance, Inventory};
use stagecraft_core::report::{HostReport, HostResult, Report};

use super::carry_out::{Task, abandoned, finish};
use super::hosts::{Chosen, choose};
use crate::app::App;
use crate::args::Bootstrap;
use crate::documents::Verb;
use crate::project::Project;
use crate::run::{Ended, Job, Logins, Networks, Run, with_job};
use crate::stop::Stop;

/// Sets hosts up again.
pub(super) fn run(app: &App, args: &Bootstrap) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    let job = Job { networks: Networks::Joined, ..Job::new(Logins::Needed) };
    with_job(app, &project, job, async |run| {
        run.check_private_key().await?;
        let inventory = run.observe().await?;
        let mut report = Report::default();
        let mut instances: Vec<Instance> = Vec::new();
        for chosen in choose(run, &inventory, &args.hosts)? {
            let host = match &chosen {
                Chosen::Running(instance) => HostReport::of_instance(instance),
                Chosen::NotRunning(instance, failure) => {
                    failed(HostReport::of_instance(instance), failure)
                }
                Chosen::Missing(_, failure) => match missing(run, &chosen) {
                    Some(host) => failed(host, failure),
                    None => continue,
                },
            };
            report.hosts.insert(host.host.clone(), host);
            if let Chosen::Running(instance) = chosen {
                instances.push(instance);
            }
        }
        run.progress.begin(report);
        let steps = run.steps();
        let task = Task { verb: Verb::Bootstrap, again: args.again(), steps: Some(&steps) };
        let others = others(&inventory, &instances);
        match run.guarded(run.engine.bootstrap(instances, others, &steps)).await {
            Ended::Finished(()) => finish(run, &task, None),
            Ended::Abandoned => abandoned(run, &task, None),
        }
    })
}

/// The hosts that exist besides these: members of the same network, if there is one.
fn others(inventory: &Inventory, chosen: &[Instance]) -> Vec<Instance> {
    let is_other =
        |instance: &&Instance| chosen.iter().all(|one| one.owner.host != instance.owner.host);
    let oldest = inventory.hosts().filter_map(|(_, instances)| instances.first());
    oldest.filter(is_other).cloned().collect()
}

fn missing(run: &Run<'_>, chosen: &Chosen) -> Option<HostReport> {
    let desired = run.project.hosts.get(chosen.host())?;
    Some(HostReport::new(&desired.name, desired.provider, &desired.role))
}

fn failed(mut host: HostReport, failure: &Failure) -> HostReport {
    host.result = HostResult::Failed { failure: failure.clone() };
    host
}
