//! `CreateFleet` of the type `instant`: what cannot be had is told in an answer that succeeded.

use serde_json::{Value, json};

use super::account::{Remembered, Template, TokenKey};
use super::ids;
use super::launch::Cause;
use super::params::Params;
use super::problem::Problem;
use super::run::comparable;
use super::spec::{Interface, Spec};
use super::tag_words::specifications;
use super::turn::{Done, Stop, Turn};
use crate::world::{Labels, Seen};

/// The strategies for spot instances.
const STRATEGIES: [&str; 5] = [
    "lowest-price",
    "diversified",
    "capacity-optimized",
    "capacity-optimized-prioritized",
    "price-capacity-optimized",
];
/// What fleets tell in a list of errors rather than by failing.
const LISTED: [&str; 6] = [
    "InsufficientInstanceCapacity",
    "InsufficientFreeAddressesInSubnet",
    "MaxSpotInstanceCountExceeded",
    "VcpuLimitExceeded",
    "Unsupported",
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
];

/// One way to have an instance.
#[derive(Clone, Debug)]
struct Choice {
    template: Template,
    spec: Spec,
    /// What of the template it replaces, as the API shows it.
    overrides: Value,
    priority: Option<f64>,
}

/// How many instances of either kind are wanted.
#[derive(Clone, Copy, Debug)]
struct Target {
    on_demand: u32,
    spot: u32,
}

impl Turn<'_> {
    /// `CreateFleet`.
    pub(super) fn create_fleet(&mut self, mut params: Params) -> Done {
        let given = comparable(&params);
        let token = params.text("ClientToken")?.filter(|token| !token.is_empty());
        let kind = params.word("Type", &["instant", "request", "maintain"])?;
        let mut options = params.group("SpotOptions");
        let strategy = options.word("AllocationStrategy", &STRATEGIES)?;
        options.word("InstanceInterruptionBehavior", &["terminate"])?;
        options.finish()?;
        let mut options = params.group("OnDemandOptions");
        options.word("AllocationStrategy", &["lowest-price", "prioritized"])?;
        options.finish()?;
        let target = target(&mut params)?;
        let configs = params.list("LaunchTemplateConfigs")?;
        let tags = specifications(&mut params, &["fleet", "instance"])?;
        self.finish(params)?;
        if kind.as_deref() != Some("instant") {
            let message = "Only fleets of the type instant are emulated";
            return Err(Problem::new(400, "UnsupportedOperation", message).into());
        }
        if configs.is_empty() {
            return Err(Problem::missing("LaunchTemplateConfigs").into());
        }
        let key = token.map(|token| TokenKey {
            region: self.place.region,
            zone: None,
            action: self.action,
            token,
        });
        if let Some(key) = &key
            && let Some(done) = self.account.tokens.recall(key, &given)?
        {
            return Ok(done.answer);
        }
        if self.account.habits.fleets_closed {
            let message = "You've reached your quota for the maximum number of fleets";
            return Err(Problem::new(400, "MaxFleetCountExceeded", message).into());
        }
        let mut choices = self.choices(configs)?;
        if strategy.is_some_and(|strategy| strategy.ends_with("-prioritized")) {
            let first = |choice: &Choice| choice.priority.unwrap_or(f64::MAX);
            choices.sort_by(|one, other| first(one).total_cmp(&first(other)));
        }
        let fleet = self.account.issue("fleet");
        let of_instances = tags.get("instance").cloned().unwrap_or_default();
        let (mut fulfilled, mut errors) = (Vec::new(), Vec::new());
        let mut stop = None;
        for (wanted, spot) in [(target.on_demand, false), (target.spot, true)] {
            let mut left = wanted;
            for choice in &choices {
                if left == 0 || stop.is_some() {
                    break;
                }
                let cause = Cause { token: None, reservation: self.account.issue("r") };
                match self.fulfil(choice, spot, left, (&fleet, &of_instances), &cause) {
                    Ok(launched) => {
                        left -= u32::try_from(launched.instances.len()).unwrap_or(left).min(left);
                        fulfilled.extend(self.fulfilled(choice, spot, &launched.instances));
                        stop = launched.stop;
                    }
                    Err(Stop::Refused(problem)) if LISTED.contains(&problem.code()) => {
                        errors.push(failed(choice, spot, &problem));
                    }
                    Err(stop) => return Err(stop),
                }
            }
        }
        let answer = json!({ "fleetId": fleet, "errorSet": errors, "fleetInstanceSet": fulfilled });
        if let Some(key) = key {
            let (instances, answer) = (Vec::new(), answer.clone());
            self.account.tokens.remember(key, Remembered { params: given, instances, answer });
        }
        stop.map_or(Ok(answer), Err)
    }

    /// Launches what one choice offers.
    fn fulfil(
        &mut self,
        choice: &Choice,
        spot: bool,
        most: u32,
        (fleet, tags): (&str, &Labels),
        cause: &Cause,
    ) -> Result<super::launch::Launched, Stop> {
        let mut spec = choice.spec.clone();
        spec.spot = spot.then_some(true);
        if !spot {
            spec.tags.remove("spot-instances-request");
        }
        let own = [
            ("aws:ec2:fleet-id", fleet.to_owned()),
            ("aws:ec2launchtemplate:id", choice.template.id.clone()),
            ("aws:ec2launchtemplate:version", "1".to_owned()),
        ];
        let labels = spec.tags.entry("instance".to_owned()).or_default();
        labels.extend(tags.clone());
        labels.extend(own.map(|(key, value)| (key.to_owned(), value)));
        let launch = self.resolve(spec)?;
        self.launch(&launch, 1, most, cause)
    }

    /// Every combination of a template with what replaces parts of it.
    fn choices(&self, configs: Vec<Params>) -> Result<Vec<Choice>, Stop> {
        let mut choices = Vec::new();
        for mut config in configs {
            let given = config.group("LaunchTemplateSpecification");
            let missing =
                || Problem::missing("LaunchTemplateConfigs.1.LaunchTemplateSpecification");
            let template = self.template_given(given)?.ok_or_else(missing)?;
            let mut overrides = config.list("Overrides")?;
            config.finish()?;
            if overrides.is_empty() {
                overrides.push(Params::default());
            }
            for replaced in overrides {
                choices.push(choice(&template, replaced)?);
            }
        }
        Ok(choices)
    }

    fn fulfilled(&self, choice: &Choice, spot: bool, instances: &[Seen]) -> Option<Value> {
        let first = instances.first()?;
        let subnet = self.account.record(first).subnet;
        let ids: Vec<String> = instances.iter().map(|seen| ids::instance(&seen.id)).collect();
        Some(json!({
            "launchTemplateAndOverrides": choice.shown(),
            "lifecycle": lifecycle(spot),
            "instanceIds": ids,
            "instanceType": first.spec.size.0,
            "availabilityZone": subnet.as_ref().map(|subnet| subnet.zone.clone()),
            "subnetId": subnet.map(|subnet| subnet.id),
        }))
    }
}

