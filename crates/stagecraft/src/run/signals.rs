use stagecraft_engine::Cancel;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::stop::Stop;

/// How guarded work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended<T> {
    /// By itself.
    Finished(T),
    /// The user asked twice to stop.
    Abandoned,
}

/// How often the user asked to stop, by Ctrl-C or SIGTERM.
#[derive(Clone, Debug)]
pub(super) struct Signals(watch::Receiver<u32>);

impl Signals {
    /// Starts to listen; from here on signals no longer end the process by themselves.
    pub(super) fn listen() -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (count, seen) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(seen))
    }

    /// Does work that changes nothing: the first signal ends it.
    pub(super) async fn interruptible<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            () = self.reached(1) => Err(Stop::interrupted()),
            outcome = work => Ok(outcome),
        }
    }

    /// Does work that changes things: the first signal asks it to end, the second drops it.
    pub(super) async fn guarded<T>(
        &self,
        cancel: &Cancel,
        stopping: impl Fn(),
        work: impl Future<Output = T>,
    ) -> Ended<T> {
        tokio::pin!(work);
        tokio::select! {
            biased;
            () = self.reached(1) => {
                cancel.stop();
                stopping();
            }
            outcome = &mut work => return Ended::Finished(outcome),
        }
        tokio::select! {
            biased;
            () = self.reached(2) => Ended::Abandoned,
            outcome = work => Ended::Finished(outcome),
        }
    }

    async fn reached(&self, count: u32) {
        let mut seen = self.0.clone();
        if seen.wait_for(|&seen| seen >= count).await.is_err() {
            // Nobody listens any more, so nothing can be asked.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use stagecraft_core::error::ExitCode;

    use super::*;

    #[tokio::test]
    async fn the_first_signal_asks_and_the_second_drops() {
        let (count, seen) = watch::channel(0);
        let signals = Signals(seen);
        let cancel = Cancel::new();
        let told = Cell::new(0);
        let work = async {
            count.send_modify(|count| *count += 1);
            cancel.stopping().await;
            count.send_modify(|count| *count += 1);
            std::future::pending::<()>().await;
        };
        let ended = signals.guarded(&cancel, || told.set(told.get() + 1), work).await;
        assert_eq!((ended, told.get()), (Ended::Abandoned, 1));
    }

    #[tokio::test]
    async fn work_that_ends_after_the_first_signal_counts() {
        let (_count, seen) = watch::channel(1);
        let signals = Signals(seen);
        let cancel = Cancel::new();
        let ended = signals.guarded(&cancel, || {}, cancel.stopping()).await;
        assert_eq!(ended, Ended::Finished(()));
    }

    #[tokio::test]
    async fn looking_ends_with_the_first_signal() {
        let (_count, seen) = watch::channel(1);
        let stop = Signals(seen).interruptible(std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(stop.exit, ExitCode::Interrupted);
    }
}
