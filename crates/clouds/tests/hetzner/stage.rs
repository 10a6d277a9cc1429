//! An emulated account, and providers that use it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use stagecraft_clouds::hetzner::{HetznerProvider, HetznerSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_core::cloud::{CloudError, CreateInstance};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Diagnose as _, chain};
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::emulators::faults::{Effect, Rule, When};
use stagecraft_testkit::emulators::hetzner::Hetzner;
use stagecraft_testkit::emulators::{Access, Emulator, Exchange, Options, Running};
pub(crate) use stagecraft_testkit::samples::scope;
use stagecraft_testkit::world::{Behaviour, Delay, Order};
use stagecraft_testkit::{SharedWorld, World, samples};

/// What the providers of these tests are given.
pub(crate) const TOKEN: &str = "hc0Kq7vXw2LmPz9RtYbN4dJsFgHeUaCi5oMxQk8WjZr3VnSyTlBp6EuDfIhGcOAw";
/// A token that may only read.
pub(crate) const READS: &str = "ro0Kq7vXw2LmPz9RtYbN4dJsFgHeUaCi5oMxQk8WjZr3VnSyTlBp6EuDfIhGcOAw";

/// An emulated account.
pub(crate) struct Stage {
    pub(crate) world: SharedWorld,
    pub(crate) hetzner: Hetzner,
    running: Running,
}

impl Stage {
    /// An account whose servers come up at once.
    pub(crate) async fn new() -> Self {
        Self::with(Behaviour { boot: Delay::NONE, ..Behaviour::names_are_unique() }).await
    }

    /// An account whose servers behave like this; its clock runs a hundred times as fast.
    pub(crate) async fn with(behaviour: Behaviour) -> Self {
        let world = World::new(ProviderId::Hetzner, behaviour, 11);
        let world = SharedWorld::new(world).at_speed(100);
        let hetzner = Hetzner::new(&world);
        let tokens = [(TOKEN, Access::Full), (READS, Access::ReadOnly)];
        let tokens: BTreeMap<_, _> =
            tokens.map(|(token, access)| (token.to_owned(), access)).into();
        let emulator =
            Emulator::new(&world, hetzner.clone(), Options { tokens, ..Options::default() });
        let running = emulator.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        Self { world, hetzner, running }
    }

    /// A provider as a new process would have it.
    pub(crate) fn provider(&self) -> HetznerProvider {
        self.provider_with(TOKEN, Some("deploy"))
    }

    pub(crate) fn provider_with(&self, token: &str, key: Option<&str>) -> HetznerProvider {
        provider_at(self.running.url(), token, key)
    }

    /// Lets this happen to the first such request from now on.
    pub(crate) fn once(&self, method: &str, path: &str, then: Effect) {
        self.running.emulator().inject(Rule::new(method, path, then).when(When::First(1)));
    }

    /// Lets this happen to the second such request from now on.
    pub(crate) fn second(&self, method: &str, path: &str, then: Effect) {
        self.running.emulator().inject(Rule::new(method, path, then).when(When::Nth(2)));
    }

    /// Lets this happen to all such requests from now on.
    pub(crate) fn always(&self, method: &str, path: &str, then: Effect) {
        self.running.emulator().inject(Rule::new(method, path, then));
    }

    pub(crate) fn heal(&self) {
        self.running.emulator().heal();
    }

    /// What was asked and answered so far, which is then forgotten.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let record = self.running.emulator().record();
        let all = record.all();
        record.clear();
        all
    }

    /// The same, as `POST /v1/servers`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.exchanges().iter().map(|of| format!("{} {}", of.method, of.path)).collect()
    }

    /// Puts a server there that nobody asked for.
    pub(crate) fn plant(&self, name: &str, labels: &[(&str, &str)]) -> InstanceId {
        let labels =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (name, spec) = (name.to_owned(), order("any").spec);
        let order = Order { name, labels, tags: Default::default(), spec, user_data: None };
        self.world.with(|world, now| world.plant(now, order))
    }

    /// The names of the servers there are, sorted.
    pub(crate) fn servers(&self) -> Vec<String> {
        let seen = self.world.with(|world, now| world.machines(now));
        let mut names: Vec<String> = seen.into_iter().map(|seen| seen.name).collect();
        names.sort();
        names
    }
}

/// A provider of an API that is somewhere else.
pub(crate) fn provider_at(url: &str, token: &str, key: Option<&str>) -> HetznerProvider {
    HetznerProvider::new(HetznerSettings {
        api_url: Some(BaseUrl::parse(url).unwrap()),
        token: Token::new(token).unwrap(),
        ssh_key_name: key.map(str::to_owned),
    })
}

/// An order for a host of [`scope`].
pub(crate) fn order(host: &str) -> CreateInstance {
    samples::order(ProviderId::Hetzner, host)
}

/// The labels of a server of `host`.
pub(crate) fn labels(host: &str) -> [(&str, &str); 5] {
    [
        ("stagecraft.project", "shop"),
        ("stagecraft.environment", "staging"),
        ("stagecraft.host", host),
        ("stagecraft.role", "app"),
        ("stagecraft.image", "debian-12"),
    ]
}

/// An error with its hints, as a user gets to read it.
pub(crate) fn told(error: &CloudError) -> String {
    let hints: String = error.hints().iter().map(|hint| format!("\n  hint: {hint}")).collect();
    format!("{}{hints}", chain(error))
}