impl Choice {
    fn shown(&self) -> Value {
        json!({
            "launchTemplateSpecification": { "launchTemplateId": self.template.id, "version": "1" },
            "overrides": self.overrides,
        })
    }
}

/// A template with one entry of `Overrides`.
fn choice(template: &Template, mut params: Params) -> Result<Choice, Problem> {
    let number = |text: Option<String>| text.and_then(|text| text.parse::<f64>().ok());
    let [kind, subnet, zone, image, key] =
        ["InstanceType", "SubnetId", "AvailabilityZone", "ImageId", "KeyName"]
            .map(|name| params.text(name));
    let (kind, subnet, zone, image, key) = (kind?, subnet?, zone?, image?, key?);
    let price = params.text("MaxPrice")?;
    let (priority, weight) = (params.text("Priority")?, params.text("WeightedCapacity")?);
    params.finish()?;
    if number(weight).is_some_and(|weight| (weight - 1.0).abs() > f64::EPSILON) {
        let message = "Only a weight of 1 is emulated";
        return Err(Problem::new(400, "UnsupportedOperation", message));
    }
    let overrides = json!({
        "instanceType": kind,
        "subnetId": subnet,
        "availabilityZone": zone,
        "imageId": image,
        "maxPrice": price,
        "priority": number(priority.clone()),
    });
    let mut spec = Spec { kind, zone, image, key, ..Spec::default() }.over(template.spec.clone());
    if let Some(subnet) = subnet {
        match &mut spec.interface {
            Some(Interface { subnet: of_template, .. }) => *of_template = Some(subnet),
            None => spec.subnet = Some(subnet),
        }
    }
    Ok(Choice { template: template.clone(), spec, overrides, priority: number(priority) })
}

fn target(params: &mut Params) -> Result<Target, Problem> {
    let mut given = params.group("TargetCapacitySpecification");
    let total = given.number("TotalTargetCapacity")?;
    let (on_demand, spot) =
        (given.number("OnDemandTargetCapacity")?, given.number("SpotTargetCapacity")?);
    let default = given.word("DefaultTargetCapacityType", &["spot", "on-demand"])?;
    given.finish()?;
    let name = "TargetCapacitySpecification.TotalTargetCapacity";
    let total = total.ok_or_else(|| Problem::missing(name))?;
    let named = on_demand.unwrap_or(0) + spot.unwrap_or(0);
    if total == 0 || named > total {
        return Err(Problem::invalid(name, &format!("{total} is not what the parts add up to")));
    }
    let rest = total - named;
    let by_default = if default.as_deref() == Some("spot") { (0, rest) } else { (rest, 0) };
    Ok(Target {
        on_demand: on_demand.unwrap_or(0) + by_default.0,
        spot: spot.unwrap_or(0) + by_default.1,
    })
}

fn failed(choice: &Choice, spot: bool, problem: &Problem) -> Value {
    json!({
        "launchTemplateAndOverrides": choice.shown(),
        "lifecycle": lifecycle(spot),
        "errorCode": problem.code(),
        "errorMessage": problem.message(),
    })
}

fn lifecycle(spot: bool) -> &'static str {
    if spot { "spot" } else { "on-demand" }
}
