use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Command, Output, RemoteError, Target};

use crate::Engine;
use crate::login::{Patience, Unfinished};

/// What helps where the limit was too short.
const LONGER: &str = "`--timeout` waits longer";

/// What becomes of a command on a host.
#[derive(Debug)]
pub enum ExecEvent {
    /// It is being sent: from now on it may run there.
    Begun,
    /// How it ended, or why it did not run.
    Ended(Result<Output, Failure>),
}

impl Engine {
    /// Runs a command on hosts, all at once, and tells what becomes of it as it comes.
    ///
    /// A command that ends with a status other than 0 is an `Ok`. Its limit holds for each host from the
    /// first attempt to log in to it. What it printed until its end became unknown is in the failure.
    pub async fn exec(
        &self,
        instances: Vec<Instance>,
        command: &Command,
        tell: &(dyn Fn(&HostName, ExecEvent) + Send + Sync),
    ) {
        let mut runs: FuturesUnordered<_> = instances
            .iter()
            .map(|instance| async {
                let begun = || tell(&instance.owner.host, ExecEvent::Begun);
                (&instance.owner.host, self.run_on(instance, command, begun).await)
            })
            .collect();
        while let Some((host, outcome)) = runs.next().await {
            tell(host, ExecEvent::Ended(outcome));
        }
    }

    async fn run_on(
        &self,
        instance: &Instance,
        command: &Command,
        begun: impl Fn(),
    ) -> Result<Output, Failure> {
        let host = &instance.owner.host;
        let target = Target::of(instance).ok_or_else(|| {
            Failure::new(Code::HOST_MISSING, format!("`{host}` has no address"))
                .with_hint("run `stagecraft infra up`")
        })?;
        let limit = command.timeout();
        let patience = Patience::Up(self.limits.look.min(limit));
        let login = self.login_within(&target, patience, limit).await.map_err(|unfinished| {
            let Unfinished { failure, of_time } = unfinished;
            if of_time { failure.with_hint(LONGER) } else { failure }
        })?;
        let login = login.ok_or_else(crate::cancel::interrupted)?;
        begun();
        let rest = limit.saturating_sub(login.took);
        let outcome = login.remote.run(&command.clone().with_timeout(rest)).await;
        login.remote.close().await;
        outcome.map_err(|error| failure_of(error, limit))
    }
}

/// Why the end of a command is unknown, and what it had printed by then; `limit` is what the user gave it.
fn failure_of(mut error: RemoteError, limit: Duration) -> Failure {
    let is_late = if let RemoteError::TimedOut { limit: rest, .. } = &mut error {
        *rest = limit;
        true
    } else {
        false
    };
    let mut failure = Failure::from(&error).with_output(error.printed().to_vec());
    if is_late {
        failure.hints.push(format!("it may still run there; {LONGER}"));
    }
    failure
}
