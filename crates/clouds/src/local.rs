//! Hosts as containers on a Docker Engine, on the user's machine or another.
//!
//! # The host
//! A host behaves like a fresh virtual machine: an address of its own, systemd, sshd, apt, and
//! Docker can be installed and run inside. `host/init.sh` is its first process and says how. It is
//! not a security boundary: root inside has nearly all capabilities on the engine's machine. A host
//! may use the whole machine; sizes are labels only. Hosts that run stay off after the machine
//! restarts, until they are started. Two things of the machine change: the network `stagecraft`
//! stays when the last host is gone, and `fs.inotify.max_user_instances` is raised to 4096.
//!
//! # Ownership and names
//! A container is ours by its labels, which are in the request that creates it. Its name is
//! `{project}-{environment}-{host}`: the engine knows one name once, so two runs that create one
//! host at once cannot both succeed. The shorter name used on other clouds would make two projects
//! of one machine collide. Nothing is ever found by its name, except to ask whose it is when the
//! engine says that it is taken.
//!
//! # What cannot be changed on a container
//! Name, role, protection and tags can change, and Docker cannot relabel: newer marks are kept
//! beside the container, in the labels of an empty volume; see `marks.rs`. Pruning volumes by hand
//! loses them, and the next run writes them again.
//!
//! # Crashes
//! Creating is two requests. Killed between them a container is left that was never started: it is
//! listed as stopped, and [`start`](CloudProvider::start) goes on from there. Terminating removes
//! the marks first and the container last, so that killed in between it is still listed.

