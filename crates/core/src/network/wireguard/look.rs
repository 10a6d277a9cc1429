use std::collections::BTreeSet;

use super::conf::Conf;
use super::key::PublicKey;
use crate::remote::Output;
use crate::script::{value, values};

/// What a host said of its part of the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Its public key.
    pub(super) key: PublicKey,
    /// Its configuration as it stands on its disk, empty when there is none.
    pub(super) text: String,
    /// The same, understood.
    pub(super) conf: Option<Conf>,
    /// Whether that is in effect: WireGuard does what it says, names resolve, and a restart keeps it.
    pub(super) right: bool,
    /// Whom it heard from lately.
    pub(super) heard: BTreeSet<PublicKey>,
}

/// Whether a host said that it has no key, rather than nothing that is understood.
pub(super) fn has_no_key(seen: &[Output]) -> bool {
    seen.first().is_some_and(|output| value(output, "public") == "none")
}

impl Said {
    /// Reads the output of `scripts/look.sh`; `None` when the host has no key.
    pub(super) fn of(seen: &[Output]) -> Option<Self> {
        let output = seen.first()?;
        let text: String = values(output, "conf").flat_map(|line| [line, "\n"]).collect();
        Some(Self {
            key: value(output, "public").parse().ok()?,
            conf: Conf::parse(&text),
            right: value(output, "right") == "yes",
            heard: values(output, "heard").filter_map(|key| key.parse().ok()).collect(),
            text,
        })
    }
}
