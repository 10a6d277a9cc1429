//! The time of a world, for those who work in it.

use std::time::Duration;

use async_trait::async_trait;
use stagecraft_engine::Clock;
use stagecraft_testkit::SharedWorld;

/// The time since a run began, which passes as fast as the world's.
#[derive(Debug)]
pub(crate) struct WorldClock {
    world: SharedWorld,
    began: Duration,
}

impl WorldClock {
    /// A clock of a run that begins now.
    pub(crate) fn new(world: &SharedWorld) -> Self {
        Self { began: world.now(), world: world.clone() }
    }
}

#[async_trait]
impl Clock for WorldClock {
    fn now(&self) -> Duration {
        self.world.now() - self.began
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(duration).await;
    }
}
