//! `RunInstances`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::account::{Remembered, TokenKey};
use super::launch::Cause;
use super::network::ACCOUNT;
use super::params::Params;
use super::problem::Problem;
use super::spec::Spec;
use super::turn::{Done, Turn};
use crate::world::{Seen, World};

/// Parameters that do not make a request another one.
const BESIDES: [&str; 5] =
    ["Action", "ClientToken", "DryRun", "Placement.AvailabilityZone", "Version"];

impl Turn<'_> {
    /// `RunInstances`.
    pub(super) fn run_instances(&mut self, mut params: Params) -> Done {
        let given = comparable(&params);
        let token = params.text("ClientToken")?.filter(|token| !token.is_empty());
        let count = |params: &mut Params, name: &str| {
            params.number(name)?.ok_or_else(|| Problem::missing(name))
        };
        let (least, most) = (count(&mut params, "MinCount")?, count(&mut params, "MaxCount")?);
        if least == 0 || least > most {
            let message = format!("{least} to {most} is no range of at least 1");
            return Err(Problem::invalid("MinCount", &message).into());
        }
        let template = params.group("LaunchTemplate");
        let spec = Spec::take(&mut params)?;
        let rehearsed = self.finish(params);
        if rehearsed.as_ref().is_err_and(|problem| problem.code() != "DryRunOperation") {
            rehearsed.clone()?;
        }
        self.may_tag(&spec)?;
        let key = token.clone().map(|token| self.token_key(token, &spec));
        if let Some(key) = &key
            && let Some(done) = self.account.tokens.recall(key, &given)?
        {
            return Ok(self.reservation(&done.instances));
        }
        let spec = match self.template_given(template)? {
            Some(template) => spec.over(template.spec),
            None => spec,
        };
        let launch = self.resolve(spec)?;
        rehearsed?;
        let cause = Cause { token, reservation: self.account.issue("r") };
        let launched = self.launch(&launch, least, most, &cause)?;
        if let Some(key) = key.filter(|_| !launched.instances.is_empty()) {
            let (instances, answer) = (launched.instances.clone(), Value::Null);
            let done = Remembered { params: given, instances, answer };
            self.account.tokens.remember(key, done);
        }
        match launched.stop {
            Some(stop) => Err(stop),
            None => Ok(self.reservation(&launched.instances)),
        }
    }

    /// Whoever tags what is made needs the permission to tag.
    pub(super) fn may_tag(&self, spec: &Spec) -> Result<(), Problem> {
        if !spec.tags.is_empty() && self.account.habits.denied.contains("CreateTags") {
            return Err(Problem::unauthorized("CreateTags", &self.caller));
        }
        Ok(())
    }

    /// Where the token of an order counts.
    fn token_key(&self, token: String, spec: &Spec) -> TokenKey {
        let of_interface = spec.interface.as_ref().and_then(|one| one.subnet.as_ref());
        let subnet = of_interface.or(spec.subnet.as_ref());
        let of_subnet = || {
            let known = self.subnets().into_iter().find(|known| Some(&known.id) == subnet);
            known.map(|known| known.zone)
        };
        let zone = spec.zone.clone().or_else(of_subnet);
        TokenKey { region: self.place.region, zone, action: self.action, token }
    }

    /// Instances that were ordered together, as they are now, or terminated if they are no more.
    fn reservation(&self, instances: &[Seen]) -> Value {
        let machines = self.world.with(World::machines);
        let now = |seen: &Seen| machines.iter().find(|known| known.id == seen.id);
        let shown: Vec<Value> = instances
            .iter()
            .map(|seen| match now(seen) {
                Some(seen) => self.instance(seen),
                None => self.vanished(seen),
            })
            .collect();
        let record = instances.first().map(|seen| self.account.record(seen));
        json!({
            "reservationId": record.map(|record| record.reservation),
            "ownerId": ACCOUNT,
            "groupSet": [],
            "instancesSet": shown,
        })
    }
}

/// The parameters by which requests with one token are compared.
pub(super) fn comparable(params: &Params) -> BTreeMap<String, String> {
    let mut given = params.flat();
    given.retain(|name, _| !BESIDES.contains(&name.as_str()));
    given
}
