//! One emulated account: its API, its machines, and one machine in it that is somebody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use stagecraft_core::desired::{Arch, ProviderId};
use stagecraft_core::inventory::{Lifecycle, Spec};
use stagecraft_core::name::InstanceId;
use stagecraft_testkit::emulators::aws::{AccessKey, Aws};
use stagecraft_testkit::emulators::digitalocean::DigitalOcean;
use stagecraft_testkit::emulators::faults::{Effect, Rule};
use stagecraft_testkit::emulators::hetzner::Hetzner;
use stagecraft_testkit::emulators::{
    Access, Answer, Call, Emulator, Front, HostOrder, Hosts, Options, Outcome, Over, Record,
    Running, Usage,
};
use stagecraft_testkit::world::{Behaviour, Delay, Labels, Order, RequestKind, Seen};
use stagecraft_testkit::{SharedWorld, World};
use tokio::runtime::Runtime;

/// May do everything.
pub(crate) const TOKEN: &str = "hUq7ZrWvkTgYpXs2LmJn9QdBwKzRtVyGjHxPfNc4MsDvLqWzTkRgYhJp8XnBvZmQ";
/// May read.
pub(crate) const READS: &str = "rVx3KqTzWmGpYsHj6ZnLvRdQkXwBtNfM5gJyPzTqWhVrKsXm2LbGnYdZjQtHwPvR";
/// May do nothing.
pub(crate) const NOTHING: &str = "nWz8JtGvXqRmKpLs4HyTbZdVkQwYnGxM7jPfRtLzWsHvKqBm3XgTnYpJdZrQwVhL";
/// May do everything but see tags.
pub(crate) const TAGLESS: &str = "tGk5PwLzXvRqHmYs9JnTbKdVgZwQyMxL2hFrWtPzJsXvHqKm6GbTnLpYdRjZwQvX";
/// Is known to nobody.
pub(crate) const UNKNOWN: &str = "uLm4RzTqYvWpKxHs7GnJbXdZkVwQtPyM3jLfGrHzKsTvYqWm9XbRnJpVdLgZwQhT";

/// The access key of the account at AWS, which is no secret.
pub(crate) const KEY_ID: &str = "ASIAQ3EGRZ5MWPZ7DLNX";
/// What requests to AWS are signed with.
pub(crate) const SECRET: &str = "sXv7KqPzRmHtGwLs4ZyBnTdJkVgQxMfY9pLrHzWtKsVqXbGm";
/// What comes with every request of that key.
pub(crate) const SESSION: &str = "qZt5VxLwKzRvYmHs8PnTbJdGkQwXyMfL3hFrZtWzPsKvHqJm6GbXnLpVdRjYzQwT";

/// All tokens of all scenarios.
pub(crate) const TOKENS: [&str; 7] = [TOKEN, READS, NOTHING, TAGLESS, UNKNOWN, SECRET, SESSION];

/// A provider whose API takes tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cloud {
    DigitalOcean,
    Hetzner,
}

impl Cloud {
    /// The provider as the product knows it.
    pub(crate) fn id(self) -> ProviderId {
        match self {
            Self::DigitalOcean => ProviderId::DigitalOcean,
            Self::Hetzner => ProviderId::Hetzner,
        }
    }
}

/// An account at a provider.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) provider: ProviderId,
    pub(crate) world: SharedWorld,
    pub(crate) api: Api,
    spoiler: Spoiler,
    foreign: Vec<Seen>,
    running: Running,
    _runtime: Runtime,
}

/// The provider's side.
#[derive(Clone, Debug)]
pub(crate) enum Api {
    DigitalOcean(DigitalOcean),
    Hetzner(Hetzner),
    Aws(Aws),
}

impl Account {
    /// An account where machines are up at once.
    pub(crate) fn at(provider: Cloud) -> Self {
        Self::of(provider.id())
    }

    /// An account at AWS with the access key [`KEY_ID`], where machines are up at once.
    pub(crate) fn aws() -> Self {
        Self::of(ProviderId::Aws)
    }

