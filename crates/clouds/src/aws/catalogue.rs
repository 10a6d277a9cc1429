//! What can be ordered: instance types by region, images by their public parameters, key pairs.

use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::cloud::{Catalogue, Limit, SizeOffer};
use stagecraft_core::desired::Arch;
use stagecraft_core::name::{Image, Region, Size};
use stagecraft_core::words::listed;

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
    /// The subnets that hosts may be in.
    pub(super) subnets: Vec<wire::Subnet>,
}

/// What to do in a region without a subnet for hosts.
pub(super) fn no_subnet(subnet_id: Option<&str>, region: &Region) -> (String, String) {
    match subnet_id {
        Some(id) => (
            format!("there is no subnet `{id}` in `{region}`"),
            format!(
                "a subnet belongs to a region: change `subnet_id`, or the `region` of the host; \
                 `aws ec2 describe-subnets --region {region}` lists those there"
            ),
        ),
        None => (
            format!("`{region}` has no default VPC"),
            format!(
                "give the `subnet_id` of a subnet there, or make a default VPC by \
                 `aws ec2 create-default-vpc --region {region}`"
            ),
        ),
    }
}

/// What the subnets leave of a region.
fn limit(subnet_id: Option<&str>, region: &Region, offer: &Offer) -> Option<Limit> {
    if offer.subnets.is_empty() {
        let (why, hint) = no_subnet(subnet_id, region);
        return Some(Limit::Closed { why: format!("nothing can be ordered: {why}"), hint });
    }
    let zones = offer.usable_zones();
    let left = |sold: &BTreeSet<String>| sold.iter().any(|zone| zones.contains(zone.as_str()));
    let removed = offer.zones.iter().filter(|(_, sold)| !sold.is_empty() && !left(sold));
    let sizes: BTreeSet<Size> = removed.map(|(name, _)| Size::from(name.as_str())).collect();
    if sizes.is_empty() {
        return None;
    }
    let zones = listed(&zones, "and");
    let hint = match subnet_id {
        Some(id) => format!("`subnet_id: {id}` is in the zone {zones}, which does not sell it"),
        None => format!("only the zones {zones} count, where there are default subnets"),
    };
    Some(Limit::Narrowed { sizes, hint })
}

