//! What instances are to be made of, as an order or a launch template says it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::params::Params;
use super::problem::Problem;
use super::tag_words::specifications;
use crate::world::Labels;

/// The most bytes of user data, before they are encoded.
const USER_DATA: usize = 16 * 1024;
/// What can be tagged by an order.
const TAGGABLE: [&str; 4] = ["instance", "volume", "network-interface", "spot-instances-request"];

/// What is said of instances; `None` where nothing is.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) image: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) key: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) subnet: Option<String>,
    /// The ids of security groups, and names of those in the default network.
    pub(super) groups: Vec<String>,
    pub(super) group_names: Vec<String>,
    pub(super) interface: Option<Interface>,
    /// Decoded.
    pub(super) user_data: Option<String>,
    pub(super) spot: Option<bool>,
    pub(super) persistent: bool,
    pub(super) protected: Option<bool>,
    pub(super) needs_metadata_token: Option<bool>,
    pub(super) disks: Vec<(String, Option<u32>)>,
    pub(super) tags: BTreeMap<String, Labels>,
}

/// The network interface of an instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Interface {
    pub(super) subnet: Option<String>,
    pub(super) groups: Vec<String>,
    pub(super) public: Option<bool>,
}

impl Spec {
    /// Takes it from an order or the data of a template.
    ///
    /// # Errors
    /// Something cannot be, whatever there is in the account.
    pub(super) fn take(params: &mut Params) -> Result<Self, Problem> {
        let mut spec = Self {
            image: params.text("ImageId")?,
            kind: params.text("InstanceType")?,
            key: params.text("KeyName")?,
            subnet: params.text("SubnetId")?,
            groups: params.texts("SecurityGroupId")?,
            group_names: params.texts("SecurityGroup")?,
            interface: interface(params)?,
            user_data: params.text("UserData")?.map(|data| decoded(&data)).transpose()?,
            protected: params.flag("DisableApiTermination")?,
            disks: disks(params)?,
            tags: specifications(params, &TAGGABLE)?,
            ..Self::default()
        };
        spec.take_groups(params)?;
        spec.check()?;
        Ok(spec)
    }

    /// Takes what is told in structures of its own.
    fn take_groups(&mut self, params: &mut Params) -> Result<(), Problem> {
        let mut placement = params.group("Placement");
        self.zone = placement.text("AvailabilityZone")?;
        placement.word("Tenancy", &["default"])?;
        placement.finish()?;

        let mut metadata = params.group("MetadataOptions");
        let tokens = metadata.word("HttpTokens", &["optional", "required"])?;
        self.needs_metadata_token = tokens.map(|word| word == "required");
        metadata.word("HttpEndpoint", &["enabled", "disabled"])?;
        metadata.word("HttpProtocolIpv6", &["enabled", "disabled"])?;
        metadata.word("InstanceMetadataTags", &["enabled", "disabled"])?;
        let hops = metadata.number("HttpPutResponseHopLimit")?;
        if hops.is_some_and(|hops| !(1..=64).contains(&hops)) {
            let name = "MetadataOptions.HttpPutResponseHopLimit";
            return Err(Problem::invalid(name, "it must be between 1 and 64"));
        }
        metadata.finish()?;

        let mut market = params.group("InstanceMarketOptions");
        self.spot = market.word("MarketType", &["spot"])?.map(|_| true);
        let mut spot = market.group("SpotOptions");
        if !spot.is_empty() && self.spot.is_none() {
            return Err(Problem::missing("InstanceMarketOptions.MarketType"));
        }
        let kind = spot.word("SpotInstanceType", &["one-time", "persistent"])?;
        self.persistent = kind.is_some_and(|kind| kind == "persistent");
        let behaviour = ["terminate", "stop", "hibernate"];
        let behaviour = spot.word("InstanceInterruptionBehavior", &behaviour)?;
        if behaviour.is_some_and(|word| word != "terminate") && !self.persistent {
            let message = "Interruption behavior other than terminate needs a persistent request";
            return Err(Problem::combination(message));
        }
        let price = spot.text("MaxPrice")?;
        if price.is_some_and(|price| price.parse::<f64>().is_ok_and(|price| price <= 0.0)) {
            return Err(Problem::new(400, "SpotMaxPriceTooLow", "The maximum price is too low."));
        }
        spot.finish()?;
        market.finish()?;

        let mut monitoring = params.group("Monitoring");
        monitoring.flag("Enabled")?;
        monitoring.finish()?;
        let mut credit = params.group("CreditSpecification");
        credit.word("CpuCredits", &["standard", "unlimited"])?;
        credit.finish()?;
        params.word("InstanceInitiatedShutdownBehavior", &["stop", "terminate"])?;
        params.flag("EbsOptimized")?;
        Ok(())
    }

