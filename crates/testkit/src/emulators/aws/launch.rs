//! Carrying out a launch: room, quotas, and what is noted of each instance.

use std::collections::BTreeSet;

use stagecraft_core::inventory::{Lifecycle, Spec as Made};
use stagecraft_core::name::{InstanceId, is_dns_label};

use super::account::Record;
use super::ids;
use super::network::Subnet;
use super::problem::Problem;
use super::resolve::Launch;
use super::tag_words::attached;
use super::turn::{Stop, Turn};
use super::types::Type;
use crate::emulators::hosts::HostOrder;
use crate::world::{Labels, Moment, Order, Seen, World};

/// What the world calls an instance that has no name it could use.
const UNNAMED: &str = "unnamed";

/// What came of a launch.
#[derive(Debug)]
pub(super) struct Launched {
    pub(super) instances: Vec<Seen>,
    /// Why there is no answer, although there may be instances.
    pub(super) stop: Option<Stop>,
}

/// The request that an instance is launched for.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) token: Option<String>,
    pub(super) reservation: String,
}

impl Turn<'_> {
    /// Launches between `least` and `most` instances, as many as there is room for.
    ///
    /// # Errors
    /// There is no room for the least; then there are none.
    pub(super) fn launch(
        &mut self,
        launch: &Launch,
        least: u32,
        most: u32,
        cause: &Cause,
    ) -> Result<Launched, Stop> {
        let subnet = self.room(launch)?;
        let count = self.within_quota(launch, least)?.min(most);
        let now = self.millis();
        if !self.account.take_burst(true, self.place.region, count, now) {
            return Err(Problem::limited().into());
        }
        let mut launched = Launched { instances: Vec::new(), stop: None };
        for index in 0..count as usize {
            let (order, moment) = (self.order(launch), self.moment());
            let known: BTreeSet<InstanceId> =
                self.world.with(World::machines).into_iter().map(|seen| seen.id).collect();
            match self.ask(|world, now| world.create(now, order)) {
                Ok(seen) => {
                    self.register(&seen, launch, &subnet, cause, (index, moment));
                    launched.instances.push(seen);
                }
                Err(Stop::Cut) => {
                    let machines = self.world.with(World::machines);
                    // Something was made if it is there now.
                    if let Some(seen) = machines.into_iter().find(|seen| !known.contains(&seen.id))
                    {
                        self.register(&seen, launch, &subnet, cause, (index, moment));
                        launched.instances.push(seen);
                    }
                    launched.stop = Some(Stop::Cut);
                    return Ok(launched);
                }
                Err(_) if index >= least as usize => break,
                Err(stop) => {
                    for seen in launched.instances {
                        self.world.with(|world, _| world.remove(&seen.id));
                        self.hosts.removed(&seen.id);
                        self.account.instances.remove(&seen.id);
                    }
                    return Err(stop);
                }
            }
        }
        Ok(launched)
    }

    /// Where there is room.
    fn room(&self, launch: &Launch) -> Result<Subnet, Problem> {
        let (kind, name) = (launch.kind, launch.kind.name);
        let sold = kind.zones(self.place);
        let selling: Vec<&Subnet> =
            launch.subnets.iter().filter(|subnet| sold.contains(&subnet.zone)).collect();
        let asked: Vec<&str> = launch.subnets.iter().map(|subnet| &*subnet.zone).collect();
        if selling.is_empty() || sold.is_empty() {
            let message = format!(
                "Your requested instance type ({name}) is not supported in your requested \
                 Availability Zone ({}). Please retry your request by not specifying an \
                 Availability Zone or choosing {}.",
                asked.join(", "),
                sold.join(", ")
            );
            return Err(Problem::new(400, "Unsupported", message));
        }
        if launch.spot && self.account.habits.no_spot_role {
            let message = "The provided credentials do not have permission to create the \
                           service-linked role for EC2 Spot Instances.";
            return Err(Problem::new(
                403,
                "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
                message,
            ));
        }
        let roomy: Vec<&&Subnet> = selling
            .iter()
            .filter(|subnet| self.has_capacity(kind, &subnet.zone, launch.spot))
            .collect();
        let Some(first) = roomy.first() else {
            let elsewhere: Vec<String> = sold
                .into_iter()
                .filter(|zone| self.has_capacity(kind, zone, launch.spot))
                .collect();
            let (place, hint) = if launch.zoned {
                ("in the Availability Zone you requested", elsewhere.join(", "))
            } else {
                ("in any Availability Zone", String::new())
            };
            let message = format!(
                "We currently do not have sufficient {name} capacity {place} ({}). Our system will \
                 be working on provisioning additional capacity. Elsewhere in this Region: [{hint}].",
                asked.join(", ")
            );
            return Err(Problem::no_capacity(message));
        };
        let free = |subnet: &&&&Subnet| !self.account.habits.no_addresses.contains(&subnet.zone);
        let found = roomy.iter().find(free);
        found.map(|subnet| (**subnet).clone()).ok_or_else(|| {
            let message = format!(
                "There are not enough free addresses in subnet '{}' to satisfy the requested number \
                 of instances.",
                first.id
            );
            Problem::new(400, "InsufficientFreeAddressesInSubnet", message)
        })
    }

    /// Whether a type can be had in a zone now.
    pub(super) fn has_capacity(&self, kind: &Type, zone: &str, spot: bool) -> bool {
        let short = |shortage: &super::habits::Shortage| shortage.is_of(kind.name, zone, spot);
        let sold_out = (kind.name.into(), self.place.region.into());
        !self.account.habits.no_capacity.iter().any(short)
            && !self.world.with(|world, _| world.behaviour().sold_out.contains(&sold_out))
    }

    /// How many more the quota allows.
    fn within_quota(&self, launch: &Launch, least: u32) -> Result<u32, Problem> {
        let habits = &self.account.habits;
        let limit = if launch.spot { habits.spot_vcpus } else { habits.vcpus };
        let Some(limit) = limit else { return Ok(u32::MAX) };
        let counts = |seen: &Seen| {
            let running = match seen.lifecycle {
                Lifecycle::Pending | Lifecycle::Running => true,
                Lifecycle::Stopped
                | Lifecycle::Terminating
                | Lifecycle::Terminated
                | Lifecycle::Failed => false,
            };
            running && seen.spec.spot == launch.spot
        };
        let cpus = |seen: &Seen| Type::find(&seen.spec.size.0).map_or(0, |kind| kind.cpus);
        let used: u32 = self.instances().iter().filter(|seen| counts(seen)).map(cpus).sum();
        let more = limit.saturating_sub(used) / launch.kind.cpus;
        if more >= least {
            return Ok(more);
        }
        Err(if launch.spot {
            Problem::new(400, "MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
        } else {
            let message = format!(
                "You have requested more vCPU capacity than your current vCPU limit of {limit} allows \
                 for the instance bucket that the specified instance type belongs to. Please visit \
                 http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
            );
            Problem::new(400, "VcpuLimitExceeded", message)
        })
    }

    /// The order in the world's terms.
    fn order(&self, launch: &Launch) -> Order {
        let labels: Labels = launch.spec.tags.get("instance").cloned().unwrap_or_default();
        let name = labels.get("Name").filter(|name| is_dns_label(name));
        Order {
            name: name.map_or(UNNAMED, |name| name).to_owned(),
            labels,
            tags: BTreeSet::new(),
            spec: Made {
                region: self.place.region.into(),
                size: launch.kind.name.into(),
                image: launch.image.key().into(),
                arch: launch.image.arch,
                spot: launch.spot,
            },
            user_data: launch.spec.user_data.clone(),
        }
    }

    /// Notes what the world does not keep of a new instance.
    fn register(
        &mut self,
        seen: &Seen,
        launch: &Launch,
        subnet: &Subnet,
        cause: &Cause,
        (index, created): (usize, Moment),
    ) {
        let (spec, interface) = (&launch.spec, launch.spec.interface.as_ref());
        let public_keys: Vec<String> =
            launch.key.iter().map(|key| key.public_key.clone()).collect();
        let record = Record {
            ordered: true,
            region: self.place.region,
            subnet: Some(subnet.clone()),
            public: interface.and_then(|one| one.public).unwrap_or(subnet.is_default),
            image: Some(launch.image.id()),
            root_device: launch.image.root_device(),
            key: spec.key.clone(),
            public_keys: public_keys.clone(),
            user_data: spec.user_data.clone(),
            groups: launch.groups.clone(),
            token: cause.token.clone(),
            reservation: cause.reservation.clone(),
            index,
            protected: spec.protected == Some(true),
            persistent: spec.persistent,
            needs_metadata_token: spec.needs_metadata_token == Some(true),
            created,
            stopped: None,
            ended: None,
            reason: None,
        };
        self.account.instances.insert(seen.id.clone(), record);
        let [volume, interface, request] = attached(&ids::instance(&seen.id));
        for (id, kind) in [
            (volume, "volume"),
            (interface, "network-interface"),
            (request, "spot-instances-request"),
        ] {
            if let Some(tags) = spec.tags.get(kind) {
                self.account.tags.insert(id, tags.clone());
            }
        }
        self.hosts.ordered(HostOrder {
            id: seen.id.clone(),
            name: seen.name.clone(),
            public_keys,
            login_user: launch.image.login_user(),
            user_data: spec.user_data.clone(),
        });
    }
}
