//! An emulated account, and providers that use it.

use std::net::SocketAddr;

use stagecraft_clouds::aws::{ApiUrls, AwsCredentials, AwsProvider, AwsSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::Lifecycle;
use stagecraft_testkit::emulators::aws::Aws;
use stagecraft_testkit::emulators::{Emulator, Options, Running};
use stagecraft_testkit::world::{Behaviour, Delay, Seen};
use stagecraft_testkit::{SharedWorld, World, samples};

/// An emulated account.
pub(crate) struct Stage {
    pub(crate) world: SharedWorld,
    pub(crate) aws: Aws,
    running: Running,
}

impl Stage {
    /// An account whose instances come up at once.
    pub(crate) async fn new() -> Self {
        Self::with(Behaviour { boot: Delay::NONE, ..Behaviour::names_are_free() }).await
    }

    /// An account whose instances behave like this; its clock runs a hundred times as fast.
    pub(crate) async fn with(behaviour: Behaviour) -> Self {
        let world = SharedWorld::new(World::new(ProviderId::Aws, behaviour, 11)).at_speed(100);
        let aws = Aws::new(&world);
        let options = Options { limited: false, ..Options::default() };
        let emulator = Emulator::new(&world, aws.clone(), options);
        let running = emulator.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        Self { world, aws, running }
    }

    /// A provider as a new process would have it.
    pub(crate) fn provider(&self) -> AwsProvider {
        let (id, secret) = Aws::access_key();
        AwsProvider::new(AwsSettings {
            api_urls: ApiUrls::all(&BaseUrl::parse(self.running.url()).unwrap()),
            credentials: AwsCredentials::Keys {
                access_key_id: id.to_owned(),
                secret_access_key: Token::new(secret).unwrap(),
                session_token: None,
            },
            default_region: "us-east-1".into(),
            regions: ["eu-west-1".into()].into(),
            everywhere: true,
            sizes: [].into(),
            ssh_key_name: Some("deploy".to_owned()),
            subnet_id: None,
            ssh_port: 22,
            mesh_port: Some(51820),
        })
    }

    /// The machines there are.
    pub(crate) fn machines(&self) -> Vec<Seen> {
        let mut seen = self.world.with(|world, now| world.machines(now));
        seen.retain(|of| !matches!(of.lifecycle, Lifecycle::Terminated | Lifecycle::Terminating));
        seen
    }
}

/// An order for a host of `shop/staging`, with a key of its own.
pub(crate) fn order(host: &str) -> CreateInstance {
    let pins = Pins::of_order(HostKey::new([3; 32]));
    CreateInstance { pins, ..samples::order(ProviderId::Aws, host) }
}