mod catalogue;
mod engine;
mod exchange;
mod fault;
#[cfg(test)]
mod fixtures;
pub mod host;
pub mod image;
pub mod labels;
mod machine;
mod marks;
pub mod network;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::models::ContainerStateStatusEnum;
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, ListContainersOptions, ListVolumesOptions,
    RemoveContainerOptions, RemoveVolumeOptions, StartContainerOptions,
};
use stagecraft_core::cloud::{
    Account, Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::{Instance, Lifecycle, Marks, Owner};
use stagecraft_core::name::{InstanceId, Scope};
use tokio::sync::OnceCell;

pub use catalogue::{REGION, SIZES};
pub use engine::{Engine, EngineAddress, Reach};
pub use fault::Doing;
pub use image::Progress;

use exchange::Filters;
use fault::Fault;
use host::NewHost;
use image::Workshop;
use marks::Generation;

/// How often another writer may win the next generation of marks before we give up.
const MARK_ATTEMPTS: u64 = 16;

/// All the provider needs to know; it reads no environment itself.
#[derive(Debug)]
pub struct LocalSettings {
    /// Where the engine is.
    pub engine: EngineAddress,
    /// Public keys, one line each, that may log in as root and as the image's user.
    pub authorized_keys: Vec<String>,
    /// A folder for the lock of image builds; made if missing.
    pub cache: PathBuf,
    /// Variables for programs that build images: proxies, `TMPDIR`. Never secrets.
    pub environment: Vec<(String, String)>,
    /// Who is told what the building of an image does.
    pub progress: Arc<dyn Progress>,
}

/// The provider `local`.
#[derive(Debug)]
pub struct LocalProvider {
    address: EngineAddress,
    authorized_keys: Vec<String>,
    workshop: Workshop,
    engine: OnceCell<Engine>,
    /// Set when the engine turned out not to be able to grant CAP_SYS_RESOURCE.
    without_sys_resource: AtomicBool,
}

impl LocalProvider {
    /// A provider that connects with its first request.
    #[must_use]
    pub fn new(settings: LocalSettings) -> Self {
        let LocalSettings { engine, authorized_keys, cache, environment, progress } = settings;
        Self {
            address: engine,
            authorized_keys,
            workshop: Workshop::new(cache, environment, progress),
            engine: OnceCell::new(),
            without_sys_resource: AtomicBool::new(false),
        }
    }

    async fn engine(&self, doing: &Doing) -> Result<&Engine, CloudError> {
        self.engine.get_or_try_init(|| Engine::connect(&self.address, doing)).await
    }

    fn explain(&self, doing: &Doing) -> impl Fn(Error) -> CloudError {
        move |error| Fault::from(error).explain(doing, &self.address)
    }

    /// Instances that match, with the marks that count now.
    async fn instances(
        &self,
        engine: &Engine,
        containers: Filters,
        volumes: Filters,
    ) -> Result<Vec<Instance>, Error> {
        let listing = ListContainersOptions {
            all: true,
            filters: Some(containers),
            ..ListContainersOptions::default()
        };
        let (containers, marks) = tokio::try_join!(
            engine.docker.list_containers(Some(listing)),
            generations(engine, volumes)
        )?;
        Ok(containers
            .iter()
            .filter_map(|container| {
                let id = container.id.as_deref()?.into();
                let newest = marks.get(&id).and_then(|generations| generations.last());
                exchange::instance(container, newest.map(|newest| &newest.marks), &engine.reach)
            })
            .collect())
    }

    async fn find(&self, engine: &Engine, id: &InstanceId) -> Result<Option<Instance>, Error> {
        let found = self.instances(engine, exchange::with_id(id), exchange::marks_of(id)).await?;
        Ok(found.into_iter().find(|instance| instance.id == *id))
    }

    /// The instance, or an error that says whether it is gone or not ours.
    async fn ours(&self, engine: &Engine, id: &InstanceId, doing: &Doing) -> Result<Instance, CloudError> {
        if let Some(instance) = self.find(engine, id).await.map_err(self.explain(doing))? {
            return Ok(instance);
        }
        let why = match self.exists(engine, id, doing).await? {
            true => format!("container {} is not one of ours", short(id)),
            false => format!("there is no container {}", short(id)),
        };
        Err(doing.failed(CloudErrorKind::NotFound(why)))
    }

    async fn exists(&self, engine: &Engine, id: &InstanceId, doing: &Doing) -> Result<bool, CloudError> {
        match engine.docker.inspect_container(id.as_str(), None::<InspectContainerOptions>).await {
            Ok(_) => Ok(true),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(self.explain(doing)(error)),
        }
    }

    /// Creates and starts the container of an order.
    async fn place(
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
                return match fault.status() {
                    Some(409) => self.adopt(engine, &request.owner, &name, doing).await,
                    Some(_) | None => Err(fault.explain(doing, &self.address)),
                };
            }
        };
        let Err(error) = start(engine, &id).await else {
            return self.created(engine, &id, doing).await;
        };
        let fault = Fault::from(error);
        if sys_resource && fault.is_missing_capability() {
            self.without_sys_resource.store(true, Ordering::Relaxed);
            remove(engine, &id).await.map_err(|error| self.explain(doing)(error).maybe_done())?;
            return Box::pin(self.place(engine, request, image, doing)).await;
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
    ) -> bollard::models::ContainerCreateBody {
        let resolvers = if engine.same_machine { machine::resolvers() } else { Vec::new() };
        NewHost {
            image,
            hostname: request.owner.host.as_str(),
            labels: labels::of_container(request),
            authorized_keys: &self.authorized_keys,
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
            doing.failed(CloudErrorKind::ProviderFault(format!(
                "another run creates or removes the container `{name}` right now"
            )))
        };
        let holder = match engine.docker.inspect_container(name, None::<InspectContainerOptions>).await {
            Ok(holder) => holder,
            // A name is taken a moment before its container can be seen.
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Err(moving()),
            Err(error) => return Err(self.explain(doing)(error)),
        };
        let labels = holder.config.and_then(|config| config.labels).unwrap_or_default();
        if labels::owner(&labels).as_ref() != Some(owner) {
            return Err(doing
                .failed(CloudErrorKind::Conflict(format!(
                    "the container `{name}` exists and is not this host"
                )))
                .with_hint(format!("see `docker inspect {name}`; rename the host, or remove the container")));
        }
        let Some(id) = holder.id.map(InstanceId) else { return Err(moving()) };
        match holder.state.and_then(|state| state.status) {
            Some(ContainerStateStatusEnum::CREATED) => {
                let failed = |error| self.explain(doing)(error).maybe_done();
                start(engine, &id).await.map_err(failed)?;
            }
            Some(ContainerStateStatusEnum::REMOVING | ContainerStateStatusEnum::DEAD) => {
                return Err(moving().with_hint(format!("if it does not go away, run `docker rm -f {name}`")));
            }
            _ => {}
        }
        self.created(engine, &id, doing).await
    }

    /// What was created just now. An answer that is not the whole instance leaves it in doubt.
    async fn created(
        &self,
        engine: &Engine,
        id: &InstanceId,
        doing: &Doing,
    ) -> Result<Instance, CloudError> {
        let found = self.find(engine, id).await.map_err(|error| self.explain(doing)(error).maybe_done())?;
        found.ok_or_else(|| {
            let why = format!("container {} is gone right after its creation", short(id));
            doing.failed(CloudErrorKind::ProviderFault(why)).maybe_done()
        })
    }
}

