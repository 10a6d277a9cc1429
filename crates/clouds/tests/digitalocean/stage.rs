//! An emulated account, and providers that use it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use stagecraft_clouds::digitalocean::{DigitalOceanProvider, DigitalOceanSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_core::cloud::{CloudError, CreateInstance};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Diagnose as _, chain};
use stagecraft_core::inventory::{Marks, Owner, Spec};
use stagecraft_core::name::{InstanceId, Scope};
use stagecraft_testkit::emulators::digitalocean::DigitalOcean;
use stagecraft_testkit::emulators::faults::{Effect, Rule, When};
use stagecraft_testkit::emulators::{Access, Emulator, Exchange, Options, Running};
use stagecraft_testkit::world::{Behaviour, Delay, Order};
use stagecraft_testkit::{SharedWorld, World, samples};

/// What the providers of these tests are given, unless they are given one of the next.
pub(crate) const TOKEN: &str = "dop_v1_0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// A token that may only read.
pub(crate) const READS: &str = "dop_v1_1111111111111111111111111111111a";
/// A token that may do everything but see tags.
pub(crate) const BLIND: &str = "dop_v1_2222222222222222222222222222222b";
/// A token that may do nothing.
pub(crate) const IDLE: &str = "dop_v1_3333333333333333333333333333333c";

pub(crate) struct Stage {
    pub(crate) world: SharedWorld,
    pub(crate) account: DigitalOcean,
    running: Running,
}

impl Stage {
    /// An account without limits on requests, whose droplets come up at once.
    pub(crate) async fn new() -> Self {
        Self::with(Behaviour { boot: Delay::NONE, ..Behaviour::names_are_free() }).await
    }

    /// An account without limits on requests; a hundred seconds pass there in one of ours.
    pub(crate) async fn with(behaviour: Behaviour) -> Self {
        Self::start(behaviour, Options { limited: false, ..Options::default() }).await
    }

    /// An account with DigitalOcean's limits on requests, in our own time.
    pub(crate) async fn limited() -> Self {
        let behaviour = Behaviour { boot: Delay::NONE, ..Behaviour::names_are_free() };
        Self::start(behaviour, Options::default()).await
    }

    async fn start(behaviour: Behaviour, options: Options) -> Self {
        let world = SharedWorld::new(World::new(ProviderId::DigitalOcean, behaviour, 11));
        let world = if options.limited { world } else { world.at_speed(100) };
        let account = DigitalOcean::new(&world);
        let tokens = [
            (TOKEN, Access::Full),
            (READS, Access::ReadOnly),
            (BLIND, Access::WithoutTags),
            (IDLE, Access::Nothing),
        ];
        let tokens: BTreeMap<String, Access> =
            tokens.map(|(token, access)| (token.to_owned(), access)).into();
        let emulator = Emulator::new(&world, account.clone(), Options { tokens, ..options });
        let running = emulator.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        Self { world, account, running }
    }

    /// A provider as a new process has it.
    pub(crate) fn provider(&self) -> DigitalOceanProvider {
        self.provider_with(TOKEN)
    }

    pub(crate) fn provider_with(&self, token: &str) -> DigitalOceanProvider {
        provider_at(self.running.url(), token, Some("deploy"))
    }

    /// Lets this happen to such requests from now on.
    pub(crate) fn inject(&self, method: &str, path: &str, when: When, then: Effect) {
        self.running.emulator().inject(Rule::new(method, path, then).when(when));
    }

    /// Lets this happen to the request of this number from now, whatever it is.
    pub(crate) fn inject_at(&self, number: u64, then: Effect) {
        let (method, path) = (None, "/**".to_owned());
        self.running.emulator().inject(Rule { method, path, when: When::Nth(number), then });
    }

    pub(crate) fn heal(&self) {
        self.running.emulator().heal();
    }

    /// What was asked and answered since the last time.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let record = self.running.emulator().record();
        let all = record.all();
        record.clear();
        all
    }

    /// The same in short: methods and paths, sorted.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked: Vec<String> =
            self.exchanges().iter().map(|of| format!("{} {}", of.method, of.path)).collect();
        asked.sort();
        asked
    }

    /// Puts a droplet there that no provider ordered.
    pub(crate) fn plant(&self, name: &str, tags: &[&str]) -> InstanceId {
        let order = Order {
            name: name.to_owned(),
            labels: BTreeMap::new(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            spec: Spec { image: "ubuntu-22-04-x64".into(), ..order("any").spec },
            user_data: None,
        };
        self.world.with(|world, now| world.plant(now, order))
    }

    /// How many droplets there are, whoever ordered them.
    pub(crate) fn count(&self) -> usize {
        self.world.with(|world, now| world.machines(now)).len()
    }
}

pub(crate) fn provider_at(
    url: &str,
    token: &str,
    ssh_key_name: Option<&str>,
) -> DigitalOceanProvider {
    DigitalOceanProvider::new(DigitalOceanSettings {
        api_url: Some(BaseUrl::parse(url).unwrap()),
        token: Token::new(token).unwrap(),
        ssh_key_name: ssh_key_name.map(str::to_owned),
    })
}

pub(crate) fn scope() -> Scope {
    Scope { project: "shop".parse().unwrap(), environment: "prod".parse().unwrap() }
}

/// The tags of a host of [`scope`].
pub(crate) fn tags(host: &str) -> [String; 4] {
    [
        "stagecraft:scope:shop:prod".to_owned(),
        format!("stagecraft:host:{host}"),
        "stagecraft:role:db".to_owned(),
        "stagecraft:image:ubuntu-22_04".to_owned(),
    ]
}

pub(crate) fn marks() -> Marks {
    Marks {
        name: "prod-db-1".to_owned(),
        role: "db".parse().unwrap(),
        protected: false,
        tags: ["blue".to_owned()].into(),
    }
}

/// An order for a host of [`scope`].
pub(crate) fn order(host: &str) -> CreateInstance {
    CreateInstance {
        owner: Owner { scope: scope(), host: host.parse().unwrap() },
        marks: Marks { name: format!("prod-{host}"), ..marks() },
        ..samples::order(ProviderId::DigitalOcean, host)
    }
}

/// An error as a user reads it, hints included. It never shows a token.
pub(crate) fn told(error: &CloudError) -> String {
    let hints: String = error.hints().iter().map(|hint| format!("\n  hint: {hint}")).collect();
    for text in [chain(error), hints.clone(), format!("{error:?}")] {
        assert!(!text.contains("dop_v1"), "{text}");
    }
    format!("{}{hints}", chain(error))
}
