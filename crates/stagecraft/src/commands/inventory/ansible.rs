//! The inventory as Ansible reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::Instance;
use stagecraft_core::remote::quote;

use crate::harmless::harmless_json;

/// One host and its variables, in the order they are written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AnsibleHost {
    name: String,
    role: String,
    variables: Vec<(&'static str, Value)>,
}

impl AnsibleHost {
    /// A host that is logged in to as `ssh`, the words of OpenSSH's command line, says.
    pub(super) fn new(instance: &Instance, ssh: &[String]) -> Self {
        let mut variables = Vec::new();
        let mut arguments = Vec::new();
        let mut words = ssh.iter().skip(1);
        while let Some(flag) = words.next() {
            let Some(value) = words.next().filter(|_| flag != "--") else { break };
            match value.split_once('=').filter(|_| flag == "-o") {
                Some(("HostName", address)) => variables.push(("ansible_host", json!(address))),
                Some(("Port", port)) => variables.push(("ansible_port", number(port))),
                Some(("User", user)) => variables.push(("ansible_user", json!(user))),
                // No connection of somebody else's, but Ansible may use its own again.
                Some(("ControlPath", "none")) => {
                    variables.extend(control_path(&instance.pins));
                }
                Some(_) | None => arguments.push(format!("{flag} {}", quote(value))),
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

fn number(port: &str) -> Value {
    port.parse::<u16>().map_or_else(|_| json!(port), |port| json!(port))
}

#[cfg(test)]
mod tests {
    use stagecraft_core::identity::HostKey;

    use super::*;
    use crate::ui::samples::running;

    #[test]
    fn hosts_are_grouped_by_role_and_checked_as_everywhere() {
        let mut build = running("ci", "172.30.0.9");
        build.marks.role = "build-box".parse().unwrap();
        build.marks.tags = ["a: b".to_owned(), "it's".to_owned()].into();
        let words = |host: &str| -> Vec<String> {
            let line = format!(
                "ssh -F none -o HostName=172.30.0.9 -o Port=2222 -o User=root -o HostKeyAlias={host} \
                 -o StrictHostKeyChecking=accept-new -- 172.30.0.9"
            );
            let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            words.splice(
                9..9,
                ["-o".to_owned(), "UserKnownHostsFile=\"/a b/known_hosts\"".to_owned()],
            );
            words
        };
        let hosts = [
            AnsibleHost::new(&running("app-1", "172.30.0.9"), &words("x-app-1")),
            AnsibleHost::new(&build, &words("x-ci")),
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
        let text = inventory(&[AnsibleHost::new(&host, &[])]);
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
            let line = "ssh -o ControlPath=none -- 172.30.0.9";
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            AnsibleHost::new(&host, &words).variables
        };
        let path = json!("%(directory)s/aeaqcaibaeaqcaibaeaq");
        assert_eq!(variables(1)[0], ("ansible_control_path", path));
        assert_ne!(variables(1)[0], variables(2)[0]);
        assert_eq!(variables(1)[1].1, json!(""), "Ansible names it by itself");
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
}
