//! What can be ordered, from what the API lists.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use stagecraft_core::cloud::{Catalogue, Price, SizeOffer};
use stagecraft_core::desired::Arch;
use stagecraft_core::name::{Image, Region, Size};

use super::decimal::Decimal;
use super::exchange::arch;
use super::wire::{self, CpuType, LocationPrice, Named, Pricing, ServerType, TypeLocation};
use crate::http::since_1970;

/// The portable images, which have the same names here.
const IMAGES: [&str; 3] = ["ubuntu-22.04", "ubuntu-24.04", "debian-12"];

/// What the portable sizes stand for: every type with shared processors of this shape, in cores and
/// GB of memory.
const SHAPES: [(&str, u32, u32); 3] = [("small", 2, 4), ("medium", 4, 8), ("large", 8, 16)];

/// Ids of the portable images for each architecture.
pub(super) type Images = BTreeMap<(Image, Arch), u64>;

/// Picks the portable images. One name stands for an image of each architecture; should it stand
/// for several, the newest counts.
pub(super) fn images(listed: &[wire::Image]) -> Images {
    let mut images = Images::new();
    for image in listed.iter().filter(|image| image.deprecated.is_none()) {
        if let (Some(name), Some(arch)) = (image.name.as_deref(), arch(image.architecture))
            && IMAGES.contains(&name)
        {
            let newest = images.entry((name.into(), arch)).or_insert(image.id);
            *newest = image.id.max(*newest);
        }
    }
    images
}

/// Everything that can be ordered; `now` is the provider's clock, since 1970.
pub(super) fn catalogue(
    types: &[ServerType],
    images: &Images,
    keys: Vec<Named>,
    pricing: &Pricing,
    now: Option<Duration>,
) -> Catalogue {
    let locations = types.iter().flat_map(|kind| &kind.locations);
    let known = || types.iter().filter_map(|kind| Some((kind, arch(kind.architecture)?)));
    let sizes = known().map(|(kind, arch)| offer(kind, arch, pricing, now)).collect();
    let mut portable_sizes = BTreeMap::<(Size, Arch), BTreeSet<Size>>::new();
    for (kind, arch) in known() {
        if let Some(portable) = portable(kind) {
            let size = kind.name.as_str().into();
            portable_sizes.entry((portable.into(), arch)).or_default().insert(size);
        }
    }
    Catalogue {
        regions: locations.map(|location| location.name.as_str().into()).collect(),
        sizes,
        portable_sizes,
        images: images.keys().cloned().collect(),
        ssh_keys: Some(keys.into_iter().map(|key| key.name).collect()),
        regional_keys: [].into(),
        limits: [].into(),
        default_arch: Arch::Amd64,
        spot: false,
    }
}

/// The portable size a type is one of. Also of types that are sold out or no longer sold: a host
/// that has one is as asked.
fn portable(kind: &ServerType) -> Option<&'static str> {
    let number = |number: &serde_json::Number| Decimal::parse(&number.to_string());
    let (cores, memory) = (number(&kind.cores)?, number(&kind.memory)?);
    let shared = match kind.cpu_type {
        CpuType::Shared => true,
        CpuType::Dedicated | CpuType::Other => false,
    };
    let fits = |(_, c, m): &&(&str, u32, u32)| shared && cores.is(*c) && memory.is(*m);
    SHAPES.iter().find(fits).map(|(name, ..)| *name)
}

fn offer(kind: &ServerType, arch: Arch, pricing: &Pricing, now: Option<Duration>) -> SizeOffer {
    let regions = kind
        .locations
        .iter()
        .filter(|location| is_sold(location, now))
        .filter_map(|location| {
            let server = monthly(&kind.prices, &location.name)?;
            Some((Region(location.name.clone()), price(server, pricing, &location.name)))
        })
        .collect();
    SizeOffer { size: kind.name.as_str().into(), arch, regions }
}

