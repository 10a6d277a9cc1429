use tokio_util::sync::CancellationToken;

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
