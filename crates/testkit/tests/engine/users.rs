//! Who logs in: the user whom the image of an instance lets in.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{HostEnd, Reporter};
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Connector, Remote, RemoteError, Target};
use stagecraft_engine::{Engine, Parts};
use stagecraft_testkit::world::Behaviour;
use stagecraft_testkit::{MockCloud, Process, SharedWorld, World};

use crate::clock::WorldClock;
use crate::dialect::Dialect;
use crate::stage::{Stage, Verb, host};
use crate::tape::Tape;

#[tokio::test(start_paused = true)]
async fn a_host_on_aws_is_logged_in_to_as_the_user_of_its_image() {
    let users = users(ProviderId::Aws).await;
    assert_eq!(
        users,
        [("web-1", "admin"), ("web-2", "ubuntu"), ("web-3", "ubuntu")].map(named).into()
    );
}

#[tokio::test(start_paused = true)]
async fn elsewhere_root_logs_in_whatever_the_image() {
    for of in [ProviderId::DigitalOcean, ProviderId::Hetzner, ProviderId::Local] {
        let users = users(of).await;
        let root = ["web-1", "web-2", "web-3"].map(|host| named((host, "root")));
        assert_eq!(users, root.into(), "{of}");
    }
}

fn named((name, user): (&str, &'static str)) -> (HostName, &'static str) {
    (host(name), user)
}

/// Who logged in to hosts of three images, once as new ones and once as hosts that were there.
async fn users(of: ProviderId) -> BTreeMap<HostName, &'static str> {
    let world = SharedWorld::new(World::new(of, Behaviour::names_are_free(), 1));
    let make = |cloud: &SharedWorld, process: &Process| {
        Arc::new(MockCloud::new(cloud, process)) as Arc<dyn stagecraft_core::cloud::CloudProvider>
    };
    let stage = Stage::at(world, Dialect::of_doubles(), Rc::new(make), 1);
    let mut stage = stage.wants(["web-1", "web-2", "web-3"]);
    for (name, image) in [("web-2", "ubuntu-22.04"), ("web-3", "ubuntu-24.04")] {
        stage.change(name, |wanted| wanted.spec.image = image.into());
    }
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (tape, process) = (Tape::new(), Process::new());
        let noted = Arc::new(Noted {
            inner: Arc::new(stage.fleet.connector(&process)),
            users: Mutex::default(),
        });
        let provider = (stage.provider)(&stage.cloud, &process);
        let engine = Engine::new(Parts {
            providers: [(of, provider)].into(),
            mint: stage.mint.clone(),
            network: None,
            connector: Arc::clone(&noted) as Arc<dyn Connector>,
            clock: Arc::new(WorldClock::new(&stage.cloud)),
            reporters: vec![Arc::clone(&tape) as Arc<dyn Reporter>],
            limits: stage.limits.clone(),
            cancel: tape.cancel().clone(),
            seed: 1,
        });
        assert_eq!(stage.taped(Verb::Up, &engine, &tape).await, Ok(()));
        assert!(tape.ends().values().all(|end| *end == HostEnd::Ready), "{:?}", tape.ends());
        seen.push(noted.users.lock().expect("not poisoned").clone());
    }
    assert_eq!(seen[0], seen[1], "a host has one user for all runs");
    seen.remove(0)
}

/// It notes as whom a connection is to be made.
#[derive(Debug)]
struct Noted {
    inner: Arc<dyn Connector>,
    users: Mutex<BTreeMap<HostName, &'static str>>,
}

#[async_trait]
impl Connector for Noted {
    async fn connect(&self, target: &Target) -> Result<Box<dyn Remote>, RemoteError> {
        let before =
            self.users.lock().expect("not poisoned").insert(target.host.clone(), target.user);
        assert!(before.is_none_or(|user| user == target.user), "{before:?} and {}", target.user);
        self.inner.connect(target).await
    }
}