#[async_trait]
impl CloudProvider for LocalProvider {
    fn id(&self) -> ProviderId {
        ProviderId::Local
    }

    async fn validate_credentials(&self) -> Result<Account, CloudError> {
        let doing = Doing::reading("reach the Docker Engine");
        let engine = self.engine(&doing).await?;
        engine.docker.ping().await.map_err(self.explain(&doing))?;
        Ok(Account { name: format!("Docker Engine {} at {}", engine.version, engine.address) })
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        let engine = self.engine(&Doing::reading("list what can be ordered")).await?;
        Ok(catalogue::catalogue(engine.arch))
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        let doing = Doing::reading(format!("list the hosts of `{scope}`"));
        let engine = self.engine(&doing).await?;
        let listed =
            self.instances(engine, exchange::in_scope(scope), exchange::in_scope(scope)).await;
        listed.map_err(self.explain(&doing))
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        let doing = Doing::reading(format!("look at container {}", short(id)));
        let engine = self.engine(&doing).await?;
        self.find(engine, id).await.map_err(self.explain(&doing))
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        // Nothing of the order exists before the last of these steps.
        let before = Doing::reading(format!("create host `{}`", request.owner.host));
        let doing = Doing { changes: true, ..before.clone() };
        let engine = self.engine(&before).await?;
        let recipe = catalogue::check(&request.spec, engine.arch).map_err(|kind| before.failed(kind))?;
        let image = self.workshop.ensure(engine, &recipe, &before).await?;
        network::ensure(engine, &before).await?;
        self.place(engine, request, &image, &doing).await
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        let doing = Doing::changing(format!("start container {}", short(id)));
        let engine = self.engine(&doing).await?;
        let instance = self.ours(engine, id, &doing).await?;
        let doing = Doing::changing(format!("start host `{}`", instance.owner.host));
        let Err(error) = start(engine, id).await else {
            return Ok(());
        };
        match Fault::from(error) {
            Fault::Answer { status: 409, message } if message.contains("paused") => {
                engine.docker.unpause_container(id.as_str()).await.map_err(self.explain(&doing))
            }
            fault if fault.is_missing_capability() => Err(fault
                .explain(&doing, &self.address)
                .with_hint("it was made for another engine; replace the host")),
            fault => Err(fault.explain(&doing, &self.address)),
        }
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        let doing = Doing::changing(format!("update container {}", short(id)));
        let engine = self.engine(&doing).await?;
        let instance = self.ours(engine, id, &doing).await?;
        if instance.marks == *marks {
            return Ok(());
        }
        let doing = Doing::changing(format!("update host `{}`", instance.owner.host));
        let failed = self.explain(&doing);
        let written = generations(engine, exchange::marks_of(id)).await.map_err(&failed)?;
        let older = written.get(id).map_or(&[][..], Vec::as_slice);
        let next = older.last().map_or(1, |newest| newest.number + 1);
        let Some(newest) = self.write_marks(engine, &instance, next, marks).await.map_err(&failed)?
        else {
            let why = "other runs change the same host all the time".to_owned();
            return Err(doing.failed(CloudErrorKind::ProviderFault(why)));
        };
        for volume in marks::obsolete(older, newest) {
            remove_volume(engine, volume).await.map_err(&failed)?;
        }
        // Somebody else may have terminated it meanwhile, and would not see the new marks.
        if self.find(engine, id).await.map_err(&failed)?.is_none() {
            remove_marks(engine, id).await.map_err(&failed)?;
            let why = format!("container {} is gone", short(id));
            return Err(doing.failed(CloudErrorKind::NotFound(why)));
        }
        Ok(())
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        let doing = Doing::changing(format!("terminate container {}", short(id)));
        let engine = self.engine(&doing).await?;
        let Some(instance) = self.find(engine, id).await.map_err(self.explain(&doing))? else {
            if self.exists(engine, id, &doing).await? {
                let why = format!("container {} is not one of ours", short(id));
                return Err(doing.failed(CloudErrorKind::NotFound(why)));
            }
            remove_marks(engine, id).await.map_err(self.explain(&doing))?;
            return Ok(Termination::AlreadyGone);
        };
        let doing = Doing::changing(format!("terminate host `{}`", instance.owner.host));
        remove_marks(engine, id).await.map_err(self.explain(&doing))?;
        match remove(engine, id).await {
            Ok(termination) => Ok(termination),
            Err(_) if instance.lifecycle == Lifecycle::Terminating => Ok(Termination::Started),
            Err(error) => Err(self.explain(&doing)(error)),
        }
    }
}

