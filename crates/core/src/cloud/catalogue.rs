use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::desired::Arch;
use crate::name::{Image, Region, Size};

/// A price in the smallest unit of its currency, per month.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Price {
    /// Hundredths of the currency.
    pub cents: u64,
    /// ISO 4217 code.
    pub currency: String,
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} {}", self.cents / 100, self.cents % 100, self.currency)
    }
}

/// One size a provider knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeOffer {
    /// The provider's slug.
    pub size: Size,
    /// The architecture of its processor.
    pub arch: Arch,
    /// Where it can be ordered now, and what it costs there, where the API gives it. Empty when it
    /// cannot be ordered anywhere.
    pub regions: BTreeMap<Region, Option<Price>>,
}

/// What the settings of the file, or of the account, leave of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing.
    Closed {
        /// Why, in a sentence.
        why: String,
        /// A command or edit that helps.
        hint: String,
    },
    /// A part.
    Narrowed {
        /// The sizes that are sold there and cannot be ordered for this reason.
        sizes: BTreeSet<Size>,
        /// Which part is left, and what to edit.
        hint: String,
    },
}

/// Sizes, regions, images and SSH keys that can be named in an order now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// All regions.
    pub regions: BTreeSet<Region>,
    /// All sizes.
    pub sizes: Vec<SizeOffer>,
    /// The sizes that `small`, `medium` and `large` stand for, for each architecture. A new host
    /// gets the cheapest of them in its region; one that has any of them is as asked.
    pub portable_sizes: BTreeMap<(Size, Arch), BTreeSet<Size>>,
    /// Images by portable name, for each architecture they exist for.
    pub images: BTreeSet<(Image, Arch)>,
    /// Names of the SSH keys in the account; `None` when the provider needs no key by name.
    pub ssh_keys: Option<BTreeSet<String>>,
    /// The same by region, where a key belongs to one; regions that are not here have all.
    pub regional_keys: BTreeMap<Region, BTreeSet<String>>,
    /// Regions in which the settings leave nothing, or not all, of what is sold there.
    pub limits: BTreeMap<Region, Limit>,
    /// The architecture of a host that names none, or one that is emulated here.
    pub default_arch: Arch,
    /// Whether interruptible machines can be ordered.
    pub spot: bool,
}
