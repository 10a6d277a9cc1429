//! The steps that make a fresh host ready for Docker.
//!
//! ```text
//! boot -> os -> hostname -> docker-install -> docker-service -> docker-verify -> docker-group
//!      -> emulation
//! ```
//!
//! The scripts are POSIX shell, in `bootstrap/scripts`. Values reach them as arguments, never as
//! part of their text. All are safe to be killed half-way and run again.

mod apt;
mod boot;
mod docker;
mod emulation;
mod hostname;
mod os;

pub use emulation::emulated;

use std::time::Duration;

use crate::config::BootstrapConfig;
use crate::converge::Step;
use crate::desired::Arch;
use crate::name::HostName;
use crate::remote::{Command, Output};

/// How many lines of a probe's output a failure keeps.
const OUTPUT_LINES: usize = 15;

/// What must be true on `host` before anything else is asked of it, in order; see [`emulated`] for
/// what it has to emulate.
#[must_use]
pub fn steps(
    host: &HostName,
    config: &BootstrapConfig,
    emulate: Option<Arch>,
) -> Vec<Box<dyn Step>> {
    let mut steps: Vec<Box<dyn Step>> =
        vec![Box::new(boot::Boot), Box::new(os::Os), Box::new(hostname::Hostname(host.clone()))];
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
    steps
}

/// A script by its name and with its arguments.
fn script<W: Into<String>>(
    name: &str,
    text: &str,
    arguments: impl IntoIterator<Item = W>,
) -> Command {
    Command::script(text).arg(name).args(arguments)
}

/// A script that limits itself to `limit` and is cut off only when that fails.
fn waiting(name: &str, text: &str, limit: Duration) -> Command {
    script(name, text, [limit.as_secs().to_string()]).with_timeout(limit + Duration::from_secs(60))
}

/// The values of the `key=value` lines of a probe, in order.
fn values<'a>(output: &'a Output, key: &str) -> impl Iterator<Item = &'a str> {
    output.stdout.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix('='))
}

/// The first value of `key`, empty when there is none.
fn value<'a>(output: &'a Output, key: &str) -> &'a str {
    values(output, key).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
