//! How a container becomes a host: everything the engine is asked for when it creates one.
//!
//! What [`init.sh`](crate::local#the-host) does inside needs mounts, name spaces, devices and
//! nearly all capabilities. `Privileged` is not used: it adds every device of the machine, and it
//! fails where the engine itself lacks a capability. Left out are the capabilities that reach past
//! the container whatever its name spaces: the clock above all, because the first
//! `timedatectl set-timezone` inside a container moves the clock of the whole machine.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};

use stagecraft_core::identity::UserData;

use super::labels::Labels;

/// The network of all hosts.
pub const NETWORK: &str = "stagecraft";
/// The status with which the first process ends when the container cannot become a host.
pub const FAILED_TO_BOOT: u8 = 78;
/// The first process of a host, part of its image.
pub(super) const INIT: &str = include_str!("host/init.sh");
/// What makes a host image out of a distribution's own.
pub(super) const PROVISION: &str = include_str!("host/provision.sh");

/// Capabilities no host gets: they act on the machine and not on the container.
const DROPPED: [&str; 6] =
    ["SYS_TIME", "SYS_MODULE", "SYS_RAWIO", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND"];
/// The folders for which a container's own file system is not good enough: Docker inside needs one
/// it can stack layers on.
const DISKS: [&str; 2] = ["/var/lib/docker", "/var/lib/containerd"];

/// A host to be.
#[derive(Clone, Debug)]
pub struct NewHost<'a> {
    /// Tag of the image.
    pub image: &'a str,
    /// The name it has until somebody renames it.
    pub hostname: &'a str,
    /// The labels of the container.
    pub labels: Labels,
    /// Lines for `authorized_keys`.
    pub authorized_keys: &'a [String],
    /// Who alone is let in; root and the image's user if nobody is named.
    pub login_user: Option<&'a str>,
    /// What the first boot is told, as a cloud would tell it.
    pub user_data: Option<&'a UserData>,
    /// Name servers that can be reached from a container; empty leaves it to Docker.
    pub resolvers: &'a [Ipv4Addr],
    /// The network it is attached to.
    pub network: &'a str,
    /// The engine's address to publish port 22 on, when hosts cannot be reached directly.
    pub publish_ssh_on: Option<&'a str>,
    /// Whether CAP_SYS_RESOURCE can be granted.
    pub sys_resource: bool,
    /// Whether the engine maps users unless told not to.
    pub remaps_users: bool,
}

impl NewHost<'_> {
    /// The request that creates it.
    #[must_use]
    pub fn request(self) -> ContainerCreateBody {
        let resolvers: Vec<String> = self.resolvers.iter().map(ToString::to_string).collect();
        ContainerCreateBody {
            hostname: Some(self.hostname.to_owned()),
            image: Some(self.image.to_owned()),
            env: Some(vec![
                format!("STAGECRAFT_AUTHORIZED_KEYS={}", self.authorized_keys.join("\n")),
                format!("STAGECRAFT_LOGIN_USER={}", self.login_user.unwrap_or_default()),
                format!("STAGECRAFT_RESOLVERS={}", resolvers.join(" ")),
                format!("STAGECRAFT_USER_DATA={}", self.user_data.map_or("", UserData::reveal)),
            ]),
            // systemd's signal for a halt; a poweroff would be taken for one made inside.
            stop_signal: Some("SIGRTMIN+3".to_owned()),
            stop_timeout: Some(20),
            volumes: Some(DISKS.map(str::to_owned).to_vec()),
            exposed_ports: Some(vec![SSH_PORT.to_owned()]),
            host_config: Some(self.host_config()),
            labels: Some(self.labels),
            ..ContainerCreateBody::default()
        }
    }

    fn host_config(&self) -> HostConfig {
        let mut dropped = DROPPED.to_vec();
        if !self.sys_resource {
            dropped.push("SYS_RESOURCE");
        }
        HostConfig {
            network_mode: Some(self.network.to_owned()),
            port_bindings: self.publish_ssh_on.map(publish_ssh),
            // A reboot inside ends the first process by a signal; see `init.sh` for a poweroff.
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::ON_FAILURE),
                maximum_retry_count: None,
            }),
            cap_add: Some(vec!["ALL".to_owned()]),
            cap_drop: Some(dropped.into_iter().map(str::to_owned).collect()),
            security_opt: Some(vec![
                "seccomp=unconfined".to_owned(),
                "apparmor=unconfined".to_owned(),
                "label=disable".to_owned(),
            ]),
            // Empty lists, not missing ones: Docker would hide its usual paths below /proc.
            masked_paths: Some(Vec::new()),
            readonly_paths: Some(Vec::new()),
            // Character devices for what runs inside; disks can be named but not opened.
            device_cgroup_rules: Some(vec!["c *:* rwm".to_owned(), "b *:* m".to_owned()]),
            cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
            userns_mode: self.remaps_users.then(|| "host".to_owned()),
            tmpfs: Some(HashMap::from([
                ("/run".to_owned(), "exec,mode=755".to_owned()),
                ("/run/lock".to_owned(), "mode=1777".to_owned()),
            ])),
            ..HostConfig::default()
        }
    }
}

