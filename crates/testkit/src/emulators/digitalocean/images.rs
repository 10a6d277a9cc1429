//! The images there are.

use serde_json::{Value, json};

use super::places::PLACES;

/// An image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Image {
    pub(super) id: u64,
    name: &'static str,
    distribution: &'static str,
    /// `None` for one that can no longer be ordered.
    pub(super) slug: Option<&'static str>,
    kind: Kind,
}

/// Who made an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Distribution,
    Application,
    /// Those in front of it are newer.
    Retired,
}

use Kind::{Application, Distribution, Retired};

/// All images that everybody may use.
#[rustfmt::skip]
pub(super) const IMAGES: [Image; 13] = [
    image(155_133_621, "22.04 (LTS) x64", "Ubuntu", Some("ubuntu-22-04-x64"), Distribution),
    image(195_932_981, "24.04 (LTS) x64", "Ubuntu", Some("ubuntu-24-04-x64"), Distribution),
    image(159_651_797, "12 x64", "Debian", Some("debian-12-x64"), Distribution),
    image(203_821_441, "13 x64", "Debian", Some("debian-13-x64"), Distribution),
    image(112_929_454, "20.04 (LTS) x64", "Ubuntu", None, Retired),
    image(118_857_366, "22.10 x64", "Ubuntu", None, Retired),
    image(106_433_672, "11 x64", "Debian", None, Retired),
    image(181_401_554, "41 x64", "Fedora", Some("fedora-41-x64"), Distribution),
    image(195_123_711, "9 Stream x64", "CentOS", Some("centos-stream-9-x64"), Distribution),
    image(106_427_551, "9 x64", "Rocky Linux", Some("rockylinux-9-x64"), Distribution),
    image(152_103_337, "Docker 25.0.3 on Ubuntu 22.04", "Ubuntu", Some("docker-20-04"), Application),
    image(161_234_990, "WordPress on Ubuntu 24.04", "Ubuntu", Some("wordpress-20-04"), Application),
    image(172_345_881, "K3s on Debian 12", "Debian", Some("k3s"), Application),
];

const fn image(
    id: u64,
    name: &'static str,
    distribution: &'static str,
    slug: Option<&'static str>,
    kind: Kind,
) -> Image {
    Image { id, name, distribution, slug, kind }
}

impl Image {
    /// The image that an order or a path names, by slug or id.
    pub(super) fn find(given: &str) -> Option<&'static Self> {
        IMAGES.iter().find(|image| image.slug == Some(given) || image.id.to_string() == given)
    }

    /// Whether it can be ordered.
    pub(super) fn is_offered(&self) -> bool {
        self.kind != Retired
    }

    /// Whether a list of this type has it.
    pub(super) fn is_of_type(&self, asked: Option<&str>) -> bool {
        match asked {
            None => true,
            Some("application") => self.kind == Application,
            Some(_) => self.kind != Application,
        }
    }

    /// The name by which orders are known afterwards.
    pub(super) fn word(&self) -> String {
        self.slug.map_or_else(|| self.id.to_string(), str::to_owned)
    }

    /// The image as the API shows it.
    pub(super) fn shown(&self) -> Value {
        let regions: Vec<&str> = PLACES.iter().map(|place| place.slug).collect();
        json!({
            "id": self.id,
            "name": self.name,
            "type": if self.kind == Application { "snapshot" } else { "base" },
            "distribution": self.distribution,
            "slug": self.slug,
            "public": true,
            "regions": if self.is_offered() { regions } else { Vec::new() },
            "created_at": "2024-05-08T17:36:21Z",
            "min_disk_size": 7,
            "size_gigabytes": 0.72,
            "description": format!("{} {}", self.distribution, self.name),
            "tags": [],
            "status": if self.is_offered() { "available" } else { "retired" },
        })
    }
}

/// An image as the API shows it in a droplet, though it may not be one that there is.
pub(super) fn shown(word: &str) -> Value {
    match Image::find(word) {
        Some(image) => image.shown(),
        None => json!({ "id": 1, "name": word, "slug": word, "distribution": "Unknown" }),
    }
}
