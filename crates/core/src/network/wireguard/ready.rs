//! What a host needs before it can meet others: WireGuard, and a key of its own.

use std::time::Duration;

use super::look::Said;
use super::{INTERFACE, KEY_FILE, look};
use crate::apt::{apt, apt_script, unfinished};
use crate::converge::{Assessment, Change, Step};
use crate::error::Code;
use crate::remote::{Command, Output};
use crate::script::{script, value, values};

/// WireGuard's tools are installed, and its userspace program where the kernel has none.
#[derive(Debug)]
pub(super) struct Install;

impl Step for Install {
    fn name(&self) -> &'static str {
        "wireguard-install"
    }

    fn probe(&self) -> Vec<Command> {
        vec![script("wireguard-probe", include_str!("scripts/install-probe.sh"), [""; 0])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        let has = |program: &str| values(output, "program").any(|found| found == program);
        let whole = values(output, "package").filter_map(unfinished).next().is_none();
        let runs = value(output, "kernel") == "yes" || has("wireguard-go");
        if has("wg") && has("wg-quick") && runs && whole {
            return Assessment::Satisfied;
        }
        let install = apt("wireguard-install", apt_script!("scripts/install.sh"), &[]);
        Assessment::Needs(vec![Change::new("installing wireguard-tools", install)])
    }

    fn failure_code(&self) -> Code {
        Code::NETWORK_INSTALL_FAILED
    }
}

/// The host has a key.
#[derive(Debug)]
pub(super) struct Key;

impl Step for Key {
    fn name(&self) -> &'static str {
        "wireguard-key"
    }

    fn probe(&self) -> Vec<Command> {
        vec![look()]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        if Said::of(seen).is_some() {
            return Assessment::Satisfied;
        }
        let make = script("wireguard-key", include_str!("scripts/key.sh"), [KEY_FILE])
            .with_timeout(Duration::from_secs(60));
        Assessment::Needs(vec![Change::new(format!("making the key of {INTERFACE}"), make)])
    }

    fn failure_code(&self) -> Code {
        Code::NETWORK_JOIN_FAILED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: &str = "program=wg\nprogram=wg-quick\n";

    #[test]
    fn a_host_with_the_tools_and_a_way_to_run_them_needs_nothing() {
        for seen in [
            format!("{TOOLS}kernel=yes\npackage=ii  wireguard-tools\n"),
            format!("{TOOLS}program=wireguard-go\n"),
            format!("{TOOLS}kernel=yes\n"),
        ] {
            assert_eq!(Install.assess(&[saw(&seen)]), Assessment::Satisfied, "{seen}");
        }
    }

    #[test]
    fn a_host_that_lacks_a_part_gets_it() {
        for seen in [
            String::new(),
            TOOLS.to_owned(),
            "program=wg\nkernel=yes\n".to_owned(),
            "program=wg-quick\nkernel=yes\n".to_owned(),
            format!("{TOOLS}kernel=yes\npackage=iF  wireguard-tools\n"),
        ] {
            let Assessment::Needs(changes) = Install.assess(&[saw(&seen)]) else {
                panic!("it needs nothing: {seen}");
            };
            assert_eq!(changes[0].doing, "installing wireguard-tools");
        }
    }

    #[test]
    fn each_step_looks_by_one_command() {
        let names = |step: &dyn Step| -> Vec<String> {
            step.probe().iter().map(Command::display).collect()
        };
        assert_eq!(names(&Install), ["wireguard-probe"]);
        assert_eq!(names(&Key).len(), 1);
    }

    fn saw(stdout: &str) -> Output {
        Output { stdout: stdout.to_owned(), ..Output::default() }
    }
}
