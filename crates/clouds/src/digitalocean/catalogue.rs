//! What can be ordered.

use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::cloud::{Catalogue, CloudErrorKind, Price, SizeOffer};
use stagecraft_core::desired::Arch;
use stagecraft_core::inventory::Spec;
use stagecraft_core::name::{Image, Region, Size};

use super::wire::{self, ImageStatus};
use crate::http::Request;

/// Images by portable name, and DigitalOcean's slugs for them.
const IMAGES: [(&str, &str); 3] = [
    ("debian-12", "debian-12-x64"),
    ("ubuntu-22.04", "ubuntu-22-04-x64"),
    ("ubuntu-24.04", "ubuntu-24-04-x64"),
];

/// What the portable sizes are here.
const PORTABLE: [(&str, &str); 3] = [("small", "s-2vcpu-4gb"), ("medium", "c-4"), ("large", "c-8")];

/// The only architecture there is.
const ARCH: Arch = Arch::Amd64;

/// All sizes.
pub(super) fn sizes() -> Request {
    Request::get(["sizes"])
}

/// All regions.
pub(super) fn regions() -> Request {
    Request::get(["regions"])
}

/// All images of operating systems.
pub(super) fn images() -> Request {
    Request::get(["images"]).with("type", "distribution")
}

/// All SSH keys; no more than ten such requests are answered a minute.
pub(super) fn keys() -> Request {
    Request::get(["account", "keys"])
}

/// DigitalOcean's name of the image that is ordered.
///
/// # Errors
/// What of the order cannot be had.
pub(super) fn slug(spec: &Spec) -> Result<&'static str, CloudErrorKind> {
    let wrong = CloudErrorKind::InvalidInput;
    if spec.arch != ARCH {
        return Err(wrong(format!("it has no {} machines", spec.arch)));
    }
    if spec.spot {
        return Err(CloudErrorKind::Unsupported("spot machines".to_owned()));
    }
    let found = IMAGES.iter().find(|(portable, _)| *portable == spec.image.as_str());
    found.map(|(_, slug)| *slug).ok_or_else(|| {
        let known = IMAGES.map(|(portable, _)| portable).join(", ");
        wrong(format!("the image `{}` is none of {known}", spec.image))
    })
}

/// The portable name of an image.
pub(super) fn portable(slug: &str) -> Option<Image> {
    IMAGES.iter().find(|(_, of)| *of == slug).map(|(portable, _)| (*portable).into())
}

/// Answers as a catalogue.
///
/// Sizes with graphics cards are left out: their droplets are missing from lists.
pub(super) fn catalogue(
    sizes: Vec<wire::Size>,
    regions: Vec<wire::Region>,
    images: Vec<wire::Image>,
    ssh_keys: BTreeSet<String>,
) -> Catalogue {
    let regions: BTreeMap<Region, BTreeSet<String>> = regions
        .into_iter()
        .filter(|region| region.available == Some(true))
        .map(|region| {
            let sells = region.sizes.unwrap_or_default().into_iter().collect();
            (Region(region.slug), sells)
        })
        .collect();
    let sizes: BTreeMap<Size, SizeOffer> = sizes
        .into_iter()
        .filter(|size| size.gpu_info.is_none() && !size.slug.starts_with("gpu-"))
        .map(|size| (Size(size.slug.clone()), offer(&size, &regions)))
        .collect();
    let portable_sizes = PORTABLE
        .into_iter()
        .filter(|(_, slug)| sizes.contains_key(&Size::from(*slug)))
        .map(|(portable, slug)| ((portable.into(), ARCH), [slug.into()].into()))
        .collect();
    let images = images
        .into_iter()
        .filter(|image| matches!(image.status, None | Some(ImageStatus::Available)))
        .filter_map(|image| Some((portable(&image.slug?)?, ARCH)))
        .collect();
    Catalogue {
        regions: regions.into_keys().collect(),
        sizes: sizes.into_values().collect(),
        portable_sizes,
        images,
        ssh_keys: Some(ssh_keys),
        regional_keys: [].into(),
        limits: [].into(),
        default_arch: ARCH,
        spot: false,
    }
}

/// A size and where it is sold, on which both lists must agree.
fn offer(size: &wire::Size, regions: &BTreeMap<Region, BTreeSet<String>>) -> SizeOffer {
    let price = size.price_monthly.and_then(cents);
    let price = price.map(|cents| Price { cents, currency: "USD".to_owned() });
    let listed = size.regions.iter().flatten().filter(|_| size.available == Some(true));
    let sold = listed.filter_map(|slug| {
        let region = Region(slug.clone());
        let sells = regions.get(&region)?.contains(&size.slug);
        sells.then(|| (region, price.clone()))
    });
    SizeOffer { size: Size(size.slug.clone()), arch: ARCH, regions: sold.collect() }
}

