use std::time::Duration;

use crate::converge::{Assessment, Change, Step};
use crate::error::{Code, Failure};
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::{value, waiting};

/// How long Docker may take to start, and then to answer.
const START_LIMIT: Duration = Duration::from_secs(120);

/// Docker runs, and will after a reboot.
#[derive(Debug)]
pub(in crate::bootstrap) struct Service;

impl Step for Service {
    fn name(&self) -> &'static str {
        "docker-service"
    }

    fn probe(&self) -> Vec<Command> {
        vec![Command::new("systemctl").args([
            "show",
            "--property=LoadState,UnitFileState,ActiveState",
            "docker.service",
        ])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        let blocked = |why: &str| {
            Failure::new(self.failure_code(), why).with_output(output.tail(OUTPUT_LINES))
        };
        match value(output, "LoadState") {
            "loaded" => {}
            "not-found" => {
                return Assessment::Blocked(
                    blocked("Docker is installed, but without a `docker.service` to start it by")
                        .with_hint(
                            "remove it from the host, and run `stagecraft infra bootstrap` again",
                        ),
                );
            }
            "masked" => {
                return Assessment::Blocked(
                    blocked("`docker.service` is masked, so it was stopped for good by somebody")
                        .with_hint("run `systemctl unmask docker.service` on the host"),
                );
            }
            _ => {
                return Assessment::Blocked(blocked(
                    "could not find out the state of `docker.service`",
                ));
            }
        }
        let enabled = value(output, "UnitFileState") == "enabled";
        let doing = match (value(output, "ActiveState"), enabled) {
            ("active", true) => return Assessment::Satisfied,
            ("active", false) => "enabling docker.service",
            (_, true) => "starting docker.service",
            (_, false) => "enabling and starting docker.service",
        };
        let text = include_str!("../scripts/docker-service.sh");
        // The script has two waits of that length.
        let command = waiting("docker-service", text, START_LIMIT).with_timeout(START_LIMIT * 3);
        Assessment::Needs(vec![Change::new(doing, command)])
    }

    fn failure_code(&self) -> Code {
        Code::DOCKER_VERIFY_FAILED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::tests::{blocked, commands, doing, saw};

    #[test]
    fn docker_that_runs_and_is_enabled_needs_nothing() {
        let seen = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n";
        assert_eq!(Service.assess(&[saw(0, seen)]), Assessment::Satisfied);
    }

    #[test]
    fn docker_is_started_and_enabled_as_far_as_needed() {
        for (active, file, change) in [
            ("inactive", "disabled", "enabling and starting docker.service"),
            ("inactive", "enabled", "starting docker.service"),
            ("failed", "enabled", "starting docker.service"),
            ("activating", "enabled", "starting docker.service"),
            ("active", "disabled", "enabling docker.service"),
            ("active", "enabled-runtime", "enabling docker.service"),
        ] {
            let seen = format!("LoadState=loaded\nActiveState={active}\nUnitFileState={file}\n");
            let found = Service.assess(&[saw(0, &seen)]);
            assert_eq!(doing(&found), [change]);
            assert!(commands(&found)[0].ends_with("' docker-service 120"), "{found:?}");
            let Assessment::Needs(changes) = &found else { unreachable!() };
            assert!(changes[0].command.timeout() > 2 * START_LIMIT, "the script waits twice");
        }
    }

    #[test]
    fn a_service_that_cannot_be_started_says_why() {
        for (seen, word) in [
            ("LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n", "is masked"),
            (
                "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n",
                "without a `docker.service`",
            ),
            ("Failed to connect to bus: No such file or directory\n", "could not find out"),
        ] {
            let failure = blocked(Service.assess(&[saw(0, seen)]));
            assert_eq!(failure.code, Code::DOCKER_VERIFY_FAILED);
            assert!(failure.message.contains(word), "{failure:?}");
            assert!(!failure.output.is_empty(), "{failure:?}");
        }
    }
}
