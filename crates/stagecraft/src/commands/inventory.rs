mod ansible;

use stagecraft_core::config::HostKeys;
use stagecraft_core::error::ExitCode;
use stagecraft_core::inventory::{Instance, Inventory};
use stagecraft_core::remote::Target;
use stagecraft_remote::{Exporter, SshSettings};

use super::hosts::target_of;
use super::ssh::export_failed;
use crate::app::App;
use crate::args::{self, InventoryFormat};
use crate::documents::{InventoryDocument, InventoryHost, Ssh};
use crate::project::Project;
use crate::run::{Logins, Run, with_engine};
use crate::stop::Stop;
use crate::ui::{Text, names};
use ansible::AnsibleHost;

/// Exports the hosts that exist.
pub(super) fn run(app: &App, args: &args::Inventory) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    with_engine(app, &project, Logins::Needed, async |run| {
        let inventory = run.observe().await?;
        let settings = &run.access()?.settings;
        match args.format {
            InventoryFormat::Json => {
                app.ui.document(&document(run, &inventory, settings, args.mesh)?)?;
            }
            InventoryFormat::Ansible => {
                app.ui.artefact(&ansible_inventory(run, &inventory, settings, args.mesh)?)?;
            }
            InventoryFormat::SshConfig => {
                app.ui.artefact(&ssh_config(run, &inventory, settings, args.mesh)?)?;
            }
        }
        Ok(ExitCode::Done)
    })
}

fn document(
    run: &Run<'_>,
    inventory: &Inventory,
    settings: &SshSettings,
    mesh: bool,
) -> Result<InventoryDocument, Stop> {
    let exporter = Exporter::new(settings).map_err(|error| export_failed(&error))?;
    let hosts = in_use(inventory).map(|instance| {
        let ssh = target_of(run, instance, mesh)?
            .map(|target| exporter.login(&target))
            .transpose()
            .map_err(|error| export_failed(&error))?
            .map(|login| Ssh { host: login.host, port: login.port, user: login.user });
        Ok(InventoryHost {
            host: instance.owner.host.clone(),
            provider: instance.provider,
            role: instance.marks.role.clone(),
            instance: instance.id.clone(),
            lifecycle: instance.lifecycle,
            address: instance.address.map(|address| address.to_string()),
            network_name: run.network.as_ref().map(|network| network.fqdn(&instance.owner.host)),
            ssh,
            // Where only files count, none must be presented.
            host_key: (settings.host_keys != HostKeys::KnownHosts)
                .then(|| instance.pins.expected().map(|key| key.to_openssh()))
                .flatten(),
            spec: instance.spec.clone(),
            protected: instance.marks.protected,
            tags: instance.marks.tags.clone(),
        })
    });
    Ok(InventoryDocument {
        project: run.project.scope.project.clone(),
        environment: run.project.scope.environment.clone(),
        hosts: hosts.collect::<Result<_, Stop>>()?,
    })
}

fn ansible_inventory(
    run: &Run<'_>,
    inventory: &Inventory,
    settings: &SshSettings,
    mesh: bool,
) -> Result<String, Stop> {
    let exporter = Exporter::new(settings).map_err(|error| export_failed(&error))?;
    let hosts = reachable(run, inventory, mesh)?
        .into_iter()
        .map(|(instance, target)| {
            let export = exporter.export(&target).map_err(|error| export_failed(&error))?;
            Ok(AnsibleHost::new(instance, &export))
        })
        .collect::<Result<Vec<_>, Stop>>()?;
    Ok(ansible::inventory(&hosts))
}

fn ssh_config(
    run: &Run<'_>,
    inventory: &Inventory,
    settings: &SshSettings,
    mesh: bool,
) -> Result<String, Stop> {
    let exporter = Exporter::new(settings).map_err(|error| export_failed(&error))?;
    let blocks = reachable(run, inventory, mesh)?
        .into_iter()
        .map(|(_, target)| {
            let export = exporter.export(&target).map_err(|error| export_failed(&error))?;
            Ok(export.config_block())
        })
        .collect::<Result<Vec<_>, Stop>>()?;
    Ok(blocks.join("\n"))
}

/// The instances that stand for their hosts.
fn in_use(inventory: &Inventory) -> impl Iterator<Item = &Instance> {
    inventory.hosts().filter_map(|(_, instances)| instances.first())
}

/// Those that have an address; says which have none.
fn reachable<'i>(
    run: &Run<'_>,
    inventory: &'i Inventory,
    mesh: bool,
) -> Result<Vec<(&'i Instance, Target)>, Stop> {
    let all = in_use(inventory)
        .map(|instance| Ok((instance, target_of(run, instance, mesh)?)))
        .collect::<Result<Vec<_>, Stop>>()?;
    let (found, without): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, target)| target.is_some());
    if !without.is_empty() {
        let hosts = names(without.iter().map(|(instance, _)| &instance.owner.host));
        run.app.ui.say(Text::new().line(&format!("note: left out, no address yet: {hosts}")));
    }
    Ok(found.into_iter().filter_map(|(instance, target)| Some((instance, target?))).collect())
}
