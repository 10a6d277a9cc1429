//! A cloud, a file and the commands of the program, run as often and as badly as a test likes.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::converge::Step;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{HostEnd, Reporter};
use stagecraft_core::identity::KeyMint;
use stagecraft_core::inventory::{Instance, Marks, Owner};
use stagecraft_core::name::{HostName, InstanceId, Scope};
use stagecraft_core::network::{Member, NetworkProvider};
use stagecraft_core::plan::{Fate, Hold, Plan, Policy, plan_down, plan_up};
use stagecraft_core::resolve::ResolvedHost;
use stagecraft_engine::{Engine, Limits, Parts};
use stagecraft_testkit::world::{Behaviour, Delay, Fault, Labels, Order};
use stagecraft_testkit::{FakeFleet, FakeMint, MarkerStep, MockCloud, Process, SharedWorld, World};

use crate::clock::WorldClock;
use crate::dialect::Dialect;
use crate::outcome::Picture;
use crate::tape::Tape;

/// What a user types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Up,
    /// `up --replace` of whatever the plan would replace if it were allowed to.
    Replace,
    Prune,
    Down,
}

/// Makes a provider for a process; tests of the tests make bad ones.
pub(crate) type MakeProvider = Rc<dyn Fn(&SharedWorld, &Process) -> Arc<dyn CloudProvider>>;

/// The account, the hosts in it, and the file.
pub(crate) struct Stage {
    pub(crate) cloud: SharedWorld,
    pub(crate) dialect: Dialect,
    pub(crate) fleet: FakeFleet,
    pub(crate) wanted: BTreeMap<HostName, ResolvedHost>,
    pub(crate) provider: MakeProvider,
    /// The machines that are not ours.
    pub(crate) foreign: Vec<InstanceId>,
    pub(crate) limits: Limits,
    /// The private network of the file.
    pub(crate) network: Option<Arc<dyn NetworkProvider>>,
    /// Whether new hosts get a key they are verified by.
    pub(crate) mint: Option<Arc<dyn KeyMint>>,
    pub(crate) seed: u64,
}

/// How every host ended that a run worked on.
pub(crate) type Ends = BTreeMap<HostName, HostEnd>;

impl Stage {
    /// The account of a double; see [`Self::at`].
    pub(crate) fn new(behaviour: Behaviour, seed: u64) -> Self {
        let provider =
            if behaviour.unique_names { ProviderId::Hetzner } else { ProviderId::DigitalOcean };
        let cloud = SharedWorld::new(World::new(provider, behaviour, seed));
        let make = |cloud: &SharedWorld, process: &Process| -> Arc<dyn CloudProvider> {
            Arc::new(MockCloud::new(cloud, process))
        };
        Self::at(cloud, Dialect::of_doubles(), Rc::new(make), seed)
    }

    /// An account with two foreign machines, one of them under a name that looks like ours, and
    /// one machine of another environment; nothing of ours.
    pub(crate) fn at(
        cloud: SharedWorld,
        dialect: Dialect,
        provider: MakeProvider,
        seed: u64,
    ) -> Self {
        let mut neighbour = wanted(&cloud, &dialect, "web-1");
        neighbour.marks.name = "prod-eu-web-1".to_owned();
        let owner = Owner { scope: scope("shop", "prod-eu"), host: host("web-1") };
        let foreign = |name: &str| Order {
            name: name.to_owned(),
            labels: Labels::new(),
            tags: BTreeSet::new(),
            spec: neighbour.spec.clone(),
            user_data: None,
        };
        let others = [
            foreign("prod-old"),
            foreign("laptop"),
            (dialect.order)(&owner, &neighbour.marks, &neighbour.spec),
        ];
        let foreign = cloud.with(|world, now| others.map(|other| world.plant(now, other)));
        let fleet = FakeFleet::over([cloud.clone()]);
        Self {
            fleet,
            dialect,
            wanted: BTreeMap::new(),
            provider,
            foreign: foreign.into(),
            limits: Limits::default(),
            network: None,
            mint: Some(Arc::new(FakeMint)),
            seed,
            cloud,
        }
    }

