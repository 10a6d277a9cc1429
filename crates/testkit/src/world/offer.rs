use std::collections::BTreeSet;

use stagecraft_core::cloud::{Catalogue, Price, SizeOffer};
use stagecraft_core::desired::Arch;
use stagecraft_core::name::{Image, Region, Size};

/// Region names of [`offer`].
const REGIONS: [&str; 2] = ["east", "west"];

/// What a world offers unless a test says otherwise: two regions, three sizes for each
/// architecture, the three supported images, and the SSH key `deploy`.
#[must_use]
pub fn offer() -> Catalogue {
    let regions: BTreeSet<Region> = REGIONS.into_iter().map(Region::from).collect();
    let shapes = [(Arch::Amd64, "x"), (Arch::Arm64, "a")];
    let steps = [("small", 500), ("medium", 1500), ("large", 4500)];
    let mut catalogue = Catalogue {
        regions,
        sizes: Vec::new(),
        portable_sizes: [].into(),
        images: BTreeSet::new(),
        ssh_keys: Some(["deploy".to_owned()].into()),
        regional_keys: [].into(),
        limits: [].into(),
        default_arch: Arch::Amd64,
        spot: true,
    };
    for (arch, family) in shapes {
        for (portable, cents) in steps {
            let size = Size(format!("{family}-{portable}"));
            catalogue.portable_sizes.insert((portable.into(), arch), [size.clone()].into());
            let price = Price { cents, currency: "EUR".to_owned() };
            let sold = |region: &Region| (region.clone(), Some(price.clone()));
            let regions = catalogue.regions.iter().map(sold).collect();
            catalogue.sizes.push(SizeOffer { size, arch, regions });
        }
        for image in ["debian-12", "ubuntu-22.04", "ubuntu-24.04"] {
            catalogue.images.insert((Image::from(image), arch));
        }
    }
    catalogue
}
