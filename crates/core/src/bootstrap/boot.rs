use std::time::Duration;

use super::os;
use crate::converge::{Assessment, Change, Step};
use crate::error::{Code, Failure};
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::{script, value, waiting};

/// How long cloud-init may take; user data may install packages.
const CLOUD_INIT_LIMIT: Duration = Duration::from_secs(600);

/// How long the rest of the boot may take.
const SYSTEM_LIMIT: Duration = Duration::from_secs(300);

/// The host has finished booting, and cloud-init its first-boot set-up.
#[derive(Debug)]
pub(super) struct Boot;

impl Step for Boot {
    fn name(&self) -> &'static str {
        "boot"
    }

    fn probe(&self) -> Vec<Command> {
        vec![script("boot-probe", include_str!("scripts/boot-probe.sh"), [""; 0])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        let booting = match value(output, "system") {
            "running" | "degraded" => false,
            "initializing" | "starting" => true,
            "none" => return no_systemd(value(output, "os")),
            "maintenance" => return blocked(output, "the host is in rescue mode"),
            "stopping" => return blocked(output, "the host is shutting down"),
            _ => return blocked(output, "could not find out whether the host has booted"),
        };
        let mut changes = Vec::new();
        match CloudInit::of(output, booting) {
            CloudInit::Finished => {}
            CloudInit::Running => changes.push(Change::new(
                "waiting for cloud-init",
                waiting(
                    "boot-cloud-init",
                    include_str!("scripts/boot-cloud-init.sh"),
                    CLOUD_INIT_LIMIT,
                ),
            )),
            CloudInit::Failed => return blocked(output, "cloud-init failed"),
            CloudInit::Unknown => {
                return blocked(output, "could not find out whether cloud-init has finished");
            }
        }
        if booting {
            changes.push(Change::new(
                "waiting for the system to start",
                waiting("boot-system", include_str!("scripts/boot-system.sh"), SYSTEM_LIMIT),
            ));
        }
        if changes.is_empty() { Assessment::Satisfied } else { Assessment::Needs(changes) }
    }

    fn failure_code(&self) -> Code {
        Code::BOOT_NOT_FINISHED
    }
}

enum CloudInit {
    Finished,
    Running,
    Failed,
    Unknown,
}

impl CloudInit {
    /// Reads what `cloud-init status --long` of versions 22.4 to 25.x prints; no output means there
    /// was no need to ask.
    fn of(output: &Output, booting: bool) -> Self {
        let printed =
            output.stdout.lines().find_map(|line| line.strip_prefix("status: ")).map(str::trim);
        match printed {
            None if output.success() => Self::Finished,
            Some("done" | "disabled" | "degraded done") => Self::Finished,
            Some("running" | "degraded running") => Self::Running,
            // On a host that has booted without it, it will not run any more.
            Some("not run" | "not started") if !booting => Self::Finished,
            Some("not run" | "not started") => Self::Running,
            // An error of an early stage does not stop the later ones.
            Some(error) if error.starts_with("error") => {
                if booting && value(output, "finished") != "yes" {
                    Self::Running
                } else {
                    Self::Failed
                }
            }
            None | Some(_) => Self::Unknown,
        }
    }
}

fn blocked(output: &Output, why: &str) -> Assessment {
    Assessment::Blocked(
        Failure::new(Code::BOOT_NOT_FINISHED, why)
            .with_output(output.tail(OUTPUT_LINES))
            .with_hint("log in with `stagecraft ssh` and read `cloud-init status --long` and `systemctl status`"),
    )
}

