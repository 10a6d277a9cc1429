use crate::converge::{Assessment, Change, Step};
use crate::error::{Code, Failure};
use crate::name::HostName;
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::{script, value, values};

/// Our word to cloud-init. Sorts behind the files of images and clouds, since the last one counts.
const CLOUD_INIT_FILE: &str = "/etc/cloud/cloud.cfg.d/99-stagecraft.cfg";

/// The host is called what it is called in the file, now and after a reboot, and can resolve that
/// name without asking anyone.
#[derive(Debug)]
pub(super) struct Hostname(pub(super) HostName);

impl Hostname {
    /// Makes cloud-init leave the hostname alone at the next boot. It may still write `/etc/hosts`
    /// anew where a cloud tells it to, and then needs to know the name.
    fn cloud_init_text(&self) -> String {
        format!(
            "# Written by stagecraft.\npreserve_hostname: true\nhostname: {}\nmanage_etc_hosts: false",
            self.0
        )
    }

    fn resolves(&self, output: &Output) -> bool {
        values(output, "hosts")
            .filter_map(|line| line.split('#').next())
            .any(|line| line.split_whitespace().skip(1).any(|name| name == self.0.as_str()))
    }

    fn is_kept_by_cloud_init(&self, output: &Output) -> bool {
        value(output, "cloud-init") != "yes"
            || values(output, "ours").eq(self.cloud_init_text().lines())
    }
}

impl Step for Hostname {
    fn name(&self) -> &'static str {
        "hostname"
    }

    fn probe(&self) -> Vec<Command> {
        let text = include_str!("scripts/hostname-probe.sh");
        vec![script("hostname-probe", text, [CLOUD_INIT_FILE])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        let name = self.0.as_str();
        if value(output, "current").is_empty() {
            return Assessment::Blocked(
                Failure::new(self.failure_code(), "could not find out the hostname")
                    .with_output(output.tail(OUTPUT_LINES)),
            );
        }
        let mut changes = Vec::new();
        if !self.is_kept_by_cloud_init(output) {
            changes.push(Change::new(
                "telling cloud-init to keep the hostname",
                script(
                    "hostname-cloud-init",
                    include_str!("scripts/hostname-cloud-init.sh"),
                    [CLOUD_INIT_FILE, &self.cloud_init_text()],
                ),
            ));
        }
        // Before the name is set: `sudo` wants to resolve it.
        if !self.resolves(output) {
            changes.push(Change::new(
                format!("adding {name} to /etc/hosts"),
                script("hostname-hosts", include_str!("scripts/hostname-hosts.sh"), [name]),
            ));
        }
        if value(output, "static") != name || value(output, "current") != name {
            changes.push(Change::new(
                format!("setting the hostname to {name}"),
                Command::new("hostnamectl").arg("set-hostname").arg(name),
            ));
        }
        if changes.is_empty() { Assessment::Satisfied } else { Assessment::Needs(changes) }
    }

    fn failure_code(&self) -> Code {
        Code::HOSTNAME_FAILED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::tests::{blocked, doing, saw};

    const SET: &str = "setting the hostname to app-1";
    const ADD: &str = "adding app-1 to /etc/hosts";
    const KEEP: &str = "telling cloud-init to keep the hostname";

    const OURS: &str = "cloud-init=yes\nours=# Written by stagecraft.\nours=preserve_hostname: true\n\
                        ours=hostname: app-1\nours=manage_etc_hosts: false\n";

    #[test]
    fn a_host_of_the_right_name_needs_nothing() {
        for seen in [
            "static=app-1\ncurrent=app-1\nhosts=127.0.0.1 localhost\nhosts=127.0.1.1 app-1\n"
                .to_owned(),
            "static=app-1\ncurrent=app-1\nhosts=127.0.1.1\tapp-1.example.com app-1 # own\n"
                .to_owned(),
            "static=app-1\ncurrent=app-1\nhosts=127.0.0.1 localhost app-1\n".to_owned(),
            // What cloud-init made of the file at the next boot, told by its cloud to manage it.
            format!(
                "static=app-1\ncurrent=app-1\nhosts=127.0.1.1 staging-app-1 app-1\n\
                 hosts=127.0.0.1 localhost\n{OURS}"
            ),
            format!("static=app-1\ncurrent=app-1\nhosts=127.0.1.1 app-1\n{OURS}"),
        ] {
            assert_eq!(step().assess(&[saw(0, &seen)]), Assessment::Satisfied, "{seen}");
        }
    }

    #[test]
    fn only_what_is_wrong_is_changed() {
        let right = "hosts=127.0.1.1 app-1\n";
        for (seen, changes) in [
            ("static=h1\ncurrent=h1\nhosts=127.0.0.1 localhost\n".to_owned(), &[ADD, SET][..]),
            (format!("static=foo\ncurrent=foo\n{right}{OURS}"), &[SET]),
            (format!("static=app-1\ncurrent=foo\n{right}"), &[SET]),
            (format!("static=\ncurrent=app-1\n{right}"), &[SET]),
            (format!("static=app-1.example.com\ncurrent=app-1\n{right}"), &[SET]),
            ("static=app-1\ncurrent=app-1\n".to_owned(), &[ADD]),
            ("static=app-1\ncurrent=app-1\nhosts=127.0.1.1 app-10 # app-1\n".to_owned(), &[ADD]),
            (format!("static=app-1\ncurrent=app-1\n{right}cloud-init=yes\n"), &[KEEP]),
            (
                format!("static=app-1\ncurrent=app-1\n{right}{}", OURS.replace("app-1", "db-1")),
                &[KEEP],
            ),
            (
                "static=staging-app-1\ncurrent=staging-app-1\n\
                 hosts=127.0.1.1 staging-app-1 staging-app-1\ncloud-init=yes\n"
                    .to_owned(),
                &[KEEP, ADD, SET],
            ),
        ] {
            assert_eq!(doing(&step().assess(&[saw(0, &seen)])), changes, "{seen}");
        }
    }

    #[test]
    fn the_name_travels_as_an_argument() {
        let Assessment::Needs(changes) =
            step().assess(&[saw(0, "static=h\ncurrent=h\ncloud-init=yes\n")])
        else {
            panic!("it needs changes");
        };
        let commands: Vec<String> =
            changes.iter().map(|change| change.command.to_shell()).collect();
        assert!(
            commands[0].ends_with(
                "' hostname-cloud-init /etc/cloud/cloud.cfg.d/99-stagecraft.cfg '# Written by \
                 stagecraft.\npreserve_hostname: true\nhostname: app-1\nmanage_etc_hosts: false'"
            ),
            "{}",
            commands[0]
        );
        assert!(commands[1].ends_with("' hostname-hosts app-1"), "{}", commands[1]);
        assert_eq!(commands[2], "hostnamectl set-hostname app-1");
    }

    #[test]
    fn a_host_that_does_not_tell_its_name_is_not_renamed() {
        let failure = blocked(step().assess(&[saw(127, "sh: 1: uname: not found\n")]));
        assert_eq!(failure.code, Code::HOSTNAME_FAILED);
        assert_eq!(failure.output, ["sh: 1: uname: not found"]);
    }

    fn step() -> Hostname {
        Hostname("app-1".parse().expect("a name"))
    }
}