/// Dollars as the nearest number of cents.
fn cents(dollars: f64) -> Option<u64> {
    let cents = (dollars * 100.0).round();
    // Prices are far below where floats stop being exact.
    (0.0..1e12).contains(&cents).then_some(cents as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_size_is_sold_where_both_lists_say_so() {
        let offer = |size: Value, region: Value| {
            let regions: Vec<wire::Region> = vec![serde_json::from_value(region).unwrap()];
            let sizes = vec![serde_json::from_value(size).unwrap()];
            catalogue(sizes, regions, Vec::new(), BTreeSet::new()).sizes.remove(0).regions.len()
        };
        let size = json!({ "slug": "c-4", "available": true, "regions": ["nyc3"] });
        let region = json!({ "slug": "nyc3", "available": true, "sizes": ["c-4"] });
        assert_eq!(offer(size.clone(), region.clone()), 1);
        for (field, value) in [
            ("available", json!(false)),
            ("available", Value::Null),
            ("regions", json!(["fra1"])),
            ("regions", Value::Null),
        ] {
            let mut size = size.clone();
            size[field] = value;
            assert_eq!(offer(size.clone(), region.clone()), 0, "{size}");
        }
        for (field, value) in [
            ("available", json!(false)),
            ("available", Value::Null),
            ("sizes", json!(["c-8"])),
            ("sizes", Value::Null),
        ] {
            let mut region = region.clone();
            region[field] = value;
            assert_eq!(offer(size.clone(), region.clone()), 0, "{region}");
        }
    }

    #[test]
    fn prices_are_the_nearest_number_of_cents() {
        for (dollars, expected) in [
            (24.0, 2400),
            (0.1 + 0.2, 30),
            (84.004_999, 8400),
            (83.995_001, 8400),
            (5.000_000_238_418_579, 500),
            (0.0, 0),
        ] {
            assert_eq!(cents(dollars), Some(expected), "{dollars}");
        }
        assert_eq!(cents(-1.0), None);
        assert_eq!(cents(1e300), None);
        assert_eq!(cents(f64::NAN), None);
    }

    #[test]
    fn the_catalogue_is_what_the_four_lists_say() {
        let found = example();
        assert_eq!(found.regions, ["fra1", "nyc3"].map(Region::from).into());
        let offers: Vec<(&str, usize)> =
            found.sizes.iter().map(|of| (of.size.as_str(), of.regions.len())).collect();
        assert_eq!(offers, [("c-4", 0), ("s-2vcpu-4gb", 2)]);
        let price = found.sizes[1].regions[&Region::from("nyc3")].as_ref().unwrap();
        assert_eq!(price.to_string(), "24.00 USD");
        assert_eq!(found.ssh_keys, Some(["deploy".to_owned()].into()));
        assert_eq!((found.default_arch, found.spot), (Arch::Amd64, false));
    }

    #[test]
    fn sizes_with_gpus_are_left_out_because_lists_leave_out_their_droplets() {
        let sizes = example().sizes;
        let gpus = sizes.iter().filter(|of| of.size.as_str().contains('h'));
        assert_eq!(gpus.count(), 0, "{sizes:?}");
    }

    #[test]
    fn portable_sizes_are_those_that_are_known() {
        let found = example().portable_sizes;
        let small = ((Size::from("small"), Arch::Amd64), [Size::from("s-2vcpu-4gb")].into());
        let medium = ((Size::from("medium"), Arch::Amd64), [Size::from("c-4")].into());
        assert_eq!(found, [small, medium].into());
    }

    #[test]
    fn images_are_the_portable_ones_that_are_available() {
        let found = example().images;
        let amd64 = |image: &str| (Image::from(image), Arch::Amd64);
        assert_eq!(found, [amd64("debian-12"), amd64("ubuntu-22.04")].into());
    }

    fn example() -> Catalogue {
        let sizes = json!([
            { "slug": "s-2vcpu-4gb", "available": true, "regions": ["nyc3", "fra1", "ams2"],
              "price_monthly": 24.000_000_1, "price_hourly": 0.035_71, "new_field": [] },
            { "slug": "c-4", "available": false, "regions": ["nyc3"], "price_monthly": 84 },
            { "slug": "gpu-h100x1-80gb", "available": true, "regions": ["nyc3"], "price_monthly": 1 },
            { "slug": "h200", "available": true, "regions": [], "gpu_info": { "count": 8 } },
            { "slug": "s-2vcpu-4gb", "available": true, "regions": ["nyc3", "fra1"],
              "price_monthly": 24, "gpu_info": null },
        ]);
        let regions = json!([
            { "slug": "nyc3", "available": true, "sizes": ["s-2vcpu-4gb", "c-4"] },
            { "slug": "fra1", "available": true, "sizes": ["s-2vcpu-4gb"] },
            { "slug": "ams2", "available": false, "sizes": [] },
        ]);
        let images = json!([
            { "slug": "ubuntu-22-04-x64", "status": "available" },
            { "slug": "ubuntu-24-04-x64", "status": "retired" },
            { "slug": "debian-12-x64", "status": null },
            { "slug": "debian-13-x64", "status": "available" },
            { "slug": null, "status": "being_polished" },
        ]);
        catalogue(
            serde_json::from_value(sizes).unwrap(),
            serde_json::from_value(regions).unwrap(),
            serde_json::from_value(images).unwrap(),
            ["deploy".to_owned()].into(),
        )
    }
}
