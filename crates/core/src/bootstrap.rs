//! The steps that make a fresh host ready for Docker.
//!
//! ```text
//! boot -> os -> (what the network requires) -> hostname -> docker-install -> docker-service -> docker-verify -> docker-group
//!      -> emulation -> (the steps of the network)
//! ```
//!
//! The scripts are in `bootstrap/scripts`.

mod boot;
mod docker;
mod emulation;
mod hostname;
mod os;

pub use emulation::emulated;

use crate::config::BootstrapConfig;
use crate::converge::Step;
use crate::desired::Arch;
use crate::name::HostName;
use crate::network::{Member, NetworkProvider};

/// What must be true on `host` before anything else is asked of it, in order; see [`emulated`] for
/// what it has to emulate. The steps of a network are the last ones.
#[must_use]
pub fn steps(
    host: &HostName,
    config: &BootstrapConfig,
    emulate: Option<Arch>,
    network: Option<(&dyn NetworkProvider, &Member)>,
) -> Vec<Box<dyn Step>> {
    let mut steps: Vec<Box<dyn Step>> = vec![Box::new(boot::Boot), Box::new(os::Os)];
    steps.extend(network.into_iter().flat_map(|(network, member)| network.requirements(member)));
    steps.push(Box::new(hostname::Hostname(host.clone())));
    if config.docker.enabled {
        steps.push(Box::new(docker::Install::new(&config.docker)));
        steps.push(Box::new(docker::Service));
        steps.push(Box::new(docker::Verify));
        if let Some(user) = config.ssh.user.as_ref().filter(|user| *user != "root") {
            steps.push(Box::new(docker::Group { user: user.clone() }));
        }
    }
    if let Some(arch) = emulate {
        steps.push(Box::new(emulation::Emulation(arch)));
    }
    steps.extend(network.into_iter().flat_map(|(network, member)| network.steps(member)));
    steps
}

#[cfg(test)]
mod tests;
