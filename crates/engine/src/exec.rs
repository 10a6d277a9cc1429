use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Command, Output, Target};

use crate::Engine;

impl Engine {
    /// Runs a command on hosts, all at once, and passes on each outcome as it comes.
    ///
    /// A command that ends with a status other than 0 is an `Ok`.
    pub async fn exec(
        &self,
        instances: Vec<Instance>,
        command: &Command,
        done: &(dyn Fn(&HostName, Result<Output, Failure>) + Send + Sync),
    ) {
        let mut runs: FuturesUnordered<_> = instances
            .iter()
            .map(|instance| async { (&instance.owner.host, self.run_on(instance, command).await) })
            .collect();
        while let Some((host, outcome)) = runs.next().await {
            done(host, outcome);
        }
    }

    async fn run_on(&self, instance: &Instance, command: &Command) -> Result<Output, Failure> {
        let host = &instance.owner.host;
        let target = Target::of(instance).ok_or_else(|| {
            Failure::new(Code::HOST_MISSING, format!("`{host}` has no address"))
                .with_hint("run `stagecraft infra up`")
        })?;
        let login = self
            .login(&target, self.while_looking())
            .await?
            .ok_or_else(crate::cancel::interrupted)?;
        let outcome = login.remote.run(command).await;
        login.remote.close().await;
        outcome.map_err(|error| Failure::from(&error))
    }
}
