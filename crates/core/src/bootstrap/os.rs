use crate::converge::{Assessment, Step};
use crate::error::{Code, Failure};
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::value;

/// The `ID` and `VERSION_ID` of the systems bootstrap is tried on.
const SUPPORTED: [(&str, &str); 3] = [("ubuntu", "22.04"), ("ubuntu", "24.04"), ("debian", "12")];

pub(super) const HINT: &str = "use one of the images ubuntu-22.04, ubuntu-24.04 and debian-12";

/// The host runs an operating system that is supported.
#[derive(Debug)]
pub(super) struct Os;

impl Step for Os {
    fn name(&self) -> &'static str {
        "os"
    }

    fn probe(&self) -> Vec<Command> {
        vec![Command::new("cat").arg("/etc/os-release")]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        let field = |key| value(output, key).trim_matches(['"', '\'']);
        if SUPPORTED.contains(&(field("ID"), field("VERSION_ID"))) {
            return Assessment::Satisfied;
        }
        let found = match field("PRETTY_NAME") {
            "" => "an operating system without a name".to_owned(),
            name => name.to_owned(),
        };
        Assessment::Blocked(
            Failure::new(self.failure_code(), format!("the host runs {found}"))
                .with_output(if output.success() { Vec::new() } else { output.tail(OUTPUT_LINES) })
                .with_hint(HINT),
        )
    }

    fn failure_code(&self) -> Code {
        Code::UNSUPPORTED_OS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::tests::{blocked, saw};

    const DEBIAN_12: &str = r#"PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
"#;
    const UBUNTU_22: &str = r#"PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.5 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=jammy
"#;
    const UBUNTU_24: &str = r#"PRETTY_NAME="Ubuntu 24.04.2 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
"#;

    #[test]
    fn the_supported_systems_are_recognised() {
        for release in [DEBIAN_12, UBUNTU_22, UBUNTU_24, "ID='debian'\nVERSION_ID='12'\n"] {
            assert_eq!(Os.assess(&[saw(0, release)]), Assessment::Satisfied, "{release}");
        }
    }

    #[test]
    fn any_other_system_is_named() {
        for (release, found) in [
            (
                "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\nVERSION_ID=\"13\"\n",
                "Debian GNU/Linux 13 (trixie)",
            ),
            (
                "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nID=debian\n",
                "Debian GNU/Linux trixie/sid",
            ),
            ("PRETTY_NAME=\"Ubuntu 25.04\"\nID=ubuntu\nVERSION_ID=\"25.04\"\n", "Ubuntu 25.04"),
            (
                "PRETTY_NAME=\"Linux Mint 22\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22\"\n",
                "Linux Mint 22",
            ),
            ("", "an operating system without a name"),
        ] {
            let failure = blocked(Os.assess(&[saw(0, release)]));
            assert_eq!(failure.message, format!("the host runs {found}"));
            assert_eq!(failure.code, Code::UNSUPPORTED_OS);
            assert!(failure.hints[0].contains("debian-12"), "{failure:?}");
        }
    }

    #[test]
    fn a_host_that_does_not_say_what_it_runs_is_quoted() {
        let failure =
            blocked(Os.assess(&[saw(1, "cat: /etc/os-release: No such file or directory\n")]));
        assert_eq!(failure.output, ["cat: /etc/os-release: No such file or directory"]);
    }
}
