//! How fast a provider is asked: as fast as it answers, and not at all while it asks to slow down.
//!
//! ```text
//!           "too many requests"                  time passes
//!   open ------------------------> closed ------------------------> opening
//!    ^                               ^                               |   |
//!    |                               +----- "too many requests" -----+   |
//!    +---------- one request at first, twice as many with each answer ---+
//! ```
//!
//! One gate stands before each provider, and every request passes it. To be refused at the gate is
//! not to fail: who waits there holds nothing and uses up no try.

mod gate;

use std::time::Duration;

use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{EventKind, ProviderEvent};
use stagecraft_core::words::whole_seconds;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Engine;
pub(crate) use gate::Gate;
use gate::{Admission, Pass};

/// What is asked for, of whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) provider: ProviderId,
    /// Completes "could not …".
    pub(crate) what: &'a str,
    /// Where only so many may be under way at once.
    pub(crate) slots: Option<&'a Semaphore>,
}

/// A request that may be sent now, until it is answered or dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    provider: ProviderId,
    pass: Pass<'a>,
    _slot: Option<SemaphorePermit<'a>>,
}

impl Engine {
    /// Waits until a request may be sent. What it waits for the provider's limit is added to
    /// `waited`.
    ///
    /// # Errors
    /// When that comes to more than a request may wait, and when the user asks to stop meanwhile.
    /// Both are of the class [`CloudErrorKind::RateLimited`].
    pub(crate) async fn turn<'a>(
        &'a self,
        ask: &Ask<'a>,
        waited: &mut Duration,
    ) -> Result<Turn<'a>, CloudError> {
        let gate = self.gate(ask.provider);
        loop {
            // Given back at once where the gate is closed: whoever waits must not hold others up.
            let slot = match ask.slots {
                Some(slots) => slots.acquire().await.ok(),
                None => None,
            };
            let mut changes = std::pin::pin!(gate.changes());
            changes.as_mut().enable();
            let began = self.clock.now();
            match gate.admit(began) {
                Admission::Now(pass) => {
                    return Ok(Turn { provider: ask.provider, pass, _slot: slot });
                }
                Admission::Later(rest)
                    if waited.saturating_add(rest) > self.limits.rate_limited =>
                {
                    return Err(out_of_patience(ask, gate, *waited, rest));
                }
                Admission::Later(rest) => {
                    drop(slot);
                    self.pause(rest).await;
                }
                Admission::AfterAnother => {
                    drop(slot);
                    tokio::select! {
                        () = changes => {}
                        () = self.cancel.stopping() => {}
                    }
                }
            }
            *waited += self.clock.now().saturating_sub(began);
            if self.cancel.is_stopping() {
                return Err(cut_short(ask));
            }
        }
    }

    /// Ends a turn with what came of it, and tells if the provider asked to slow down, unless for
    /// longer than anybody waits.
    pub(crate) fn end_turn<T>(&self, turn: Turn<'_>, answer: &Result<T, CloudError>) {
        let now = self.clock.now();
        let Err(CloudError { kind: CloudErrorKind::RateLimited { after, message }, .. }) = answer
        else {
            turn.pass.answered(now);
            return;
        };
        let (hint, spread) = (after.unwrap_or_default(), self.backoff.fraction());
        if let Some(after) = turn.pass.refused(now, hint, spread, message)
            && after <= self.limits.rate_limited
        {
            let what = ProviderEvent::RateLimited { after };
            self.events.tell(EventKind::Provider(turn.provider, what));
        }
    }

    /// A clock that stands still while a provider's gate is closed: time in which it could not be
    /// asked is nobody's delay.
    pub(crate) fn open_time(&self, provider: ProviderId) -> Duration {
        self.gate(provider).open_time(self.clock.now())
    }

    fn gate(&self, provider: ProviderId) -> &Gate {
        &self.gates[&provider]
    }
}

/// Whether a request was refused only because there were too many: it had no effect, and passes the
/// gate again.
pub(crate) fn is_rate_limited(error: &CloudError) -> bool {
    matches!(error.kind, CloudErrorKind::RateLimited { .. }) && !error.maybe_done && !error.lasting
}

fn out_of_patience(ask: &Ask<'_>, gate: &Gate, waited: Duration, rest: Duration) -> CloudError {
    let words = gate.words();
    let colon = if words.is_empty() { "" } else { "; " };
    let (waited, more) = (whole_seconds(waited), whole_seconds(rest));
    let message = match waited {
        0 => format!("{words}{colon}it asks to wait {more} s, which is too long"),
        _ => format!("{words}{colon}gave up after waiting {waited} s, it asks for {more} s more"),
    };
    CloudError::new(ask.provider, ask.what, limited(Some(rest), message))
        .with_hint("run the command again later: what was done is kept, and it goes on from there")
        .with_hint(format!(
            "see whether other programs use up the limit of the same {} token",
            ask.provider
        ))
}

fn cut_short(ask: &Ask<'_>) -> CloudError {
    let message = "interrupted while waiting until it takes requests again";
    CloudError::new(ask.provider, ask.what, limited(None, message.to_owned()))
}

fn limited(after: Option<Duration>, message: String) -> CloudErrorKind {
    CloudErrorKind::RateLimited { after, message }
}
