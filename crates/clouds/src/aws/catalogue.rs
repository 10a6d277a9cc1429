//! What can be ordered: instance types by region, images by their public parameters, key pairs.

use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::cloud::{Catalogue, SizeOffer};
use stagecraft_core::desired::Arch;
use stagecraft_core::name::{Image, Region, Size};

use super::exchange;
use super::query::Query;
use super::wire;

/// What the portable sizes stand for.
const PORTABLE: [(&str, Arch, &str); 6] = [
    ("small", Arch::Amd64, "t3.small"),
    ("medium", Arch::Amd64, "c5.xlarge"),
    ("large", Arch::Amd64, "c5.2xlarge"),
    ("small", Arch::Arm64, "t4g.small"),
    ("medium", Arch::Arm64, "c6g.xlarge"),
    ("large", Arch::Arm64, "c6g.2xlarge"),
];

/// Where Canonical and Debian publish the AMIs of their current releases, in every region. Of several
/// places the first that exists counts: 22.04 was on `gp2` volumes only for long.
const IMAGES: [(&str, &[&str]); 3] = [
    (
        "ubuntu-22.04",
        &[
            "/aws/service/canonical/ubuntu/server/22.04/stable/current/{arch}/hvm/ebs-gp3/ami-id",
            "/aws/service/canonical/ubuntu/server/22.04/stable/current/{arch}/hvm/ebs-gp2/ami-id",
        ],
    ),
    (
        "ubuntu-24.04",
        &["/aws/service/canonical/ubuntu/server/24.04/stable/current/{arch}/hvm/ebs-gp3/ami-id"],
    ),
    ("debian-12", &["/aws/service/debian/release/12/latest/{arch}"]),
];

const ARCHITECTURES: [Arch; 2] = [Arch::Amd64, Arch::Arm64];
/// As many values as a filter takes.
const MOST_VALUES: usize = 200;

/// Where types are sold: by region, by type, in which zones.
pub(super) type Zones = BTreeMap<String, BTreeSet<String>>;

/// What one region offers.
#[derive(Clone, Debug, Default)]
pub(super) struct Offer {
    pub(super) types: BTreeMap<String, Arch>,
    pub(super) zones: Zones,
    pub(super) images: BTreeSet<(Image, Arch)>,
    pub(super) key_pairs: BTreeSet<String>,
}

/// All images that can be asked for.
pub(super) fn images() -> impl Iterator<Item = (Image, Arch)> {
    IMAGES.iter().flat_map(|(name, _)| ARCHITECTURES.map(|arch| (Image::from(*name), arch)))
}

/// The parameters that may hold the AMI of an image, the best first; none of one nobody knows.
pub(super) fn parameters(image: &Image, arch: Arch) -> Vec<String> {
    let known = IMAGES.iter().find(|(name, _)| *name == image.as_str());
    let paths = known.map(|(_, paths)| *paths).unwrap_or_default();
    paths.iter().map(|path| path.replace("{arch}", arch.as_str())).collect()
}

/// Patterns for the types of which more is to be known: there are hundreds, so only the families of
/// the portable sizes and of those that are named are asked for, and these themselves.
pub(super) fn families<'a>(named: impl IntoIterator<Item = &'a Size>) -> Vec<String> {
    let portable = PORTABLE.iter().map(|(_, _, size)| *size);
    let all = portable.chain(named.into_iter().map(Size::as_str));
    let patterns: BTreeSet<String> = all
        .filter_map(|size| Some([size.to_owned(), format!("{}.*", size.split_once('.')?.0)]))
        .flatten()
        .collect();
    patterns.into_iter().take(MOST_VALUES).collect()
}

/// Types of these patterns, with their processors.
pub(super) fn types(patterns: &[String]) -> Query {
    Query::ec2("DescribeInstanceTypes")
        .filtered("instance-type", patterns.iter().map(String::as_str))
        .with("MaxResults", 100)
}

/// In which zones types of these patterns are sold.
pub(super) fn offerings(patterns: &[String]) -> Query {
    Query::ec2("DescribeInstanceTypeOfferings")
        .with("LocationType", "availability-zone")
        .filtered("instance-type", patterns.iter().map(String::as_str))
        .with("MaxResults", 1000)
}

/// The architecture of each type that has one we know.
pub(super) fn architectures(types: &[wire::InstanceType]) -> BTreeMap<String, Arch> {
    let arch = |of: &wire::InstanceType| {
        let known: Vec<Arch> = of
            .processor_info
            .iter()
            .flat_map(|processor| &processor.supported_architectures.items)
            .filter_map(|name| exchange::arch(name))
            .collect();
        known.into_iter().min()
    };
    types.iter().filter_map(|of| Some((of.instance_type.clone(), arch(of)?))).collect()
}

/// The zones of each type.
pub(super) fn zones(offerings: Vec<wire::Offering>) -> Zones {
    let mut zones = Zones::new();
    for offering in offerings {
        zones.entry(offering.instance_type).or_default().insert(offering.location);
    }
    zones
}

