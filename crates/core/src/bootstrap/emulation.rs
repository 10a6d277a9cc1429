use crate::apt::{apt, apt_script, unfinished};
use crate::converge::{Assessment, Change, Step};
use crate::desired::{Arch, DesiredHost};
use crate::error::{Code, Failure};
use crate::inventory::Instance;
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::{script, value, values};

const PACKAGES: &str = apt_script!("scripts/emulation-packages.sh");

/// The architecture that the machine of a host is to emulate, because the host was asked for with
/// one its provider has no machines of.
///
/// `None` for a machine of another architecture than asked for where there are others: it is to be
/// replaced.
#[must_use]
pub fn emulated(wanted: &DesiredHost, there: &Instance) -> Option<Arch> {
    wanted.arch.filter(|&arch| {
        there.provider.emulates(arch)
            && wanted.provider == there.provider
            && arch != there.spec.arch
    })
}

/// Programs of another architecture run, in containers too, and will after a reboot.
#[derive(Debug)]
pub(super) struct Emulation(pub(super) Arch);

impl Emulation {
    /// What the packages of QEMU call the handler.
    fn handler(&self) -> &'static str {
        match self.0 {
            Arch::Amd64 => "qemu-x86_64",
            Arch::Arm64 => "qemu-aarch64",
        }
    }

    fn blocked(&self, output: &Output, why: String, hint: &str) -> Assessment {
        Assessment::Blocked(
            Failure::new(self.failure_code(), why)
                .with_output(output.tail(OUTPUT_LINES))
                .with_hint(hint),
        )
    }
}