impl LocalProvider {
    /// Writes marks as generation `next` or a later one; `None` when others were faster each time.
    async fn write_marks(
        &self,
        engine: &Engine,
        instance: &Instance,
        next: u64,
        marks: &Marks,
    ) -> Result<Option<u64>, Error> {
        for number in next..next + MARK_ATTEMPTS {
            let volume = engine.docker.create_volume(marks::write(instance, number, marks)).await?;
            if marks::holds(&volume, marks) {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}

async fn generations(
    engine: &Engine,
    filters: Filters,
) -> Result<BTreeMap<InstanceId, Vec<Generation>>, Error> {
    let options = ListVolumesOptions { filters: Some(filters) };
    let found = engine.docker.list_volumes(Some(options)).await?;
    Ok(marks::by_container(&found.volumes.unwrap_or_default()))
}

async fn start(engine: &Engine, id: &InstanceId) -> Result<(), Error> {
    engine.docker.start_container(id.as_str(), None::<StartContainerOptions>).await
}

/// Removes a container and the volumes Docker made for it.
async fn remove(engine: &Engine, id: &InstanceId) -> Result<Termination, Error> {
    let options = RemoveContainerOptions { v: true, force: true, link: false };
    match engine.docker.remove_container(id.as_str(), Some(options)).await {
        Ok(()) => Ok(Termination::Started),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(Termination::AlreadyGone),
        Err(Error::DockerResponseServerError { status_code: 409, message })
            if message.contains("already in progress") =>
        {
            Ok(Termination::Started)
        }
        Err(error) => Err(error),
    }
}

async fn remove_marks(engine: &Engine, id: &InstanceId) -> Result<(), Error> {
    let all = generations(engine, exchange::marks_of(id)).await?;
    for generation in all.values().flatten() {
        remove_volume(engine, &generation.volume).await?;
    }
    Ok(())
}

async fn remove_volume(engine: &Engine, name: &str) -> Result<(), Error> {
    match engine.docker.remove_volume(name, None::<RemoveVolumeOptions>).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The name of a host's container, unique on its engine.
fn container_name(owner: &Owner) -> String {
    format!("{}-{}", owner.scope.project, owner.scope.cloud_name(&owner.host))
}

/// An id as Docker's own client shows it.
fn short(id: &InstanceId) -> &str {
    id.as_str().get(..12).unwrap_or(id.as_str())
}
