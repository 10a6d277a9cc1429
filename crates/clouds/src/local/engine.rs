//! The Docker Engine: how it is reached, and what it says of itself.

use std::time::Duration;

use bollard::Docker;
use bollard::models::SystemInfo;
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::desired::{Arch, ProviderId};

use super::address::EngineAddress;
use super::fault::Fault;
use super::{labels, machine};
use crate::Doing;

/// How long the first request may take; a dead engine should not look like a slow one.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// How long one step of building an image may take.
const BUILD: Duration = Duration::from_secs(60 * 60);
/// The first version of the API with private cgroup namespaces: Docker Engine 20.10.
const OLDEST_API: (u32, u32) = (1, 41);

/// How SSH gets to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// At the container's own address: the engine's bridge is on this machine.
    Direct,
    /// At a port the engine publishes.
    Published {
        /// Where that port is, seen from here.
        host: String,
        /// The engine's address to publish on; empty means all.
        bind: String,
    },
}

/// An engine that answered.
#[derive(Debug)]
pub struct Engine {
    /// The connection.
    pub docker: Docker,
    /// Where it is.
    pub address: EngineAddress,
    /// Its version, for users.
    pub version: String,
    /// The architecture of its machine.
    pub arch: Arch,
    /// How SSH gets to its hosts.
    pub reach: Reach,
    /// Whether this process runs on the machine whose kernel runs the containers, so that what
    /// this machine's files say of networks and privileges holds for them, too.
    pub same_machine: bool,
    /// Whether the engine maps container users to others unless told not to.
    pub remaps_users: bool,
}

impl Engine {
    /// Connects and asks what the engine is.
    ///
    /// # Errors
    /// [`CloudErrorKind::Unreachable`] and [`CloudErrorKind::Forbidden`] with the command that
    /// helps; [`CloudErrorKind::Unsupported`] for an engine that cannot run hosts.
    pub async fn connect(address: &EngineAddress, doing: &Doing) -> Result<Self, CloudError> {
        let failed = |error: bollard::errors::Error| Fault::from(error).explain(doing, address);
        let docker = address.connect().map_err(failed)?;
        let patient = docker.clone();
        let first = |error: bollard::errors::Error| {
            Fault::from(error).of_a_stranger().explain(doing, address)
        };
        let docker = docker.with_timeout(FIRST_ANSWER).negotiate_version().await.map_err(first)?;
        let (version, info) = tokio::try_join!(docker.version(), docker.info()).map_err(first)?;
        let unsupported = |what: String| {
            CloudError::new(ProviderId::Local, &doing.operation, CloudErrorKind::Unsupported(what))
        };
        let name = version.version.unwrap_or_default();
        if !version.api_version.as_deref().is_some_and(is_new_enough) {
            return Err(unsupported(format!("Docker Engine {name} at {address}"))
                .with_hint("install Docker Engine 20.10 or newer"));
        }
        if has_security_option(&info, "rootless") {
            return Err(unsupported(format!("the rootless Docker Engine at {address}")).with_hint(
                "set `DOCKER_HOST` to an engine that runs as root, e.g. `unix:///var/run/docker.sock`",
            ));
        }
        let machine = version.arch.unwrap_or_default();
        let arch = labels::arch(&machine)
            .ok_or_else(|| unsupported(format!("the processor `{machine}` of {address}")))?;
        let reach = reach(address, &info);
        Ok(Self {
            docker: patient,
            address: address.clone(),
            version: name,
            arch,
            same_machine: reach == Reach::Direct,
            reach,
            remaps_users: has_security_option(&info, "userns"),
        })
    }

    /// The connection with the patience that building an image needs.
    pub(super) fn for_builds(&self) -> Docker {
        self.docker.clone().with_timeout(BUILD)
    }

    /// Whether containers may have CAP_SYS_RESOURCE, as far as can be told without trying.
    pub(super) fn may_grant_sys_resource(&self) -> bool {
        !self.same_machine || machine::has_sys_resource().unwrap_or(true)
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= OLDEST_API
}

fn has_security_option(info: &SystemInfo, name: &str) -> bool {
    let wanted = format!("name={name}");
    info.security_options
        .iter()
        .flatten()
        .any(|option| option.split(',').any(|part| part == wanted))
}

/// How to reach containers of an engine. One that runs in a virtual machine of its own (Docker
/// Desktop; every engine on a system that is not Linux) has a bridge nobody outside can see, and
/// forwards published ports to the loopback address.
fn reach(address: &EngineAddress, info: &SystemInfo) -> Reach {
    const LOOPBACK: &str = "127.0.0.1";
    match address.remote_host() {
        Some(host) if host == LOOPBACK || host == "localhost" => {
            Reach::Published { host: LOOPBACK.to_owned(), bind: LOOPBACK.to_owned() }
        }
        Some(host) => Reach::Published { host: host.to_owned(), bind: String::new() },
        None if cfg!(target_os = "linux")
            && info.operating_system.as_deref() != Some("Docker Desktop") =>
        {
            Reach::Direct
        }
        None => Reach::Published { host: LOOPBACK.to_owned(), bind: LOOPBACK.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_before_20_10_is_too_old() {
        assert!(!is_new_enough("1.40"));
        assert!(is_new_enough("1.41"));
        assert!(is_new_enough("1.100"));
        assert!(!is_new_enough("0.99"));
        assert!(!is_new_enough("x"));
    }

    #[test]
    fn hosts_of_a_remote_engine_are_reached_by_published_ports() {
        let at = |text| reach(&EngineAddress::parse(Some(text), None).unwrap(), &info("Debian"));
        assert_eq!(
            at("tcp://build.example:2375"),
            Reach::Published { host: "build.example".to_owned(), bind: String::new() }
        );
        assert_eq!(
            at("tcp://[fd00::1]:2375"),
            Reach::Published { host: "fd00::1".to_owned(), bind: String::new() }
        );
        assert_eq!(at("tcp://localhost:2375"), published_on_loopback());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn hosts_of_the_own_engine_are_reached_directly_unless_it_hides_in_a_machine_of_its_own() {
        let address = EngineAddress::parse(None, None).unwrap();
        assert_eq!(reach(&address, &info("Ubuntu 24.04.1 LTS")), Reach::Direct);
        assert_eq!(reach(&address, &info("Docker Desktop")), published_on_loopback());
    }

    #[test]
    fn security_options_are_found_by_their_name() {
        let mut info = info("Debian");
        info.security_options =
            Some(vec!["name=seccomp,profile=default".to_owned(), "name=rootless".to_owned()]);
        assert!(has_security_option(&info, "rootless"));
        assert!(!has_security_option(&info, "userns"));
    }

    fn published_on_loopback() -> Reach {
        Reach::Published { host: "127.0.0.1".to_owned(), bind: "127.0.0.1".to_owned() }
    }

    fn info(operating_system: &str) -> SystemInfo {
        SystemInfo { operating_system: Some(operating_system.to_owned()), ..SystemInfo::default() }
    }
}
