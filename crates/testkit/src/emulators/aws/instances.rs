//! `DescribeInstances`.

use serde_json::{Value, json};

use super::filters::Filters;
use super::instance::State;
use super::network::ACCOUNT;
use super::paging::Page;
use super::params::Params;
use super::problem::Problem;
use super::turn::{Done, Turn};
use crate::world::{Labels, Seen, World};

/// The names of filters; one that ends in a colon is the beginning of many.
const FILTERS: [&str; 19] = [
    "architecture",
    "availability-zone",
    "client-token",
    "image-id",
    "instance-id",
    "instance-lifecycle",
    "instance-state-code",
    "instance-state-name",
    "instance-type",
    "instance.group-id",
    "network-interface.group-id",
    "ip-address",
    "key-name",
    "private-ip-address",
    "reservation-id",
    "subnet-id",
    "tag-key",
    "tag:",
    "vpc-id",
];
/// The most instances of a page.
const MOST: u32 = 1000;

impl Turn<'_> {
    /// `DescribeInstances`.
    pub(super) fn describe_instances(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(&mut params, &FILTERS)?;
        let ids = params.texts("InstanceId")?;
        let page = Page::take(&mut params, MOST)?.of_named(&[&ids]);
        params.flag("IncludeManagedResources")?;
        self.finish(params)?;
        if !ids.is_empty() && page.is_sized() {
            let message = "The parameter instancesSet cannot be used with the parameter maxResults";
            return Err(Problem::combination(message).into());
        }
        let states = filters.values("instance-state-name");
        if let Some(unknown) = states.iter().find(|word| !State::WORDS.contains(word)) {
            let message = format!("'{unknown}' is no state of an instance");
            return Err(Problem::invalid("Filter", &message).into());
        }
        let seen = if ids.is_empty() { self.listed()? } else { self.named(&ids)? };
        let fitting = seen.iter().filter(|seen| filters.pick(&self.facets_of(seen)));
        let reservations: Vec<Value> = fitting.map(|seen| self.alone(seen)).collect();
        let mut answer = self.paged(&page, "reservationSet", reservations)?;
        if let Some(entries) = answer["reservationSet"].as_array_mut() {
            let alone = std::mem::take(entries);
            *entries = together(alone);
        }
        Ok(answer)
    }

    /// The instances of the region that lists show.
    fn listed(&mut self) -> Result<Vec<Seen>, super::turn::Stop> {
        let mut seen = self.ask(|world, now| world.list(now, &Labels::new()))?;
        seen.retain(|seen| self.is_known(seen));
        Ok(seen)
    }

    /// The instances of these ids: one that lists do not show yet is not found either.
    fn named(&mut self, ids: &[String]) -> Result<Vec<Seen>, super::turn::Stop> {
        let machines: Vec<Seen> = self
            .world
            .with(World::machines)
            .into_iter()
            .filter(|seen| self.is_known(seen) && !self.is_hidden(&self.account.record(seen)))
            .collect();
        let first = super::ids::machine(ids.first().map(String::as_str).unwrap_or_default());
        let asked = first.filter(|id| machines.iter().any(|seen| seen.id == *id));
        if let Some(id) = asked {
            self.ask(|world, now| world.get(now, &id))?;
        }
        let found: Result<Vec<Seen>, Problem> =
            ids.iter().map(|id| self.instance_of(&machines, id)).collect();
        Ok(found?)
    }

    /// A reservation of which one instance is shown.
    fn alone(&self, seen: &Seen) -> Value {
        json!({
            "reservationId": self.account.record(seen).reservation,
            "ownerId": ACCOUNT,
            "groupSet": [],
            "instancesSet": [self.instance(seen)],
        })
    }
}

/// Reservations that are the same, as one.
fn together(alone: Vec<Value>) -> Vec<Value> {
    let mut reservations: Vec<Value> = Vec::new();
    for mut next in alone {
        let same =
            reservations.iter_mut().find(|known| known["reservationId"] == next["reservationId"]);
        let instances = next["instancesSet"].as_array_mut().map(std::mem::take).unwrap_or_default();
        match same.and_then(|known| known["instancesSet"].as_array_mut()) {
            Some(known) => known.extend(instances),
            None => {
                next["instancesSet"] = Value::Array(instances);
                reservations.push(next);
            }
        }
    }
    reservations
}
