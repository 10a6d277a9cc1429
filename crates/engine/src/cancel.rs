use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::EventKind;
use tokio_util::sync::CancellationToken;

use crate::Engine;

/// The user's wish to stop: nothing new starts, what is in flight finishes.
///
/// Stopping at once is dropping the future of the run, and needs no part of it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(CancellationToken);

impl Cancel {
    /// Not stopping.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Whether the user asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Returns once the user asked to stop.
    pub async fn stopping(&self) {
        self.0.cancelled().await;
    }
}

/// The failure of a host that was not worked on to the end because the user asked to stop.
pub(crate) fn interrupted() -> Failure {
    Failure::new(Code::INTERRUPTED, "interrupted before this host was done")
}

impl Engine {
    /// Does `work`, and tells once if the user asks to stop meanwhile.
    pub(crate) async fn until_done(&self, work: impl Future<Output = ()>) {
        tokio::pin!(work);
        let done = tokio::select! {
            biased;
            () = self.cancel.stopping() => false,
            () = &mut work => true,
        };
        // Also when the wish and the end came in one breath: hosts may have been skipped for it.
        if self.cancel.is_stopping() {
            self.events.tell(EventKind::Stopping);
        }
        if !done {
            work.await;
        }
    }
}