const SSH_PORT: &str = "22/tcp";

/// Port 22 on a free port of the engine's choice.
fn publish_ssh(on: &str) -> HashMap<String, Option<Vec<PortBinding>>> {
    let binding = PortBinding { host_ip: Some(on.to_owned()), host_port: Some(String::new()) };
    HashMap::from([(SSH_PORT.to_owned(), Some(vec![binding]))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_host_can_move_the_clock_or_is_privileged() {
        let config = config(&host());
        assert!(config.cap_drop.unwrap().contains(&"SYS_TIME".to_owned()));
        assert_eq!(config.privileged, None);
    }

    #[test]
    fn a_capability_the_engine_lacks_is_not_asked_for() {
        let lacking = config(&NewHost { sys_resource: false, ..host() });
        assert!(lacking.cap_drop.unwrap().contains(&"SYS_RESOURCE".to_owned()));
        assert!(!config(&host()).cap_drop.unwrap().contains(&"SYS_RESOURCE".to_owned()));
    }

    #[test]
    fn the_machines_cgroups_are_never_bound_into_a_host() {
        let config = config(&host());
        assert_eq!((config.binds, config.mounts), (None, None));
        assert_eq!(config.cgroupns_mode, Some(HostConfigCgroupnsModeEnum::PRIVATE));
    }

    #[test]
    fn ssh_is_published_only_where_hosts_cannot_be_reached_directly() {
        assert_eq!(config(&host()).port_bindings, None);
        let published = config(&NewHost { publish_ssh_on: Some("127.0.0.1"), ..host() });
        let bindings = published.port_bindings.unwrap().remove(SSH_PORT).flatten().unwrap();
        assert_eq!(bindings[0].host_ip.as_deref(), Some("127.0.0.1"));
    }

    #[test]
    fn hidden_paths_are_asked_for_as_empty_lists() {
        let json = serde_json::to_value(host().request()).unwrap();
        assert_eq!(json["HostConfig"]["MaskedPaths"], serde_json::json!([]));
        assert_eq!(json["HostConfig"]["ReadonlyPaths"], serde_json::json!([]));
    }

    #[test]
    fn the_status_of_a_failed_boot_is_the_one_the_script_uses() {
        assert!(INIT.contains(&format!("exit {FAILED_TO_BOOT}\n")));
    }

    fn config(host: &NewHost<'_>) -> HostConfig {
        host.clone().request().host_config.unwrap()
    }

    fn host() -> NewHost<'static> {
        NewHost {
            image: "stagecraft/host:debian-12-amd64-0",
            hostname: "db-1",
            labels: Labels::new(),
            authorized_keys: &[],
            login_user: None,
            user_data: None,
            resolvers: &[],
            network: NETWORK,
            publish_ssh_on: None,
            sys_resource: true,
            remaps_users: false,
        }
    }
}
