//! What can be ordered on the user's own machine.

use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::cloud::{Catalogue, CloudErrorKind, SizeOffer};
use stagecraft_core::desired::Arch;
use stagecraft_core::inventory::Spec;
use stagecraft_core::name::{Region, Size};

use super::image::Recipe;

/// The one region there is.
pub const REGION: &str = "local";

/// The sizes there are. They are labels only: every host may use the whole machine, so that a file
/// written for a cloud runs on a laptop, too.
pub const SIZES: [&str; 3] = ["small", "medium", "large"];

/// What an engine of this architecture offers.
pub(super) fn catalogue(arch: Arch) -> Catalogue {
    let regions = BTreeSet::from([Region::from(REGION)]);
    let sizes = SIZES.map(Size::from);
    let everywhere: BTreeMap<_, _> = regions.iter().map(|region| (region.clone(), None)).collect();
    Catalogue {
        portable_sizes: sizes
            .iter()
            .map(|size| ((size.clone(), arch), [size.clone()].into()))
            .collect(),
        sizes: sizes
            .into_iter()
            .map(|size| SizeOffer { size, arch, regions: everywhere.clone() })
            .collect(),
        regions,
        images: Recipe::images().map(|image| (image, arch)).collect(),
        ssh_keys: None,
        regional_keys: [].into(),
        limits: [].into(),
        default_arch: arch,
        spot: false,
    }
}

/// The recipe of what is ordered, or why it cannot be had from an engine of this architecture.
pub(super) fn check(spec: &Spec, arch: Arch) -> Result<Recipe, CloudErrorKind> {
    let wrong = CloudErrorKind::InvalidInput;
    if spec.arch != arch {
        return Err(wrong(format!("`arch: {}` on a Docker Engine that runs on {arch}", spec.arch)));
    }
    if spec.region.as_str() != REGION {
        return Err(wrong(format!("the region `{}` is not `{REGION}`", spec.region)));
    }
    if !SIZES.contains(&spec.size.as_str()) {
        return Err(wrong(format!("the size `{}` is none of {}", spec.size, SIZES.join(", "))));
    }
    Recipe::of(&spec.image, arch).ok_or_else(|| {
        let known: Vec<String> = Recipe::images().map(|image| image.to_string()).collect();
        wrong(format!("the image `{}` is none of {}", spec.image, known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::fixtures::order;

    #[test]
    fn a_file_may_ask_for_each_size_and_for_no_other() {
        for (size, fits) in SIZES.map(|size| (size, true)).into_iter().chain([("x1", false)]) {
            let text = format!(
                "project: {{ name: shop }}\ncloud: {{ providers: {{ local: {{ hosts: {{ dev: {{ a: {{ role: a, size: {size} }} }} }} }} }} }}\n"
            );
            let told = stagecraft_core::config::parse("f.yml", text.as_bytes());
            assert_eq!(told.is_ok(), fits, "{size}");
        }
    }

    #[test]
    fn all_that_is_offered_can_be_ordered() {
        let offered = catalogue(Arch::Arm64);
        assert_eq!(offered.portable_sizes.len(), SIZES.len());
        for (image, arch) in &offered.images {
            for size in offered.portable_sizes.values().flatten() {
                let spec = Spec {
                    region: offered.regions.first().unwrap().clone(),
                    size: size.clone(),
                    image: image.clone(),
                    arch: *arch,
                    spot: false,
                };
                assert!(check(&spec, Arch::Arm64).is_ok(), "{spec:?}");
            }
        }
    }

    #[test]
    fn an_order_for_another_architecture_names_both() {
        let spec = order("db-1").spec;
        let refused = check(&spec, Arch::Arm64).unwrap_err().to_string();
        assert_eq!(refused, "`arch: amd64` on a Docker Engine that runs on arm64");
    }

    #[test]
    fn an_unknown_image_is_refused_with_the_known_ones() {
        let mut spec = order("db-1").spec;
        spec.image = "debian-11".into();
        let refused = check(&spec, Arch::Amd64).unwrap_err().to_string();
        assert_eq!(
            refused,
            "the image `debian-11` is none of debian-12, ubuntu-22.04, ubuntu-24.04"
        );
    }
}