    /// What goes together and what does not.
    fn check(&self) -> Result<(), Problem> {
        if self.interface.is_some() {
            let together = |what| {
                let message = format!(
                    "Network interfaces and an instance-level {what} may not be specified on the \
                     same request"
                );
                Err(Problem::combination(message))
            };
            if self.subnet.is_some() {
                return together("subnet ID");
            }
            if !self.groups.is_empty() || !self.group_names.is_empty() {
                return together("security groups");
            }
        }
        Ok(())
    }

    /// This, and what `base` says where this says nothing.
    pub(super) fn over(self, base: Self) -> Self {
        let list = |own: Vec<String>, base: Vec<String>| if own.is_empty() { base } else { own };
        let placed = self.subnet.is_some() || self.interface.is_some();
        Self {
            image: self.image.or(base.image),
            kind: self.kind.or(base.kind),
            key: self.key.or(base.key),
            zone: self.zone.or(base.zone),
            groups: list(self.groups, base.groups),
            group_names: list(self.group_names, base.group_names),
            interface: self.interface.or_else(|| base.interface.filter(|_| !placed)),
            subnet: self.subnet.or_else(|| base.subnet.filter(|_| !placed)),
            user_data: self.user_data.or(base.user_data),
            spot: self.spot.or(base.spot),
            persistent: self.persistent || base.persistent,
            protected: self.protected.or(base.protected),
            needs_metadata_token: self.needs_metadata_token.or(base.needs_metadata_token),
            disks: if self.disks.is_empty() { base.disks } else { self.disks },
            tags: base.tags.into_iter().chain(self.tags).collect(),
        }
    }
}

fn interface(params: &mut Params) -> Result<Option<Interface>, Problem> {
    let mut interfaces = params.list("NetworkInterface")?;
    if interfaces.len() > 1 {
        return Err(Problem::combination("Only one network interface is emulated"));
    }
    let Some(mut given) = interfaces.pop() else { return Ok(None) };
    let index = given.number("DeviceIndex")?;
    let interface = Interface {
        subnet: given.text("SubnetId")?,
        groups: given.texts("SecurityGroupId")?,
        public: given.flag("AssociatePublicIpAddress")?,
    };
    given.flag("DeleteOnTermination")?;
    given.text("Description")?;
    given.finish()?;
    match index {
        None => Err(Problem::missing("NetworkInterface.1.DeviceIndex")),
        Some(0) => Ok(Some(interface)),
        Some(_) => Err(Problem::combination(
            "The first network interface of an instance must have device index 0",
        )),
    }
}

/// The disks by device, with their sizes in gigabytes.
fn disks(params: &mut Params) -> Result<Vec<(String, Option<u32>)>, Problem> {
    let mut disks = Vec::new();
    for mut mapping in params.list("BlockDeviceMapping")? {
        let device = mapping.required("DeviceName")?;
        let mut ebs = mapping.group("Ebs");
        let size = ebs.number("VolumeSize")?;
        ebs.word("VolumeType", &["standard", "io1", "io2", "gp2", "gp3", "sc1", "st1"])?;
        ebs.flag("DeleteOnTermination")?;
        ebs.flag("Encrypted")?;
        ebs.number("Iops")?;
        ebs.number("Throughput")?;
        ebs.finish()?;
        mapping.finish()?;
        disks.push((device, size));
    }
    Ok(disks)
}

fn decoded(encoded: &str) -> Result<String, Problem> {
    let data = STANDARD.decode(encoded).map_err(|_| {
        let message = "Invalid BASE64 encoding of user data.";
        Problem::new(400, "InvalidUserData.Malformed", message)
    })?;
    if data.len() > USER_DATA {
        let message = format!("User data is limited to {USER_DATA} bytes");
        return Err(Problem::new(400, "InvalidParameterValue", message));
    }
    Ok(String::from_utf8_lossy(&data).into_owned())
}
