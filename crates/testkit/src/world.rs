//! A cloud as a state machine without I/O: machines, a clock that is told, faults on request, and a
//! log of every effect.
//!
//! ```text
//!  create --> Pending --(boot, address)--> Running <--start-- Stopped <--stop-- (a test)
//!                |  \--(fate)--> Failed        \
//!                |   \-(fate)--> vanished       +--terminate--> Terminating --(shutdown)--> gone
//! ```
//!
//! Every request passes through `World::request`, which counts it, lets faults have their say, and
//! numbers what it did. Machines are in a list only once they are visible, and in an order that
//! is different each time.

mod answer;
mod behaviour;
mod fault;
pub mod first_boot;
mod limits;
mod machine;
mod offer;
mod refuse;
mod requests;
mod rng;

pub use behaviour::{Behaviour, Delay, Fate, Ids, Moment};
pub use fault::{AnswerFate, Fault, Kill, Refusal, Reply};
pub use limits::RequestLimits;
pub use machine::{Disk, Labels, Order, Seen};
pub use offer::offer;
pub use requests::{Effect, EffectKind, RequestKind, Requests};
pub use rng::Rng;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use stagecraft_core::cloud::{Catalogue, CloudErrorKind};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::name::InstanceId;

use fault::Faults;
use machine::Machine;

/// An account at a cloud and everything in it.
#[derive(Debug)]
pub struct World {
    provider: ProviderId,
    behaviour: Behaviour,
    catalogue: Catalogue,
    rng: Rng,
    issued: u64,
    machines: BTreeMap<u64, Machine>,
    requests: Requests,
    limits: RequestLimits,
    effects: Vec<Effect>,
    faults: Faults,
    fates: BTreeMap<String, VecDeque<Fate>>,
}

impl World {
    /// An empty account at `provider`; `seed` decides everything that looks random.
    #[must_use]
    pub fn new(provider: ProviderId, behaviour: Behaviour, seed: u64) -> Self {
        Self {
            provider,
            behaviour,
            catalogue: offer(),
            rng: Rng::new(seed),
            issued: 0,
            machines: BTreeMap::new(),
            requests: Requests::default(),
            limits: RequestLimits::default(),
            effects: Vec::new(),
            faults: Faults::default(),
            fates: BTreeMap::new(),
        }
    }

    /// The provider this world plays.
    #[must_use]
    pub fn provider(&self) -> ProviderId {
        self.provider
    }

    /// How it behaves; a test may change it at any time.
    pub fn behaviour(&mut self) -> &mut Behaviour {
        &mut self.behaviour
    }

    /// What it offers; a test may change it at any time.
    pub fn catalogue(&mut self) -> &mut Catalogue {
        &mut self.catalogue
    }

    /// Its source of randomness.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// Adds a fault to come.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Removes all faults that have not happened yet.
    pub fn heal(&mut self) {
        self.faults = Faults::default();
    }

    /// Decides what becomes of the next machine created under `name`; called twice, of the one
    /// after it too.
    pub fn decide_fate(&mut self, name: &str, fate: Fate) {
        self.fates.entry(name.to_owned()).or_default().push_back(fate);
    }

    /// Everything that changed anything, in order, numbered from 1.
    #[must_use]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// How many requests were made, refused ones included.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// A time since the world began, in milliseconds since 1970.
    #[must_use]
    pub fn epoch_millis(&self, at: Duration) -> u64 {
        machine::BEGINNING + u64::try_from(at.as_millis()).unwrap_or(u64::MAX - machine::BEGINNING)
    }

    /// How many requests it takes; a test may change it at any time.
    pub fn limits(&mut self) -> &mut RequestLimits {
        &mut self.limits
    }

