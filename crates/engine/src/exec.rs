use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Command, Output, Target};

use crate::Engine;

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
    /// A command that ends with a status other than 0 is an `Ok`.
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
        let login = self
            .login(&target, self.while_looking())
            .await?
            .ok_or_else(crate::cancel::interrupted)?;
        begun();
        let outcome = login.remote.run(command).await;
        login.remote.close().await;
        outcome.map_err(|error| Failure::from(&error))
    }
}
