use std::os::unix::process::CommandExt as _;
use std::process::Command;

use stagecraft_core::config::Config;
use stagecraft_core::error::{ExitCode, Failure, chain};
use stagecraft_remote::{ExportError, Exporter};

use super::hosts::{Chosen, one, target_of};
use crate::app::App;
use crate::args::Ssh;
use crate::project::Project;
use crate::run::{Logins, with_engine};
use crate::stop::Stop;

/// Becomes the system's `ssh`.
pub(super) fn run(app: &App, args: &Ssh) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    let words = with_engine(app, &project, Logins::Needed, async |run| {
        let inventory = run.observe().await?;
        let instance = match one(run, &inventory, &args.host)? {
            Chosen::Running(instance) => instance,
            Chosen::NotRunning(_, failure) | Chosen::Missing(_, failure) => {
                return Err(Stop::new(ExitCode::SomeHostsFailed, failure));
            }
        };
        let target = target_of(run, &instance, args.mesh)?
            .ok_or_else(|| Stop::usage(format!("`{}` has no address yet", args.host)))?;
        let export = Exporter::new(&run.access()?.settings).and_then(|all| all.export(&target));
        Ok(export.map_err(|error| export_failed(&error))?.command_line(&args.command))
    })?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(Stop::usage("there is no command to run"));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    without_secrets(&mut command, &project.file.config);
    let error = command.exec();
    Err(Stop::usage(format!("could not run `{program}`: {error}"))
        .with_hint("install the OpenSSH client, or use `stagecraft exec`"))
}

/// What runs there needs no credentials of clouds and no passphrase, and configurations of SSH can
/// send variables.
fn without_secrets(command: &mut Command, config: &Config) {
    for name in config.secret_variables() {
        command.env_remove(name);
    }
}

/// A login that cannot be written down for OpenSSH.
pub(super) fn export_failed(error: &ExportError) -> Stop {
    let message = format!("could not prepare the SSH login: {}", chain(error));
    let stop = Stop::new(ExitCode::Bootstrap, Failure::new(error.code(), message));
    match error.hint() {
        Some(hint) => stop.with_hint(hint),
        None => stop,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use stagecraft_core::config;

    use super::*;

    #[test]
    fn secrets_do_not_go_to_ssh_whether_or_not_they_were_used() {
        let file = "\
project: { name: p }
cloud: { providers: { digitalocean: { token_env: A_TOKEN }, hetzner: { token_env: B_TOKEN }, local: {} } }
infra: { bootstrap: { ssh: { private_key_path: k, private_key_passphrase_env: C_PASSPHRASE } } }
network: { provider: tailscale, providers: { tailscale: { auth_key_env: D_KEY, tailnet_domain: a.ts.net } } }
";
        let mut command = Command::new("ssh");
        without_secrets(&mut command, &config::parse("f", file.as_bytes()).unwrap());
        let removed: Vec<(&OsStr, Option<&OsStr>)> = command.get_envs().collect();
        let secrets = ["A_TOKEN", "B_TOKEN", "C_PASSPHRASE", "D_KEY"];
        assert_eq!(removed, secrets.map(|name| (OsStr::new(name), None)));
    }
}
