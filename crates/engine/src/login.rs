use std::time::Duration;

use stagecraft_core::error::{Code, Diagnose as _, Failure, Retry};
use stagecraft_core::event::HostEvent;
use stagecraft_core::remote::{Remote, RemoteError, Target};
use tokio::sync::SemaphorePermit;

use crate::Engine;

/// The pause after the first attempt; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Whether a host may still be booting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// Just ordered or switched on: silence and refused keys are normal for a while.
    New,
    /// Ran before: it gets a little time, and a refused key is final.
    Old,
}

/// An open connection, and its place among those that may be open at once.
#[derive(Debug)]
pub(crate) struct Login<'e> {
    pub(crate) remote: Box<dyn Remote>,
    _slot: Option<SemaphorePermit<'e>>,
}

impl Engine {
    /// Connects to a host, waiting while it may still be booting. `None` when the user asked to
    /// stop meanwhile.
    pub(crate) async fn login(
        &self,
        target: &Target,
        age: Age,
    ) -> Result<Option<Login<'_>>, Failure> {
        let host = &target.host;
        let limit = match age {
            Age::New => self.limits.new_host_login,
            Age::Old => self.limits.old_host_login,
        };
        self.tell(host, HostEvent::WaitingForSsh);
        let began = self.clock.now();
        let mut pause = FIRST_PAUSE;
        loop {
            // Held while trying and while connected, not between tries.
            let slot = self.login_slots.acquire().await.ok();
            if self.cancel.is_stopping() {
                return Ok(None);
            }
            let error = match self.connector.connect(target).await {
                Ok(remote) => {
                    self.tell(host, HostEvent::Connected);
                    return Ok(Some(Login { remote, _slot: slot }));
                }
                Err(error) => error,
            };
            drop(slot);
            let waited = self.clock.now().saturating_sub(began);
            if !may_come_up(&error, age) {
                return Err(Failure::from(&error));
            }
            if waited + pause > limit {
                return Err(gave_up(&error, age, limit));
            }
            self.pause(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether the failure is one that passes when a host has booted.
fn may_come_up(error: &RemoteError, age: Age) -> bool {
    match (error, error.retry()) {
        (RemoteError::Refused { .. }, _) => age == Age::New,
        (_, Retry::After(_)) => true,
        (_, Retry::Never | Retry::Observe) => false,
    }
}

fn gave_up(error: &RemoteError, age: Age, limit: Duration) -> Failure {
    let mut failure = Failure::from(error);
    failure.code = Code::SSH_FAILED;
    failure.message = format!("{error}; gave up after {} s", limit.as_secs());
    match age {
        Age::New => {}
        Age::Old => failure.hints.push(format!(
            "if the machine is broken, `stagecraft infra up --replace {}` makes another",
            error.host()
        )),
    }
    failure
}
