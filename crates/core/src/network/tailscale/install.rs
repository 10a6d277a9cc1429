use std::time::Duration;

use super::version::Version;
use crate::apt::{apt, apt_script, unfinished};
use crate::converge::{Assessment, Change, Step};
use crate::error::{Code, Failure};
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::{script, value, waiting};

/// Where Tailscale has its packages.
const ORIGIN: &str = "https://pkgs.tailscale.com";

/// How long tailscaled may take to start, and then to answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The client is installed, new enough, and its daemon runs and will after a reboot.
#[derive(Debug)]
pub(super) struct Install {
    /// Whether we may install it.
    pub(super) install: bool,
    pub(super) min_version: Option<Version>,
}

impl Step for Install {
    fn name(&self) -> &'static str {
        "tailscale-install"
    }

    fn probe(&self) -> Vec<Command> {
        let text = include_str!("scripts/install-probe.sh");
        vec![script("tailscale-install-probe", text, [""; 0])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        if !output.success() {
            let message = format!("looking for Tailscale failed with status {}", output.status);
            return Assessment::Blocked(self.failure(message, output));
        }
        let package = value(output, "package");
        let broken = unfinished(package).is_some();
        let is_missing = value(output, "program").is_empty() || broken;
        // The daemon's own word counts where no package brought it.
        let version =
            ["version", "daemon"].into_iter().find_map(|key| value(output, key).parse().ok());
        let too_old = match (version, self.min_version) {
            (Some(version), Some(wanted)) if version < wanted => Some((version, wanted)),
            _ => None,
        };
        if is_missing || too_old.is_some() {
            return self.get(is_missing, too_old, output);
        }
        match (value(output, "LoadState"), value(output, "ActiveState")) {
            ("loaded", "active") if value(output, "UnitFileState") == "enabled" => {
                Assessment::Satisfied
            }
            ("loaded", _) => Assessment::Needs(vec![self.start(output)]),
            ("masked", _) => Assessment::Blocked(
                self.failure(
                    "`tailscaled.service` is masked, so it was stopped for good by somebody",
                    output,
                )
                .with_hint("run `systemctl unmask tailscaled.service` on the host"),
            ),
            ("not-found", _) => Assessment::Blocked(
                self.failure(
                    "Tailscale is installed, but without a `tailscaled.service` to start it by",
                    output,
                )
                .with_hint("remove it from the host, and run `stagecraft infra bootstrap` again"),
            ),
            _ => Assessment::Blocked(
                self.failure("could not find out the state of `tailscaled.service`", output),
            ),
        }
    }

    fn failure_code(&self) -> Code {
        Code::NETWORK_INSTALL_FAILED
    }
}

impl Install {
    /// Installs what is missing or too old, or says why not.
    fn get(
        &self,
        is_missing: bool,
        too_old: Option<(Version, Version)>,
        output: &Output,
    ) -> Assessment {
        let (doing, lack) = match too_old {
            Some((version, wanted)) if !is_missing => (
                format!("upgrading tailscale {version}"),
                format!("the host has tailscale {version}, and at least {wanted} is wanted"),
            ),
            _ => ("installing tailscale".to_owned(), "the host has no `tailscale`".to_owned()),
        };
        if !self.install {
            let network = "network.providers.tailscale";
            return Assessment::Blocked(
                Failure::new(
                    self.failure_code(),
                    format!("{lack}, and `{network}.install.method` is `skip`"),
                )
                .with_hint("use an image that has it, or set `method: auto`"),
            );
        }
        let still = if is_missing {
            self.failure("tailscale was installed, and still is not there", output)
        } else {
            self.failure(format!("{lack}; its package source has no newer one"), output)
                .with_hint("wait for one, or lower `min_version`")
        };
        Assessment::Needs(vec![
            Change::new(
                "adding Tailscale's package source",
                apt("tailscale-repository", REPOSITORY, &[ORIGIN]),
            )
            .or_else(still),
            Change::new(
                doing,
                apt("tailscale-packages", PACKAGES, &["tailscale", "tailscale-archive-keyring"]),
            ),
            // The package does so itself, unless a host keeps packages from starting anything.
            self.start(output),
        ])
    }

    fn start(&self, output: &Output) -> Change {
        let text = include_str!("scripts/service.sh");
        // The script has two waits of that length.
        let command = waiting("tailscale-service", text, START_LIMIT).with_timeout(START_LIMIT * 3);
        let vain = self.failure("`tailscaled.service` was started, and does not stay up", output);
        Change::new("starting tailscaled", command)
            .or_else(vain.with_hint("read `journalctl -u tailscaled` on the host"))
    }

    fn failure(&self, message: impl Into<String>, output: &Output) -> Failure {
        Failure::new(self.failure_code(), message).with_output(output.tail(OUTPUT_LINES))
    }
}

const PACKAGES: &str = apt_script!("scripts/packages.sh");
const REPOSITORY: &str = apt_script!("scripts/repository.sh");

#[cfg(test)]
mod tests {
    use super::super::fixtures::{blocked, doing, saw, tails};
    use super::*;

    const SERVICE: &str = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n";
    const NONE: &str = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n";

