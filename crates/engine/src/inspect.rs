use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use stagecraft_core::converge;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::identity::{self, Next};
use stagecraft_core::inventory::{Instance, Lifecycle};
use stagecraft_core::name::HostName;
use stagecraft_core::network::{Attendee, Member, Membership};
use stagecraft_core::remote::{Output, Target};

use crate::{Engine, StepsFor};

/// What looking at a host showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// How it is.
    pub health: Health,
    /// How it stands in the private network; `None` where there is none, or it could not be asked.
    pub membership: Option<Membership>,
}

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
    /// The user stopped the run before its answer came.
    NotAsked,
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
    /// Looks at hosts without changing anything. `others` are members of the same network that nobody
    /// asked about. When the user asks to stop, it ends at once with what was seen by then.
    pub async fn inspect(
        &self,
        instances: Vec<Instance>,
        others: &[Instance],
        steps: &StepsFor,
    ) -> BTreeMap<HostName, Look> {
        let looks: FuturesUnordered<_> = instances
            .iter()
            .map(|instance| async {
                (instance.owner.host.clone(), self.look_until_stopped(instance, steps).await)
            })
            .collect();
        let mut looks: BTreeMap<HostName, (Health, Option<Vec<Output>>)> = looks.collect().await;
        let members = instances.iter().chain(others).map(|instance| {
            let host = instance.owner.host.clone();
            let seen = looks.get(&host).and_then(|(_, seen)| seen.clone());
            (host, Attendee { member: Member::of(instance), seen })
        });
        for (host, open) in self.still_to_tell(&members.collect()) {
            if let Some((health, _)) = looks.get_mut(&host) {
                health.add(open);
            }
        }
        let membership = |host: &HostName, seen: Vec<Output>| {
            Some(self.network.as_ref()?.membership(host, &seen))
        };
        looks
            .into_iter()
            .map(|(host, (health, seen))| {
                let membership = seen.and_then(|seen| membership(&host, seen));
                (host, Look { health, membership })
            })
            .collect()
    }

    /// What the members of a mesh would have to be told if they met now.
    fn still_to_tell(
        &self,
        members: &BTreeMap<HostName, Attendee>,
    ) -> Vec<(HostName, Vec<OpenStep>)> {
        let Some(mesh) = self.mesh() else { return Vec::new() };
        let meeting = mesh.meet(members);
        let up: BTreeSet<HostName> = members
            .iter()
            .filter(|(host, one)| one.seen.is_some() && !meeting.refused.contains_key(*host))
            .map(|(host, _)| host.clone())
            .collect();
        let checks = up.iter().map(|host| (host, mesh.verify(host, &up)));
        let steps = meeting.join.iter().map(|(host, steps)| (host, steps.as_slice()));
        let checks: Vec<_> = checks.collect();
        let steps = steps.chain(checks.iter().map(|(host, steps)| (*host, steps.as_slice())));
        let mut open: BTreeMap<HostName, Vec<OpenStep>> = BTreeMap::new();
        for (host, steps) in steps {
            let seen = members.get(host).and_then(|one| one.seen.as_deref()).unwrap_or_default();
            let found = steps.iter().filter_map(|step| {
                let why = converge::finding(step.assess(seen))?;
                Some(OpenStep { step: step.name(), why })
            });
            open.entry(host.clone()).or_default().extend(found);
        }
        for (host, failure) in meeting.refused {
            let step = OpenStep { step: "network", why: failure.message };
            open.entry(host).or_default().push(step);
        }
        open.into_iter().collect()
    }

    async fn look_until_stopped(
        &self,
        instance: &Instance,
        steps: &StepsFor,
    ) -> (Health, Option<Vec<Output>>) {
        tokio::select! {
            biased;
            seen = self.look(instance, steps) => seen,
            () = self.cancel.stopping() => (Health::NotAsked, None),
        }
    }

    async fn look(&self, instance: &Instance, steps: &StepsFor) -> (Health, Option<Vec<Output>>) {
        let target = match (instance.lifecycle, Target::of(instance)) {
            (Lifecycle::Running, Some(target)) => target,
            (lifecycle, _) => return (Health::NotRunning(lifecycle), None),
        };
        let login = match self.login(&target, self.while_looking()).await {
            Ok(Some(login)) => login,
            Ok(None) => return (Health::NotAsked, None),
            Err(failure) => return (Health::Unreachable(failure), None),
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
            Err(error) => return (Health::Unreachable(Failure::from(&error)), None),
        };
        let Some(open) = converge::findings(&steps, &output) else {
            let message = "the host's answer was cut short";
            return (Health::Unreachable(Failure::new(Code::SSH_FAILED, message)), None);
        };
        let key = (identity::STEP, "needs a host key of its own".to_owned());
        let open = (!settled).then_some(key).into_iter().chain(open);
        let mut health = Health::Ready;
        health.add(open.map(|(step, why)| OpenStep { step, why }).collect());
        (health, converge::last_seen(&steps, &output))
    }
}

impl Health {
    /// Adds steps that are not satisfied either.
    fn add(&mut self, more: Vec<OpenStep>) {
        match self {
            Self::Ready if more.is_empty() => {}
            Self::Ready => *self = Self::NotReady { open: more },
            // What is open before says the same: a host that has no key cannot meet others.
            Self::NotReady { .. } | Self::Unreachable(_) | Self::NotRunning(_) | Self::NotAsked => {
            }
        }
    }
}
