//! The one place where requests are made again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stagecraft_core::cloud::CloudError;
use stagecraft_core::error::{Code, Diagnose as _, Retry};

use crate::Engine;
use crate::pace::{Ask, is_rate_limited};

/// The first delay is at most this long; each further one at most twice the one before.
const BASE: Duration = Duration::from_millis(500);
/// No delay of our own choosing is longer.
const CAP: Duration = Duration::from_secs(30);
/// A provider that asks for a longer pause is believed, and the request given up.
const LONGEST_HINT: Duration = Duration::from_secs(5 * 60);

/// Exponential backoff with full jitter.
#[derive(Debug)]
pub(crate) struct Backoff(Mutex<fastrand::Rng>);

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// How long to wait after the `failed`-th failure, from 1, never less than `hint`.
    fn delay(&self, failed: u32, hint: Duration) -> Duration {
        // With a hint the jitter comes on top: all who were told the same must not return at once.
        hint + ceiling(failed).mul_f64(self.fraction())
    }

    /// Something from 0 to 1, different each time.
    pub(crate) fn fraction(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

/// The longest delay after the `failed`-th failure.
fn ceiling(failed: u32) -> Duration {
    BASE.saturating_mul(2u32.saturating_pow(failed.saturating_sub(1))).min(CAP)
}

/// How long to wait at least before an idempotent request is made again; `None` when that is no
/// use.
fn hint(error: &CloudError) -> Option<Duration> {
    match error.retry() {
        Retry::Never => None,
        Retry::After(hint) => Some(hint),
        // The answer of such a request may be lost as often as it likes.
        Retry::Observe => Some(error.retry_after),
    }
}

/// Whether and when a failed request is made again.
#[derive(Debug, PartialEq, Eq)]
enum Again {
    No,
    After(Duration),
}

impl Engine {
    /// Makes a request until it succeeds, its failure is final, or the tries are used up.
    ///
    /// For requests that may be repeated without harm: reads, and changes that are idempotent.
    /// `retrying` is told before each wait. A wait that the user cuts short ends in the failure.
    /// To be asked to slow down is no failure: see [`crate::pace`].
    pub(crate) async fn repeat<T>(
        &self,
        ask: &Ask<'_>,
        mut request: impl AsyncFnMut() -> Result<T, CloudError>,
        retrying: impl Fn(Duration, Code),
    ) -> Result<T, CloudError> {
        let (mut failed, mut waited) = (0, Duration::ZERO);
        loop {
            let turn = self.turn(ask, &mut waited).await?;
            let answer = request().await;
            self.end_turn(turn, &answer);
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) if is_rate_limited(&error) => continue,
                Err(error) => error,
            };
            failed += 1;
            let Some(hint) = hint(&error) else { return Err(error) };
            match self.again(failed, hint) {
                Again::No => return Err(error),
                Again::After(delay) => {
                    retrying(delay, error.code());
                    self.pause(delay).await;
                    if self.cancel.is_stopping() {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Waits before a request that certainly had no effect is made again; `false` when it is not
    /// to be made again.
    pub(crate) async fn wait_to_retry(
        &self,
        failed: u32,
        hint: Duration,
        retrying: impl Fn(Duration),
    ) -> bool {
        match self.again(failed, hint) {
            Again::No => false,
            Again::After(delay) => {
                retrying(delay);
                self.pause(delay).await;
                !self.cancel.is_stopping()
            }
        }
    }

    fn again(&self, failed: u32, hint: Duration) -> Again {
        if failed >= self.limits.tries || hint > LONGEST_HINT || self.cancel.is_stopping() {
            Again::No
        } else {
            Again::After(self.backoff.delay(failed, hint))
        }
    }

    /// Sleeps, unless the user asks to stop.
    pub(crate) async fn pause(&self, duration: Duration) {
        tokio::select! {
            () = self.clock.sleep(duration) => {}
            () = self.cancel.stopping() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use stagecraft_core::cloud::CloudErrorKind;
    use stagecraft_core::desired::ProviderId;

    use super::*;

    #[test]
    fn a_provider_that_fails_is_left_alone_for_as_long_as_it_asks_be_the_change_made_or_not() {
        let failure = || {
            let kind = CloudErrorKind::ProviderFault("out of order".to_owned());
            let error = CloudError::new(ProviderId::DigitalOcean, "terminate host `a`", kind);
            error.retry_after(Duration::from_secs(20))
        };
        assert_eq!(hint(&failure()), Some(Duration::from_secs(20)));
        assert_eq!(hint(&failure().maybe_done()), Some(Duration::from_secs(20)));
        assert_eq!(hint(&failure().lasting()), None);
    }

    #[test]
    fn delays_double_up_to_the_cap() {
        let delays: Vec<u64> = (1..9).map(|failed| ceiling(failed).as_millis() as u64).collect();
        assert_eq!(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(ceiling(u32::MAX), CAP);
    }

    #[test]
    fn a_delay_is_jittered_and_never_shorter_than_the_hint() {
        let backoff = Backoff::new(7);
        let hint = Duration::from_secs(3);
        let delays: Vec<Duration> = (0..100).map(|_| backoff.delay(3, hint)).collect();
        assert!(delays.iter().all(|&delay| (hint..=hint + ceiling(3)).contains(&delay)));
        assert!(delays.iter().any(|&delay| delay < hint + ceiling(3) / 4));
        assert!(delays.iter().any(|&delay| delay > hint + ceiling(3) * 3 / 4));
    }
}