    #[test]
    fn a_client_that_runs_needs_nothing_wherever_it_came_from() {
        for client in [
            "program=tailscale\npackage=ii  tailscale\nversion=1.82.0\n",
            "program=tailscale\npackage=hi  tailscale\nversion=1.82.0\n",
            "program=tailscale\npackage=ii  tailscale\nversion=1.78.0\n",
            "program=tailscale\ndaemon=1.82.0-t0123456\n",
            "program=tailscale\npackage=rc  tailscale\nversion=\ndaemon=1.82.0\n",
            "program=tailscale\n",
        ] {
            for install in [true, false] {
                let seen = format!("{client}{SERVICE}");
                assert_eq!(step(install, "1.78.0").assess(&[saw(0, &seen)]), Assessment::Satisfied);
            }
        }
    }

    #[test]
    fn a_host_without_the_client_gets_it_from_its_makers() {
        for seen in
            [NONE.to_owned(), format!("program=tailscale\npackage=iF  tailscale\n{SERVICE}")]
        {
            let found = step(true, "1.78.0").assess(&[saw(0, &seen)]);
            assert_eq!(
                doing(&found),
                [
                    "adding Tailscale's package source",
                    "installing tailscale",
                    "starting tailscaled"
                ]
            );
            assert_eq!(
                tails(&found),
                [
                    "tailscale-repository 600 https://pkgs.tailscale.com",
                    "tailscale-packages 600 tailscale tailscale-archive-keyring",
                    "tailscale-service 60",
                ]
            );
            let Assessment::Needs(changes) = found else { unreachable!() };
            assert!(changes[2].command.timeout() > 2 * START_LIMIT, "the script waits twice");
        }
    }

    #[test]
    fn a_client_that_is_too_old_is_upgraded_and_fails_where_there_is_no_newer_one() {
        for client in ["package=ii  tailscale\nversion=1.66.4\n", "daemon=1.66.4-t0123456\n"] {
            let seen = format!("program=tailscale\n{client}{SERVICE}");
            let found = step(true, "1.78.0").assess(&[saw(0, &seen)]);
            assert_eq!(doing(&found)[1], "upgrading tailscale 1.66.4");
            let Assessment::Needs(changes) = found else { unreachable!() };
            assert_eq!(
                changes[0].in_vain.as_ref().unwrap().message,
                "the host has tailscale 1.66.4, and at least 1.78.0 is wanted; its package source has no newer one"
            );
        }
    }

    #[test]
    fn skip_leaves_a_host_without_the_client_alone() {
        let old = format!("program=tailscale\npackage=ii  tailscale\nversion=1.66.4\n{SERVICE}");
        let broken = old.replace("=ii  ", "=iF  ");
        for (seen, lack) in [
            (NONE, "the host has no `tailscale`"),
            (&broken, "the host has no `tailscale`"),
            (&old, "the host has tailscale 1.66.4, and at least 1.78.0 is wanted"),
        ] {
            let failure = blocked(step(false, "1.78.0").assess(&[saw(0, seen)]));
            let rule = ", and `network.providers.tailscale.install.method` is `skip`";
            assert_eq!(failure.message, format!("{lack}{rule}"));
            assert_eq!(failure.code, Code::NETWORK_INSTALL_FAILED);
            assert!(failure.hints[0].contains("method: auto"), "{failure:?}");
        }
    }

    #[test]
    fn a_daemon_that_does_not_run_is_started_also_where_the_client_may_not_be_installed() {
        for service in [
            "LoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n",
            "LoadState=loaded\nActiveState=failed\nUnitFileState=enabled\n",
            "LoadState=loaded\nActiveState=active\nUnitFileState=disabled\n",
        ] {
            let seen = format!("program=tailscale\n{service}");
            let found = step(false, "1.78.0").assess(&[saw(0, &seen)]);
            assert_eq!(doing(&found), ["starting tailscaled"]);
            let Assessment::Needs(changes) = found else { unreachable!() };
            let vain = changes[0].in_vain.as_ref().unwrap();
            assert_eq!(vain.message, "`tailscaled.service` was started, and does not stay up");
        }
    }

    #[test]
    fn a_daemon_that_cannot_be_started_says_why() {
        for (service, word) in [
            ("LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n", "is masked"),
            (NONE, "without a `tailscaled.service`"),
            ("Failed to connect to bus: No such file or directory\n", "could not find out"),
        ] {
            let seen = format!("program=tailscale\n{service}");
            let failure = blocked(step(true, "1.78.0").assess(&[saw(0, &seen)]));
            assert_eq!(failure.code, Code::NETWORK_INSTALL_FAILED);
            assert!(failure.message.contains(word), "{failure:?}");
        }
    }

    #[test]
    fn a_probe_that_hangs_is_no_missing_client() {
        let failure = blocked(step(true, "1.78.0").assess(&[saw(124, "")]));
        assert_eq!(failure.message, "looking for Tailscale failed with status 124");
    }

    fn step(install: bool, min_version: &str) -> Install {
        Install { install, min_version: Some(min_version.parse().unwrap()) }
    }
}
