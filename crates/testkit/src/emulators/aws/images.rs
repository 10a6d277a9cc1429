//! Images of the two distributions: one id per region, system, architecture and release, and the
//! public parameters that name the newest.

use serde_json::{Value, json};
use stagecraft_core::desired::Arch;

use super::ids::derived;

/// When the images that can be had were built, the newest first.
const RELEASES: [&str; 2] = ["20260801", "20260612"];
/// The smallest root volume, in gigabytes.
pub(super) const SMALLEST_DISK: u32 = 8;

/// A system.
#[derive(Debug, PartialEq, Eq)]
struct System {
    /// What the world calls it.
    key: &'static str,
    version: &'static str,
    codename: &'static str,
    owner: &'static str,
    /// The kind of disk in the name of its parameter.
    store: &'static str,
}

const CANONICAL: &str = "099720109477";
const DEBIAN: &str = "136693071363";

const SYSTEMS: [System; 4] = [
    system("ubuntu-22.04", "22.04", "jammy", CANONICAL, "ebs-gp2"),
    system("ubuntu-24.04", "24.04", "noble", CANONICAL, "ebs-gp3"),
    system("debian-12", "12", "bookworm", DEBIAN, ""),
    system("debian-13", "13", "trixie", DEBIAN, ""),
];

/// An image in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    system: &'static System,
    pub(super) arch: Arch,
    region: &'static str,
    release: &'static str,
}

impl Image {
    /// All images of a region.
    pub(super) fn all(region: &'static str) -> Vec<Self> {
        let mut images = Vec::new();
        for system in &SYSTEMS {
            for arch in [Arch::Amd64, Arch::Arm64] {
                let of = |release| Self { system, arch, region, release };
                images.extend(RELEASES.map(of));
            }
        }
        images
    }

    /// The image of this id.
    pub(super) fn find(region: &'static str, id: &str) -> Option<Self> {
        Self::all(region).into_iter().find(|image| image.id() == id)
    }

    /// The newest image that the world calls so.
    pub(super) fn newest(region: &'static str, key: &str, arch: Arch) -> Option<Self> {
        Self::all(region).into_iter().find(|image| image.key() == key && image.arch == arch)
    }

    /// The image that a public parameter names.
    pub(super) fn of_parameter(region: &'static str, name: &str) -> Option<Self> {
        let newest = Self::all(region).into_iter().filter(|image| image.release == RELEASES[0]);
        newest.into_iter().find(|image| image.parameters().iter().any(|known| known == name))
    }

    /// What the world calls it.
    pub(super) fn key(&self) -> &'static str {
        self.system.key
    }

    /// Its id.
    pub(super) fn id(&self) -> String {
        derived("ami", &[self.region, self.system.key, self.arch.as_str(), self.release])
    }

    /// Whom it lets in; nobody logs in as root.
    pub(super) fn login_user(&self) -> &'static str {
        if self.is_ubuntu() { "ubuntu" } else { "admin" }
    }

    /// What its root disk is called.
    pub(super) fn root_device(&self) -> &'static str {
        if self.is_ubuntu() { "/dev/sda1" } else { "/dev/xvda" }
    }

    /// The API's word for its architecture.
    pub(super) fn architecture(&self) -> &'static str {
        match self.arch {
            Arch::Amd64 => "x86_64",
            Arch::Arm64 => "arm64",
        }
    }

    fn is_ubuntu(&self) -> bool {
        self.system.owner == CANONICAL
    }

    /// The public parameters that name the newest image of its kind.
    fn parameters(&self) -> Vec<String> {
        let (system, arch) = (self.system, self.arch.as_str());
        let of = |name: &str| {
            if self.is_ubuntu() {
                let base = format!("/aws/service/canonical/ubuntu/server/{name}/stable/current");
                format!("{base}/{arch}/hvm/{}/ami-id", system.store)
            } else {
                format!("/aws/service/debian/release/{name}/latest/{arch}")
            }
        };
        vec![of(system.version), of(system.codename)]
    }

    fn name(&self) -> String {
        let (System { version, codename, .. }, arch) = (self.system, self.arch.as_str());
        let release = self.release;
        if !self.is_ubuntu() {
            return format!("debian-{version}-{arch}-{release}-1");
        }
        let disk = if self.system.store == "ebs-gp3" { "hvm-ssd-gp3" } else { "hvm-ssd" };
        format!("ubuntu/images/{disk}/ubuntu-{codename}-{version}-{arch}-server-{release}")
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> &'static str {
        self.system.owner
    }

    /// As the API shows it.
    pub(super) fn shown(&self) -> Value {
        let release = self.release;
        let (year, month, day) = (&release[..4], &release[4..6], &release[6..]);
        json!({
            "imageId": self.id(),
            "imageLocation": format!("{}/{}", self.owner(), self.name()),
            "imageState": "available",
            "imageOwnerId": self.owner(),
            "creationDate": format!("{year}-{month}-{day}T06:21:52.000Z"),
            "isPublic": true,
            "architecture": self.architecture(),
            "imageType": "machine",
            "name": self.name(),
            "description": format!("{} for {}", self.key(), self.architecture()),
            "rootDeviceType": "ebs",
            "rootDeviceName": self.root_device(),
            "blockDeviceMapping": [{
                "deviceName": self.root_device(),
                "ebs": {
                    "deleteOnTermination": true,
                    "snapshotId": derived("snap", &[&self.id()]),
                    "volumeSize": SMALLEST_DISK,
                    "volumeType": "gp3",
                    "encrypted": false,
                },
            }],
            "virtualizationType": "hvm",
            "hypervisor": "xen",
            "enaSupport": true,
            "sriovNetSupport": "simple",
            "platformDetails": "Linux/UNIX",
        })
    }
}

const fn system(
    key: &'static str,
    version: &'static str,
    codename: &'static str,
    owner: &'static str,
    store: &'static str,
) -> System {
    System { key, version, codename, owner, store }
}
