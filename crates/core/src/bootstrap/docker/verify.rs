use crate::converge::{Assessment, Step};
use crate::error::{Code, Failure};
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::script;

/// Docker Engine answers.
#[derive(Debug)]
pub(in crate::bootstrap) struct Verify;

impl Step for Verify {
    fn name(&self) -> &'static str {
        "docker-verify"
    }

    fn probe(&self) -> Vec<Command> {
        vec![script("docker-verify", include_str!("../scripts/docker-verify.sh"), [""; 0])]
    }

    /// Never restarts Docker: that would take the containers down.
    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        if output.success() && !output.stdout.trim().is_empty() {
            return Assessment::Satisfied;
        }
        let why = match output.status {
            0 => "`docker version` printed no version of the engine".to_owned(),
            124 => "`docker version` did not answer in time".to_owned(),
            status => format!("`docker version` failed with status {status}"),
        };
        Assessment::Blocked(
            Failure::new(self.failure_code(), why)
                .with_output(output.tail(OUTPUT_LINES))
                .with_hint(
                    "log in with `stagecraft ssh` and read `journalctl -u docker`; \
                     `systemctl restart docker` may help, and restarts its containers",
                ),
        )
    }

    fn failure_code(&self) -> Code {
        Code::DOCKER_VERIFY_FAILED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::tests::{blocked, saw};

    #[test]
    fn a_version_is_proof_enough() {
        assert_eq!(Verify.assess(&[saw(0, "20.10.24+dfsg1\n")]), Assessment::Satisfied);
    }

    #[test]
    fn an_engine_that_does_not_answer_is_told_with_its_log() {
        for (status, seen, message) in [
            (0, "\n", "`docker version` printed no version of the engine"),
            (124, "", "`docker version` did not answer in time"),
            (
                1,
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n\
                 failed to start daemon: Error initializing network controller\n",
                "`docker version` failed with status 1",
            ),
        ] {
            let failure = blocked(Verify.assess(&[saw(status, seen)]));
            assert_eq!(
                (failure.code, failure.message.as_str()),
                (Code::DOCKER_VERIFY_FAILED, message)
            );
            assert_eq!(failure.output.len(), seen.trim().lines().count());
        }
    }
}
