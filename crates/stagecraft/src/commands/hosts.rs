//! Which of the hosts that exist a command works on.

use std::collections::BTreeSet;

use stagecraft_core::error::{Code, Failure};
use stagecraft_core::inventory::{Endpoint, Instance, Inventory, Lifecycle};
use stagecraft_core::name::{HostName, RoleName};
use stagecraft_core::remote::Target;

use crate::run::Run;
use crate::stop::Stop;

/// A host a command names or means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// It runs.
    Running(Instance),
    /// It does not run.
    NotRunning(Instance, Failure),
    /// It has no instance.
    Missing(HostName, Failure),
}

impl Chosen {
    /// The host's name.
    pub(super) fn host(&self) -> &HostName {
        match self {
            Self::Running(instance) | Self::NotRunning(instance, _) => &instance.owner.host,
            Self::Missing(host, _) => host,
        }
    }
}

/// The hosts to work on, by name: those named, else all of the file.
///
/// # Errors
/// When one is named that neither the file nor the cloud knows.
pub(super) fn choose(
    run: &Run<'_>,
    inventory: &Inventory,
    named: &[HostName],
) -> Result<Vec<Chosen>, Stop> {
    let wanted: BTreeSet<&HostName> =
        if named.is_empty() { run.project.hosts.keys().collect() } else { named.iter().collect() };
    wanted.into_iter().map(|host| one(run, inventory, host)).collect()
}

/// One host by its name.
///
/// # Errors
/// When neither the file nor the cloud knows it.
pub(super) fn one(run: &Run<'_>, inventory: &Inventory, host: &HostName) -> Result<Chosen, Stop> {
    let instance = inventory.get(host);
    if instance.is_none() && !run.project.hosts.contains_key(host) {
        return Err(Stop::usage(format!("there is no host `{host}` in this environment"))
            .with_hint(run.known_hosts_hint(inventory)));
    }
    Ok(chosen(run, host, instance))
}

/// Whether a host that exists, or should, has one of these roles; no roles means all.
pub(super) fn has_role(
    run: &Run<'_>,
    inventory: &Inventory,
    host: &HostName,
    roles: &[RoleName],
) -> bool {
    let role = role_of(run, inventory, host);
    roles.is_empty() || role.is_some_and(|role| roles.contains(role))
}

/// The role of a host that exists, or should.
pub(super) fn role_of<'a>(
    run: &'a Run<'_>,
    inventory: &'a Inventory,
    host: &HostName,
) -> Option<&'a RoleName> {
    match (inventory.get(host), run.project.hosts.get(host)) {
        (Some(instance), _) => Some(&instance.marks.role),
        (None, Some(desired)) => Some(&desired.role),
        (None, None) => None,
    }
}

/// Whom to log in to: with `mesh` by the host's name in the private network.
///
/// # Errors
/// When there is no such network.
pub(super) fn target_of(
    run: &Run<'_>,
    instance: &Instance,
    mesh: bool,
) -> Result<Option<Target>, Stop> {
    let target = Target::of(instance);
    if !mesh {
        return Ok(target);
    }
    let network = run.network.as_ref().ok_or_else(|| {
        Stop::usage("`--mesh` needs a private network, and the file has none")
            .with_hint("set `network.provider`, or leave `--mesh` out")
    })?;
    let host = network.fqdn(&instance.owner.host);
    Ok(target.map(|target| Target { endpoint: Endpoint { host, port: None }, ..target }))
}

fn chosen(run: &Run<'_>, host: &HostName, instance: Option<&Instance>) -> Chosen {
    let missing = |message: String| {
        let up = run.project.next.command("infra up");
        Failure::new(Code::HOST_MISSING, message).with_hint(format!("run {up}"))
    };
    match instance {
        None => Chosen::Missing(host.clone(), missing(format!("`{host}` does not exist"))),
        Some(instance) => match (instance.lifecycle, instance.endpoint()) {
            (Lifecycle::Running, Some(_)) => Chosen::Running(instance.clone()),
            (Lifecycle::Running, None)
            | (
                Lifecycle::Pending
                | Lifecycle::Stopped
                | Lifecycle::Failed
                | Lifecycle::Terminating
                | Lifecycle::Terminated,
                _,
            ) => Chosen::NotRunning(
                instance.clone(),
                missing(format!("the machine of `{host}` does not run")),
            ),
        },
    }
}
