use crate::converge::{Assessment, Change, Step};
use crate::error::{Code, Failure};
use crate::remote::OUTPUT_LINES;
use crate::remote::{Command, Output};

/// The user who logs in may use Docker, from the next login on.
#[derive(Debug)]
pub(in crate::bootstrap) struct Group {
    pub(in crate::bootstrap) user: String,
}

impl Step for Group {
    fn name(&self) -> &'static str {
        "docker-group"
    }

    fn probe(&self) -> Vec<Command> {
        vec![Command::new("id").args(["-nG", "--", &self.user])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        if !output.success() {
            return Assessment::Blocked(
                Failure::new(
                    self.failure_code(),
                    format!("could not find out the groups of `{}`", self.user),
                )
                .with_output(output.tail(OUTPUT_LINES)),
            );
        }
        if output.stdout.split_whitespace().any(|group| group == "docker") {
            return Assessment::Satisfied;
        }
        Assessment::Needs(vec![Change::new(
            format!("adding {} to the group docker", self.user),
            Command::new("usermod").args(["--append", "--groups", "docker", "--", &self.user]),
        )])
    }

    fn failure_code(&self) -> Code {
        Code::DOCKER_INSTALL_FAILED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::tests::{blocked, commands, saw};

    #[test]
    fn a_member_stays_one() {
        assert_eq!(
            group("debian").assess(&[saw(0, "debian sudo docker\n")]),
            Assessment::Satisfied
        );
    }

    #[test]
    fn a_user_who_is_not_a_member_becomes_one() {
        let found = group("debian").assess(&[saw(0, "debian sudo dockerish\n")]);
        assert_eq!(commands(&found), ["usermod --append --groups docker -- debian"]);
    }

    #[test]
    fn a_user_nobody_knows_is_an_error() {
        let failure = blocked(group("nobdy").assess(&[saw(1, "id: 'nobdy': no such user\n")]));
        assert_eq!(failure.output, ["id: 'nobdy': no such user"]);
        assert_eq!(failure.message, "could not find out the groups of `nobdy`");
    }

    fn group(user: &str) -> Group {
        Group { user: user.to_owned() }
    }
}
