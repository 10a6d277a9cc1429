//! One world seen by several doubles at once, and the clock they share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stagecraft_core::desired::ProviderId;
use tokio::time::Instant;

use crate::gauge::{Gauge, Inside};
use crate::process::Process;
use crate::world::{Kill, RequestKind, World};

/// A world and the moment its clock began. Clones are the same world.
///
/// Time is tokio's, so a test with `start_paused` has a virtual clock, unless it is to run faster.
#[derive(Clone, Debug)]
pub struct SharedWorld {
    world: Arc<Mutex<World>>,
    provider: ProviderId,
    began: Instant,
    speed: u32,
    creates: Gauge,
    changes: Gauge,
}

impl SharedWorld {
    /// Shares `world`; its clock begins now.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self {
            provider: world.provider(),
            world: Arc::new(Mutex::new(world)),
            began: Instant::now(),
            speed: 1,
            creates: Gauge::default(),
            changes: Gauge::default(),
        }
    }

    /// Lets the clock run this many times as fast as tokio's; to be decided before it is shared.
    #[must_use]
    pub fn at_speed(self, times: u32) -> Self {
        Self { speed: times.max(1), ..self }
    }

    /// The provider this world plays.
    #[must_use]
    pub fn provider(&self) -> ProviderId {
        self.provider
    }

    /// Time since the world began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.began.elapsed() * self.speed
    }

    /// Returns when so much of the world's time has passed.
    pub async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time / self.speed).await;
    }

    /// Requests to create, from when they are sent to when they are answered or given up.
    #[must_use]
    pub fn creates(&self) -> &Gauge {
        &self.creates
    }

    /// The same for every request that changes something.
    #[must_use]
    pub fn changes(&self) -> &Gauge {
        &self.changes
    }

    /// Counts a request until what is returned is dropped.
    pub(crate) fn enter(&self, kind: RequestKind) -> [Option<Inside>; 2] {
        let (creates, changes) = match kind {
            RequestKind::Create => (true, true),
            RequestKind::Start | RequestKind::Update | RequestKind::Terminate => (false, true),
            RequestKind::Validate
            | RequestKind::Catalogue
            | RequestKind::List
            | RequestKind::Get => (false, false),
        };
        [creates.then(|| self.creates.enter()), changes.then(|| self.changes.enter())]
    }

    /// Looks at the world, or changes it behind everyone's back.
    pub fn with<T>(&self, act: impl FnOnce(&mut World, Duration) -> T) -> T {
        let now = self.now();
        act(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// A request of `process` on its way here; never arrives when the process is dead by then.
    pub(crate) async fn travel(&self, process: &Process) {
        process.interact().await;
        self.pass_some_time().await;
        process.interact().await;
    }

    /// An answer on its way to `process`, which `kill` may keep from it.
    pub(crate) async fn travel_back(&self, process: &Process, kill: Option<Kill>) {
        match kill {
            Some(Kill::BeforeAnswer) => {
                process.kill();
                process.interact().await;
            }
            // It arrives at once, so that nothing else can come between.
            Some(Kill::AfterAnswer) => process.doom(),
            None => {
                self.pass_some_time().await;
                process.interact().await;
            }
        }
    }

    /// Takes as long as a request or an answer is on its way.
    pub(crate) async fn pass_some_time(&self) {
        let micros = self.with(|world, _| {
            let longest = world.behaviour().latency.as_micros();
            world.rng().below(u64::try_from(longest).unwrap_or(u64::MAX))
        });
        if micros > 0 {
            self.sleep(Duration::from_micros(micros)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Behaviour;

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_runs_ahead_of_the_one_on_the_wall() {
        let world = World::new(ProviderId::Hetzner, Behaviour::names_are_unique(), 1);
        let world = SharedWorld::new(world).at_speed(60);
        let began = Instant::now();
        world.sleep(Duration::from_secs(3600)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(60));
        assert_eq!(world.now(), Duration::from_secs(3600));
    }
}
