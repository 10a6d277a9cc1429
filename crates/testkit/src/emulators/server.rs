//! The server: sockets, tokens, limits, faults and the record around a [`Front`].
//!
//! ```text
//! arrives -> fault before? -> token, limits -> Front -> kill? -> fault after? -> answer
//!               |  cut, slow, 429, status ...                     |  cut, slow, spoiled body
//! ```

mod body;
mod exchange;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::call::{Access, Front};
use super::faults::{self, Faults};
use super::limits::Limits;
use super::record::{Exchange, Record};
use crate::process::Process;
use crate::shared::SharedWorld;

use exchange::serve;

/// What is told of every exchange.
pub type Watcher = Arc<dyn Fn(&Exchange) + Send + Sync>;

/// What the server may be told besides.
#[derive(Clone)]
pub struct Options {
    /// The tokens that are accepted and what they may do; any at all, for everything, when empty.
    pub tokens: BTreeMap<String, Access>,
    /// What goes wrong on the way.
    pub faults: Vec<faults::Rule>,
    /// The longest body of a request, in bytes.
    pub body_limit: usize,
    /// Whether it may listen where other machines can reach it.
    pub beyond_loopback: bool,
    /// Whether requests are limited as the provider limits them.
    pub limited: bool,
    /// Whether every exchange is kept for tests.
    pub records: bool,
    /// What is told of every exchange when it ends.
    pub watcher: Option<Watcher>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tokens: BTreeMap::new(),
            faults: Vec::new(),
            body_limit: 1 << 20,
            beyond_loopback: false,
            limited: true,
            records: true,
            watcher: None,
        }
    }
}

/// Tokens are not shown.
impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("tokens", &self.tokens.len())
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// An account behind an API. Clones are the same account, with the same limits and faults.
#[derive(Clone, Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    world: SharedWorld,
    front: Arc<dyn Front>,
    options: Options,
    limits: Mutex<Limits>,
    faults: Faults,
    record: Record,
    requests: Mutex<u64>,
}

/// A server that runs; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    url: String,
    emulator: Emulator,
    accepting: JoinHandle<()>,
}

impl Emulator {
    /// The account that `front` shows of `world`.
    #[must_use]
    pub fn new(world: &SharedWorld, front: impl Front + 'static, options: Options) -> Self {
        let limits = if options.limited { front.limits() } else { Vec::new() };
        let faults = Faults::new(options.faults.iter().cloned());
        Self {
            shared: Arc::new(Shared {
                world: world.clone(),
                front: Arc::new(front),
                options,
                limits: Mutex::new(Limits::new(limits)),
                faults,
                record: Record::default(),
                requests: Mutex::new(0),
            }),
        }
    }

    /// Starts to listen at `address`; port 0 is any free one.
    ///
    /// # Errors
    /// The address is taken, or not this machine's own although it has to be.
    pub async fn listen(&self, address: SocketAddr) -> io::Result<Running> {
        if !address.ip().is_loopback() && !self.shared.options.beyond_loopback {
            let message = format!("`{address}` can be reached from other machines");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.start(TcpListener::bind(address).await?, None)
    }

    /// Starts to listen on loopback for one process of several: the faults that kill the process
    /// whose request they meet kill it, and no request of it has an effect afterwards.
    ///
    /// # Errors
    /// There is no free port.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn listen_for(&self, process: &Process) -> io::Result<Running> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        self.start(TcpListener::from_std(listener)?, Some(process.clone()))
    }

    /// Requests that another program made with this token so long ago, but for those that were too
    /// many. Requests of the past are to be told in order, before any of now.
    pub fn spend(&self, token: &str, requests: u32, ago: Duration) {
        let at = self.shared.world.with(|world, now| world.epoch_millis(now))
            - u64::try_from(ago.as_millis()).unwrap_or_default();
        let mut limits = self.shared.limits.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..requests {
            let _its_own_affair = limits.take(token, "GET", "/", at);
        }
    }

    fn start(&self, listener: TcpListener, process: Option<Process>) -> io::Result<Running> {
        let address = listener.local_addr()?;
        let url = format!("http://{address}{}", self.shared.front.prefix());
        let accepting = tokio::spawn(accept(listener, self.clone(), process));
        Ok(Running { address, url, emulator: self.clone(), accepting })
    }

    /// What was asked and answered.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.shared.record
    }

    /// Adds a fault to come, after those there are.
    pub fn inject(&self, rule: faults::Rule) {
        self.shared.faults.add(rule);
    }

    /// Removes all faults of the connection.
    pub fn heal(&self) {
        self.shared.faults.clear();
    }
}

impl Running {
    /// Where the API is, with the version prefix and without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it shows.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts connections for ever; they end with it.
async fn accept(listener: TcpListener, emulator: Emulator, process: Option<Process>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (emulator, process) = (emulator.clone(), process.clone());
        connections.spawn(async move {
            let service = service_fn(|request| serve(&emulator.shared, process.as_ref(), request));
            // A connection that is cut on purpose is an error to hyper.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
