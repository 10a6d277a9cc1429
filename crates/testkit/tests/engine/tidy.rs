//! What providers made for an environment besides its instances, and how it is kept right and removed.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::cloud::{
    Account, Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, Diagnose as _};
use stagecraft_core::event::HostEnd;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Marks};
use stagecraft_core::name::{InstanceId, Scope};
use stagecraft_engine::{Engine, Limits, Parts};
use stagecraft_testkit::world::Behaviour;
use stagecraft_testkit::{MockCloud, Process, SharedWorld, World};

use crate::clock::WorldClock;
use crate::stage::{Stage, Verb, host, ours};
use crate::tape::Tape;

#[tokio::test(start_paused = true)]
async fn every_provider_is_asked_to_tidy_up_after_the_environment() {
    let (one, other) = (cloud(ProviderId::Aws, []), cloud(ProviderId::Hetzner, []));
    assert!(engine([&one, &other]).tidy(&ours()).await.is_ok());
    assert_eq!((one.asked(), other.asked()), (vec![ours()], vec![ours()]));
}

#[tokio::test(start_paused = true)]
async fn what_is_still_in_use_is_waited_for_as_long_as_the_provider_says() {
    let busy = || fault().retry_after(Duration::from_secs(7));
    let cloud = cloud(ProviderId::Aws, [busy(), busy()]);
    let began = cloud.inner.0.now();
    assert!(engine([&cloud]).tidy(&ours()).await.is_ok());
    assert_eq!(cloud.asked().len(), 3);
    assert!(cloud.inner.0.now() - began >= Duration::from_secs(14));
}

#[tokio::test(start_paused = true)]
async fn what_one_provider_leaves_behind_is_told_and_keeps_no_other_from_tidying_up() {
    let refused = CloudErrorKind::Forbidden("no permission".to_owned());
    let one = cloud(ProviderId::Aws, [CloudError::new(ProviderId::Aws, "tidy up", refused)]);
    let other = cloud(ProviderId::Hetzner, []);
    let left = engine([&one, &other]).tidy(&ours()).await.expect_err("something is left");
    let told: Vec<_> = left.iter().map(|error| (error.provider, error.code())).collect();
    assert_eq!(told, [(ProviderId::Aws, Code::CLOUD_FORBIDDEN)]);
    assert_eq!((one.asked().len(), other.asked().len()), (1, 1), "a refusal is final");
}

#[tokio::test(start_paused = true)]
async fn what_stays_in_use_is_given_up() {
    let cloud = cloud(ProviderId::Aws, (0..50).map(|_| fault()));
    let left = engine([&cloud]).tidy(&ours()).await.expect_err("it is still there");
    assert_eq!(left.len(), 1);
    assert_eq!(cloud.asked().len(), 5, "as often as any request is made");
}

