//! An instance as the API shows it.

use serde_json::{Value, json};
use stagecraft_core::desired::Arch;
use stagecraft_core::inventory::Lifecycle;

use super::account::{Reason, Record};
use super::filters::{Facets, add_tags, facets};
use super::ids;
use super::network::ACCOUNT;
use super::tag_words::{attached, shown};
use super::turn::{Turn, stamp};
use crate::emulators::ids::number;
use crate::world::Seen;

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl State {
    /// Every word there is.
    pub(super) const WORDS: [&'static str; 6] =
        ["pending", "running", "shutting-down", "terminated", "stopping", "stopped"];

    /// The API's code and word.
    pub(super) fn words(self) -> (u16, &'static str) {
        match self {
            Self::Pending => (0, "pending"),
            Self::Running => (16, "running"),
            Self::ShuttingDown => (32, "shutting-down"),
            Self::Terminated => (48, "terminated"),
            Self::Stopping => (64, "stopping"),
            Self::Stopped => (80, "stopped"),
        }
    }

    /// As the API shows it.
    pub(super) fn shown(self) -> Value {
        let (code, name) = self.words();
        json!({ "code": code, "name": name })
    }
}

impl Turn<'_> {
    /// Where an instance is in its life.
    pub(super) fn state(&self, seen: &Seen) -> State {
        let record = self.account.record(seen);
        match seen.lifecycle {
            Lifecycle::Terminated | Lifecycle::Failed => State::Terminated,
            Lifecycle::Terminating => State::ShuttingDown,
            Lifecycle::Stopped => {
                let stopping = self.world.with(|world, _| world.behaviour().shutdown);
                let over = |since| stopping.passed(since, self.moment());
                if record.stopped.is_none_or(over) { State::Stopped } else { State::Stopping }
            }
            Lifecycle::Pending if !seen.booted => State::Pending,
            Lifecycle::Pending | Lifecycle::Running => State::Running,
        }
    }

    /// The instance as it is now.
    pub(super) fn instance(&self, seen: &Seen) -> Value {
        self.instance_in(seen, self.state(seen))
    }

    /// An instance that is no more.
    pub(super) fn vanished(&self, seen: &Seen) -> Value {
        self.instance_in(seen, State::Terminated)
    }

    fn instance_in(&self, seen: &Seen, state: State) -> Value {
        let record = self.account.record(seen);
        let id = ids::instance(&seen.id);
        let launched = stamp(seen.created_at);
        let attached_to = if state == State::Terminated { None } else { record.subnet.as_ref() };
        let public = self.public_address(seen, &record, state);
        let [volume, ..] = attached(&id);
        let reason = reason(&record, state).map(
            |(code, message)| json!({ "code": code, "message": format!("{code}: {message}") }),
        );
        let zone = record.subnet.as_ref().map(|subnet| subnet.zone.clone());
        let private = attached_to.map(|_| private_address(seen));
        let mut shown = json!({
            "instanceId": id,
            "imageId": record.image,
            "instanceState": state.shown(),
            "privateDnsName": private.as_deref().map(|address| self.dns(address, false)),
            "dnsName": public.as_deref().map(|address| self.dns(address, true)).unwrap_or_default(),
            "reason": reason.as_ref().map_or("", |_| "User initiated"),
            "keyName": record.key,
            "amiLaunchIndex": record.index,
            "productCodes": [],
            "instanceType": seen.spec.size.0,
            "launchTime": launched,
            "placement": {
                "availabilityZone": zone,
                "availabilityZoneId": zone.as_deref().map(|zone| self.place.zone_id(zone)),
                "groupName": "",
                "tenancy": "default",
            },
            "monitoring": { "state": "disabled" },
            "subnetId": attached_to.map(|subnet| subnet.id.clone()),
            "vpcId": attached_to.map(|subnet| subnet.vpc.clone()),
            "privateIpAddress": private,
            "ipAddress": public,
            "sourceDestCheck": attached_to.map(|_| true),
            "groupSet": attached_to.map(|_| self.groups_shown(&record)).unwrap_or_default(),
            "stateReason": reason,
            "architecture": architecture(seen.spec.arch),
            "rootDeviceType": "ebs",
            "rootDeviceName": record.root_device,
            "blockDeviceMapping": attached_to.map(|_| json!([{
                "deviceName": record.root_device,
                "ebs": {
                    "volumeId": volume,
                    "status": "attached",
                    "attachTime": launched,
                    "deleteOnTermination": true,
                },
            }])).unwrap_or_else(|| json!([])),
            "virtualizationType": "hvm",
            "instanceLifecycle": seen.spec.spot.then_some("spot"),
            "spotInstanceRequestId": seen.spec.spot.then(|| attached(&id)[2].clone()),
            "clientToken": record.token.clone().unwrap_or_default(),
            "tagSet": shown(&self.tags_of_instance(seen)),
            "hypervisor": "xen",
            "networkInterfaceSet": self.interfaces(seen, &record, public.as_deref(), state),
            "ebsOptimized": false,
            "enaSupport": true,
            "metadataOptions": {
                "state": "applied",
                "httpTokens": if record.needs_metadata_token { "required" } else { "optional" },
                "httpPutResponseHopLimit": 1,
                "httpEndpoint": "enabled",
            },
            "platformDetails": "Linux/UNIX",
        });
        if self.account.habits.novelties {
            shown["novelty"] = json!({ "since": 2031 });
            shown["instanceState"]["novelty"] = json!("quantum");
        }
        shown
    }

    /// Where it can be reached, while it can.
    fn public_address(&self, seen: &Seen, record: &Record, state: State) -> Option<String> {
        let reachable = record.public && state == State::Running;
        reachable.then(|| self.hosts.address(seen)).flatten().map(|address| address.to_string())
    }

    fn interfaces(
        &self,
        seen: &Seen,
        record: &Record,
        public: Option<&str>,
        state: State,
    ) -> Vec<Value> {
        let Some(subnet) = record.subnet.as_ref().filter(|_| state != State::Terminated) else {
            return Vec::new();
        };
        let id = ids::instance(&seen.id);
        let private = private_address(seen);
        let association = public.map(|address| {
            json!({
                "publicIp": address,
                "publicDnsName": self.dns(address, true),
                "ipOwnerId": "amazon",
            })
        });
        vec![json!({
            "networkInterfaceId": attached(&id)[1],
            "subnetId": subnet.id,
            "vpcId": subnet.vpc,
            "description": "",
            "ownerId": ACCOUNT,
            "status": "in-use",
            "macAddress": format!("02:00:00:{:02x}:00:01", number(&seen.id) & 0xff),
            "privateIpAddress": private,
            "sourceDestCheck": true,
            "groupSet": self.groups_shown(record),
            "attachment": {
                "attachmentId": ids::derived("eni-attach", &[&id]),
                "deviceIndex": 0,
                "status": "attached",
                "attachTime": stamp(seen.created_at),
                "deleteOnTermination": true,
                "networkCardIndex": 0,
            },
            "association": association.clone(),
            "privateIpAddressesSet": [{
                "privateIpAddress": private,
                "primary": true,
                "association": association,
            }],
            "interfaceType": "interface",
        })]
    }

    fn groups_shown(&self, record: &Record) -> Vec<Value> {
        let name = |id: &String| {
            self.account.groups.find(record.region, id).map(|group| group.name.clone())
        };
        record.groups.iter().map(|id| json!({ "groupId": id, "groupName": name(id) })).collect()
    }

    fn dns(&self, address: &str, public: bool) -> String {
        let (region, dashed) = (self.place.region, address.replace('.', "-"));
        match (public, region) {
            (true, "us-east-1") => format!("ec2-{dashed}.compute-1.amazonaws.com"),
            (true, region) => format!("ec2-{dashed}.{region}.compute.amazonaws.com"),
            (false, "us-east-1") => format!("ip-{dashed}.ec2.internal"),
            (false, region) => format!("ip-{dashed}.{region}.compute.internal"),
        }
    }

    /// What filters see of an instance. One that is terminated is in no network any more.
    pub(super) fn facets_of(&self, seen: &Seen) -> Facets {
        let (record, state) = (self.account.record(seen), self.state(seen));
        let (code, word) = state.words();
        let network = record.subnet.as_ref().filter(|_| state != State::Terminated);
        let listed = |value: Option<String>| value.into_iter().collect::<Vec<_>>();
        let groups = if network.is_some() { record.groups.clone() } else { Vec::new() };
        let mut seen_by_filters = facets([
            ("architecture", vec![architecture(seen.spec.arch).to_owned()]),
            ("availability-zone", listed(record.subnet.as_ref().map(|one| one.zone.clone()))),
            ("client-token", listed(record.token.clone())),
            ("image-id", listed(record.image.clone())),
            ("instance-id", vec![ids::instance(&seen.id)]),
            ("instance-lifecycle", listed(seen.spec.spot.then(|| "spot".to_owned()))),
            ("instance-state-code", vec![code.to_string()]),
            ("instance-state-name", vec![word.to_owned()]),
            ("instance-type", vec![seen.spec.size.0.clone()]),
            ("instance.group-id", groups.clone()),
            ("network-interface.group-id", groups),
            ("ip-address", listed(self.public_address(seen, &record, state))),
            ("key-name", listed(record.key.clone())),
            ("private-ip-address", listed(network.map(|_| private_address(seen)))),
            ("reservation-id", vec![record.reservation.clone()]),
            ("subnet-id", listed(network.map(|subnet| subnet.id.clone()))),
            ("vpc-id", listed(network.map(|subnet| subnet.vpc.clone()))),
        ]);
        add_tags(&mut seen_by_filters, &self.tags_of_instance(seen));
        seen_by_filters
    }
}

fn private_address(seen: &Seen) -> String {
    let [.., high, low] = number(&seen.id).to_be_bytes();
    format!("172.31.{high}.{low}")
}

fn architecture(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "x86_64",
        Arch::Arm64 => "arm64",
    }
}

/// Why an instance is as it is, if that is told.
fn reason(record: &Record, state: State) -> Option<(&'static str, &'static str)> {
    match state {
        State::Running => None,
        State::Pending => Some(("pending", "pending")),
        State::Stopping | State::Stopped => Some(Reason::Stopped.words()),
        State::ShuttingDown | State::Terminated => {
            Some(record.reason.unwrap_or(Reason::Terminated).words())
        }
    }
}
