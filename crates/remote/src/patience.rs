//! Limits that do not run on while this process stands still.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

/// A limit is counted in pieces of this length. A process that is stopped, or whose machine sleeps, learns
/// of it when a piece is over, and no more than that counts: the other end was not slow meanwhile.
const PIECE: Duration = Duration::from_secs(1);

/// How long something may still take, of the time in which this process runs.
#[derive(Debug)]
pub(crate) struct Patience(Duration);

impl Patience {
    /// So long from now on.
    pub(crate) fn new(limit: Duration) -> Self {
        Self(limit)
    }

    /// What comes of `work`; `None` when the limit is reached first.
    pub(crate) async fn wait_for<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            let piece = self.0.min(PIECE);
            let began = Instant::now();
            let outcome = timeout(piece, work.as_mut()).await;
            self.0 -= began.elapsed().min(piece);
            match outcome {
                Ok(outcome) => return Some(outcome),
                Err(_) if self.0.is_zero() => return None,
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_not_waited_for() {
        let began = Instant::now();
        assert_eq!(Patience::new(LIMIT).wait_for(std::future::pending::<()>()).await, None);
        assert_eq!(began.elapsed().as_secs(), LIMIT.as_secs());
        let mut both = Patience::new(LIMIT);
        assert_eq!(both.wait_for(sleep(LIMIT / 3)).await, Some(()));
        assert_eq!(both.wait_for(sleep(LIMIT / 3)).await, Some(()));
        assert_eq!(both.wait_for(sleep(LIMIT / 2)).await, None, "the limit is for all of it");
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_the_process_stood_still_does_not_count() {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let others = async {
            sleep(Duration::from_secs(5)).await;
            advance(LIMIT * 10).await;
            // The other end's answer is there, and read a moment after waking up.
            sleep(Duration::from_millis(50)).await;
            answer.send(7).unwrap();
        };
        let mut patience = Patience::new(LIMIT);
        let (answer, ()) = tokio::join!(patience.wait_for(answered), others);
        assert_eq!(answer, Some(Ok(7)));
    }
}
