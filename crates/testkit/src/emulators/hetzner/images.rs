//! Images: each name once per architecture.

use serde_json::{Map, Value, json};
use stagecraft_core::desired::Arch;

use super::types::word;

/// One image.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) id: u64,
    /// `None` for a snapshot.
    pub(super) name: Option<&'static str>,
    pub(super) arch: Arch,
    pub(super) kind: &'static str,
    pub(super) deprecated: Option<&'static str>,
    description: &'static str,
    flavor: &'static str,
    version: Option<&'static str>,
}

const OLD: Option<&str> = Some("2023-08-14T00:00:00Z");

/// All images, by id.
#[rustfmt::skip]
const IMAGES: &[Image] = &[
    system(15512617, "ubuntu-20.04", Arch::Amd64, "Ubuntu 20.04", "ubuntu", Some("20.04"), OLD),
    app(40093247, "docker-ce", Arch::Amd64, "Docker CE", "ubuntu", Some("24.04")),
    system(45557056, "debian-11", Arch::Amd64, "Debian 11", "debian", Some("11"), OLD),
    system(67794396, "ubuntu-22.04", Arch::Amd64, "Ubuntu 22.04", "ubuntu", Some("22.04"), None),
    system(103907373, "ubuntu-20.04", Arch::Arm64, "Ubuntu 20.04", "ubuntu", Some("20.04"), OLD),
    system(103908130, "ubuntu-22.04", Arch::Arm64, "Ubuntu 22.04", "ubuntu", Some("22.04"), None),
    app(105888141, "docker-ce", Arch::Arm64, "Docker CE", "ubuntu", Some("24.04")),
    system(114690387, "debian-12", Arch::Amd64, "Debian 12", "debian", Some("12"), None),
    system(114690389, "debian-12", Arch::Arm64, "Debian 12", "debian", Some("12"), None),
    system(161547269, "ubuntu-24.04", Arch::Amd64, "Ubuntu 24.04", "ubuntu", Some("24.04"), None),
    system(161547270, "ubuntu-24.04", Arch::Arm64, "Ubuntu 24.04", "ubuntu", Some("24.04"), None),
    Image { id: 200000001, name: None, arch: Arch::Amd64, kind: "snapshot", deprecated: None,
            description: "before the upgrade", flavor: "ubuntu", version: None },
    system(308416394, "alma-10", Arch::Amd64, "AlmaLinux OS 10", "alma", Some("10"), None),
    system(310557660, "opensuse-15", Arch::Amd64, "openSUSE Leap 15", "opensuse", Some("15"), None),
    system(310557661, "opensuse-15", Arch::Arm64, "openSUSE Leap 15", "opensuse", Some("15"), None),
    system(328486142, "rocky-10", Arch::Amd64, "Rocky Linux 10", "rocky", Some("10"), None),
    system(331010000, "debian-13", Arch::Amd64, "Debian 13", "debian", Some("13"), None),
    system(331010001, "debian-13", Arch::Arm64, "Debian 13", "debian", Some("13"), None),
    system(333962318, "fedora-43", Arch::Amd64, "Fedora 43", "fedora", Some("43"), None),
];

impl Image {
    /// All of them, by id.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        IMAGES.iter()
    }

    /// The image of this id.
    pub(super) fn numbered(id: u64) -> Option<&'static Self> {
        IMAGES.iter().find(|image| image.id == id)
    }

    /// The image of this name for an architecture.
    pub(super) fn named(name: &str, arch: Arch) -> Option<&'static Self> {
        IMAGES.iter().find(|image| image.name == Some(name) && image.arch == arch)
    }

    /// What the world calls it.
    pub(super) fn key(&self) -> String {
        self.name.map_or_else(|| format!("snapshot-{}", self.id), str::to_owned)
    }

    /// Whether a size in gigabytes is told: only for what was stored, not for what is built in.
    fn stored(&self) -> bool {
        self.kind == "snapshot"
    }

    /// As the API shows it.
    pub(super) fn shown(&self) -> Value {
        let from = json!({ "id": 4711, "name": "old-server" });
        json!({
            "id": self.id,
            "type": self.kind,
            "status": "available",
            "name": self.name,
            "description": self.description,
            "image_size": self.stored().then_some(2.3),
            "disk_size": 5,
            "created": "2022-04-21T13:32:38+00:00",
            "created_from": if self.stored() { from } else { Value::Null },
            "bound_to": null,
            "os_flavor": self.flavor,
            "os_version": self.version,
            "rapid_deploy": !self.stored(),
            "protection": { "delete": false },
            "deprecated": self.deprecated,
            "deleted": null,
            "labels": Map::new(),
            "architecture": word(self.arch),
        })
    }
}

const fn system(
    id: u64,
    name: &'static str,
    arch: Arch,
    description: &'static str,
    flavor: &'static str,
    version: Option<&'static str>,
    deprecated: Option<&'static str>,
) -> Image {
    Image { id, name: Some(name), arch, kind: "system", deprecated, description, flavor, version }
}

const fn app(
    id: u64,
    name: &'static str,
    arch: Arch,
    description: &'static str,
    flavor: &'static str,
    version: Option<&'static str>,
) -> Image {
    Image {
        id,
        name: Some(name),
        arch,
        kind: "app",
        deprecated: None,
        description,
        flavor,
        version,
    }
}
