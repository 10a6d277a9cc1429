//! What an image is made from.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use stagecraft_core::desired::Arch;
use stagecraft_core::name::Image;

use crate::local::host::{INIT, PROVISION};
use crate::local::labels::IMAGE_ROLE;

/// What a cloud's image of the same system has, as far as a container has use for it.
pub(super) const PACKAGES: [&str; 24] = [
    "systemd",
    "systemd-sysv",
    "dbus",
    "libpam-systemd",
    "openssh-server",
    "sudo",
    "iproute2",
    "iputils-ping",
    "procps",
    "kmod",
    "mount",
    "netbase",
    "ca-certificates",
    "curl",
    "gpg",
    "gpgv",
    "python3",
    "nftables",
    "less",
    "nano",
    "cron",
    "logrotate",
    "bash-completion",
    "xz-utils",
];

/// An operating system hosts can run.
#[derive(Debug, PartialEq, Eq)]
struct Release {
    /// The image's portable name.
    name: &'static str,
    /// As `ID` in `os-release` says it.
    distribution: &'static str,
    /// As `VERSION_CODENAME` says it.
    codename: &'static str,
    /// The distribution's own image in the public registry.
    reference: &'static str,
    /// Who logs in besides root on a cloud's image.
    user: &'static str,
}

const RELEASES: [Release; 3] = [
    Release {
        name: "debian-12",
        distribution: "debian",
        codename: "bookworm",
        reference: "debian:12",
        user: "debian",
    },
    Release {
        name: "ubuntu-22.04",
        distribution: "ubuntu",
        codename: "jammy",
        reference: "ubuntu:22.04",
        user: "ubuntu",
    },
    Release {
        name: "ubuntu-24.04",
        distribution: "ubuntu",
        codename: "noble",
        reference: "ubuntu:24.04",
        user: "ubuntu",
    },
];

/// How one image is made for one architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    release: &'static Release,
    arch: Arch,
}

impl Recipe {
    /// The recipe of an image by its portable name; `None` when there is none.
    #[must_use]
    pub fn of(image: &Image, arch: Arch) -> Option<Self> {
        let release = RELEASES.iter().find(|release| release.name == image.as_str())?;
        Some(Self { release, arch })
    }

    /// The portable names of all images.
    pub fn images() -> impl Iterator<Item = Image> {
        RELEASES.iter().map(|release| release.name.into())
    }

    /// The tag the finished image has; another for every change of the recipe.
    #[must_use]
    pub fn tag(&self) -> String {
        let dockerfile = self.dockerfile(self.release.reference);
        let digest = digest(&[&dockerfile, INIT, PROVISION]);
        format!("stagecraft/host:{}-{}-{digest}", self.release.name, self.arch)
    }

    /// The tag of a base made from packages; it outlives changes of what is put on top.
    pub(super) fn base_tag(&self) -> String {
        let packages = digest(&[PACKAGES.join(" ").as_str()]);
        format!("stagecraft/base:{}-{}-{packages}", self.release.name, self.arch)
    }

    pub(super) fn name(&self) -> &'static str {
        self.release.name
    }

    pub(super) fn arch(&self) -> Arch {
        self.arch
    }

    pub(super) fn distribution(&self) -> &'static str {
        self.release.distribution
    }

    pub(super) fn codename(&self) -> &'static str {
        self.release.codename
    }

    pub(super) fn reference(&self) -> &'static str {
        self.release.reference
    }

    pub(super) fn platform(&self) -> String {
        format!("linux/{}", self.arch)
    }

    pub(super) fn pull_hint(&self) -> String {
        format!("run `docker pull {}` where a registry can be reached", self.release.reference)
    }

    /// What the engine is sent to build on `base`.
    pub(super) fn context(&self, base: &str) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, text, mode) in [
            ("Dockerfile", self.dockerfile(base).as_str(), 0o644),
            ("init", INIT, 0o755),
            ("provision.sh", PROVISION, 0o755),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(mode);
            archive
                .append_data(&mut header, path, text.as_bytes())
                .expect("writing to memory does not fail, and the paths are short");
        }
        archive.into_inner().expect("writing to memory does not fail")
    }

    fn dockerfile(&self, base: &str) -> String {
        format!(
            "FROM {base}\n\
             COPY init provision.sh /usr/lib/stagecraft/\n\
             RUN /usr/lib/stagecraft/provision.sh {} {}\n\
             LABEL {IMAGE_ROLE}=host\n\
             CMD [\"/usr/lib/stagecraft/init\"]\n",
            self.release.user,
            PACKAGES.join(" "),
        )
    }
}

fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
        hasher.update([0]);
    }
    hasher.finalize().iter().take(6).fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn every_image_has_a_tag_of_its_own_per_architecture() {
        let mut tags: Vec<String> = Recipe::images()
            .flat_map(|image| [Arch::Amd64, Arch::Arm64].map(|arch| (image.clone(), arch)))
            .map(|(image, arch)| Recipe::of(&image, arch).unwrap().tag())
            .collect();
        assert!(tags[0].starts_with("stagecraft/host:debian-12-amd64-"), "{}", tags[0]);
        tags.dedup();
        assert_eq!(tags.len(), 6);
    }

    #[test]
    fn the_context_holds_what_the_dockerfile_copies_and_it_can_be_run() {
        let recipe = Recipe::of(&"ubuntu-24.04".into(), Arch::Arm64).unwrap();
        let context = recipe.context("sha256:4f");
        let mut archive = tar::Archive::new(context.as_slice());
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            seen.push((
                path,
                entry.header().mode().unwrap(),
                text.lines().next().unwrap().to_owned(),
            ));
        }
        assert_eq!(
            seen,
            [
                ("Dockerfile".to_owned(), 0o644, "FROM sha256:4f".to_owned()),
                ("init".to_owned(), 0o755, "#!/bin/sh".to_owned()),
                ("provision.sh".to_owned(), 0o755, "#!/bin/sh".to_owned()),
            ]
        );
    }
}
