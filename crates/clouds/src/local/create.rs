//! Creating a container, or finding out whose it is that has its name.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, ContainerStateStatusEnum};
use bollard::query_parameters::{CreateContainerOptions, InspectContainerOptions};
use stagecraft_core::cloud::{CloudError, CloudErrorKind, CreateInstance};
use stagecraft_core::inventory::{Instance, Owner};
use stagecraft_core::name::InstanceId;

use super::engine::{Engine, Reach};
use super::fault::Fault;
use super::host::{self, NewHost};
use super::marks::Carried;
use super::requests::{remove, remove_marks, start, start_first};
use super::{LocalProvider, labels, machine, short};
use crate::Doing;

/// How long an engine may take to finish what it was asked by a client that is gone, as seen on a
/// busy machine, divided by the tries a request has.
const MOVING: Duration = Duration::from_secs(3);

impl LocalProvider {
    /// Creates and starts the container of an order.
    pub(super) async fn place(
        &self,
        engine: &Engine,
        request: &CreateInstance,
        image: &str,
        doing: &Doing,
    ) -> Result<Instance, CloudError> {
        let sys_resource =
            engine.may_grant_sys_resource() && !self.without_sys_resource.load(Ordering::Relaxed);
        let name = container_name(&request.owner);
        let body = self.body(engine, request, image, sys_resource);
        let options = CreateContainerOptions {
            name: Some(name.clone()),
            platform: format!("linux/{}", engine.arch),
        };
        let id = match engine.docker.create_container(Some(options), body).await {
            Ok(created) => InstanceId(created.id),
            Err(error) => {
                let fault = Fault::from(error);
                return match fault.answer() {
                    Some((409, _)) => self.adopt(engine, &request.owner, &name, doing).await,
                    Some(_) | None => Err(fault.explain(doing, &self.address)),
                };
            }
        };
        let carried = Carried { marks: request.marks.clone(), pins: request.pins };
        let started = start_first(engine, &id, &request.owner.scope, &carried).await;
        let Err(error) = started else {
            return self.created(engine, &id, doing).await;
        };
        let fault = Fault::from(error);
        if sys_resource && fault.is_missing_capability() {
            self.without_sys_resource.store(true, Ordering::Relaxed);
            let failed = |error| self.explain(doing)(error).maybe_done();
            remove_marks(engine, &id).await.map_err(failed)?;
            remove(engine, &id).await.map_err(failed)?;
            return Box::pin(self.place(engine, request, image, doing)).await;
        }
        if fault.answer().is_some_and(|(status, _)| status == 404) {
            // Somebody else removed it meanwhile, and did not see what was written beside it.
            remove_marks(engine, &id)
                .await
                .map_err(|error| self.explain(doing)(error).maybe_done())?;
        }
        // The container exists, and the next look finds it stopped.
        Err(fault.explain(doing, &self.address).maybe_done())
    }

    fn body(
        &self,
        engine: &Engine,
        request: &CreateInstance,
        image: &str,
        sys_resource: bool,
    ) -> ContainerCreateBody {
        let resolvers = if engine.same_machine { machine::resolvers() } else { Vec::new() };
        NewHost {
            image,
            hostname: request.owner.host.as_str(),
            labels: labels::of_container(request),
            authorized_keys: &self.authorized_keys,
            login_user: self.login_user,
            user_data: request.user_data.as_ref(),
            resolvers: &resolvers,
            network: host::NETWORK,
            publish_ssh_on: match &engine.reach {
                Reach::Direct => None,
                Reach::Published { bind, .. } => Some(bind),
            },
            sys_resource,
            remaps_users: engine.remaps_users,
        }
        .request()
    }

    /// Takes a container whose name was taken already, if it is the very host that is ordered.
    async fn adopt(
        &self,
        engine: &Engine,
        owner: &Owner,
        name: &str,
        doing: &Doing,
    ) -> Result<Instance, CloudError> {
        let moving = || {
            doing
                .failed(CloudErrorKind::ProviderFault(format!(
                    "another run creates or removes the container `{name}` right now"
                )))
                .retry_after(MOVING)
        };
        let holder =
            match engine.docker.inspect_container(name, None::<InspectContainerOptions>).await {
                Ok(holder) => holder,
                // A name is taken a moment before its container can be seen.
                Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
                    return Err(moving());
                }
                Err(error) => return Err(self.explain(doing)(error)),
            };
        let labels = holder.config.and_then(|config| config.labels).unwrap_or_default();
        if labels::owner(&labels).as_ref() != Some(owner) {
            return Err(doing
                .failed(CloudErrorKind::Conflict(format!(
                    "the container `{name}` exists and is not this host"
                )))
                .with_hint(format!(
                    "see `docker inspect {name}`; rename the host, or remove the container"
                )));
        }
        let Some(id) = holder.id.map(InstanceId) else { return Err(moving()) };
        match holder.state.and_then(|state| state.status) {
            Some(ContainerStateStatusEnum::CREATED) => {
                let failed = |error| self.explain(doing)(error).maybe_done();
                self.begin(engine, &id).await.map_err(failed)?;
            }
            Some(ContainerStateStatusEnum::REMOVING | ContainerStateStatusEnum::DEAD) => {
                return Err(moving()
                    .with_hint(format!("if it does not go away, run `docker rm -f {name}`")));
            }
            _ => {}
        }
        self.created(engine, &id, doing).await
    }

    /// Starts a container, be it for the first time or not.
    pub(super) async fn begin(&self, engine: &Engine, id: &InstanceId) -> Result<(), Error> {
        let options = None::<InspectContainerOptions>;
        let state = engine.docker.inspect_container(id.as_str(), options).await?.state;
        let never_ran =
            state.and_then(|state| state.status) == Some(ContainerStateStatusEnum::CREATED);
        match self.find(engine, id).await?.filter(|_| never_ran) {
            Some(Instance { owner, marks, pins, .. }) => {
                start_first(engine, id, &owner.scope, &Carried { marks, pins }).await
            }
            None => start(engine, id).await,
        }
    }

    /// What was created just now. An answer that is not the whole instance leaves it in doubt.
    async fn created(
        &self,
        engine: &Engine,
        id: &InstanceId,
        doing: &Doing,
    ) -> Result<Instance, CloudError> {
        let found =
            self.find(engine, id).await.map_err(|error| self.explain(doing)(error).maybe_done())?;
        found.ok_or_else(|| {
            let why = format!("container {} is gone right after its creation", short(id));
            doing.failed(CloudErrorKind::ProviderFault(why)).maybe_done()
        })
    }
}

/// The name of a host's container, unique on its engine. None of the three parts can contain a dot,
/// so two owners never have one name.
fn container_name(Owner { scope, host }: &Owner) -> String {
    format!("{}.{}.{host}", scope.project, scope.environment)
}