fn no_systemd(name: &str) -> Assessment {
    let name = name.trim_matches('"');
    let found = if name.is_empty() { String::new() } else { format!(" (it runs {name})") };
    Assessment::Blocked(
        Failure::new(Code::UNSUPPORTED_OS, format!("the host was not started by systemd{found}"))
            .with_hint(os::HINT),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::tests::{blocked, doing, saw};

    #[test]
    fn a_host_that_has_booted_needs_nothing() {
        for seen in [
            "system=running\n",
            "system=degraded\n",
            // cloud-init 24.4, errors that did not stop it.
            "system=degraded\nfinished=yes\nstatus: done\nextended_status: degraded done\n\
             boot_status_code: enabled-by-generator\ndetail: DataSourceHetzner\nerrors: []\n",
            "system=running\nstatus: disabled\nboot_status_code: disabled-by-generator\n\
             detail:\nCloud-init disabled by cloud-init-generator\n",
            "system=running\nstatus: not run\n",
            "system=running\nstatus: not started\n",
        ] {
            assert_eq!(Boot.assess(&[saw(0, seen)]), Assessment::Satisfied, "{seen}");
        }
    }

    #[test]
    fn a_host_that_is_still_booting_is_waited_for() {
        let both = ["waiting for cloud-init", "waiting for the system to start"];
        for (seen, waits) in [
            ("system=starting\n", &both[1..]),
            ("system=initializing\n", &both[1..]),
            (
                "system=starting\nstatus: running\nboot_status_code: enabled-by-generator\n\
                 last_update: Sat, 21 Nov 2026 02:34:09 +0000\ndetail:\n\
                 Running in stage: modules-final\n",
                &both[..],
            ),
            ("system=starting\nstatus: not run\n", &both[..]),
            ("system=starting\nstatus: not started\n", &both[..]),
            ("system=starting\nstatus: error\nextended_status: error - running\n", &both[..]),
            ("system=running\nstatus: running\nextended_status: degraded running\n", &both[..1]),
        ] {
            assert_eq!(doing(&Boot.assess(&[saw(0, seen)])), waits, "{seen}");
        }
    }

    #[test]
    fn a_failed_first_boot_is_told_with_its_errors() {
        let failure = blocked(Boot.assess(&[saw(
            1,
            // cloud-init 22.4.2 of Debian 12.
            "system=degraded\nfinished=yes\nstatus: error\nboot_status_code: enabled-by-generator\n\
             last_update: Sat, 21 Nov 2026 02:35:02 +0000\ndetail:\n\
             ('scripts-user', RuntimeError('Runparts: 1 failures (runcmd) in 1 attempted commands'))\n",
        )]));
        assert_eq!(
            (failure.code, failure.message.as_str()),
            (Code::BOOT_NOT_FINISHED, "cloud-init failed")
        );
        assert!(failure.output.concat().contains("Runparts: 1 failures"), "{failure:?}");

        let finished = "system=starting\nfinished=yes\nstatus: error\n";
        assert_eq!(blocked(Boot.assess(&[saw(1, finished)])).message, "cloud-init failed");
    }

    #[test]
    fn what_cannot_boot_further_is_not_waited_for() {
        for (seen, why) in [
            ("system=maintenance\n", "the host is in rescue mode"),
            ("system=stopping\n", "the host is shutting down"),
            (
                "system=Failed to connect to bus: No such file or directory\n",
                "could not find out whether the host has booted",
            ),
            ("", "could not find out whether the host has booted"),
            (
                "system=running\nstatus: confused\n",
                "could not find out whether cloud-init has finished",
            ),
        ] {
            assert_eq!(blocked(Boot.assess(&[saw(0, seen)])).message, why, "{seen}");
        }
        let cut = "system=running\nTraceback (most recent call last):\n";
        assert_eq!(
            blocked(Boot.assess(&[saw(124, cut)])).message,
            "could not find out whether cloud-init has finished"
        );
    }

    #[test]
    fn a_host_without_systemd_is_not_supported() {
        for (seen, message) in [
            (
                "system=none\nos=\"Alpine Linux v3.19\"\n",
                "the host was not started by systemd (it runs Alpine Linux v3.19)",
            ),
            ("system=none\n", "the host was not started by systemd"),
        ] {
            let failure = blocked(Boot.assess(&[saw(0, seen)]));
            assert_eq!((failure.code, failure.message.as_str()), (Code::UNSUPPORTED_OS, message));
        }
    }
}
