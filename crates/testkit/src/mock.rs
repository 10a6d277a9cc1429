//! A provider over a [`World`]: the adapter every other one is measured by, and, with flaws on
//! request, the proof that the measuring works.

mod flaw;
mod labels;

pub use flaw::Flaw;
pub use labels::{order, selector};

use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::cloud::{
    Account, Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Lifecycle, Marks};
use stagecraft_core::name::{InstanceId, Scope};

use crate::process::Process;
use crate::shared::SharedWorld;
use crate::world::{Labels, Refusal, Reply, RequestKind, Seen, World};

/// A cloud in memory, used by one process.
#[derive(Clone, Debug)]
pub struct MockCloud {
    cloud: SharedWorld,
    process: Process,
    flaw: Option<Flaw>,
}

impl MockCloud {
    /// The provider as `process` sees it.
    #[must_use]
    pub fn new(cloud: &SharedWorld, process: &Process) -> Self {
        Self { cloud: cloud.clone(), process: process.clone(), flaw: None }
    }

    /// Breaks one promise, to see who notices.
    #[must_use]
    pub fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// One request: it travels, has its effect, and its answer travels back, unless somebody dies.
    async fn call<T: Send>(
        &self,
        kind: RequestKind,
        operation: &str,
        act: impl FnOnce(&mut World, Duration) -> Reply<T> + Send,
    ) -> Result<T, CloudError> {
        let _under_way = self.cloud.enter(kind);
        self.cloud.travel(&self.process).await;
        let reply = self.cloud.with(act);
        self.cloud.travel_back(&self.process, reply.kill).await;
        reply.result.map_err(|refusal| {
            let error = CloudError::new(self.id(), operation, refusal.kind);
            if refusal.maybe_done { error.maybe_done() } else { error }
        })
    }

    /// If this order is to outlive its process, kills the process now and delivers the order later.
    async fn go_astray(&self, request: &CreateInstance) {
        let number = self.cloud.creates().read().begun + 1;
        let Some(after) = self.cloud.with(|world, _| world.strays(number)) else { return };
        let (dead, request) = (self.clone(), request.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            // Nobody is there for the answer.
            drop(dead.cloud.with(|world, now| dead.create_in(world, now, &request)).result);
        });
        self.process.kill();
        self.process.interact().await;
    }

    fn create_in(
        &self,
        world: &mut World,
        now: Duration,
        request: &CreateInstance,
    ) -> Reply<Instance> {
        let owner = &request.owner;
        let Reply { result, kill } =
            world.create(now, flaw::spoil_order(self.flaw, labels::order_of(request)));
        let result = match result {
            Ok(seen) if self.has(Flaw::DropsLabels) => Ok(self.pretend(&seen, request)),
            Ok(seen) => self.read(&seen, &owner.scope).ok_or_else(|| Refusal {
                kind: CloudErrorKind::UnexpectedAnswer("a machine without labels".to_owned()),
                maybe_done: true,
            }),
            Err(refusal) if matches!(refusal.kind, CloudErrorKind::Conflict(_)) => {
                self.adopt(world, now, request).ok_or(refusal)
            }
            Err(refusal) => Err(refusal),
        };
        let result = result.map(|mut instance| {
            if self.has(Flaw::AnswersWrongId) {
                instance.id.0.push('0');
            }
            instance
        });
        Reply { result, kill }
    }

    /// The instance that holds the name already, if it is the one that was asked for.
    fn adopt(
        &self,
        world: &mut World,
        now: Duration,
        request: &CreateInstance,
    ) -> Option<Instance> {
        if self.has(Flaw::NeverAdopts) {
            return None;
        }
        let held = world.named(now, &request.marks.name)?;
        self.read(&held, &request.owner.scope)
            .filter(Instance::is_live)
            .filter(|held| held.owner == request.owner || self.has(Flaw::AdoptsByName))
    }

    fn read(&self, seen: &Seen, scope: &Scope) -> Option<Instance> {
        flaw::read(self.flaw, self.id(), seen, scope)
    }

    /// What a provider that has just lost the labels would say of the new machine.
    fn pretend(&self, seen: &Seen, request: &CreateInstance) -> Instance {
        Instance {
            id: seen.id.clone(),
            provider: self.id(),
            owner: request.owner.clone(),
            lifecycle: seen.lifecycle,
            spec: seen.spec.clone(),
            marks: request.marks.clone(),
            pins: request.pins,
            address: seen.address,
            ssh: None,
            created_at: seen.created_at,
            trouble: None,
        }
    }

    fn failure(&self, operation: &str, kind: CloudErrorKind) -> CloudError {
        CloudError::new(self.id(), operation, kind)
    }
}

#[async_trait]
impl CloudProvider for MockCloud {
    fn id(&self) -> ProviderId {
        self.cloud.provider()
    }

