//! The inventory as Ansible reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::Instance;
use stagecraft_core::remote::quote;
use stagecraft_remote::Export;

use crate::harmless::harmless_json;

/// One host and its variables, in the order they are written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AnsibleHost {
    name: String,
    role: String,
    variables: Vec<(&'static str, Value)>,
}

impl AnsibleHost {
    /// A host that is logged in to as OpenSSH would be.
    pub(super) fn new(instance: &Instance, ssh: &Export) -> Self {
        let login = &ssh.login;
        let mut variables = vec![
            ("ansible_host", json!(login.host)),
            ("ansible_port", json!(login.port)),
            ("ansible_user", json!(login.user)),
        ];
        let mut arguments: Vec<String> =
            ssh.config_file.iter().map(|file| format!("-F {}", quote(file))).collect();
        for (keyword, value) in &ssh.options {
            if *keyword == "ControlPath" {
                // No connection of somebody else's, but Ansible may use its own again.
                variables.extend(control_path(&instance.pins));
            } else {
                arguments.push(format!("-o {}", quote(&format!("{keyword}={value}"))));
            }
        }
        variables.push(("ansible_ssh_common_args", json!(arguments.join(" "))));
        variables.push(("stagecraft_provider", json!(instance.provider)));
        variables.push(("stagecraft_region", json!(instance.spec.region)));
        variables.push(("stagecraft_tags", json!(instance.marks.tags)));
        Self {
            name: instance.owner.host.to_string(),
            role: instance.marks.role.to_string(),
            variables,
        }
    }
}

/// Where Ansible keeps open connections to a host: apart for each host key, so that one that was opened
/// to a machine is never used for the next at its address.
fn control_path(pins: &Pins) -> Option<(&'static str, Value)> {
    // The path of a socket may be 104 bytes long; this much tells keys apart.
    let key = pins.expected()?.to_label();
    Some(("ansible_control_path", json!(format!("%(directory)s/{}", &key[..20]))))
}

/// A YAML inventory with a group for every role. Values are written as JSON, which YAML includes.
pub(super) fn inventory(hosts: &[AnsibleHost]) -> String {
    let mut groups: BTreeMap<String, Vec<&AnsibleHost>> = BTreeMap::new();
    for host in hosts {
        groups.entry(group(&host.role)).or_default().push(host);
    }
    if groups.is_empty() {
        return "all:\n  hosts: {}\n".to_owned();
    }
    let mut text = "all:\n  children:\n".to_owned();
    for (group, hosts) in groups {
        let _infallible = writeln!(text, "    {group}:\n      hosts:");
        for host in hosts {
            let _infallible = writeln!(text, "        {}:", json!(host.name));
            for (name, value) in &host.variables {
                let _infallible = writeln!(text, "          {name}: {}", literal(value));
            }
        }
    }
    text
}

/// A value that Ansible takes as it stands. It looks for templates in what an inventory says, and runs
/// them on the machine it is used on; whoever may tag an instance must not be able to.
fn literal(value: &Value) -> String {
    let text = harmless_json(&value.to_string());
    if text.contains('{') { format!("!unsafe {text}") } else { text }
}