    /// A request that another program makes with the same account.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn spend(&mut self, now: Duration) -> Result<(), CloudErrorKind> {
        self.limits.count(now)
    }

    /// How long the order sent as this number is under way after its process died, if it is to be.
    pub(crate) fn strays(&mut self, number: u64) -> Option<Duration> {
        self.faults.stray(number)
    }

    /// All machines that exist at `now`, whoever made them, visible or not, oldest first.
    #[must_use]
    pub fn machines(&mut self, now: Duration) -> Vec<Seen> {
        self.settle(now);
        let moment = self.moment(now);
        self.machines.values().map(|machine| machine.seen(&self.behaviour, moment)).collect()
    }

    /// The machine that answers at `address` at `now`.
    #[must_use]
    pub fn machine_at(&mut self, now: Duration, address: &str) -> Option<Seen> {
        self.settle(now);
        let (moment, address) = (self.moment(now), address.parse::<IpAddr>().ok()?);
        self.machines
            .values()
            .find(|machine| machine.address == address)
            .map(|machine| machine.seen(&self.behaviour, moment))
            .filter(|machine| machine.address.is_some())
    }

    /// The machine of this name, where names are unique. Counts as part of another request.
    #[must_use]
    pub fn named(&mut self, now: Duration, name: &str) -> Option<Seen> {
        self.machines(now).into_iter().find(|machine| machine.name == name)
    }

    /// The disk of a machine, whether it is up or not.
    #[must_use]
    pub fn disk(&mut self, id: &InstanceId) -> Option<&mut Disk> {
        self.machine_mut(id).map(|machine| &mut machine.disk)
    }

    /// Records a change made on a machine's disk and says whether that kills its author.
    pub fn record_change(&mut self, now: Duration, id: InstanceId, command: &str) -> Option<Kill> {
        let before = self.effects.len();
        self.log(now, EffectKind::HostChanged { id, command: command.to_owned() });
        self.faults.after_effects(before, self.effects.len()).kill
    }

    /// Puts a machine there that nobody asked for. Not an effect.
    pub fn plant(&mut self, now: Duration, order: Order) -> InstanceId {
        let moment = self.moment(now);
        self.place(moment, order, Fate::Boots)
    }

    /// Switches a machine off behind everyone's back. Not an effect.
    pub fn stop(&mut self, id: &InstanceId) {
        if let Some(machine) = self.machine_mut(id) {
            machine.stopped = true;
        }
    }

    /// Ends a machine at once behind everyone's back, as when a cloud wants a spot machine back. Not
    /// an effect.
    pub fn take_away(&mut self, now: Duration, id: &InstanceId) {
        let moment = self.moment(now);
        if let Some(machine) = self.machine_mut(id) {
            machine.terminating.get_or_insert(moment);
            machine.taken_away = true;
        }
    }

    /// Makes a machine disappear behind everyone's back. Not an effect.
    pub fn remove(&mut self, id: &InstanceId) {
        self.machines.retain(|_, machine| machine.id != *id);
    }

    fn place(&mut self, moment: Moment, order: Order, fate: Fate) -> InstanceId {
        self.issued += 1;
        let id = self.behaviour.ids.nth(self.issued);
        let machine = Machine::new(self.provider, self.issued, id, moment, order, fate);
        let id = machine.id.clone();
        self.machines.insert(self.issued, machine);
        id
    }

    fn holder(&self, name: &str) -> Option<&InstanceId> {
        self.machines.values().find(|machine| machine.name == name).map(|machine| &machine.id)
    }

    fn machine_mut(&mut self, id: &InstanceId) -> Option<&mut Machine> {
        self.machines.values_mut().find(|machine| machine.id == *id)
    }

    fn log(&mut self, at: Duration, kind: EffectKind) {
        let number = self.effects.len() as u64 + 1;
        self.effects.push(Effect { number, at, kind });
    }

    /// Lets go of machines whose time has come.
    fn settle(&mut self, now: Duration) {
        let moment = self.moment(now);
        let behaviour = &self.behaviour;
        self.machines.retain(|_, machine| !machine.is_gone(behaviour, moment));
    }

    fn moment(&self, at: Duration) -> Moment {
        Moment { at, lists: self.requests.of(RequestKind::List) }
    }
}