/// The catalogue of all regions that are in use. An image or key counts where every region has it: it
/// has a name of its own in each, and hosts may be in all of them.
pub(super) fn catalogue(regions: BTreeSet<Region>, offers: &BTreeMap<Region, Offer>) -> Catalogue {
    let mut sizes: BTreeMap<Size, SizeOffer> = BTreeMap::new();
    for (region, offer) in offers {
        for (name, arch) in &offer.types {
            let size = Size::from(name.as_str());
            let known = sizes.entry(size.clone()).or_insert_with(|| SizeOffer {
                size,
                arch: *arch,
                regions: BTreeMap::new(),
            });
            if offer.zones.get(name).is_some_and(|zones| !zones.is_empty()) {
                // The EC2 API tells no prices.
                known.regions.insert(region.clone(), None);
            }
        }
    }
    let portable = PORTABLE.iter().filter(|(_, _, size)| {
        sizes.get(&Size::from(*size)).is_some_and(|offer| !offer.regions.is_empty())
    });
    let portable_sizes = portable
        .map(|(name, arch, size)| ((Size::from(*name), *arch), [Size::from(*size)].into()))
        .collect();
    let everywhere = |has: &dyn Fn(&Offer) -> bool| !offers.is_empty() && offers.values().all(has);
    let images =
        images().filter(|image| everywhere(&|offer| offer.images.contains(image))).collect();
    let keys = offers.values().flat_map(|offer| offer.key_pairs.iter().cloned());
    let regional_keys =
        offers.iter().map(|(region, offer)| (region.clone(), offer.key_pairs.clone()));
    Catalogue {
        regions,
        sizes: sizes.into_values().collect(),
        portable_sizes,
        images,
        ssh_keys: Some(keys.collect()),
        regional_keys: regional_keys.collect(),
        default_arch: Arch::Amd64,
        spot: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_looked_up_by_parameters_and_jammy_on_two_kinds_of_volumes() {
        let path = |image: &str, arch| parameters(&Image::from(image), arch);
        assert_eq!(
            path("ubuntu-22.04", Arch::Arm64),
            [
                "/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp3/ami-id",
                "/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id",
            ]
        );
        assert_eq!(path("debian-12", Arch::Amd64), ["/aws/service/debian/release/12/latest/amd64"]);
        assert_eq!(path("plan-9", Arch::Amd64), [""; 0]);
    }

    #[test]
    fn families_of_named_and_portable_types_are_asked_for_once() {
        let named = [Size::from("c5.large"), Size::from("m7i.large"), Size::from("small")];
        let patterns = families(&named);
        let families: Vec<&String> = patterns.iter().filter(|of| of.ends_with('*')).collect();
        assert_eq!(families, ["c5.*", "c6g.*", "m7i.*", "t3.*", "t4g.*"]);
        assert!(patterns.contains(&"m7i.large".to_owned()));
        assert_eq!(patterns.len(), families.len() + 8);
    }

    #[test]
    fn a_type_is_offered_where_a_zone_sells_it_and_has_no_price() {
        let offers = offers();
        let regions = ["eu-west-1", "us-east-1"].map(Region::from);
        let catalogue = catalogue(regions.clone().into(), &offers);
        let offer = |size: &str| {
            let found = catalogue.sizes.iter().find(|of| of.size.as_str() == size).unwrap();
            (found.arch, found.regions.clone())
        };
        let both = regions.map(|region| (region, None)).into();
        assert_eq!(offer("t3.small"), (Arch::Amd64, both));
        let one = [("us-east-1".into(), None)].into();
        assert_eq!(offer("t4g.small"), (Arch::Arm64, one));
        assert_eq!(offer("c5.xlarge"), (Arch::Amd64, BTreeMap::new()));
        let portable: Vec<_> = catalogue.portable_sizes.keys().collect();
        let small = Size::from("small");
        assert_eq!(portable, [&(small.clone(), Arch::Amd64), &(small, Arch::Arm64)]);
        assert!(catalogue.spot);
    }

    #[test]
    fn an_image_counts_where_all_regions_have_it_and_a_key_in_its_own() {
        let mut offers = offers();
        let catalogue = catalogue(BTreeSet::new(), &offers);
        assert_eq!(catalogue.ssh_keys, Some(["deploy", "old"].map(str::to_owned).into()));
        let in_west = &catalogue.regional_keys[&"eu-west-1".into()];
        assert_eq!(*in_west, ["deploy".to_owned()].into());
        assert_eq!(catalogue.images.len(), 6);
        offers.values_mut().next().unwrap().images.clear();
        assert!(super::catalogue(BTreeSet::new(), &offers).images.is_empty());
        assert!(super::catalogue(BTreeSet::new(), &BTreeMap::new()).images.is_empty());
    }

    #[test]
    fn a_type_has_the_architecture_that_hosts_can_have() {
        let read = |names: &[&str]| {
            let items: String = names.iter().map(|name| format!("<item>{name}</item>")).collect();
            let text = format!(
                "<a><instanceType>x.y</instanceType><processorInfo><supportedArchitectures>{items}\
                 </supportedArchitectures></processorInfo></a>"
            );
            architectures(&[quick_xml::de::from_str(&text).unwrap()]).remove("x.y")
        };
        assert_eq!(read(&["i386", "x86_64"]), Some(Arch::Amd64));
        assert_eq!(read(&["arm64"]), Some(Arch::Arm64));
        assert_eq!(read(&["x86_64_mac"]), None);
    }

    fn offers() -> BTreeMap<Region, Offer> {
        let zone = |name: &str| BTreeSet::from([name.to_owned()]);
        let types =
            [("t3.small", Arch::Amd64), ("t4g.small", Arch::Arm64), ("c5.xlarge", Arch::Amd64)];
        let types: BTreeMap<_, _> = types.map(|(name, arch)| (name.to_owned(), arch)).into();
        let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let images: BTreeSet<_> = images().collect();
        let east = Offer {
            types: types.clone(),
            zones: [
                ("t3.small".to_owned(), zone("us-east-1a")),
                ("t4g.small".to_owned(), zone("us-east-1b")),
            ]
            .into(),
            images: images.clone(),
            key_pairs: keys(&["deploy", "old"]),
        };
        let west = Offer {
            types,
            zones: [("t3.small".to_owned(), zone("eu-west-1a"))].into(),
            images,
            key_pairs: keys(&["deploy"]),
        };
        [("us-east-1".into(), east), ("eu-west-1".into(), west)].into()
    }
}