/// A role as the name of a group, which is a word of Python's.
fn group(role: &str) -> String {
    let word = role.replace('-', "_");
    let reserved = word == "all" || word == "ungrouped";
    if reserved || word.starts_with(|c: char| c.is_ascii_digit()) {
        format!("role_{word}")
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use stagecraft_core::identity::HostKey;
    use stagecraft_remote::{Identities, Login};

    use super::*;
    use crate::ui::samples::running;

    #[test]
    fn hosts_are_grouped_by_role_and_checked_as_everywhere() {
        let mut build = running("ci", "172.30.0.9");
        build.marks.role = "build-box".parse().unwrap();
        build.marks.tags = ["a: b".to_owned(), "it's".to_owned()].into();
        let ssh = |alias: &str| {
            export([
                ("UserKnownHostsFile", "\"/a b/known_hosts\""),
                ("HostKeyAlias", alias),
                ("StrictHostKeyChecking", "accept-new"),
            ])
        };
        let hosts = [
            AnsibleHost::new(&running("app-1", "172.30.0.9"), &ssh("x-app-1")),
            AnsibleHost::new(&build, &ssh("x-ci")),
        ];
        insta::assert_snapshot!(inventory(&hosts), @r#"
        all:
          children:
            app:
              hosts:
                "app-1":
                  ansible_host: "172.30.0.9"
                  ansible_port: 2222
                  ansible_user: "root"
                  ansible_ssh_common_args: "-F none -o 'UserKnownHostsFile=\"/a b/known_hosts\"' -o HostKeyAlias=x-app-1 -o StrictHostKeyChecking=accept-new"
                  stagecraft_provider: "local"
                  stagecraft_region: "local"
                  stagecraft_tags: []
            build_box:
              hosts:
                "ci":
                  ansible_host: "172.30.0.9"
                  ansible_port: 2222
                  ansible_user: "root"
                  ansible_ssh_common_args: "-F none -o 'UserKnownHostsFile=\"/a b/known_hosts\"' -o HostKeyAlias=x-ci -o StrictHostKeyChecking=accept-new"
                  stagecraft_provider: "local"
                  stagecraft_region: "local"
                  stagecraft_tags: ["a: b","it's"]
        "#);
    }

    #[test]
    fn what_a_tag_says_is_no_template_and_moves_no_cursor() {
        let mut host = running("app-1", "172.30.0.9");
        host.spec.region = "{% raw %}".into();
        host.marks.tags =
            ["{{ lookup('pipe', 'id') }}".to_owned(), "a\u{9b}2J\u{85}".to_owned()].into();
        let text = inventory(&[AnsibleHost::new(&host, &export([]))]);
        for line in [
            "stagecraft_region: !unsafe \"{% raw %}\"\n",
            "stagecraft_tags: !unsafe [\"a\\u009b2J\\u0085\",\"{{ lookup('pipe', 'id') }}\"]\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn connections_are_kept_apart_by_host_key() {
        let variables = |key: u8| {
            let mut host = running("app-1", "172.30.0.9");
            host.pins = Pins::of_own(HostKey::new([key; 32]));
            AnsibleHost::new(&host, &export([("ControlPath", "none")])).variables
        };
        let path = json!("%(directory)s/aeaqcaibaeaqcaibaeaq");
        assert_eq!(variables(1)[3], ("ansible_control_path", path));
        assert_ne!(variables(1)[3], variables(2)[3]);
        assert_eq!(variables(1)[4].1, json!("-F none"), "Ansible names it by itself");
    }

    #[test]
    fn address_and_user_are_as_they_are_and_not_as_openssh_writes_them() {
        let mut ssh = export([("ProxyJump", "ada@bastion")]);
        ssh.login.host = "fe80::1%eth0".to_owned();
        ssh.login.user = "ada b".to_owned();
        ssh.config_file = Some("/it's/config".to_owned());
        let variables = AnsibleHost::new(&running("app-1", "172.30.0.9"), &ssh).variables;
        assert_eq!(variables[0], ("ansible_host", json!("fe80::1%eth0")));
        assert_eq!(variables[2], ("ansible_user", json!("ada b")));
        let arguments = r"-F '/it'\''s/config' -o ProxyJump=ada@bastion";
        assert_eq!(variables[3], ("ansible_ssh_common_args", json!(arguments)));
    }

    #[test]
    fn groups_have_names_that_ansible_accepts() {
        assert_eq!(group("app"), "app");
        assert_eq!(group("build-box"), "build_box");
        assert_eq!(group("2nd"), "role_2nd");
        assert_eq!(group("all"), "role_all");
    }

    #[test]
    fn an_empty_inventory_is_one() {
        assert_eq!(inventory(&[]), "all:\n  hosts: {}\n");
    }

    fn export<const N: usize>(options: [(&'static str, &str); N]) -> Export {
        Export {
            host: "app-1".parse().unwrap(),
            login: Login {
                host: "172.30.0.9".to_owned(),
                port: 2222,
                user: "root".to_owned(),
                identities: Identities::default(),
                proxy_jump: None,
                jumps: Vec::new(),
                ignores_proxy_command: false,
            },
            config_file: Some("none".to_owned()),
            options: options.map(|(keyword, value)| (keyword, value.to_owned())).into(),
            address: "172.30.0.9".to_owned(),
        }
    }
}
