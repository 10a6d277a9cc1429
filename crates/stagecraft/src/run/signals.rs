use stagecraft_engine::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};
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

/// How often the user asked to stop, by Ctrl-C or SIGTERM. A terminal that is closed asks once, however
/// often it says so: a shell passes on what its processes were told already.
#[derive(Clone, Debug)]
pub(super) struct Signals(watch::Receiver<u32>);

impl Signals {
    /// Starts to listen; from here on signals no longer end the process by themselves.
    pub(super) fn listen() -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = hears_hangups().then(|| signal(SignalKind::hangup())).transpose()?;
        let (count, seen) = watch::channel(0);
        tokio::spawn(async move {
            let mut hung_up = false;
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    () = next(&mut hangup) => {
                        if std::mem::replace(&mut hung_up, true) {
                            continue;
                        }
                    }
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

    /// Does work that changes nothing and knows what to do when the user stops it: it ends then at once.
    pub(super) async fn stoppable<T>(&self, cancel: &Cancel, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        tokio::select! {
            biased;
            () = self.reached(1) => cancel.stop(),
            outcome = &mut work => return outcome,
        }
        work.await
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

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the end of the terminal is to be listened for. Whoever started this with `nohup` wants it to
/// go on; where that cannot be found out, the system's own way is left as it is.
fn hears_hangups() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| !ignores_hangups(&status))
}

/// Whether a process ignores hangups, by its status as Linux tells it.
fn ignores_hangups(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first bit is signal 1.
    mask.is_some_and(|mask| mask & 1 != 0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use stagecraft_core::error::ExitCode;

    use super::*;

    #[test]
    fn whoever_was_started_by_nohup_ignores_hangups() {
        let status = |mask: &str| format!("Name:\tx\nSigIgn:\t{mask}\nSigCgt:\t0000000000000001\n");
        assert!(ignores_hangups(&status("0000000000000001")));
        assert!(ignores_hangups(&status("0000000000001005")));
        assert!(!ignores_hangups(&status("0000000000001000")));
        assert!(!ignores_hangups(""));
    }

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
    async fn work_that_knows_what_to_do_is_only_told_to_stop() {
        let (_count, seen) = watch::channel(1);
        let cancel = Cancel::new();
        let work = async {
            cancel.stopping().await;
            "half"
        };
        assert_eq!(Signals(seen).stoppable(&cancel, work).await, "half");
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
