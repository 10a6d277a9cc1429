//! What there is to order, and where: types, images, key pairs, zones, regions, networks.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stagecraft_core::cloud::{Catalogue, SizeOffer};
use stagecraft_core::desired::Arch;

use super::filters::{Filters, facets};
use super::images::Image;
use super::paging::Page;
use super::params::Params;
use super::places::Place;
use super::problem::Problem;
use super::turn::{Done, Turn};
use super::types::Type;

/// The most entries of a page of types.
const TYPES: u32 = 100;
/// The most entries of any other page.
const MOST: u32 = 1000;

impl Turn<'_> {
    /// `DescribeInstanceTypes`: those sold somewhere in the region.
    pub(super) fn describe_types(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(
            &mut params,
            &[
                "current-generation",
                "instance-type",
                "processor-info.supported-architecture",
                "supported-usage-class",
            ],
        )?;
        let names = params.texts("InstanceType")?;
        let page = Page::take(&mut params, TYPES)?.of_named(&[&names]);
        self.finish(params)?;
        self.ask_catalogue()?;
        if !names.is_empty() && page.is_sized() {
            let message = "The parameter InstanceType cannot be used with MaxResults";
            return Err(Problem::combination(message).into());
        }
        let sold: Vec<&Type> =
            Type::all().filter(|kind| !kind.zones(self.place).is_empty()).collect();
        let unknown: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| !sold.iter().any(|kind| kind.name == *name))
            .collect();
        if !unknown.is_empty() {
            let message = format!(
                "The following supplied instance types do not exist: [{}]",
                unknown.join(", ")
            );
            return Err(Problem::new(400, "InvalidInstanceType", message).into());
        }
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut shown: Vec<Value> = sold
            .into_iter()
            .filter(|kind| names.is_empty() || names.iter().any(|name| name == kind.name))
            .map(|kind| (kind, kind.shown()))
            .filter(|(kind, shown)| {
                let usage: &[&str] =
                    if kind.spot { &["on-demand", "spot"] } else { &["on-demand"] };
                filters.pick(&facets([
                    ("current-generation", vec![shown["currentGeneration"].to_string()]),
                    ("instance-type", vec![kind.name.to_owned()]),
                    ("processor-info.supported-architecture", words(&kind.architectures())),
                    ("supported-usage-class", words(usage)),
                ]))
            })
            .map(|(_, shown)| shown)
            .collect();
        if self.account.habits.novelties {
            for kind in &mut shown {
                kind["novelty"] = json!({ "since": 2031 });
            }
        }
        self.paged(&page, "instanceTypeSet", shown)
    }

    /// `DescribeInstanceTypeOfferings`.
    pub(super) fn describe_offerings(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(&mut params, &["instance-type", "location"])?;
        let kinds = ["region", "availability-zone", "availability-zone-id"];
        let kind = params.word("LocationType", &kinds)?;
        let page = Page::take(&mut params, MOST)?;
        self.finish(params)?;
        self.ask_catalogue()?;
        let kind = kind.as_deref().unwrap_or("region");
        let locations = |sold: Vec<String>| match (kind, sold.is_empty()) {
            ("availability-zone", _) => sold,
            ("availability-zone-id", _) => {
                sold.iter().map(|zone| self.place.zone_id(zone)).collect()
            }
            (_, true) => Vec::new(),
            (_, false) => vec![self.place.region.to_owned()],
        };
        let mut shown = Vec::new();
        for sold in Type::all() {
            for location in locations(sold.zones(self.place)) {
                let seen = facets([
                    ("instance-type", vec![sold.name.to_owned()]),
                    ("location", vec![location.clone()]),
                ]);
                if filters.pick(&seen) {
                    shown.push(json!({
                        "instanceType": sold.name, "locationType": kind, "location": location,
                    }));
                }
            }
        }
        self.paged(&page, "instanceTypeOfferingSet", shown)
    }

    /// `DescribeImages`.
    pub(super) fn describe_images(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(
            &mut params,
            &[
                "architecture",
                "image-id",
                "name",
                "owner-id",
                "root-device-type",
                "state",
                "virtualization-type",
            ],
        )?;
        let (ids, owners) = (params.texts("ImageId")?, params.texts("Owner")?);
        params.flag("IncludeDeprecated")?;
        let page = Page::take(&mut params, MOST)?.of_named(&[&ids]);
        self.finish(params)?;
        self.ask_catalogue()?;
        let all = Image::all(self.place.region);
        let missing: Vec<&str> = ids
            .iter()
            .map(String::as_str)
            .filter(|id| !all.iter().any(|image| image.id() == *id))
            .collect();
        if !missing.is_empty() {
            let message = format!("The image id '[{}]' does not exist", missing.join(", "));
            return Err(Problem::new(400, "InvalidAMIID.NotFound", message).into());
        }
        let shown: Vec<Value> = all
            .into_iter()
            .filter(|image| ids.is_empty() || ids.contains(&image.id()))
            .filter(|image| owners.is_empty() || owners.iter().any(|of| of == image.owner()))
            .map(|image| (image.owner(), image.shown()))
            .filter(|(owner, shown)| {
                let of = |name: &str| vec![shown[name].as_str().unwrap_or_default().to_owned()];
                filters.pick(&facets([
                    ("architecture", of("architecture")),
                    ("image-id", of("imageId")),
                    ("name", of("name")),
                    ("owner-id", vec![(*owner).to_owned()]),
                    ("root-device-type", of("rootDeviceType")),
                    ("state", of("imageState")),
                    ("virtualization-type", of("virtualizationType")),
                ]))
            })
            .map(|(_, shown)| shown)
            .collect();
        self.paged(&page, "imagesSet", shown)
    }

    /// `DescribeKeyPairs`.
    pub(super) fn describe_keys(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(&mut params, &["fingerprint", "key-name", "key-pair-id"])?;
        let (names, ids) = (params.texts("KeyName")?, params.texts("KeyPairId")?);
        let with_key = params.flag("IncludePublicKey")? == Some(true);
        self.finish(params)?;
        self.ask_catalogue()?;
        let keys = self.account.keys.all();
        if let Some(name) = names.iter().find(|name| !keys.iter().any(|key| key.name == **name)) {
            return Err(Problem::not_found("InvalidKeyPair.NotFound", "key pair", name).into());
        }
        if let Some(id) = ids.iter().find(|id| !keys.iter().any(|key| key.id() == **id)) {
            return Err(Problem::not_found("InvalidKeyPair.NotFound", "key pair", id).into());
        }
        let asked = |key: &super::account::Key| {
            (names.is_empty() && ids.is_empty())
                || names.contains(&key.name)
                || ids.contains(&key.id())
        };
        let picked = |key: &super::account::Key| {
            filters.pick(&facets([
                ("fingerprint", vec![key.fingerprint()]),
                ("key-name", vec![key.name.clone()]),
                ("key-pair-id", vec![key.id()]),
            ]))
        };
        let shown: Vec<Value> = keys
            .iter()
            .filter(|key| asked(key) && picked(key))
            .map(|key| key.shown(with_key))
            .collect();
        Ok(json!({ "keySet": shown }))
    }

    /// `DescribeAvailabilityZones`.
    pub(super) fn describe_zones(&mut self, mut params: Params) -> Done {
        let known = ["opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"];
        let filters = Filters::take(&mut params, &known)?;
        let names = params.texts("ZoneName")?;
        params.flag("AllAvailabilityZones")?;
        self.finish(params)?;
        self.ask_catalogue()?;
        let zones = self.place.zones();
        if let Some(unknown) = names.iter().find(|name| !zones.contains(name)) {
            let message = format!("Invalid availability zone: [{unknown}]");
            return Err(Problem::new(400, "InvalidParameterValue", message).into());
        }
        let shown: Vec<Value> = zones
            .iter()
            .filter(|zone| names.is_empty() || names.contains(zone))
            .map(|zone| self.place.zone_shown(zone))
            .filter(|shown| {
                let of = |name: &str| vec![shown[name].as_str().unwrap_or_default().to_owned()];
                filters.pick(&facets([
                    ("opt-in-status", of("optInStatus")),
                    ("region-name", of("regionName")),
                    ("state", of("zoneState")),
                    ("zone-id", of("zoneId")),
                    ("zone-name", of("zoneName")),
                    ("zone-type", of("zoneType")),
                ]))
            })
            .collect();
        Ok(json!({ "availabilityZoneInfo": shown }))
    }

    /// `DescribeRegions`: those the account may use, or all.
    pub(super) fn describe_regions(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(&mut params, &["opt-in-status", "region-name"])?;
        let names = params.texts("RegionName")?;
        let all = params.flag("AllRegions")? == Some(true);
        self.finish(params)?;
        self.ask_catalogue()?;
        if let Some(unknown) = names.iter().find(|name| Place::find(name).is_none()) {
            let message = format!("Invalid region names provided: {unknown}");
            return Err(Problem::new(400, "InvalidParameterValue", message).into());
        }
        let shown: Vec<Value> = Place::all()
            .filter(|place| all || place.opted_in)
            .filter(|place| names.is_empty() || names.iter().any(|name| name == place.region))
            .map(Place::shown)
            .filter(|shown| {
                let of = |name: &str| vec![shown[name].as_str().unwrap_or_default().to_owned()];
                filters.pick(&facets([
                    ("opt-in-status", of("optInStatus")),
                    ("region-name", of("regionName")),
                ]))
            })
            .collect();
        Ok(json!({ "regionInfo": shown }))
    }
}

/// All that is sold, as a world keeps it.
pub(super) fn offer() -> Catalogue {
    let regions = || Place::all().filter(|place| place.opted_in);
    let sizes = Type::all().map(|kind| SizeOffer {
        size: kind.name.into(),
        arch: kind.arch,
        regions: regions()
            .filter(|place| !kind.zones(place).is_empty())
            .map(|place| (place.region.into(), None))
            .collect(),
    });
    Catalogue {
        regions: regions().map(|place| place.region.into()).collect(),
        sizes: sizes.collect(),
        portable_sizes: BTreeMap::new(),
        images: Image::all("us-east-1")
            .into_iter()
            .map(|image| (image.key().into(), image.arch))
            .collect(),
        ssh_keys: None,
        regional_keys: [].into(),
        limits: [].into(),
        default_arch: Arch::Amd64,
        spot: true,
    }
}
