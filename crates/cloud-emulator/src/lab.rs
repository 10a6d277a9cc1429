//! Real hosts behind an emulator: containers of the provider `local`, one for each machine.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stagecraft_clouds::local::{EngineAddress, LocalProvider, LocalSettings, Progress};
use stagecraft_core::cloud::{CloudError, CloudErrorKind, CloudProvider, CreateInstance};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Diagnose as _, Retry, chain};
use stagecraft_core::identity::{Pins, UserData};
use stagecraft_core::inventory::{Instance, Lifecycle, Marks, Owner, Spec};
use stagecraft_core::name::{InstanceId, Scope};
use stagecraft_testkit::emulators::{HostOrder, Hosts};
use stagecraft_testkit::world::Seen;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How long the machines may take to be removed when the lab is closed.
const CLOSING: Duration = Duration::from_secs(30);
/// How often a container is ordered that the engine cannot make right now.
const TRIES: u32 = 50;
/// The pause between two looks at a container that is coming up, or being made again.
const PAUSE: Duration = Duration::from_millis(200);

/// Where containers are made, and under which names.
#[derive(Clone, Debug)]
pub struct Lab {
    engine: EngineAddress,
    cache: PathBuf,
    scope: Scope,
    spec: Spec,
    known: Arc<Mutex<BTreeMap<InstanceId, Machine>>>,
    following: Arc<Mutex<JoinSet<()>>>,
}

/// Where the engine is and where it may keep what it needs for the next time.
#[derive(Clone, Debug)]
pub struct Settings {
    engine: EngineAddress,
    cache: PathBuf,
}

/// The engine this user's Docker client would use, and a folder among the temporary ones.
///
/// # Errors
/// When `DOCKER_HOST` names something that cannot be used.
#[expect(clippy::disallowed_methods, reason = "a tool of its own reads its own environment")]
pub fn settings() -> Result<Settings, String> {
    let host = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    let engine = EngineAddress::parse(host.as_deref(), None).map_err(|error| error.to_string())?;
    Ok(Settings { engine, cache: std::env::temp_dir().join("cloud-emulator") })
}

/// A machine with a container behind it.
#[derive(Debug)]
struct Machine {
    wishes: mpsc::UnboundedSender<Wish>,
    address: Option<IpAddr>,
}

/// What shall become of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    On,
    Off,
    Gone,
}

impl Lab {
    /// A lab behind one provider's emulator. `run` is a DNS label that tells its containers from
    /// those of other labs at the same time; what an earlier lab of that name left is removed.
    ///
    /// # Errors
    /// When the engine cannot be used.
    pub async fn open(settings: Settings, of: ProviderId, run: &str) -> Result<Self, CloudError> {
        let Settings { engine, cache } = settings;
        let looking = provider(&engine, &cache, Vec::new());
        let arch = looking.catalogue().await?.default_arch;
        let spec = Spec {
            region: "local".into(),
            size: "small".into(),
            image: "debian-12".into(),
            arch,
            spot: false,
        };
        let scope = Scope { project: name(&format!("emulated-{of}"))?, environment: name(run)? };
        let lab =
            Self { engine, cache, scope, spec, known: Arc::default(), following: Arc::default() };
        lab.clear().await?;
        Ok(lab)
    }