    fn of(provider: ProviderId) -> Self {
        let mut behaviour = match provider {
            ProviderId::Hetzner => Behaviour::names_are_unique(),
            ProviderId::DigitalOcean | ProviderId::Aws | ProviderId::Local => {
                Behaviour::names_are_free()
            }
        };
        (behaviour.boot, behaviour.shutdown) = (Delay::NONE, Delay::NONE);
        let world = SharedWorld::new(World::new(provider, behaviour, 1));
        let tokens = [
            (TOKEN, Access::Full),
            (READS, Access::ReadOnly),
            (NOTHING, Access::Nothing),
            (TAGLESS, Access::WithoutTags),
        ];
        let mut tokens: BTreeMap<String, Access> =
            tokens.into_iter().map(|(token, access)| (token.to_owned(), access)).collect();
        if provider == ProviderId::Aws {
            tokens.clear();
        }
        // Ten lists of keys a minute would be too few for all the runs of some scenarios.
        let options = Options { tokens, limited: false, ..Options::default() };
        let hosts = Arc::new(OnThisMachine);
        let api = match provider {
            ProviderId::DigitalOcean => {
                Api::DigitalOcean(DigitalOcean::new(&world).with_hosts(hosts))
            }
            ProviderId::Hetzner => Api::Hetzner(Hetzner::new(&world).with_hosts(hosts)),
            ProviderId::Aws => Api::Aws(with_temporary_key(Aws::new(&world).with_hosts(hosts))),
            ProviderId::Local => unreachable!("it is no cloud"),
        };
        let spoiler = Spoiler::default();
        let front = Spoiled { api: api.clone(), spoiler: spoiler.clone() };
        let emulator = Emulator::new(&world, front, options);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = runtime.block_on(emulator.listen(anywhere)).unwrap();
        let mut account =
            Self { provider, world, api, spoiler, foreign: Vec::new(), running, _runtime: runtime };
        account.plant("not-ours", &[]);
        account
    }

    /// Where its API is.
    pub(crate) fn url(&self) -> &str {
        self.running.url()
    }

    /// Where its API listens.
    pub(crate) fn address(&self) -> String {
        self.running.address().to_string()
    }

    /// The account as what it is.
    pub(crate) fn digitalocean(&self) -> &DigitalOcean {
        match &self.api {
            Api::DigitalOcean(api) => api,
            Api::Hetzner(_) | Api::Aws(_) => panic!("another provider"),
        }
    }

    /// The account as what it is.
    pub(crate) fn hetzner(&self) -> &Hetzner {
        match &self.api {
            Api::Hetzner(api) => api,
            Api::DigitalOcean(_) | Api::Aws(_) => panic!("another provider"),
        }
    }

    /// The account as what it is.
    pub(crate) fn at_aws(&self) -> &Aws {
        match &self.api {
            Api::Aws(api) => api,
            Api::DigitalOcean(_) | Api::Hetzner(_) => panic!("another provider"),
        }
    }

    /// A region to order in.
    pub(crate) fn region(&self) -> &'static str {
        match self.api {
            Api::DigitalOcean(_) => "nyc3",
            Api::Hetzner(_) => "nbg1",
            Api::Aws(_) => "us-east-1",
        }
    }

    /// Adds a fault to come.
    pub(crate) fn inject(&self, rule: Rule) {
        self.emulator().inject(rule);
    }

    /// Lets the API say something else than it would.
    pub(crate) fn spoil(&self, spoil: impl Fn(&Call, &mut Answer) + Send + 'static) {
        *self.spoiler.0.lock().unwrap() = Some(Box::new(spoil));
    }

    /// Asks the API past the network, with all permissions.
    pub(crate) fn ask(&self, method: &str, path: &[&str], body: &serde_json::Value) -> Answer {
        let call = Call {
            method: method.to_owned(),
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            access: Access::Full,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            ..Call::default()
        };
        self.api.front().answer(&call).answer.unwrap()
    }

    /// Ends all trouble with the API.
    pub(crate) fn heal(&self) {
        self.emulator().heal();
        *self.spoiler.0.lock().unwrap() = None;
    }

    /// A fault of orders, changes or lists of machines, in either provider's paths.
    pub(crate) fn fault(&self, method: &str, below: &str, then: Effect) -> Rule {
        let machines = match self.api {
            Api::DigitalOcean(_) => "/droplets",
            Api::Hetzner(_) => "/servers",
            Api::Aws(_) => "/RunInstances",
        };
        Rule::new(method, &format!("{machines}{below}"), then)
    }

    pub(crate) fn emulator(&self) -> &Emulator {
        self.running.emulator()
    }

    /// What was asked and answered.
    pub(crate) fn record(&self) -> &Record {
        self.emulator().record()
    }

    /// Puts a machine of somebody else there, which nobody may touch.
    pub(crate) fn plant(&mut self, name: &str, tags: &[&str]) {
        let size = match self.api {
            Api::DigitalOcean(_) => "s-1vcpu-1gb",
            Api::Hetzner(_) => "cx23",
            Api::Aws(_) => "t3.small",
        };
        let order = Order {
            name: name.to_owned(),
            labels: Labels::new(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect::<BTreeSet<String>>(),
            spec: Spec {
                region: self.region().into(),
                size: size.into(),
                image: "debian-12".into(),
                arch: Arch::Amd64,
                spot: false,
            },
            user_data: None,
        };
        let planted = self.world.with(|world, now| {
            let id = world.plant(now, order);
            world.machines(now).into_iter().find(|seen| seen.id == id).unwrap()
        });
        self.foreign.push(planted);
    }

    /// The machines of ours that are there and not being removed, by name.
    ///
    /// # Panics
    /// When somebody else's machine is not as it was.
    pub(crate) fn machines(&self) -> Vec<Seen> {
        let there = self.world.with(stagecraft_testkit::World::machines);
        let (foreign, mut ours): (Vec<Seen>, Vec<Seen>) =
            there.into_iter().partition(|seen| self.foreign.iter().any(|of| of.id == seen.id));
        // Whether it is up is for it and its cloud to decide.
        let lasting = |seen: &Seen| {
            let Seen { id, name, labels, tags, spec, .. } = seen.clone();
            (id, name, labels, tags, spec)
        };
        assert!(foreign.iter().map(lasting).eq(self.foreign.iter().map(lasting)), "{foreign:?}");
        let has_ended = |seen: &Seen| match seen.lifecycle {
            Lifecycle::Terminating | Lifecycle::Terminated => true,
            // What fails to boot at AWS is terminated by that.
            Lifecycle::Failed => self.provider == ProviderId::Aws,
            Lifecycle::Pending | Lifecycle::Running | Lifecycle::Stopped => false,
        };
        ours.retain(|seen| !has_ended(seen));
        ours.sort_by(|a, b| a.name.cmp(&b.name));
        ours
    }

    /// The names of [`Self::machines`].
    pub(crate) fn names(&self) -> Vec<String> {
        self.machines().into_iter().map(|seen| seen.name).collect()
    }

    /// How many changes there were.
    pub(crate) fn effects(&self) -> usize {
        self.world.with(|world, _| world.effects().len())
    }
}

