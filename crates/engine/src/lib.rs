//! The only place where things happen in time: listing, ordering, waiting, connecting, retrying,
//! stopping.
//!
//! ```text
//! observe -> (core: resolve, plan) -> apply: per host, all hosts at once
//!
//!   order ---> wait until it runs ---> log in ---> identify ---> converge ---> (meet) ---> ended
//!     |             |                     |            |             |           |
//!     |             one list per          until it     a host key    one probe,  told of the other
//!     |             provider for all      answers      of its own    then only   members of a mesh
//!     retried here, never blindly                                    what is missing
//! ```
//!
//! Before each provider stands a gate that every request passes; it closes when the provider asks
//! to slow down.
//!
//! What to do is decided in `stagecraft-core`; here it is only done. Every host is a future of one
//! task, so dropping the future of a run stops everything at once.

mod apply;
mod bootstrap;
mod cancel;
mod clock;
mod converge;
mod events;
mod exec;
mod farewell;
mod guarded;
mod identity;
mod inspect;
mod limits;
mod login;
mod mesh;
mod observe;
mod order;
mod pace;
mod retry;
mod watch;

pub use apply::Stale;
pub use cancel::Cancel;
pub use clock::{Clock, TokioClock};
pub use exec::ExecEvent;
pub use inspect::{Health, Look, OpenStep};
pub use limits::Limits;

use std::collections::BTreeMap;
use std::sync::Arc;

use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::converge::Step;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::event::{EventKind, HostEvent, Reporter};
use stagecraft_core::identity::KeyMint;
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::network::{Mesh, NetworkProvider};
use stagecraft_core::remote::Connector;
use tokio::sync::Semaphore;

use events::Events;
use pace::Gate;
use retry::Backoff;

/// The steps that make the host of an instance ready.
pub type StepsFor = dyn Fn(&Instance) -> Vec<Box<dyn Step>> + Send + Sync;

/// Everything an [`Engine`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The clouds in use.
    pub providers: BTreeMap<ProviderId, Arc<dyn CloudProvider>>,
    /// Makes the keys that new hosts are verified by; without one they are ordered without.
    pub mint: Option<Arc<dyn KeyMint>>,
    /// The private network that hosts join; its steps are the last of each host. Without one, none is
    /// told of others or signed off.
    pub network: Option<Arc<dyn NetworkProvider>>,
    /// How to log in to hosts.
    pub connector: Arc<dyn Connector>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who hears of what happens, in this order.
    pub reporters: Vec<Arc<dyn Reporter>>,
    /// How much at once, and how long.
    pub limits: Limits,
    /// How the user stops it.
    pub cancel: Cancel,
    /// Seeds the jitter of retries.
    pub seed: u64,
}

/// Carries out what was decided.
#[derive(Debug)]
pub struct Engine {
    providers: BTreeMap<ProviderId, Arc<dyn CloudProvider>>,
    mint: Option<Arc<dyn KeyMint>>,
    network: Option<Arc<dyn NetworkProvider>>,
    connector: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
    events: Events,
    limits: Limits,
    cancel: Cancel,
    backoff: Backoff,
    gates: BTreeMap<ProviderId, Gate>,
    order_slots: Semaphore,
    login_slots: BTreeMap<ProviderId, Semaphore>,
}

impl Engine {
    /// An engine for one run.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let logins = || Semaphore::new(parts.limits.logins);
        Self {
            events: Events::new(Arc::clone(&parts.clock), parts.reporters),
            backoff: Backoff::new(parts.seed),
            gates: parts.providers.keys().map(|&id| (id, Gate::default())).collect(),
            order_slots: Semaphore::new(parts.limits.orders),
            login_slots: parts.providers.keys().map(|&id| (id, logins())).collect(),
            providers: parts.providers,
            mint: parts.mint,
            network: parts.network,
            connector: parts.connector,
            clock: parts.clock,
            limits: parts.limits,
            cancel: parts.cancel,
        }
    }

    fn mesh(&self) -> Option<&dyn Mesh> {
        self.network.as_deref()?.mesh()
    }

    fn tell(&self, host: &HostName, what: HostEvent) {
        self.events.tell(EventKind::Host(host.clone(), what));
    }
}