    /// Removes every container of this lab. One that is being made is waited for: nobody would
    /// find it afterwards.
    ///
    /// # Errors
    /// When the engine cannot be used.
    pub async fn clear(&self) -> Result<(), CloudError> {
        for machine in std::mem::take(&mut *self.known()).into_values() {
            let _heard = machine.wishes.send(Wish::Gone);
        }
        let mut following = std::mem::take(&mut *self.following());
        let all = async { while following.join_next().await.is_some() {} };
        // Whatever takes longer than that is looked for all the same.
        drop(tokio::time::timeout(CLOSING, all).await);
        let looking = provider(&self.engine, &self.cache, Vec::new());
        for instance in looking.list(&self.scope).await? {
            looking.terminate(&instance.id).await?;
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Machine>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn following(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wish(&self, id: &InstanceId, wish: Wish) {
        if let Some(machine) = self.known().get(id) {
            // Nobody listens when the container could not be made, which was said then.
            let _heard = machine.wishes.send(wish);
        }
    }

    /// Makes a machine's container and does with it what is wished, until it is gone.
    async fn follow(self, order: HostOrder, mut wishes: mpsc::UnboundedReceiver<Wish>) {
        let cloud = provider(&self.engine, &self.cache, order.public_keys.clone())
            .with_login_user(order.login_user);
        let instance = match self.make(&cloud, &order).await {
            Ok(instance) => instance,
            Err(error) => return complain(&order.name, &error),
        };
        while let Some(wish) = wishes.recv().await {
            let done = match wish {
                Wish::On => self.switch_on(&cloud, &order.id, &instance.id).await,
                Wish::Off => {
                    self.found(&order.id, None);
                    // It goes on without being seen, as there is no request to stop a container.
                    Ok(())
                }
                Wish::Gone => cloud.terminate(&instance.id).await.map(drop),
            };
            if let Err(error) = done {
                complain(&order.name, &error);
            }
            if wish == Wish::Gone {
                return;
            }
        }
    }

    async fn make(&self, cloud: &LocalProvider, order: &HostOrder) -> Result<Instance, CloudError> {
        let host = name(&format!("m{}", order.id))?;
        let request = CreateInstance {
            owner: Owner { scope: self.scope.clone(), host },
            spec: self.spec.clone(),
            marks: Marks {
                name: order.name.clone(),
                role: name("machine")?,
                protected: false,
                tags: [].into(),
            },
            pins: Pins::default(),
            user_data: order.user_data.as_deref().map(UserData::new),
        };
        let mut failed = 0;
        loop {
            let error = match cloud.create(&request).await {
                Ok(instance) => return Ok(instance),
                Err(error) => error,
            };
            failed += 1;
            if error.retry() == Retry::Never || failed == TRIES {
                return Err(error);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn switch_on(
        &self,
        cloud: &LocalProvider,
        machine: &InstanceId,
        container: &InstanceId,
    ) -> Result<(), CloudError> {
        cloud.start(container).await?;
        loop {
            match cloud.get(container).await? {
                Some(Instance { lifecycle: Lifecycle::Running, address, .. }) => {
                    self.found(machine, address);
                    return Ok(());
                }
                Some(_) => tokio::time::sleep(PAUSE).await,
                None => return Ok(()),
            }
        }
    }

    fn found(&self, id: &InstanceId, address: Option<IpAddr>) {
        if let Some(machine) = self.known().get_mut(id) {
            machine.address = address;
        }
    }
}

impl Hosts for Lab {
    fn ordered(&self, order: HostOrder) {
        let (wishes, heard) = mpsc::unbounded_channel();
        self.known().insert(order.id.clone(), Machine { wishes, address: None });
        self.wish(&order.id, Wish::On);
        let mut following = self.following();
        while following.try_join_next().is_some() {}
        following.spawn(self.clone().follow(order, heard));
    }

    fn removed(&self, id: &InstanceId) {
        self.wish(id, Wish::Gone);
        self.known().remove(id);
    }

    fn switched_on(&self, id: &InstanceId) {
        self.wish(id, Wish::On);
    }

    fn switched_off(&self, id: &InstanceId) {
        self.wish(id, Wish::Off);
    }

    fn address(&self, seen: &Seen) -> Option<IpAddr> {
        seen.address.and_then(|_| self.known().get(&seen.id)?.address)
    }
}

/// A name of whatever kind, from parts that make a valid one.
fn name<T: FromStr>(text: &str) -> Result<T, CloudError> {
    text.parse().map_err(|_| {
        let kind = CloudErrorKind::InvalidInput(format!("`{text}` is no name"));
        CloudError::new(ProviderId::Local, "name a container", kind)
    })
}

fn provider(engine: &EngineAddress, cache: &std::path::Path, keys: Vec<String>) -> LocalProvider {
    LocalProvider::new(LocalSettings {
        engine: engine.clone(),
        authorized_keys: keys,
        cache: cache.to_owned(),
        environment: Vec::new(),
        progress: Arc::new(Silence),
    })
}

#[derive(Debug)]
struct Silence;

impl Progress for Silence {
    fn line(&self, _: &str) {}
}

#[expect(clippy::print_stderr, reason = "a tool for a terminal")]
fn complain(machine: &str, error: &CloudError) {
    eprintln!("lab: {machine}: {}", chain(error));
}