/// An account that knows [`KEY_ID`] with its secret and its session.
pub(crate) fn with_temporary_key(aws: Aws) -> Aws {
    let secret = SECRET.to_owned();
    let key = AccessKey { secret, session_token: Some(SESSION.to_owned()), expired: false };
    aws.change_habits(|habits| drop(habits.access_keys.insert(KEY_ID.to_owned(), key)));
    aws
}

/// All machines are this one, so that no run asks anybody else.
#[derive(Debug)]
struct OnThisMachine;

impl Hosts for OnThisMachine {
    fn ordered(&self, _: HostOrder) {}

    fn removed(&self, _: &InstanceId) {}

    fn switched_on(&self, _: &InstanceId) {}

    fn switched_off(&self, _: &InstanceId) {}

    fn address(&self, seen: &Seen) -> Option<IpAddr> {
        seen.address.map(|_| Ipv4Addr::LOCALHOST.into())
    }
}

type Spoil = Box<dyn Fn(&Call, &mut Answer) + Send>;

/// What becomes of answers on their way out.
#[derive(Clone, Default)]
struct Spoiler(Arc<Mutex<Option<Spoil>>>);

impl fmt::Debug for Spoiler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Spoiler")
    }
}

/// A provider's side whose answers are changed on their way out.
#[derive(Debug)]
struct Spoiled {
    api: Api,
    spoiler: Spoiler,
}

impl Api {
    fn front(&self) -> &dyn Front {
        match self {
            Self::DigitalOcean(front) => front,
            Self::Hetzner(front) => front,
            Self::Aws(front) => front,
        }
    }
}

impl Spoiled {
    fn spoil(&self, call: &Call, mut answer: Answer) -> Answer {
        if let Some(spoil) = &*self.spoiler.0.lock().unwrap() {
            spoil(call, &mut answer);
        }
        answer
    }
}

impl Front for Spoiled {
    fn prefix(&self) -> &'static str {
        self.api.front().prefix()
    }

    fn answer(&self, call: &Call) -> Outcome {
        let Outcome { answer, kill } = self.api.front().answer(call);
        Outcome { answer: answer.map(|answer| self.spoil(call, answer)), kill }
    }

    fn limited(&self, call: &Call, over: &Over) -> Answer {
        self.spoil(call, self.api.front().limited(call, over))
    }

    fn failing(&self, call: &Call, status: u16) -> Answer {
        self.spoil(call, self.api.front().failing(call, status))
    }

    fn limits(&self) -> Vec<stagecraft_testkit::emulators::Rule> {
        self.api.front().limits()
    }

    fn usage_headers(&self, usage: &[Usage], now: u64) -> Vec<(String, String)> {
        self.api.front().usage_headers(usage, now)
    }

    fn kind(&self, call: &Call) -> Option<RequestKind> {
        self.api.front().kind(call)
    }

    fn request_id_header(&self) -> Option<&'static str> {
        self.api.front().request_id_header()
    }

    fn credential<'a>(&self, authorization: &'a str) -> Option<&'a str> {
        self.api.front().credential(authorization)
    }

    fn known_as(&self, call: &Call) -> Option<String> {
        self.api.front().known_as(call)
    }

    fn payer(&self, call: &Call) -> Option<String> {
        self.api.front().payer(call)
    }

    fn limited_as(&self, call: &Call, path: &str) -> String {
        self.api.front().limited_as(call, path)
    }
}
