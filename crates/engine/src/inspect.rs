use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use stagecraft_core::converge;
use stagecraft_core::error::{Diagnose as _, Failure};
use stagecraft_core::identity::{self, Next};
use stagecraft_core::inventory::{Instance, Lifecycle};
use stagecraft_core::name::HostName;
use stagecraft_core::remote::Target;

use crate::{Engine, StepsFor};

/// How a host is, as far as looking tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// All its steps are satisfied.
    Ready,
    /// Some are not; a dry run can vouch only for the first.
    NotReady {
        /// Those that are not, in order.
        open: Vec<OpenStep>,
    },
    /// It cannot be logged in to, or its answer was not understood.
    Unreachable(Failure),
    /// Its instance does not run.
    NotRunning(Lifecycle),
}

/// A step that is not satisfied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenStep {
    /// Its name.
    pub step: &'static str,
    /// What would be done, or why nothing can be.
    pub why: String,
}

impl Engine {
    /// Looks at hosts without changing anything.
    pub async fn inspect(
        &self,
        instances: Vec<Instance>,
        steps: &StepsFor,
    ) -> BTreeMap<HostName, Health> {
        let looks: FuturesUnordered<_> = instances
            .iter()
            .map(|instance| async {
                (instance.owner.host.clone(), self.look(instance, steps).await)
            })
            .collect();
        looks.collect().await
    }

    async fn look(&self, instance: &Instance, steps: &StepsFor) -> Health {
        let target = match (instance.lifecycle, Target::of(instance)) {
            (Lifecycle::Running, Some(target)) => target,
            (lifecycle, _) => return Health::NotRunning(lifecycle),
        };
        let login = match self.login(&target, self.while_looking()).await {
            Ok(Some(login)) => login,
            Ok(None) => return Health::Unreachable(crate::apply::interrupted()),
            Err(failure) => return Health::Unreachable(failure),
        };
        let settled = match login.remote.host_key() {
            Some(presented) => identity::next(&login.target.pins, presented) == Next::Settled,
            None => true,
        };
        let steps = steps(instance);
        let answer = login.remote.run(&converge::look(&steps)).await;
        login.remote.close().await;
        let output = match answer {
            Ok(output) => output,
            Err(error) => return Health::Unreachable(Failure::from(&error)),
        };
        match converge::findings(&steps, &output) {
            None => Health::Unreachable(Failure::new(
                stagecraft_core::remote::RemoteError::Lost {
                    host: target.host,
                    command: "the probes".to_owned(),
                    why: "the answer was cut short".to_owned(),
                }
                .code(),
                "the host's answer was cut short",
            )),
            Some(open) => {
                let key = (identity::STEP, "needs a host key of its own".to_owned());
                let open = (!settled).then_some(key).into_iter().chain(open);
                let open: Vec<OpenStep> = open.map(|(step, why)| OpenStep { step, why }).collect();
                if open.is_empty() { Health::Ready } else { Health::NotReady { open } }
            }
        }
    }
}