/// Whether orders for a location are taken now.
fn is_sold(location: &TypeLocation, now: Option<Duration>) -> bool {
    let ends = location
        .deprecation
        .as_ref()
        .and_then(|deprecation| since_1970(deprecation.unavailable_after.as_deref()?));
    let has_ended = match (ends, now) {
        (Some(ends), Some(now)) => ends <= now,
        (Some(_), None) | (None, _) => false,
    };
    location.available && !has_ended
}

/// The price of a server with its IPv4, which is billed apart; `None` when it cannot be read.
fn price(server: &str, pricing: &Pricing, location: &str) -> Option<Price> {
    let addresses = pricing.primary_ips.iter().filter(|ip| ip.kind == "ipv4");
    let address = addresses.filter_map(|ip| monthly(&ip.prices, location)).next();
    let parts = [Some(server), address];
    let total: Decimal = parts
        .into_iter()
        .flatten()
        .map(Decimal::parse)
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .sum();
    Some(Price { cents: total.cents()?, currency: pricing.currency.clone() })
}

fn monthly<'a>(prices: &'a [LocationPrice], location: &str) -> Option<&'a str> {
    let price = prices.iter().find(|price| price.location == location)?;
    Some(&price.price_monthly.gross)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// 2026-11-21T10:00:00Z.
    const NOW: Duration = Duration::from_secs(1_795_255_200);

    #[test]
    fn a_price_is_that_of_the_server_and_of_its_ipv4_with_tax() {
        let offer = only(kind("cx23", "x86", json!([2, 4]), [sold("fsn1"), sold("hel1")]));
        let price = |region: &str| offer.regions[&region.into()].clone().unwrap();
        // 3.4900 + 0.5950 and 4.4900 + 0.5950, plus nothing for the IPv6.
        assert_eq!(price("fsn1").to_string(), "4.09 EUR");
        assert_eq!(price("hel1").to_string(), "5.09 EUR");
    }

    #[test]
    fn a_price_that_cannot_be_read_is_unknown_and_the_size_still_sold() {
        let mut kind = kind("cx23", "x86", json!([2, 4]), [sold("fsn1")]);
        kind["prices"][0]["price_monthly"]["gross"] = "a lot".into();
        assert_eq!(only(kind).regions, [("fsn1".into(), None)].into());
    }

    #[test]
    fn where_an_ipv4_has_no_price_the_server_has_one() {
        let offer = only(kind("cx23", "x86", json!([2, 4]), [sold("sin")]));
        assert_eq!(offer.regions[&"sin".into()].as_ref().unwrap().to_string(), "5.49 EUR");
    }

    #[test]
    fn a_type_is_sold_where_it_is_listed_available_priced_and_not_gone() {
        let until =
            |time: &str| json!({ "announced": "2026-01-01T00:00:00Z", "unavailable_after": time });
        let with = |name: &str, key: &str, value: Value| {
            let mut location = sold(name);
            location[key] = value;
            location
        };
        let offer = only(kind(
            "cx23",
            "x86",
            json!([2, 4]),
            [
                sold("fsn1"),
                with("hel1", "available", false.into()),
                with("nbg1", "deprecation", until("2026-11-21T10:00:00+00:00")),
                with("sin", "deprecation", until("2026-11-21T10:00:01+00:00")),
                // In `locations`, but without a price.
                sold("hil"),
            ],
        ));
        let regions: Vec<&str> = offer.regions.keys().map(Region::as_str).collect();
        // `ash` has a price, but is not in `locations`.
        assert_eq!(regions, ["fsn1", "sin"]);
    }

    #[test]
    fn without_a_clock_what_is_available_is_sold() {
        let mut location = sold("fsn1");
        location["deprecation"] = json!({ "unavailable_after": "2020-01-01T00:00:00Z" });
        let location: TypeLocation = serde_json::from_value(location).unwrap();
        assert!(is_sold(&location, None));
        assert!(!is_sold(&location, Some(NOW)));
    }

    #[test]
    fn the_fields_of_the_type_that_are_superseded_do_not_count() {
        let mut kind = kind("cx23", "x86", json!([2, 4]), [sold("fsn1")]);
        kind["deprecated"] = true.into();
        kind["deprecation"] = json!({ "unavailable_after": "2020-01-01T00:00:00Z" });
        assert_eq!(only(kind).regions.len(), 1);
    }

    #[test]
    fn regions_are_those_of_all_types_sold_or_not() {
        let mut out = sold("hel1");
        out["available"] = false.into();
        let unknown = kind("rv1", "riscv", json!([2, 4]), [sold("nbg1")]);
        let catalogue = of(vec![kind("cx23", "x86", json!([2, 4]), [sold("fsn1"), out]), unknown]);
        assert_eq!(catalogue.regions, ["fsn1", "hel1", "nbg1"].map(Region::from).into());
    }

    #[test]
    fn portable_sizes_are_the_shared_types_of_their_shape_for_each_architecture() {
        let mut dedicated = kind("ccx13", "x86", json!([2, 4]), [sold("fsn1")]);
        dedicated["cpu_type"] = "dedicated".into();
        let mut unheard = kind("qx1", "x86", json!([2, 4]), [sold("fsn1")]);
        unheard["cpu_type"] = "quantum".into();
        let catalogue = of(vec![
            kind("cx23", "x86", json!([2, 4.0]), [sold("fsn1")]),
            kind("cpx22", "x86", json!([2.0, 4]), [sold("ash")]),
            kind("cpx11", "x86", json!([2, 2]), [sold("fsn1")]),
            kind("cpx21", "x86", json!([3, 4]), [sold("fsn1")]),
            kind("cx33", "x86", json!([4, 8]), [sold("fsn1")]),
            kind("cx43", "x86", json!([8, 16]), [sold("fsn1")]),
            kind("cax11", "arm", json!([2, 4]), [sold("fsn1")]),
            kind("cax21", "arm", json!([4, 8]), [sold("fsn1")]),
            kind("cax31", "arm", json!([8, 16]), [sold("fsn1")]),
            dedicated,
            unheard,
        ]);
        let expected: BTreeMap<(Size, Arch), BTreeSet<Size>> = [
            (("small".into(), Arch::Amd64), ["cpx22", "cx23"].map(Size::from).into()),
            (("medium".into(), Arch::Amd64), [Size::from("cx33")].into()),
            (("large".into(), Arch::Amd64), [Size::from("cx43")].into()),
            (("small".into(), Arch::Arm64), [Size::from("cax11")].into()),
            (("medium".into(), Arch::Arm64), [Size::from("cax21")].into()),
            (("large".into(), Arch::Arm64), [Size::from("cax31")].into()),
        ]
        .into();
        assert_eq!(catalogue.portable_sizes, expected);
        assert_eq!(catalogue.sizes.len(), 11);
    }

    #[test]
    fn a_type_that_nobody_can_order_is_known_and_still_fits() {
        let mut out = sold("fsn1");
        out["available"] = false.into();
        let catalogue = of(vec![
            kind("cx22", "x86", json!([2, 4]), [out]),
            kind("cx23", "x86", json!([2, 4]), [sold("fsn1")]),
        ]);
        assert_eq!(catalogue.sizes[0].regions, BTreeMap::new());
        let small = &catalogue.portable_sizes[&("small".into(), Arch::Amd64)];
        assert_eq!(small, &["cx22", "cx23"].map(Size::from).into());
    }

    #[test]
    fn architectures_we_do_not_know_are_left_out() {
        let catalogue = of(vec![kind("rv1", "riscv", json!([2, 4]), [sold("fsn1")])]);
        assert_eq!((catalogue.sizes, catalogue.portable_sizes), (vec![], BTreeMap::new()));
    }

    #[test]
    fn an_image_is_found_for_its_architecture_unless_it_is_deprecated_or_not_portable() {
        let image = |id: u64, name: Value, architecture: &str, deprecated: Value| {
            let image = json!({ "id": id, "type": "system", "name": name,
                                "architecture": architecture, "deprecated": deprecated });
            serde_json::from_value::<wire::Image>(image).unwrap()
        };
        let found = images(&[
            image(1, "ubuntu-24.04".into(), "x86", Value::Null),
            image(2, "ubuntu-24.04".into(), "arm", Value::Null),
            image(3, "debian-12".into(), "x86", "2026-06-01T00:00:00Z".into()),
            image(4, "debian-12".into(), "arm", Value::Null),
            image(6, "ubuntu-22.04".into(), "x86", Value::Null),
            image(5, "ubuntu-22.04".into(), "x86", Value::Null),
            image(7, "rocky-9".into(), "x86", Value::Null),
            image(8, "ubuntu-22.04".into(), "riscv", Value::Null),
            image(9, Value::Null, "x86", Value::Null),
        ]);
        let expected = [
            (("ubuntu-24.04".into(), Arch::Amd64), 1),
            (("ubuntu-24.04".into(), Arch::Arm64), 2),
            (("debian-12".into(), Arch::Arm64), 4),
            (("ubuntu-22.04".into(), Arch::Amd64), 6),
        ];
        assert_eq!(found, expected.into());
        let catalogue = catalogue(&[], &found, Vec::new(), &pricing(), None);
        assert_eq!(catalogue.images, found.into_keys().collect());
    }

    #[test]
    fn the_keys_of_the_project_are_listed_by_name() {
        let keys = ["deploy", "kim"].map(|name| Named { name: name.to_owned() }).into();
        let catalogue = catalogue(&[], &Images::new(), keys, &pricing(), None);
        assert_eq!(catalogue.ssh_keys, Some(["deploy", "kim"].map(str::to_owned).into()));
        assert_eq!((catalogue.default_arch, catalogue.spot), (Arch::Amd64, false));
    }

    fn only(kind: Value) -> SizeOffer {
        of(vec![kind]).sizes.remove(0)
    }

    fn of(types: Vec<Value>) -> Catalogue {
        let types: Vec<ServerType> = serde_json::from_value(Value::from(types)).unwrap();
        catalogue(&types, &Images::new(), Vec::new(), &pricing(), Some(NOW))
    }

    fn pricing() -> Pricing {
        let at = |location: &str, gross: &str| json!({ "location": location, "price_monthly": { "net": "0.5000", "gross": gross } });
        serde_json::from_value(json!({
            "currency": "EUR",
            "vat_rate": "19.00",
            "primary_ips": [
                { "type": "ipv6", "prices": [at("fsn1", "9.0000")] },
                { "type": "ipv4", "prices": [at("fsn1", "0.5950000000000000"), at("hel1", "0.5950")] },
            ],
        }))
        .unwrap()
    }

    fn sold(location: &str) -> Value {
        json!({ "id": 1, "name": location, "deprecation": null, "recommended": true, "available": true })
    }

    fn kind<const N: usize>(name: &str, arch: &str, shape: Value, locations: [Value; N]) -> Value {
        let price = |location: &str, gross: &str| json!({ "location": location, "price_monthly": { "net": "1.0000", "gross": gross } });
        json!({
            "id": 1, "name": name, "cores": shape[0], "memory": shape[1], "cpu_type": "shared",
            "architecture": arch, "deprecated": false, "deprecation": null,
            "prices": [
                price("fsn1", "3.4900000000000000"), price("hel1", "4.4900000000000000"),
                price("nbg1", "3.4900"), price("ash", "5.4900"), price("sin", "5.4900"),
            ],
            "locations": locations.to_vec(),
        })
    }
}