    async fn validate_credentials(&self) -> Result<Account, CloudError> {
        let operation = "validate the credentials";
        self.call(RequestKind::Validate, operation, World::validate).await?;
        if self.has(Flaw::DistrustsCredentials) {
            let kind = CloudErrorKind::InvalidCredentials("a flaw".to_owned());
            return Err(self.failure(operation, kind));
        }
        Ok(Account { name: "mock".to_owned() })
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        let operation = "read the catalogue";
        let catalogue = self.call(RequestKind::Catalogue, operation, World::offered).await?;
        Ok(flaw::spoil_catalogue(self.flaw, catalogue))
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        let selector = flaw::selector(self.flaw, scope);
        let operation = "list instances";
        let list = |world: &mut World, now| world.list(now, &selector);
        let listed = self.call(RequestKind::List, operation, list).await?;
        Ok(flaw::sift(self.flaw, self.id(), &listed, scope))
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        let operation = format!("read `{id}`");
        let get = |world: &mut World, now| world.get(now, id);
        let answer = self.call(RequestKind::Get, &operation, get).await;
        let seen = match answer {
            Ok(seen) => seen,
            Err(error)
                if matches!(error.kind, CloudErrorKind::NotFound(_))
                    && !self.has(Flaw::FailsOnUnknown) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        Ok(match labels::instance(self.id(), &seen) {
            Some(ours) => self.read(&seen, &ours.owner.scope),
            None => self.has(Flaw::OwnsByName).then(|| flaw::guess(self.id(), &seen)).flatten(),
        })
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        let operation = format!("create host `{}`", request.owner.host);
        self.go_astray(request).await;
        let create = |world: &mut World, now| self.create_in(world, now, request);
        self.call(RequestKind::Create, &operation, create).await
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        let operation = format!("start `{id}`");
        if self.has(Flaw::NeverStarts) {
            return Ok(());
        }
        if self.has(Flaw::RefusesRunning)
            && self.cloud.with(|world, now| {
                let mut machines = world.machines(now).into_iter();
                machines.any(|seen| seen.id == *id && seen.lifecycle == Lifecycle::Running)
            })
        {
            let kind = CloudErrorKind::InvalidInput("it runs already".to_owned());
            return Err(self.failure(&operation, kind));
        }
        self.call(RequestKind::Start, &operation, |world, now| world.start(now, id)).await
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        if self.has(Flaw::IgnoresUpdates) {
            return Ok(());
        }
        self.call(RequestKind::Update, &format!("update `{id}`"), |world, now| {
            let seen = world.machines(now).into_iter().find(|seen| seen.id == *id);
            let Some(held) = seen.and_then(|seen| labels::instance(self.id(), &seen)) else {
                let nobody = InstanceId(format!("{id} of ours"));
                return world.update(now, &nobody, &marks.name, &Labels::new(), &marks.tags);
            };
            let mut tags = marks.tags.clone();
            if self.has(Flaw::OnlyAddsTags) {
                tags.extend(held.marks.tags);
            }
            let pins = if self.has(Flaw::ForgetsPins) { Pins::default() } else { held.pins };
            world.update(now, id, &marks.name, &labels::labels(&held.owner, marks, &pins), &tags)
        })
        .await
    }

    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError> {
        if self.has(Flaw::NeverPins) {
            return Ok(());
        }
        let operation = format!("pin the key of `{}`", instance.id);
        self.call(RequestKind::Update, &operation, |world, now| {
            let seen = world.machines(now).into_iter().find(|seen| seen.id == instance.id);
            let Some((seen, held)) =
                seen.and_then(|seen| labels::instance(self.id(), &seen).map(|held| (seen, held)))
            else {
                let nobody = InstanceId(format!("{} of ours", instance.id));
                return world.update(now, &nobody, "", &Labels::new(), &[].into());
            };
            let labels = labels::labels(&held.owner, &held.marks, pins);
            let name = if self.has(Flaw::PinsByName) { "pinned" } else { seen.name.as_str() };
            world.update(now, &instance.id, name, &labels, &seen.tags)
        })
        .await
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        if self.has(Flaw::KeepsMachines) {
            return Ok(Termination::Started);
        }
        let operation = format!("terminate `{id}`");
        let terminate = |world: &mut World, now| world.terminate(now, id);
        let done = self.call(RequestKind::Terminate, &operation, terminate).await?;
        if done == Termination::AlreadyGone && self.has(Flaw::TerminatesOnce) {
            let kind = CloudErrorKind::NotFound(format!("no machine `{id}`"));
            return Err(self.failure(&operation, kind));
        }
        Ok(done)
    }

    async fn tidy(&self, _: &Scope) -> Result<(), CloudError> {
        Ok(())
    }
}
