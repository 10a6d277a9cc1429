use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::HostEnd;
use stagecraft_core::inventory::{Instance, Lifecycle};

use crate::mesh::{Progress, Room};
use crate::{Engine, StepsFor};

impl Engine {
    /// Sets up hosts that exist, without touching the cloud. `others` are members of the same mesh, and
    /// are only told of these.
    pub async fn bootstrap(
        &self,
        instances: Vec<Instance>,
        others: Vec<Instance>,
        steps: &StepsFor,
    ) {
        let others = if self.mesh().is_some() { others } else { Vec::new() };
        let mut room = Room::new(instances.iter().chain(&others), &others, false);
        let tasks = instances.iter().map(|instance| (instance, false));
        let tasks = tasks.chain(others.iter().map(|instance| (instance, true)));
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
