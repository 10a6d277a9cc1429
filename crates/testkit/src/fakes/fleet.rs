use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::name::{HostName, InstanceId};
use stagecraft_core::remote::Output;

use super::shell::Scripts;
use crate::gauge::Gauge;
use crate::shared::SharedWorld;
use crate::world::Disk;

/// Something that goes wrong on the way to a host, or on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// The next connections are refused.
    RefusesConnections(u64),
    /// The next logins are refused for every key.
    RefusesKeys(u64),
    /// No connection is ever answered.
    NeverAnswers,
    /// Another host key is presented than the one known.
    WrongHostKey,
    /// The connection ends while the command of this number, from 1, runs.
    LosesConnection {
        /// Its number among all commands run on the host.
        command: u64,
        /// Whether the command took effect.
        happened: bool,
    },
    /// The command of this number, from 1, does nothing and never ends.
    Hangs {
        /// Its number among all commands run on the host.
        command: u64,
    },
    /// Nothing more can be written.
    FullDisk,
}

/// The hosts of some worlds. Clones are the same hosts.
#[derive(Clone)]
pub struct FakeFleet {
    worlds: Arc<BTreeMap<ProviderId, SharedWorld>>,
    state: Arc<Mutex<FleetState>>,
    logins: Gauge,
}

/// What happened to hosts, and what will.
#[derive(Default)]
pub(super) struct FleetState {
    pub(super) slow_boot: u64,
    pub(super) refused: BTreeMap<InstanceId, u64>,
    pub(super) hosts: BTreeMap<HostName, HostState>,
    pub(super) scripts: Scripts,
    pub(super) unknown: Vec<String>,
}

#[derive(Default)]
pub(super) struct HostState {
    pub(super) faults: Vec<HostFault>,
    pub(super) attempts: u64,
    pub(super) connections: u64,
    pub(super) commands: u64,
}

impl FakeFleet {
    /// Hosts behind the addresses of `worlds`.
    #[must_use]
    pub fn over(worlds: impl IntoIterator<Item = SharedWorld>) -> Self {
        let worlds = worlds.into_iter().map(|world| (world.provider(), world)).collect();
        Self { worlds: Arc::new(worlds), state: Arc::default(), logins: Gauge::default() }
    }

    /// Lets every new machine refuse its first `attempts` connections.
    pub fn boot_slowly(&self, attempts: u64) {
        self.with(|state| state.slow_boot = attempts);
    }

    /// Adds a fault to come.
    pub fn inject(&self, host: &HostName, fault: HostFault) {
        self.with(|state| state.hosts.entry(host.clone()).or_default().faults.push(fault));
    }

    /// Removes all faults that have not happened yet.
    pub fn heal(&self) {
        self.with(|state| state.hosts.values_mut().for_each(|host| host.faults.clear()));
    }

    /// Teaches all hosts a program, or a script by the name it is given after `sh -c TEXT`.
    pub fn teach(
        &self,
        name: &str,
        script: impl Fn(&mut Disk, &[&str], &str) -> Output + Send + Sync + 'static,
    ) {
        self.with(|state| state.scripts.insert(name.to_owned(), Arc::new(script)));
    }

    /// How often somebody tried to connect to `host`.
    #[must_use]
    pub fn attempts(&self, host: &HostName) -> u64 {
        self.count(host, |state| state.attempts)
    }

    /// How often somebody logged in to `host`.
    #[must_use]
    pub fn connections(&self, host: &HostName) -> u64 {
        self.count(host, |state| state.connections)
    }

    /// How many commands were run on `host`.
    #[must_use]
    pub fn commands(&self, host: &HostName) -> u64 {
        self.count(host, |state| state.commands)
    }

    /// Connections, from the attempt to the end.
    #[must_use]
    pub fn logins(&self) -> &Gauge {
        &self.logins
    }

    /// Commands that no fake knows, in the order they were asked for.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        self.with(|state| state.unknown.clone())
    }

    pub(super) fn world(&self, provider: ProviderId) -> Option<&SharedWorld> {
        self.worlds.get(&provider)
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut FleetState) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, host: &HostName, what: impl FnOnce(&HostState) -> u64) -> u64 {
        self.with(|state| state.hosts.get(host).map_or(0, what))
    }
}

impl FleetState {
    /// What becomes of the next attempt to reach a host's machine, if it is not simply reached.
    pub(super) fn next_attempt(&mut self, host: &HostName, id: &InstanceId) -> Option<HostFault> {
        let state = self.hosts.entry(host.clone()).or_default();
        state.attempts += 1;
        let refused = self.refused.entry(id.clone()).or_default();
        if *refused < self.slow_boot {
            *refused += 1;
            return Some(HostFault::RefusesConnections(1));
        }
        state.faults.iter_mut().find_map(|fault| match fault {
            HostFault::RefusesConnections(left) | HostFault::RefusesKeys(left) if *left > 0 => {
                *left -= 1;
                Some(fault.clone())
            }
            HostFault::NeverAnswers | HostFault::WrongHostKey => Some(fault.clone()),
            HostFault::RefusesConnections(_)
            | HostFault::RefusesKeys(_)
            | HostFault::LosesConnection { .. }
            | HostFault::Hangs { .. }
            | HostFault::FullDisk => None,
        })
    }

    /// What becomes of the next command on a host, if it is not simply run.
    pub(super) fn next_command(&mut self, host: &HostName) -> Option<HostFault> {
        let state = self.hosts.entry(host.clone()).or_default();
        state.commands += 1;
        let number = state.commands;
        state.faults.iter().find_map(|fault| match fault {
            HostFault::LosesConnection { command, .. } | HostFault::Hangs { command } => {
                (*command == number).then(|| fault.clone())
            }
            HostFault::FullDisk => Some(HostFault::FullDisk),
            HostFault::RefusesConnections(_)
            | HostFault::RefusesKeys(_)
            | HostFault::NeverAnswers
            | HostFault::WrongHostKey => None,
        })
    }
}

impl fmt::Debug for FakeFleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeFleet").field("worlds", &self.worlds.keys()).finish_non_exhaustive()
    }
}
