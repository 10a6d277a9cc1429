//! Waiting for many instances by one list per provider.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, Diagnose as _, Failure};
use stagecraft_core::inventory::{Instance, Inventory, Lifecycle};
use stagecraft_core::name::{HostName, Scope};
use tokio::sync::{Notify, watch};

use crate::Engine;

/// The pause between two lists of one provider is never shorter ...
const SHORTEST: Duration = Duration::from_millis(500);
/// ... and grows to this while nobody new begins to wait.
const LONGEST: Duration = Duration::from_secs(8);

/// A provider that does not answer is asked again for so long before those who wait are told of it: what
/// they wait for takes longer, and a network that is changed or wakes up is back by then.
const SILENT: Duration = Duration::from_secs(2 * 60);

/// So many answers in a row must make no sense before those who wait are told of it: one that was
/// garbled on the way must not end the wait of every host.
const SENSELESS: u32 = 3;

/// Lists providers while somebody waits for something to appear in the lists.
#[derive(Debug)]
pub(crate) struct Watch<'e> {
    engine: &'e Engine,
    scope: &'e Scope,
    feeds: BTreeMap<ProviderId, Feed>,
}

/// The lists of one provider.
#[derive(Debug)]
struct Feed {
    /// How many wait.
    waiting: AtomicUsize,
    /// Somebody began to wait.
    wanted: Notify,
    /// How many lists were begun.
    begun: AtomicU64,
    latest: watch::Sender<Option<Look>>,
}

/// What one list showed.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What stands for hosts.
    pub(crate) live: Inventory,
    /// Hosts of which an instance is being removed; it may still hold the host's name.
    pub(crate) leaving: BTreeSet<HostName>,
    /// When it was asked for, by [`Engine::open_time`].
    pub(crate) asked: Duration,
}

/// One list, or why there is none.
#[derive(Clone, Debug)]
struct Look {
    number: u64,
    seen: Result<Arc<Seen>, Failure>,
}

impl<'e> Watch<'e> {
    pub(crate) fn new(engine: &'e Engine, scope: &'e Scope) -> Self {
        let feeds = engine.providers.keys().map(|&provider| (provider, Feed::new())).collect();
        Self { engine, scope, feeds }
    }

    /// The project and environment that is watched.
    pub(crate) fn scope(&self) -> &'e Scope {
        self.scope
    }

    /// Lists whatever is waited for. Never returns; to be dropped when the waiting is over.
    pub(crate) async fn run(&self) -> Infallible {
        join_all(self.feeds.iter().map(|(&provider, feed)| self.follow(provider, feed))).await;
        std::future::pending().await
    }

    /// Returns what `judge` finds in the first list, begun after this call, in which it finds
    /// something.
    ///
    /// # Errors
    /// Why the provider cannot be listed.
    pub(crate) async fn until<T>(
        &self,
        provider: ProviderId,
        mut judge: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T, Failure> {
        let feed = &self.feeds[&provider];
        let mut looks = feed.latest.subscribe();
        let oldest = feed.begun.load(Ordering::SeqCst);
        let _waiting = Waiting::on(feed);
        loop {
            let look = looks.borrow_and_update().clone();
            if let Some(Look { number, seen }) = look
                && number >= oldest
                && let Some(found) = judge(seen?.as_ref())
            {
                return Ok(found);
            }
            if looks.changed().await.is_err() {
                // The sender lives in `self`, which is borrowed.
                std::future::pending::<()>().await;
            }
        }
    }

    async fn follow(&self, provider: ProviderId, feed: &Feed) {
        let mut pause = SHORTEST;
        let mut senseless = 0;
        let mut silent_since: Option<Duration> = None;
        loop {
            while feed.waiting.load(Ordering::SeqCst) == 0 {
                feed.wanted.notified().await;
                pause = SHORTEST;
            }
            let number = feed.begun.fetch_add(1, Ordering::SeqCst);
            let (asked, began) = (self.engine.open_time(provider), self.engine.clock.now());
            let listing = self.engine.list(provider, self.scope).await;
            senseless = match &listing {
                Err(error) if error.code() == Code::CLOUD_UNEXPECTED_ANSWER => senseless + 1,
                Ok(_) | Err(_) => 0,
            };
            let is_silent = matches!(&listing, Err(error) if may_pass(error));
            silent_since = is_silent.then(|| silent_since.unwrap_or(began));
            let silent = silent_since.map(|since| self.engine.clock.now().saturating_sub(since));
            let is_told = silent.is_none_or(|silent| silent >= SILENT);
            if is_told && !(1..SENSELESS).contains(&senseless) {
                let seen = listing
                    .map(|instances| Arc::new(Seen::new(instances, asked)))
                    .map_err(|error| Failure::from(&error));
                feed.latest.send_replace(Some(Look { number, seen }));
            }

            self.engine.clock.sleep(SHORTEST).await;
            tokio::select! {
                () = self.engine.clock.sleep(pause.saturating_sub(SHORTEST)) => {
                    pause = (pause * 3 / 2).min(LONGEST);
                }
                () = feed.wanted.notified() => pause = SHORTEST,
            }
        }
    }
}

/// Whether a list that failed, often enough to be given up, may succeed later all the same.
pub(crate) fn may_pass(error: &CloudError) -> bool {
    matches!(error.kind, CloudErrorKind::Unreachable(_) | CloudErrorKind::ProviderFault(_))
        && !error.lasting
}

impl Seen {
    fn new(listed: Vec<Instance>, asked: Duration) -> Self {
        let leaving = listed
            .iter()
            .filter(|instance| instance.lifecycle == Lifecycle::Terminating)
            .map(|instance| instance.owner.host.clone())
            .collect();
        Self { live: Inventory::new(listed), leaving, asked }
    }
}

impl Feed {
    fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            wanted: Notify::new(),
            begun: AtomicU64::new(0),
            latest: watch::Sender::new(None),
        }
    }
}

/// Counts one who waits, for as long as it lives.
struct Waiting<'f>(&'f Feed);

impl<'f> Waiting<'f> {
    fn on(feed: &'f Feed) -> Self {
        feed.waiting.fetch_add(1, Ordering::SeqCst);
        feed.wanted.notify_one();
        Self(feed)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
