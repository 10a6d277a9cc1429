//! What the user asked for, after every default has been filled in.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{HostName, Image, Region, RoleName, Size};

/// The places where hosts can live.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ProviderId {
    /// Amazon EC2.
    Aws,
    /// DigitalOcean Droplets.
    DigitalOcean,
    /// Hetzner Cloud servers.
    Hetzner,
    /// Containers on a Docker Engine.
    Local,
}

impl ProviderId {
    /// All providers, in the order they are listed to users.
    pub const ALL: [Self; 4] = [Self::Aws, Self::DigitalOcean, Self::Hetzner, Self::Local];

    /// The key of the provider in `stagecraft.yml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::DigitalOcean => "digitalocean",
            Self::Hetzner => "hetzner",
            Self::Local => "local",
        }
    }

    /// Whether hosts of this architecture are machines of another one that emulate it, because
    /// the provider has none of their own. A host of `local` has the kernel of its engine's machine,
    /// which is not to be touched.
    #[must_use]
    pub fn emulates(self, arch: Arch) -> bool {
        match self {
            Self::DigitalOcean => arch == Arch::Arm64,
            Self::Aws | Self::Hetzner | Self::Local => false,
        }
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a provider (there are aws, digitalocean, hetzner and local)")]
pub struct UnknownProvider(pub String);

impl FromStr for ProviderId {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|id| id.as_str() == text)
            .ok_or_else(|| UnknownProvider(text.to_owned()))
    }
}

/// A processor architecture, in the words of Debian and Docker.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 64-bit x86.
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

impl Arch {
    /// The name as written in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A place in the configuration file; lines and columns count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One host of the chosen environment, as the file asks for it.
///
/// `size` may still be one of the portable `small`, `medium`, `large`; see [`crate::resolve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredHost {
    /// Its name, unique in the environment over all providers.
    pub name: HostName,
    /// Where it lives.
    pub provider: ProviderId,
    /// What it is for.
    pub role: RoleName,
    /// Where at the provider.
    pub region: Region,
    /// How large.
    pub size: Size,
    /// Which operating system.
    pub image: Image,
    /// Which architecture; `None` leaves it to the provider's default.
    pub arch: Option<Arch>,
    /// Whether an interruptible machine is asked for.
    pub spot: bool,
    /// Whether it may never be deleted or replaced.
    pub protected: bool,
    /// The user's own tags.
    pub tags: BTreeSet<String>,
    /// Where the file says what of it.
    pub places: Places,
}

/// Where the file says what of a host, the defaults of its provider included. What is said nowhere has the
/// place of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The key that declares it.
    pub host: Position,
    /// Its region.
    pub region: Position,
    /// Its size.
    pub size: Position,
    /// Its image.
    pub image: Position,
    /// Its architecture.
    pub arch: Position,
    /// The name of the SSH key it is ordered with.
    pub ssh_key_name: Position,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_its_key_in_the_file() {
        for provider in ProviderId::ALL {
            assert_eq!(provider.as_str().parse(), Ok(provider));
        }
        let told = "Aws".parse::<ProviderId>().map_err(|unknown| unknown.to_string());
        let there_are = "there are aws, digitalocean, hetzner and local";
        assert_eq!(told, Err(format!("`Aws` is not a provider ({there_are})")));
    }
}
