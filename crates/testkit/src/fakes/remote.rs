use std::time::Duration;

use async_trait::async_trait;
use stagecraft_core::identity::HostKey;
use stagecraft_core::name::InstanceId;
use stagecraft_core::remote::{Command, Connector, KeySource, Output, Remote, RemoteError, Target};

use super::fleet::{FakeFleet, HostFault};
use super::shell::{Scripts, Shell};
use crate::emulators::aws::Aws;
use crate::gauge::Inside;
use crate::process::Process;
use crate::shared::SharedWorld;
use crate::world::Kill;
use crate::world::first_boot::HOST_KEY;

/// How long an attempt takes that nobody answers.
const SILENCE: Duration = Duration::from_secs(10);

/// Logs one process in to the hosts of a [`FakeFleet`].
#[derive(Clone, Debug)]
pub struct FakeConnector {
    fleet: FakeFleet,
    process: Process,
}

/// A connection of one process to one machine.
#[derive(Debug)]
pub struct FakeRemote {
    fleet: FakeFleet,
    world: SharedWorld,
    process: Process,
    target: Target,
    machine: InstanceId,
    presented: Option<HostKey>,
    _open: Inside,
}

impl FakeFleet {
    /// The way to the hosts as `process` sees it.
    #[must_use]
    pub fn connector(&self, process: &Process) -> FakeConnector {
        FakeConnector { fleet: self.clone(), process: process.clone() }
    }

    /// The host key that a machine presents now.
    fn presented(&self, world: &SharedWorld, machine: &InstanceId) -> Option<HostKey> {
        let scripts = self.with(|state| state.scripts.clone());
        world.with(|world, now| {
            let disk = world.disk(machine)?;
            Shell::new(disk, &scripts, "", now);
            disk.files.get(HOST_KEY)?.parse().ok()
        })
    }
}

#[async_trait]
impl Connector for FakeConnector {
    async fn connect(&self, target: &Target) -> Result<Box<dyn Remote>, RemoteError> {
        let host = target.host.clone();
        let address = format!("{}:{}", target.endpoint.host, target.endpoint.port.unwrap_or(22));
        let unreachable = |why: &str| RemoteError::Unreachable {
            host: host.clone(),
            address: address.clone(),
            why: why.to_owned(),
            on_the_way: false,
        };
        let Some(world) = self.fleet.world(target.provider) else {
            return Err(unreachable("no such network"));
        };
        let open = self.fleet.logins().enter();
        world.travel(&self.process).await;
        let found = world.with(|world, now| world.machine_at(now, &target.endpoint.host));
        let Some(machine) = found else {
            world.travel_back(&self.process, None).await;
            return Err(unreachable("no route to host"));
        };
        let fault = self.fleet.with(|state| state.next_attempt(&host, &machine.id));
        let presented = self.fleet.presented(world, &machine.id);
        // Without pins keys are remembered by instance, so another machine at a known address is
        // noticed.
        let known = match presented {
            Some(key) if !target.pins.is_empty() => target.pins.standing(&key).is_some(),
            Some(_) | None => {
                // EC2 shows machines by ids of its own.
                let shown = Aws::machine(target.instance.as_str());
                let it = [Some(&target.instance), shown.as_ref()].contains(&Some(&machine.id));
                target.pins.is_empty() && it
            }
        };
        if fault == Some(HostFault::NeverAnswers) {
            world.sleep(SILENCE).await;
        }
        world.travel_back(&self.process, None).await;
        match fault {
            Some(HostFault::RefusesConnections(_)) => Err(unreachable("connection refused")),
            Some(HostFault::NeverAnswers) => Err(unreachable("timed out")),
            Some(HostFault::RefusesKeys(_)) => Err(RemoteError::Refused {
                host,
                address,
                user: "root".to_owned(),
                why: "no key was accepted".to_owned(),
            }),
            fault if fault == Some(HostFault::WrongHostKey) || !known => {
                Err(RemoteError::HostKeyMismatch {
                    host,
                    address,
                    presented: presented.map_or_else(|| "none".to_owned(), |key| key.fingerprint()),
                    expected: match target.pins.expected() {
                        Some(key) => key.fingerprint(),
                        None => format!("SHA256:{}", target.instance),
                    },
                    known_in: if target.pins.is_empty() {
                        KeySource::File("known_hosts:1".to_owned())
                    } else {
                        KeySource::Instance
                    },
                })
            }
            Some(
                HostFault::WrongHostKey
                | HostFault::LosesConnection { .. }
                | HostFault::Hangs { .. }
                | HostFault::FullDisk,
            )
            | None => {
                self.fleet.with(|state| {
                    state.hosts.entry(host).or_default().connections += 1;
                });
                Ok(Box::new(FakeRemote {
                    fleet: self.fleet.clone(),
                    world: world.clone(),
                    process: self.process.clone(),
                    target: target.clone(),
                    machine: machine.id,
                    presented,
                    _open: open,
                }))
            }
        }
    }
}

