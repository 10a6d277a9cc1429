use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

/// The time since a run began, and waiting for it to pass.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// Time since the run began.
    fn now(&self) -> Duration;

    /// Returns after this long.
    async fn sleep(&self, duration: Duration);
}

/// The real time; in tests, the paused time of their runtime.
#[derive(Debug)]
pub struct TokioClock {
    began: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { began: tokio::time::Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
