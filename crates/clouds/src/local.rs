//! Hosts as containers on a Docker Engine, on the user's machine or another.
//!
//! # The host
//! A host behaves like a fresh virtual machine: an address of its own, systemd, sshd, apt, and
//! Docker can be installed and run inside. `host/init.sh` is its first process and says how. It is
//! not a security boundary: root inside has nearly all capabilities on the engine's machine. A host
//! may use the whole machine; sizes are labels only. Hosts that run stay off after the machine
//! restarts, until they are started. What stays on the machine when the last host is gone: the
//! network `stagecraft`, the images with a label `stagecraft.image-role`, and
//! `fs.inotify.max_user_instances`, raised to 4096 until the machine restarts.
//!
//! Two things are less than on a virtual machine. Hosts of an engine on another machine use Docker's
//! own resolver, which `nft flush ruleset` inside cuts off. And where the machine has version 1 of
//! the cgroups, containers inside cannot be privileged with Docker 20.10.
//!
//! # Ownership and names
//! A container is ours by its labels, which are in the request that creates it. Its name is
//! `{project}.{environment}.{host}`: the engine knows one name once, so two runs that create one
//! host at once cannot both succeed. The shorter name used on other clouds would make two projects
//! of one machine collide. Nothing is ever found by its name, except to ask whose it is when the
//! engine says that it is taken.
//!
//! # What cannot be changed on a container
//! Name, role, protection, tags and pinned host keys can change, and Docker cannot relabel: newer marks
//! are kept beside the container, in the labels of an empty volume; see `marks.rs`. Pruning volumes by
//! hand can lose them. A host that runs and lost them counts as protected, and no key of it is believed:
//! the next run writes marks again, and `infra trust` the key.
//!
//! # Crashes
//! Creating is three requests: the container, its marks, its start. Killed between them a container is
//! left that was never started: it is listed as stopped, and [`start`](CloudProvider::start) goes on from
//! there. Terminating stops it, then removes the marks and the container last, so that killed in between
//! it is still listed.

mod address;
mod catalogue;
mod create;
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
mod requests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptions};
use stagecraft_core::cloud::{
    Account, Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Marks};
use stagecraft_core::name::{InstanceId, Scope};
use tokio::sync::OnceCell;

pub use address::EngineAddress;
pub use catalogue::{REGION, SIZES};
pub use engine::{Engine, Reach};
pub use image::Progress;

use crate::Doing;
use exchange::Filters;
use fault::Fault;
use image::Workshop;
use marks::Carried;
use requests::{generations, remove, remove_marks, remove_volume, stop, write};