impl Step for Emulation {
    fn name(&self) -> &'static str {
        "emulation"
    }

    fn probe(&self) -> Vec<Command> {
        let text = include_str!("scripts/emulation-probe.sh");
        vec![script("emulation-probe", text, [self.handler()])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        let arch = self.0;
        let kernel = value(output, "kernel");
        match kernel {
            "enabled" | "disabled" | "unmounted" => {}
            "none" => {
                return self.blocked(
                    output,
                    format!("the host's kernel has no binfmt_misc, so it cannot emulate {arch}"),
                    "reboot the host if its kernel was upgraded; else use another image, or take \
                     `arch` off the host",
                );
            }
            _ => {
                return self.blocked(
                    output,
                    format!("could not find out whether the host emulates {arch}"),
                    "log in with `stagecraft ssh` and look into /proc/sys/fs/binfmt_misc",
                );
            }
        }
        let by_systemd = value(output, "systemd-binfmt");
        let by_support = value(output, "binfmt-support");
        if by_systemd.starts_with("masked") && by_support != "enabled" {
            return self.blocked(
                output,
                "`systemd-binfmt.service` is masked, so it was stopped for good by somebody".into(),
                "run `systemctl unmask systemd-binfmt.service` on the host",
            );
        }
        let broken = values(output, "package").any(|line| unfinished(line).is_some());
        let missing = broken || (by_systemd.is_empty() && by_support.is_empty());
        let lasts = !by_systemd.is_empty() || by_support == "enabled";
        // Only a handler whose program the kernel holds open is found from inside a container.
        let works = kernel == "enabled"
            && value(output, "handler") == "enabled"
            && value(output, "flags").contains('F');
        let mut changes = Vec::new();
        if missing {
            changes.push(Change::new(
                "installing qemu-user-static",
                apt("emulation-packages", PACKAGES, &[self.handler()]),
            ));
        }
        if missing || !lasts || !works {
            let text = include_str!("scripts/emulation-register.sh");
            changes.push(Change::new(
                format!("enabling the emulation of {arch}"),
                script("emulation-register", text, [self.handler()]),
            ));
        }
        if changes.is_empty() { Assessment::Satisfied } else { Assessment::Needs(changes) }
    }

    fn failure_code(&self) -> Code {
        Code::EMULATION_FAILED
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ProviderId::{DigitalOcean, Hetzner, Local};

    use super::*;
    use crate::bootstrap::tests::{blocked, commands, doing, saw};
    use crate::desired::Places;
    use crate::desired::ProviderId;
    use crate::inventory::{Lifecycle, Marks, Owner, Spec};
    use crate::name::Scope;

    // What the three systems print once their packages are in.
    const DEBIAN_12: &str = "kernel=enabled\nhandler=enabled\nflags=POF\nsystemd-binfmt=static\n\
                             package=un  binfmt-support\npackage=ii  qemu-user-static\n";
    const UBUNTU_24: &str = DEBIAN_12;
    const UBUNTU_22: &str = "kernel=enabled\nhandler=enabled\nflags=PF\nbinfmt-support=enabled\n\
                             package=ii  binfmt-support\npackage=ii  qemu-user-static\n";
    const BOTH: &str = "kernel=enabled\nhandler=enabled\nflags=POF\nsystemd-binfmt=static\n\
                        binfmt-support=enabled\npackage=ii  binfmt-support\n\
                        package=ii  qemu-user-static\n";

    const INSTALL: &str = "installing qemu-user-static";
    const REGISTER: &str = "enabling the emulation of arm64";

    #[test]
    fn an_enabled_handler_that_comes_back_after_a_reboot_needs_nothing() {
        for seen in [DEBIAN_12, UBUNTU_22, UBUNTU_24, BOTH] {
            assert_eq!(arm64().assess(&[saw(0, seen)]), Assessment::Satisfied, "{seen}");
        }
    }

    #[test]
    fn what_is_missing_is_made() {
        for (seen, changes) in [
            ("kernel=enabled\npackage=un  binfmt-support\n", &[INSTALL, REGISTER][..]),
            ("kernel=unmounted\n", &[INSTALL, REGISTER]),
            // Removed, and its configuration kept.
            ("kernel=enabled\npackage=rc  qemu-user-static\n", &[INSTALL, REGISTER]),
            // By `docker run --privileged` of an image that registers handlers.
            ("kernel=enabled\nhandler=enabled\nflags=POCF\n", &[INSTALL, REGISTER]),
            (&UBUNTU_24.replace("ii  qemu", "iF  qemu"), &[INSTALL, REGISTER]),
            (&UBUNTU_24.replace("kernel=enabled", "kernel=disabled"), &[REGISTER]),
            (&UBUNTU_24.replace("handler=enabled", "handler=disabled"), &[REGISTER]),
            (&UBUNTU_24.replace("handler=enabled\nflags=POF\n", ""), &[REGISTER]),
            (&UBUNTU_24.replace("POF", "PO"), &[REGISTER]),
            (&UBUNTU_22.replace("support=enabled", "support=disabled"), &[REGISTER]),
        ] {
            assert_eq!(doing(&arm64().assess(&[saw(0, seen)])), changes, "{seen}");
        }
    }

    #[test]
    fn the_handler_is_the_one_of_the_architecture_asked_for() {
        for (arch, handler) in [(Arch::Arm64, "qemu-aarch64"), (Arch::Amd64, "qemu-x86_64")] {
            let step = Emulation(arch);
            let probe = step.probe()[0].to_shell();
            assert!(probe.ends_with(&format!("' emulation-probe {handler}")), "{probe}");
            let changes = commands(&step.assess(&[saw(0, "kernel=enabled\n")]));
            for (change, end) in changes.iter().zip([
                format!("' emulation-packages 600 {handler}"),
                format!("' emulation-register {handler}"),
            ]) {
                assert!(change.ends_with(&end), "{change}");
            }
        }
    }

    #[test]
    fn what_no_change_can_help_is_told() {
        for (seen, message) in [
            ("kernel=none\n", "the host's kernel has no binfmt_misc, so it cannot emulate arm64"),
            (
                &UBUNTU_24.replace("=static", "=masked"),
                "`systemd-binfmt.service` is masked, so it was stopped for good by somebody",
            ),
            ("", "could not find out whether the host emulates arm64"),
        ] {
            let failure = blocked(arm64().assess(&[saw(0, seen)]));
            assert_eq!((failure.code, failure.message.as_str()), (Code::EMULATION_FAILED, message));
            assert_eq!(failure.hints.len(), 1, "{failure:?}");
        }
        let hung = blocked(arm64().assess(&[saw(124, "")]));
        assert_eq!(hung.message, "could not find out whether the host emulates arm64");
    }

    #[test]
    fn only_a_provider_without_such_machines_has_them_emulated() {
        let (arm64, amd64) = (Some(Arch::Arm64), Some(Arch::Amd64));
        for (wanted, asked, there, machine, emulate) in [
            (DigitalOcean, arm64, DigitalOcean, Arch::Amd64, arm64),
            (DigitalOcean, amd64, DigitalOcean, Arch::Amd64, None),
            (DigitalOcean, None, DigitalOcean, Arch::Amd64, None),
            // These are to be replaced.
            (Hetzner, arm64, Hetzner, Arch::Amd64, None),
            (Hetzner, arm64, DigitalOcean, Arch::Amd64, None),
            (DigitalOcean, arm64, Hetzner, Arch::Amd64, None),
            (Local, arm64, Local, Arch::Amd64, None),
        ] {
            let found = emulated(&asking(wanted, asked), &running(there, machine));
            assert_eq!(found, emulate, "{asked:?} of {wanted} on {machine} of {there}");
        }
    }

    fn arm64() -> Emulation {
        Emulation(Arch::Arm64)
    }

    fn asking(provider: ProviderId, arch: Option<Arch>) -> DesiredHost {
        DesiredHost {
            name: "app".parse().expect("a name"),
            provider,
            role: "app".parse().expect("a name"),
            region: "nyc3".into(),
            size: "small".into(),
            image: "debian-12".into(),
            arch,
            spot: false,
            protected: false,
            tags: BTreeSet::new(),
            places: Places::default(),
        }
    }

    fn running(provider: ProviderId, arch: Arch) -> Instance {
        let scope = Scope {
            project: "shop".parse().expect("a name"),
            environment: "dev".parse().expect("a name"),
        };
        Instance {
            id: "1".into(),
            provider,
            owner: Owner { scope, host: "app".parse().expect("a name") },
            lifecycle: Lifecycle::Running,
            spec: Spec {
                region: "nyc3".into(),
                size: "s-2vcpu-4gb".into(),
                image: "debian-12".into(),
                arch,
                spot: false,
            },
            marks: Marks {
                name: "dev-app".to_owned(),
                role: "app".parse().expect("a name"),
                protected: false,
                tags: BTreeSet::new(),
            },
            address: None,
            ssh: None,
            created_at: 0,
            pins: crate::identity::Pins::default(),
            trouble: None,
        }
    }
}
