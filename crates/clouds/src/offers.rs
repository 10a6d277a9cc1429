//! What to do about a size that was there when the catalogue was read and is sold out by now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use stagecraft_core::cloud::Catalogue;
use stagecraft_core::inventory::Spec;
use stagecraft_core::name::{Region, Size};

/// Where sizes were offered when the catalogue was last read. Empty before.
#[derive(Debug, Default)]
pub(crate) struct Offers(Mutex<BTreeMap<Size, BTreeSet<Region>>>);

impl Offers {
    /// Keeps what a catalogue says.
    pub(crate) fn remember(&self, catalogue: &Catalogue) {
        let offers = catalogue.sizes.iter();
        let regions = offers.map(|of| (of.size.clone(), of.regions.keys().cloned().collect()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = regions.collect();
    }

    /// What to change in the file when there is no more of what was ordered.
    pub(crate) fn instead_of(&self, sold_out: &Spec) -> String {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let elsewhere: Vec<String> = offers
            .get(&sold_out.size)
            .into_iter()
            .flatten()
            .filter(|region| **region != sold_out.region)
            .map(|region| format!("`{region}`"))
            .collect();
        if elsewhere.is_empty() {
            return "choose another `size` or `region`, or try again later".to_owned();
        }
        let (size, elsewhere) = (&sold_out.size, elsewhere.join(", "));
        format!(
            "`{size}` is offered in {elsewhere} too: change `region`, or choose another `size`, or \
             try again later"
        )
    }
}

#[cfg(test)]
mod tests {
    use stagecraft_core::cloud::SizeOffer;
    use stagecraft_core::desired::Arch;

    use super::*;

    #[test]
    fn other_regions_are_named_where_they_are_known() {
        let offers = Offers::default();
        let spec = Spec {
            region: "nyc3".into(),
            size: "c-4".into(),
            image: "debian-12".into(),
            arch: Arch::Amd64,
            spot: false,
        };
        let nowhere = "choose another `size` or `region`, or try again later";
        assert_eq!(offers.instead_of(&spec), nowhere);
        offers.remember(&catalogue(&["nyc3"]));
        assert_eq!(offers.instead_of(&spec), nowhere);
        offers.remember(&catalogue(&["ams3", "nyc3", "sfo3"]));
        assert!(offers.instead_of(&spec).starts_with("`c-4` is offered in `ams3`, `sfo3` too: "));
    }

    fn catalogue(regions: &[&str]) -> Catalogue {
        let regions = regions.iter().map(|&region| (region.into(), None)).collect();
        Catalogue {
            regions: BTreeSet::new(),
            sizes: vec![SizeOffer { size: "c-4".into(), arch: Arch::Amd64, regions }],
            portable_sizes: BTreeMap::new(),
            images: BTreeSet::new(),
            ssh_keys: None,
            regional_keys: [].into(),
            limits: [].into(),
            default_arch: Arch::Amd64,
            spot: false,
        }
    }
}
