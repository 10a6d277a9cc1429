//! Instance types: their shapes, and where each is sold.

use serde_json::{Value, json};
use stagecraft_core::desired::Arch;

use super::places::Place;

/// One instance type.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) arch: Arch,
    pub(super) cpus: u32,
    memory: u32,
    /// Whether it can be had as a spot instance.
    pub(super) spot: bool,
    /// Whether it is older than what is recommended.
    old: bool,
    sold: Sold,
}

/// Where a type is sold.
#[derive(Clone, Copy, Debug)]
enum Sold {
    Everywhere,
    /// In every zone but these.
    But(&'static [&'static str]),
    /// In these zones only.
    Only(&'static [&'static str]),
}

use Arch::{Amd64, Arm64};
use Sold::{But, Everywhere, Only};

/// Zones without anything of the last years.
const OLD_ZONES: &[&str] = &["us-east-1e"];
/// Zones without processors of that kind.
const NO_ARM: &[&str] = &["us-east-1e", "us-west-2d", "eu-central-1a", "eu-north-1c"];

/// All types, by name.
const TYPES: [Type; 17] = [
    kind("c5.2xlarge", Amd64, 8, 16384, Everywhere),
    kind("c5.large", Amd64, 2, 4096, Everywhere),
    kind("c5.xlarge", Amd64, 4, 8192, But(&["eu-north-1a"])),
    kind("c6g.2xlarge", Arm64, 8, 16384, But(NO_ARM)),
    kind("c6g.xlarge", Arm64, 4, 8192, But(NO_ARM)),
    kind("c7i.xlarge", Amd64, 4, 8192, Only(&["us-east-1a", "us-east-1b", "eu-west-1c"])),
    kind("m5.large", Amd64, 2, 8192, Everywhere),
    kind("m6g.large", Arm64, 2, 8192, But(NO_ARM)),
    kind("p4d.24xlarge", Amd64, 96, 1_179_648, Only(&["us-east-1d", "us-west-2b"])),
    kind("t3.large", Amd64, 2, 8192, But(OLD_ZONES)),
    kind("t3.medium", Amd64, 2, 4096, But(OLD_ZONES)),
    kind("t3.micro", Amd64, 2, 1024, But(OLD_ZONES)),
    kind("t3.small", Amd64, 2, 2048, But(OLD_ZONES)),
    kind("t4g.micro", Arm64, 2, 1024, But(NO_ARM)),
    kind("t4g.nano", Arm64, 2, 512, But(NO_ARM)),
    kind("t4g.small", Arm64, 2, 2048, But(NO_ARM)),
    Type { old: true, spot: false, ..kind("t2.micro", Amd64, 1, 1024, Everywhere) },
];

impl Type {
    /// All of them.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        TYPES.iter()
    }

    /// The type of this name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|kind| kind.name == name)
    }

    /// Whether it is sold in a zone.
    pub(super) fn is_sold_in(&self, zone: &str) -> bool {
        match self.sold {
            Everywhere => true,
            But(zones) => !zones.contains(&zone),
            Only(zones) => zones.contains(&zone),
        }
    }

    /// Where in a region it is sold.
    pub(super) fn zones(&self, place: &Place) -> Vec<String> {
        place.zones().into_iter().filter(|zone| self.is_sold_in(zone)).collect()
    }

    /// The API's words for its architectures, the one we mean first.
    pub(super) fn architectures(&self) -> Vec<&'static str> {
        match (self.arch, self.old) {
            (Amd64, true) => vec!["x86_64", "i386"],
            (Amd64, false) => vec!["x86_64"],
            (Arm64, _) => vec!["arm64"],
        }
    }

    /// As the API shows it.
    pub(super) fn shown(&self) -> Value {
        let bursts = self.name.starts_with('t');
        let threads = if bursts || self.arch == Amd64 { 2 } else { 1 };
        let threads = if self.arch == Arm64 { 1 } else { threads.min(self.cpus) };
        let usage: &[&str] = if self.spot { &["on-demand", "spot"] } else { &["on-demand"] };
        json!({
            "instanceType": self.name,
            "currentGeneration": !self.old,
            "freeTierEligible": self.name.ends_with(".micro"),
            "supportedUsageClasses": usage,
            "supportedRootDeviceTypes": ["ebs"],
            "supportedVirtualizationTypes": ["hvm"],
            "bareMetal": false,
            "hypervisor": if self.old { "xen" } else { "nitro" },
            "processorInfo": {
                "supportedArchitectures": self.architectures(),
                "sustainedClockSpeedInGhz": 2.5,
                "manufacturer": if self.arch == Arm64 { "AWS" } else { "Intel" },
            },
            "vCpuInfo": {
                "defaultVCpus": self.cpus,
                "defaultCores": self.cpus / threads,
                "defaultThreadsPerCore": threads,
            },
            "memoryInfo": { "sizeInMiB": self.memory },
            "instanceStorageSupported": false,
            "ebsInfo": { "ebsOptimizedSupport": "default", "encryptionSupport": "supported" },
            "networkInfo": {
                "networkPerformance": "Up to 5 Gigabit",
                "maximumNetworkInterfaces": 3,
                "ipv6Supported": true,
                "enaSupport": if self.old { "unsupported" } else { "required" },
            },
            "hibernationSupported": false,
            "burstablePerformanceSupported": bursts,
            "dedicatedHostsSupported": false,
            "autoRecoverySupported": true,
            "supportedBootModes": ["uefi"],
        })
    }
}

const fn kind(name: &'static str, arch: Arch, cpus: u32, memory: u32, sold: Sold) -> Type {
    Type { name, arch, cpus, memory, spot: true, old: false, sold }
}
