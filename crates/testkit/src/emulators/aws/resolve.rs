//! From what an order says to what can be launched: the names in it are looked up.

use super::account::Key;
use super::images::{Image, SMALLEST_DISK};
use super::network::Subnet;
use super::problem::Problem;
use super::spec::Spec;
use super::turn::Turn;
use super::types::Type;

/// An order that can be carried out, if there is room.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) spec: Spec,
    pub(super) kind: &'static Type,
    pub(super) image: Image,
    pub(super) key: Option<Key>,
    /// Where it may be, in order of preference.
    pub(super) subnets: Vec<Subnet>,
    /// Whether somebody said in which zone.
    pub(super) zoned: bool,
    /// The ids of its security groups.
    pub(super) groups: Vec<String>,
    pub(super) spot: bool,
}

impl Turn<'_> {
    /// Looks up what an order names.
    ///
    /// # Errors
    /// Something is missing, does not exist, or does not go with the rest.
    pub(super) fn resolve(&self, spec: Spec) -> Result<Launch, Problem> {
        let image = self.image(spec.image.as_deref())?;
        let name = spec.kind.as_deref().ok_or_else(|| Problem::missing("InstanceType"))?;
        let kind = Type::find(name).ok_or_else(|| {
            let message = format!("Invalid value '{name}' for InstanceType.");
            Problem::new(400, "InvalidParameterValue", message)
        })?;
        if !kind.architectures().contains(&image.architecture()) {
            let message = format!(
                "The architecture '{}' of the specified instance type does not match the \
                 architecture '{}' of the specified AMI. Specify an instance type and an AMI that \
                 have matching architectures, and try again.",
                kind.architectures().join(","),
                image.architecture()
            );
            return Err(Problem::new(400, "InvalidParameterValue", message));
        }
        let spot = spec.spot == Some(true);
        if spot && !kind.spot {
            let message = format!("The instance type {name} is not offered as a spot instance.");
            return Err(Problem::new(400, "Unsupported", message));
        }
        if !spot && spec.tags.contains_key("spot-instances-request") {
            let message = "'spot-instances-request' can be tagged only where one is made.";
            return Err(Problem::combination(message));
        }
        let key = spec.key.as_deref().map(|name| self.key(name)).transpose()?;
        let subnets = self.candidates(&spec)?;
        let groups = self.groups(&spec, &subnets)?;
        let zoned = spec.zone.is_some() || subnets.iter().any(|one| Some(&one.id) == subnet(&spec));
        check_disks(&spec, image)?;
        Ok(Launch { kind, image, key, subnets, zoned, groups, spot, spec })
    }

    fn image(&self, id: Option<&str>) -> Result<Image, Problem> {
        let id = id.ok_or_else(|| Problem::missing("ImageId"))?;
        let region = self.place.region;
        if let Some(parameter) = id.strip_prefix("resolve:ssm:") {
            return Image::of_parameter(region, parameter).ok_or_else(|| {
                let message = format!("The parameter '{parameter}' does not exist");
                Problem::new(400, "InvalidAMIID.NotFound", message)
            });
        }
        let digits = id.strip_prefix("ami-").unwrap_or_default();
        let well_formed = [8, 17].contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase());
        if !well_formed {
            let message = format!("Invalid id: \"{id}\" (expecting \"ami-...\")");
            return Err(Problem::new(400, "InvalidAMIID.Malformed", message));
        }
        Image::find(region, id).ok_or_else(|| {
            let message = format!("The image id '[{id}]' does not exist");
            Problem::new(400, "InvalidAMIID.NotFound", message)
        })
    }

    fn key(&self, name: &str) -> Result<Key, Problem> {
        let known = self.account.keys.find(name).cloned();
        known.ok_or_else(|| Problem::not_found("InvalidKeyPair.NotFound", "key pair", name))
    }

    /// Where an instance may be.
    fn candidates(&self, spec: &Spec) -> Result<Vec<Subnet>, Problem> {
        if let Some(zone) = spec
            .zone
            .as_deref()
            .filter(|zone| !self.place.zones().iter().any(|known| known == zone))
        {
            let message = format!("Invalid availability zone: [{zone}]");
            return Err(Problem::new(400, "InvalidParameterValue", message));
        }
        let fits = |subnet: &Subnet| spec.zone.as_ref().is_none_or(|zone| subnet.zone == *zone);
        if let Some(id) = subnet(spec) {
            let found = self.subnets().into_iter().find(|known| known.id == *id);
            let found = found.ok_or_else(|| {
                let message = format!("The subnet ID '{id}' does not exist");
                Problem::new(400, "InvalidSubnetID.NotFound", message)
            })?;
            if !fits(&found) {
                let message = format!(
                    "The availability zone of the subnet '{id}' is {}, not the one asked for",
                    found.zone
                );
                return Err(Problem::new(400, "InvalidParameterValue", message));
            }
            return Ok(vec![found]);
        }
        let defaults = self.subnets().into_iter().filter(|subnet| subnet.is_default);
        let found: Vec<Subnet> = defaults.filter(fits).collect();
        if found.is_empty() {
            let message = "No default VPC for this user. Specify a subnet.";
            return Err(Problem::new(400, "VPCIdNotSpecified", message));
        }
        Ok(found)
    }

    /// The security groups, which must be in the network of the instance.
    fn groups(&self, spec: &Spec, subnets: &[Subnet]) -> Result<Vec<String>, Problem> {
        let vpc = subnets.first().map(|subnet| subnet.vpc.as_str()).unwrap_or_default();
        let of_interface = spec.interface.as_ref().map(|interface| &interface.groups);
        let ids = of_interface.unwrap_or(&spec.groups);
        let missing =
            |what: &str| Problem::not_found("InvalidGroup.NotFound", "security group", what);
        let mut groups = Vec::new();
        for id in ids {
            let group = self.account.groups.find(self.place.region, id);
            let group = group.ok_or_else(|| missing(id))?;
            if group.vpc != vpc {
                let message = format!(
                    "Security group {id} and subnet {} belong to different networks.",
                    subnets.first().map(|subnet| subnet.id.as_str()).unwrap_or_default()
                );
                return Err(Problem::new(400, "InvalidParameter", message));
            }
            groups.push(id.clone());
        }
        for name in &spec.group_names {
            let group = self.account.groups.named(vpc, name);
            groups.push(group.ok_or_else(|| missing(name))?.id.clone());
        }
        if groups.is_empty() {
            groups.extend(self.account.groups.named(vpc, "default").map(|group| group.id.clone()));
        }
        Ok(groups)
    }
}

/// The subnet somebody named.
fn subnet(spec: &Spec) -> Option<&String> {
    let of_interface = spec.interface.as_ref().and_then(|interface| interface.subnet.as_ref());
    of_interface.or(spec.subnet.as_ref())
}

/// The root disk must hold the image, and any other must be of some size.
fn check_disks(spec: &Spec, image: Image) -> Result<(), Problem> {
    for (device, size) in &spec.disks {
        let message = match size {
            Some(size) if device == image.root_device() && *size < SMALLEST_DISK => {
                format!(
                    "Volume of size {size}GB is smaller than snapshot, expect size >= \
                     {SMALLEST_DISK}GB"
                )
            }
            None if device != image.root_device() => {
                format!("The device '{device}' needs a size or a snapshot")
            }
            Some(_) | None => continue,
        };
        return Err(Problem::new(400, "InvalidBlockDeviceMapping", message));
    }
    Ok(())
}