impl Offer {
    /// The zones that have a subnet for hosts.
    fn usable_zones(&self) -> BTreeSet<&str> {
        self.subnets.iter().map(|subnet| subnet.availability_zone.as_str()).collect()
    }
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
pub(super) fn catalogue(
    regions: BTreeSet<Region>,
    offers: &BTreeMap<Region, Offer>,
    subnet_id: Option<&str>,
) -> Catalogue {
    let mut sizes: BTreeMap<Size, SizeOffer> = BTreeMap::new();
    let mut sold: BTreeSet<&str> = BTreeSet::new();
    for (region, offer) in offers {
        let usable = offer.usable_zones();
        for (name, arch) in &offer.types {
            let size = Size::from(name.as_str());
            let known = sizes.entry(size.clone()).or_insert_with(|| SizeOffer {
                size,
                arch: *arch,
                regions: BTreeMap::new(),
            });
            let Some(zones) = offer.zones.get(name).filter(|zones| !zones.is_empty()) else {
                continue;
            };
            sold.insert(name);
            if zones.iter().any(|zone| usable.contains(zone.as_str())) {
                // The EC2 API tells no prices.
                known.regions.insert(region.clone(), None);
            }
        }
    }
    let portable = PORTABLE.iter().filter(|(_, _, size)| sold.contains(size));
    let portable_sizes = portable
        .map(|(name, arch, size)| ((Size::from(*name), *arch), [Size::from(*size)].into()))
        .collect();
    let everywhere = |has: &dyn Fn(&Offer) -> bool| !offers.is_empty() && offers.values().all(has);
    let images =
        images().filter(|image| everywhere(&|offer| offer.images.contains(image))).collect();
    let keys = offers.values().flat_map(|offer| offer.key_pairs.iter().cloned());
    let regional_keys =
        offers.iter().map(|(region, offer)| (region.clone(), offer.key_pairs.clone()));
    let limits = offers
        .iter()
        .filter_map(|(region, offer)| Some((region.clone(), limit(subnet_id, region, offer)?)));
    Catalogue {
        regions,
        sizes: sizes.into_values().collect(),
        portable_sizes,
        images,
        ssh_keys: Some(keys.collect()),
        regional_keys: regional_keys.collect(),
        limits: limits.collect(),
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
        let catalogue = catalogue(regions.clone().into(), &offers, None);
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
        let catalogue = catalogue(BTreeSet::new(), &offers, None);
        assert_eq!(catalogue.ssh_keys, Some(["deploy", "old"].map(str::to_owned).into()));
        let in_west = &catalogue.regional_keys[&"eu-west-1".into()];
        assert_eq!(*in_west, ["deploy".to_owned()].into());
        assert_eq!(catalogue.images.len(), 6);
        offers.values_mut().next().unwrap().images.clear();
        assert!(super::catalogue(BTreeSet::new(), &offers, None).images.is_empty());
        assert!(super::catalogue(BTreeSet::new(), &BTreeMap::new(), None).images.is_empty());
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

    #[test]
    fn only_the_zones_of_usable_subnets_count() {
        let mut offers = offers();
        let east = Region::from("us-east-1");
        let catalogue =
            |offers: &_, subnet_id| super::catalogue([east.clone()].into(), offers, subnet_id);
        assert_eq!(catalogue(&offers, None).limits, BTreeMap::new());
        offers.get_mut(&east).unwrap().subnets.pop();
        let narrowed = catalogue(&offers, Some("subnet-1"));
        let hint = "`subnet_id: subnet-1` is in the zone `us-east-1a`, which does not sell it";
        let sizes = [Size::from("t4g.small")].into();
        let limit = Limit::Narrowed { sizes, hint: hint.to_owned() };
        assert_eq!(narrowed.limits[&east], limit, "`c5.xlarge` is sold in no zone");
        let arm = narrowed.sizes.iter().find(|of| of.size.as_str() == "t4g.small").unwrap();
        assert!(!arm.regions.contains_key(&east), "{arm:?}");
        let small = (Size::from("small"), Arch::Arm64);
        assert!(narrowed.portable_sizes.contains_key(&small), "it is known all the same");
        offers.get_mut(&east).unwrap().zones.remove("t4g.small");
        assert_eq!(catalogue(&offers, None).limits, BTreeMap::new(), "nothing is removed");
    }

    #[test]
    fn a_region_without_a_usable_subnet_is_closed() {
        let mut offers = offers();
        let east = Region::from("us-east-1");
        offers.get_mut(&east).unwrap().subnets.clear();
        let told = |subnet_id| match &super::catalogue(BTreeSet::new(), &offers, subnet_id).limits
            [&east]
        {
            Limit::Closed { why, hint } => (why.clone(), hint.clone()),
            Limit::Narrowed { hint, .. } => panic!("{hint}"),
        };
        let (why, hint) = told(Some("subnet-1"));
        assert_eq!(why, "nothing can be ordered: there is no subnet `subnet-1` in `us-east-1`");
        assert!(!hint.contains("create-default-vpc"), "{hint}");
        let (why, hint) = told(None);
        assert_eq!(why, "nothing can be ordered: `us-east-1` has no default VPC");
        assert!(hint.contains("`aws ec2 create-default-vpc --region us-east-1`"), "{hint}");
    }

    fn subnet(zone: &str) -> wire::Subnet {
        wire::Subnet {
            subnet_id: format!("subnet-{zone}"),
            vpc_id: "vpc-1".to_owned(),
            availability_zone: zone.to_owned(),
        }
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
            subnets: ["us-east-1a", "us-east-1b"].map(subnet).into(),
        };
        let west = Offer {
            types,
            zones: [("t3.small".to_owned(), zone("eu-west-1a"))].into(),
            images,
            key_pairs: keys(&["deploy"]),
            subnets: [subnet("eu-west-1a")].into(),
        };
        [("us-east-1".into(), east), ("eu-west-1".into(), west)].into()
    }
}