#[tokio::test(start_paused = true)]
async fn what_hosts_share_is_prepared_once_in_a_run_that_keeps_some() {
    let (stage, cloud) = stage(true);
    assert!(stage.run_until_quiet(Verb::Up).await.is_ok());
    cloud.prepared.lock().expect("not poisoned").clear();
    assert!(stage.run(Verb::Up).await.is_some());
    assert_eq!(*cloud.prepared.lock().expect("not poisoned"), [ours()]);
    assert!(stage.run(Verb::Down).await.is_some());
    assert_eq!(cloud.prepared.lock().expect("not poisoned").len(), 1, "nothing is set up");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_has_nothing_to_prepare_is_not_asked_to() {
    let (stage, cloud) = stage(false);
    assert!(stage.run_until_quiet(Verb::Up).await.is_ok());
    assert!(cloud.prepared.lock().expect("not poisoned").is_empty());
}

#[tokio::test(start_paused = true)]
async fn hosts_are_not_set_up_where_what_they_share_cannot_be_prepared() {
    let refused = CloudErrorKind::Forbidden("no permission".to_owned());
    let (mut stage, cloud) = stage(true);
    assert!(stage.run_until_quiet(Verb::Up).await.is_ok());
    let refused = CloudError::new(ProviderId::Aws, "open a port", refused);
    cloud.failures.lock().expect("not poisoned").push_back(refused);
    stage = stage.wants(["web-3"]);
    let ends = stage.run(Verb::Up).await.expect("nobody stopped it");
    for name in ["web-1", "web-2"] {
        let HostEnd::Failed(failure) = &ends[&host(name)] else { panic!("{ends:?}") };
        assert_eq!(failure.code, Code::CLOUD_FORBIDDEN);
    }
    assert_eq!(ends[&host("web-3")], HostEnd::Ready, "its order brings what it needs");
}

/// Hosts at a provider that prepares and tidies up.
fn stage(prepares: bool) -> (Stage, Arc<Untidy>) {
    let mut stage = Stage::new(Behaviour::names_are_free(), 7).wants(["web-1", "web-2"]);
    let cloud = Arc::new(Untidy {
        inner: (stage.cloud.clone(), MockCloud::new(&stage.cloud, &Process::new())),
        failures: Mutex::default(),
        asked: Mutex::default(),
        prepared: Mutex::default(),
        prepares,
    });
    let provider = Arc::clone(&cloud);
    stage.provider = Rc::new(move |_, _| Arc::clone(&provider) as _);
    (stage, cloud)
}

fn fault() -> CloudError {
    let kind = CloudErrorKind::ProviderFault("it is in use".to_owned());
    CloudError::new(ProviderId::Aws, "tidy up", kind)
}

fn cloud(of: ProviderId, failures: impl IntoIterator<Item = CloudError>) -> Arc<Untidy> {
    let world = SharedWorld::new(World::new(of, Behaviour::names_are_free(), 1));
    let mock = MockCloud::new(&world, &Process::new());
    let failures = Mutex::new(failures.into_iter().collect());
    Arc::new(Untidy {
        inner: (world, mock),
        failures,
        asked: Mutex::default(),
        prepared: Mutex::default(),
        prepares: false,
    })
}

fn engine<const N: usize>(clouds: [&Arc<Untidy>; N]) -> Engine {
    let fleet = stagecraft_testkit::FakeFleet::over(clouds.map(|cloud| cloud.inner.0.clone()));
    let tape = Tape::new();
    Engine::new(Parts {
        providers: clouds.map(|cloud| (cloud.id(), Arc::clone(cloud) as _)).into(),
        mint: None,
        network: None,
        connector: Arc::new(fleet.connector(&Process::new())),
        clock: Arc::new(WorldClock::new(&clouds[0].inner.0)),
        reporters: Vec::new(),
        limits: Limits::default(),
        cancel: tape.cancel().clone(),
        seed: 1,
    })
}

/// It fails to prepare and to tidy up for a while, and remembers how often it was asked.
#[derive(Debug)]
struct Untidy {
    inner: (SharedWorld, MockCloud),
    failures: Mutex<VecDeque<CloudError>>,
    asked: Mutex<Vec<Scope>>,
    prepared: Mutex<Vec<Scope>>,
    prepares: bool,
}

impl Untidy {
    fn asked(&self) -> Vec<Scope> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl CloudProvider for Untidy {
    fn id(&self) -> ProviderId {
        self.inner.1.id()
    }

    async fn validate_credentials(&self) -> Result<Account, CloudError> {
        self.inner.1.validate_credentials().await
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        self.inner.1.catalogue().await
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        self.inner.1.list(scope).await
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        self.inner.1.get(id).await
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        self.inner.1.create(request).await
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        self.inner.1.start(id).await
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        self.inner.1.update(id, marks).await
    }

    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError> {
        self.inner.1.pin(instance, pins).await
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        self.inner.1.terminate(id).await
    }

    fn prepares(&self) -> bool {
        self.prepares
    }

    async fn prepare(&self, scope: &Scope) -> Result<(), CloudError> {
        self.prepared.lock().expect("not poisoned").push(scope.clone());
        let failure = self.failures.lock().expect("not poisoned").pop_front();
        failure.map_or(Ok(()), Err)
    }

    async fn tidy(&self, scope: &Scope) -> Result<(), CloudError> {
        self.asked.lock().expect("not poisoned").push(scope.clone());
        let failure = self.failures.lock().expect("not poisoned").pop_front();
        failure.map_or(Ok(()), Err)
    }
}
