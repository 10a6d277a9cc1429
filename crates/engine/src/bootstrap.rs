use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::HostEnd;
use stagecraft_core::inventory::{Instance, Lifecycle};

use crate::mesh::{Progress, Room};
use crate::{Engine, StepsFor};

impl Engine {
    /// Sets up hosts that exist, without touching the cloud. `others` are all that exist besides; those
    /// that run are told of these where they are in one mesh.
    pub async fn bootstrap(
        &self,
        instances: Vec<Instance>,
        others: Vec<Instance>,
        steps: &StepsFor,
    ) {
        let Some(first) = instances.first() else { return };
        let others = if self.mesh().is_some() { others } else { Vec::new() };
        let runs = |other: &&Instance| other.lifecycle == Lifecycle::Running;
        let (all, told) = (instances.iter().chain(&others), others.iter().filter(runs));
        let mut room = Room::new(&first.owner.scope, all, told.clone(), false);
        let tasks = instances.iter().map(|instance| (instance, false));
        let tasks = tasks.chain(told.map(|instance| (instance, true)));
        let coming = tasks.map(|(instance, is_other)| async move {
            let host = instance.owner.host.clone();
            if is_other {
                return (host, self.ask_member(instance).await);
            }
            let progress = match instance.lifecycle {
                Lifecycle::Running => self.set_up(instance, self.with_old(), Some(steps)).await,
                Lifecycle::Pending
                | Lifecycle::Stopped
                | Lifecycle::Terminating
                | Lifecycle::Terminated
                | Lifecycle::Failed => Progress::Ended(HostEnd::Failed(
                    Failure::new(
                        Code::HOST_MISSING,
                        format!("the instance of `{host}` does not run"),
                    )
                    .with_hint("run `stagecraft infra up`"),
                )),
            };
            (host, progress)
        });
        self.until_done(self.gather(&mut room, coming.collect())).await;
    }
}