impl FakeRemote {
    /// Runs a command on the machine's disk; `None` when the machine is gone.
    fn execute(&self, command: &Command, scripts: &Scripts) -> Option<(Output, Option<Kill>)> {
        let stdin = String::from_utf8_lossy(command.stdin().unwrap_or_default());
        let (output, kill, unknown) = self.world.with(|world, now| {
            world.machine_at(now, &self.target.endpoint.host)?;
            let disk = world.disk(&self.machine)?;
            // What the host does by itself is nobody's effect.
            Shell::new(disk, scripts, "", now);
            let before = disk.clone();
            let mut shell = Shell::new(disk, scripts, &stdin, now);
            let output = shell.run(&command.to_shell());
            let unknown = shell.unknown;
            let changed = *disk != before;
            let kill = changed
                .then(|| world.record_change(now, self.machine.clone(), &command.to_shell()))
                .flatten();
            Some((output, kill, unknown))
        })?;
        self.fleet.with(|state| state.unknown.extend(unknown));
        Some((output, kill))
    }

    fn lost(&self, command: &Command) -> RemoteError {
        RemoteError::Lost {
            host: self.target.host.clone(),
            command: command.display(),
            why: "connection reset".to_owned(),
            printed: Vec::new(),
        }
    }
}

#[async_trait]
impl Remote for FakeRemote {
    async fn run(&self, command: &Command) -> Result<Output, RemoteError> {
        self.world.travel(&self.process).await;
        let (fault, scripts) =
            self.fleet.with(|state| (state.next_command(&self.target.host), state.scripts.clone()));
        match fault {
            Some(HostFault::Hangs { .. }) => {
                self.world.sleep(command.timeout()).await;
                self.process.interact().await;
                return Err(RemoteError::TimedOut {
                    host: self.target.host.clone(),
                    command: command.display(),
                    limit: command.timeout(),
                    printed: Vec::new(),
                });
            }
            Some(HostFault::LosesConnection { happened: false, .. }) => {
                return Err(self.lost(command));
            }
            Some(HostFault::FullDisk) => self.world.with(|world, _| {
                if let Some(disk) = world.disk(&self.machine) {
                    disk.full = true;
                }
            }),
            Some(
                HostFault::LosesConnection { happened: true, .. }
                | HostFault::RefusesConnections(_)
                | HostFault::RefusesKeys(_)
                | HostFault::NeverAnswers
                | HostFault::WrongHostKey,
            )
            | None => {}
        }
        let Some((output, kill)) = self.execute(command, &scripts) else {
            return Err(self.lost(command));
        };
        self.world.travel_back(&self.process, kill).await;
        if matches!(fault, Some(HostFault::LosesConnection { .. })) {
            return Err(self.lost(command));
        }
        Ok(output)
    }

    fn host_key(&self) -> Option<HostKey> {
        self.presented.filter(|_| !self.target.pins.is_empty())
    }

    async fn close(&self) {}
}