    /// Lets every process use its provider in a wrong way.
    pub(crate) fn spoil(&mut self, wrong: fn(Arc<dyn CloudProvider>) -> Arc<dyn CloudProvider>) {
        let right = Rc::clone(&self.provider);
        self.provider = Rc::new(move |cloud, process| wrong(right(cloud, process)));
    }

    /// Adds hosts to the file.
    pub(crate) fn wants<'a>(mut self, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        for name in hosts {
            self.wanted.insert(host(name), wanted(&self.cloud, &self.dialect, name));
        }
        self
    }

    pub(crate) fn change(&mut self, name: &str, change: impl FnOnce(&mut ResolvedHost)) {
        change(self.wanted.get_mut(&host(name)).expect("a host of the file"));
    }

    /// Runs a command in a new process; `None` when the process was killed.
    pub(crate) async fn run(&self, verb: Verb) -> Option<Ends> {
        let process = Process::new();
        process.run(self.command(verb, &process, self.seed)).await
    }

    /// What the program does for a command, plan included.
    pub(crate) async fn command(&self, verb: Verb, process: &Process, seed: u64) -> Ends {
        let tape = Tape::new();
        let checked = self.taped(verb, &self.engine(process, &tape, seed), &tape).await;
        assert_eq!(checked, Ok(()), "{verb:?}");
        tape.ends()
    }

    /// Runs a command in a new process and keeps what it tells.
    pub(crate) async fn told(&self, verb: Verb) -> Arc<Tape> {
        let tape = Tape::new();
        let engine = self.engine(&Process::new(), &tape, self.seed);
        assert_eq!(self.taped(verb, &engine, &tape).await, Ok(()), "{verb:?}");
        tape
    }

    /// The same, with everything it tells kept, and checked for what must hold of every run.
    pub(crate) async fn taped(
        &self,
        verb: Verb,
        engine: &Engine,
        tape: &Tape,
    ) -> Result<(), String> {
        // As often as others may come in between.
        for _ in 0..20 {
            let plan = self.plan(engine, verb).await;
            let agreed = plan.destroys();
            let approved = plan.approve(&agreed).expect("all of it was agreed to");
            tape.begin(approved.plan());
            let network = self.network.clone();
            let steps = move |instance: &Instance| steps_in(network.as_deref(), instance);
            if engine.apply(&approved, Some(&steps)).await.is_ok() {
                break;
            }
        }
        tape.end();
        tape.check()
    }

    /// An engine of a process.
    pub(crate) fn engine(&self, process: &Process, tape: &Arc<Tape>, seed: u64) -> Engine {
        let provider = (self.provider)(&self.cloud, process);
        Engine::new(Parts {
            providers: [(provider.id(), provider)].into(),
            mint: self.mint.clone(),
            network: self.network.clone(),
            connector: Arc::new(self.fleet.connector(process)),
            clock: Arc::new(WorldClock::new(&self.cloud)),
            reporters: vec![Arc::clone(tape) as Arc<dyn Reporter>],
            limits: self.limits.clone(),
            cancel: tape.cancel().clone(),
            seed,
        })
    }

    pub(crate) async fn plan(&self, engine: &Engine, verb: Verb) -> Plan {
        let (scope, seen) = (ours(), engine.observe(&ours()).await);
        let policy = Policy { prune: verb == Verb::Prune, ..Policy::default() };
        let up = |policy| plan_up(&scope, &self.wanted, &seen, policy).expect("a plan");
        match verb {
            Verb::Down => {
                let protected = self.wanted.values().filter(|wanted| wanted.marks.protected);
                let protected = protected.map(|wanted| wanted.name.clone()).collect();
                plan_down(&scope, &seen, &protected, &BTreeSet::new()).expect("a plan")
            }
            Verb::Up | Verb::Prune => up(&policy),
            Verb::Replace => {
                let held = up(&policy).entries.into_iter().filter(|entry| {
                    [Hold::NeedsReplace, Hold::Protected].map(Fate::LeftAlone).contains(&entry.fate)
                        && entry.change.wanted().is_some()
                });
                let replace = held.map(|entry| entry.host).collect();
                up(&Policy { replace, ..Policy::default() })
            }
        }
    }

    /// Runs a command again, a new process each time, until it has no effect; says what is left.
    pub(crate) async fn run_until_quiet(&self, verb: Verb) -> Result<Picture, String> {
        for _ in 0..4 {
            let before = self.effects();
            let ends = self.run(verb).await.ok_or("killed again")?;
            if let Some((host, end)) =
                ends.iter().find(|(_, end)| !matches!(end, HostEnd::Ready | HostEnd::Removed))
            {
                return Err(format!("{verb:?} ends with `{host}` {end:?}"));
            }
            if self.effects() == before {
                return Ok(self.picture());
            }
        }
        Err(format!("{verb:?} never comes to rest"))
    }

    /// The oldest machine of a host.
    pub(crate) fn id_of(&self, name: &str) -> InstanceId {
        let name = ours().cloud_name(&host(name));
        let found = self.cloud.with(|world, now| world.named(now, &name));
        found.expect("a machine of that name").id
    }

    /// Makes a second, younger machine of a host; where names are unique, under another name.
    pub(crate) fn plant_twin(&self, name: &str) {
        let mut wanted = self.wanted[&host(name)].clone();
        wanted.marks.name.push_str("-twin");
        let owner = Owner { scope: ours(), host: host(name) };
        self.cloud.with(|world, now| {
            world.plant(now, (self.dialect.order)(&owner, &wanted.marks, &wanted.spec));
        });
    }

    pub(crate) fn effects(&self) -> u64 {
        self.cloud.with(|world, _| world.effects().len() as u64)
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.cloud.with(|world, _| world.inject(fault));
    }
}