/// All the provider needs to know; it reads no environment itself.
#[derive(Debug)]
pub struct LocalSettings {
    /// Where the engine is.
    pub engine: EngineAddress,
    /// Public keys, one line each, that may log in as root and as the image's user.
    pub authorized_keys: Vec<String>,
    /// A folder for the lock and the log of image builds; made if missing.
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
    login_user: Option<&'static str>,
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
            login_user: None,
            workshop: Workshop::new(cache, environment, progress),
            engine: OnceCell::new(),
            without_sys_resource: AtomicBool::new(false),
        }
    }

    /// Lets in this user alone, who can become root, as an image of a cloud does.
    #[must_use]
    pub fn with_login_user(self, user: &'static str) -> Self {
        Self { login_user: Some(user), ..self }
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
        let look = async || {
            let containers = engine.docker.list_containers(Some(listing.clone()));
            tokio::try_join!(containers, generations(engine, volumes.clone()))
        };
        let (mut containers, mut marks) = look().await?;
        let bare = |container: &ContainerSummary| {
            let id = container.id.as_deref().map(InstanceId::from);
            exchange::has_lost_marks(container) && id.is_none_or(|id| !marks.contains_key(&id))
        };
        if containers.iter().any(bare) {
            // The two answers are not of one moment: it may have been started or stopped in between.
            (containers, marks) = look().await?;
        }
        Ok(containers
            .iter()
            .filter_map(|container| {
                let id = container.id.as_deref()?.into();
                let newest = marks.get(&id).and_then(|generations| generations.last());
                exchange::instance(container, newest.map(|newest| &newest.carried), &engine.reach)
            })
            .collect())
    }

    async fn find(&self, engine: &Engine, id: &InstanceId) -> Result<Option<Instance>, Error> {
        let found = self.instances(engine, exchange::with_id(id), exchange::marks_of(id)).await?;
        Ok(found.into_iter().find(|instance| instance.id == *id))
    }

    /// The instance, or an error that says whether it is gone or not ours.
    async fn ours(
        &self,
        engine: &Engine,
        id: &InstanceId,
        doing: &Doing,
    ) -> Result<Instance, CloudError> {
        if let Some(instance) = self.find(engine, id).await.map_err(self.explain(doing))? {
            return Ok(instance);
        }
        let why = if self.exists(engine, id, doing).await? {
            format!("container {} is not one of ours", short(id))
        } else {
            format!("there is no container {}", short(id))
        };
        Err(doing.failed(CloudErrorKind::NotFound(why)))
    }

    /// Changes what a container carries.
    async fn rewrite(
        &self,
        engine: &Engine,
        instance: &Instance,
        doing: &Doing,
        change: impl Fn(&mut Carried) + Send,
    ) -> Result<(), CloudError> {
        let (id, failed) = (&instance.id, self.explain(doing));
        let written = generations(engine, exchange::marks_of(id)).await.map_err(&failed)?;
        let older = written.get(id).map_or(&[][..], Vec::as_slice);
        let Some(newest) = write(engine, instance, older, change).await.map_err(&failed)? else {
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

    async fn exists(
        &self,
        engine: &Engine,
        id: &InstanceId,
        doing: &Doing,
    ) -> Result<bool, CloudError> {
        match engine.docker.inspect_container(id.as_str(), None::<InspectContainerOptions>).await {
            Ok(_) => Ok(true),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(self.explain(doing)(error)),
        }
    }
}

#[async_trait]
impl CloudProvider for LocalProvider {
    fn id(&self) -> ProviderId {
        ProviderId::Local
    }

    async fn validate_credentials(&self) -> Result<Account, CloudError> {
        let doing = Doing::reading(ProviderId::Local, "reach the Docker Engine");
        let engine = self.engine(&doing).await?;
        engine.docker.ping().await.map_err(self.explain(&doing))?;
        Ok(Account { name: format!("Docker Engine {} at {}", engine.version, engine.address) })
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        let engine =
            self.engine(&Doing::reading(ProviderId::Local, "list what can be ordered")).await?;
        Ok(catalogue::catalogue(engine.arch))
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        let doing = Doing::reading(ProviderId::Local, format!("list the hosts of `{scope}`"));
        let engine = self.engine(&doing).await?;
        let listed =
            self.instances(engine, exchange::in_scope(scope), exchange::in_scope(scope)).await;
        listed.map_err(self.explain(&doing))
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        let doing = Doing::reading(ProviderId::Local, format!("look at container {}", short(id)));
        let engine = self.engine(&doing).await?;
        self.find(engine, id).await.map_err(self.explain(&doing))
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        // Nothing of the order exists before the last of these steps.
        let before =
            Doing::reading(ProviderId::Local, format!("create host `{}`", request.owner.host));
        let doing = Doing { changes: true, ..before.clone() };
        let engine = self.engine(&before).await?;
        let recipe =
            catalogue::check(&request.spec, engine.arch).map_err(|kind| before.failed(kind))?;
        let image = self.workshop.ensure(engine, &recipe, &before).await?;
        network::ensure(engine, &before).await?;
        self.place(engine, request, &image, &doing).await
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        let doing = Doing::changing(ProviderId::Local, format!("start container {}", short(id)));
        let engine = self.engine(&doing).await?;
        let instance = self.ours(engine, id, &doing).await?;
        let doing =
            Doing::changing(ProviderId::Local, format!("start host `{}`", instance.owner.host));
        let Err(error) = self.begin(engine, id).await else {
            return Ok(());
        };
        let fault = Fault::from(error);
        if fault.answer().is_some_and(|(status, words)| status == 409 && words.contains("paused")) {
            return engine
                .docker
                .unpause_container(id.as_str())
                .await
                .map_err(self.explain(&doing));
        }
        let hopeless = fault.is_missing_capability();
        let error = fault.explain(&doing, &self.address);
        Err(if hopeless {
            error.with_hint("it was made for another engine; replace the host")
        } else {
            error
        })
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        let doing = Doing::changing(ProviderId::Local, format!("update container {}", short(id)));
        let engine = self.engine(&doing).await?;
        let instance = self.ours(engine, id, &doing).await?;
        if instance.marks == *marks {
            return Ok(());
        }
        let doing =
            Doing::changing(ProviderId::Local, format!("update host `{}`", instance.owner.host));
        self.rewrite(engine, &instance, &doing, |carried| carried.marks.clone_from(marks)).await
    }

    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError> {
        let doing = format!("pin the host key of `{}`", instance.owner.host);
        let doing = Doing::changing(ProviderId::Local, doing);
        let engine = self.engine(&doing).await?;
        let instance = self.ours(engine, &instance.id, &doing).await?;
        if instance.pins == *pins {
            return Ok(());
        }
        self.rewrite(engine, &instance, &doing, |carried| carried.pins = *pins).await
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        let doing =
            Doing::changing(ProviderId::Local, format!("terminate container {}", short(id)));
        let engine = self.engine(&doing).await?;
        let Some(instance) = self.find(engine, id).await.map_err(self.explain(&doing))? else {
            if self.exists(engine, id, &doing).await? {
                let why = format!("container {} is not one of ours", short(id));
                return Err(doing.failed(CloudErrorKind::NotFound(why)));
            }
            remove_marks(engine, id).await.map_err(self.explain(&doing))?;
            return Ok(Termination::AlreadyGone);
        };
        let doing =
            Doing::changing(ProviderId::Local, format!("terminate host `{}`", instance.owner.host));
        // One that runs without marks would count as having lost them.
        stop(engine, id).await.map_err(self.explain(&doing))?;
        remove_marks(engine, id).await.map_err(self.explain(&doing))?;
        remove(engine, id).await.map_err(self.explain(&doing))
    }

    async fn tidy(&self, _: &Scope) -> Result<(), CloudError> {
        Ok(())
    }
}

/// An id as Docker's own client shows it.
fn short(id: &InstanceId) -> &str {
    id.as_str().get(..12).unwrap_or(id.as_str())
}