pub(crate) fn ours() -> Scope {
    scope("shop", "prod")
}

pub(crate) fn host(name: &str) -> HostName {
    name.parse().expect("a name")
}

fn scope(project: &str, environment: &str) -> Scope {
    Scope {
        project: project.parse().expect("a name"),
        environment: environment.parse().expect("a name"),
    }
}

pub(crate) fn steps(_: &Instance) -> Vec<Box<dyn Step>> {
    MarkerStep::bootstrap()
}

/// The same, and those of a network.
pub(crate) fn steps_in(
    network: Option<&dyn NetworkProvider>,
    instance: &Instance,
) -> Vec<Box<dyn Step>> {
    let member = Member::of(instance);
    let mut all = steps(instance);
    all.extend(network.into_iter().flat_map(|network| network.steps(&member)));
    all
}

fn wanted(cloud: &SharedWorld, dialect: &Dialect, name: &str) -> ResolvedHost {
    ResolvedHost {
        name: host(name),
        provider: cloud.provider(),
        spec: dialect.spec.clone(),
        marks: Marks {
            name: ours().cloud_name(&host(name)),
            role: "app".parse().expect("a name"),
            protected: name.starts_with("db"),
            tags: ["blue".to_owned()].into(),
        },
        monthly: None,
        notices: Vec::new(),
    }
}

/// Clouds the promises are tried on. No list is later than 30 s: an engine cannot wait for ever to
/// see what it did.
pub(crate) fn clouds() -> Vec<(&'static str, Behaviour)> {
    let free = Behaviour::names_are_free();
    let slow = Duration::from_millis(900);
    let at_once = Delay::Time(Duration::from_millis(100));
    let later = |seconds| Delay::Time(Duration::from_secs(seconds));
    vec![
        ("free names", free.clone()),
        ("unique names", Behaviour::names_are_unique()),
        ("unique names, slow", Behaviour { latency: slow, ..Behaviour::names_are_unique() }),
        (
            "free names, slow, late lists",
            Behaviour {
                latency: slow,
                visible: later(7),
                remembers_terminated: true,
                ..free.clone()
            },
        ),
        (
            "free names, lists later than the boot",
            Behaviour { boot: at_once, visible: later(20), ..free },
        ),
    ]
}
