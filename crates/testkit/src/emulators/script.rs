//! The file that says what goes wrong: faults of the connection, of the world, and tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stagecraft_core::name::{Region, Size};

use super::call::Access;
use super::faults::Rule;
use crate::world::{Delay, Fate, World};

/// What a faults file holds. Everything may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// What goes wrong on the way, in order of precedence.
    pub rules: Vec<Rule>,
    /// How the cloud behaves.
    pub world: WorldHabits,
    /// The tokens that are accepted and what they may do; any at all when there are none here.
    pub tokens: BTreeMap<String, Access>,
    /// How the account behaves where the provider's API leaves room, in that front end's terms.
    pub account: Option<Value>,
}

/// How a world is to differ from one in which all goes well.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldHabits {
    /// From order or start to being up, in seconds.
    pub boot_seconds: Option<u64>,
    /// From being up to having an address, in seconds.
    pub address_late_seconds: Option<u64>,
    /// From creation to appearing in lists, in seconds.
    pub hidden_seconds: Option<u64>,
    /// From creation to appearing in lists, in how often lists are asked for.
    pub hidden_lists: Option<u64>,
    /// From being removed to being gone, in seconds.
    pub shutdown_seconds: Option<u64>,
    /// How many machines the account may hold.
    pub quota: Option<usize>,
    /// Sizes without capacity.
    pub sold_out: Vec<SoldOut>,
    /// What becomes of machines, in order for those of one name.
    pub fates: Vec<NamedFate>,
}

/// A size without capacity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoldOut {
    /// The size.
    pub size: String,
    /// The region; all when it is left out.
    #[serde(default)]
    pub region: Option<String>,
}

/// What becomes of a machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedFate {
    /// The name it is ordered under.
    pub name: String,
    /// What becomes of it.
    pub fate: Fate,
}

impl Script {
    /// Reads a faults file.
    ///
    /// # Errors
    /// What is wrong with it and where: an unknown word is named, with those there are.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("the faults file is wrong: {error}"))
    }

    /// Reads [`Script::account`] as what one front end understands.
    ///
    /// # Errors
    /// As [`Script::read`].
    pub fn account<T: DeserializeOwned + Default>(&self) -> Result<T, String> {
        let Some(account) = &self.account else { return Ok(T::default()) };
        serde_json::from_value(account.clone())
            .map_err(|error| format!("`account` of the faults file is wrong: {error}"))
    }
}

impl WorldHabits {
    /// Makes a world behave so.
    pub fn apply(&self, world: &mut World) {
        let seconds = |seconds: u64| Delay::Time(Duration::from_secs(seconds));
        let regions: Vec<Region> = world.catalogue().regions.iter().cloned().collect();
        let behaviour = world.behaviour();
        if let Some(boot) = self.boot_seconds {
            behaviour.boot = seconds(boot);
        }
        if let Some(late) = self.address_late_seconds {
            behaviour.address = seconds(late);
        }
        if self.hidden_seconds.is_some() || self.hidden_lists.is_some() {
            let time = Duration::from_secs(self.hidden_seconds.unwrap_or_default());
            behaviour.visible = Delay::Both(time, self.hidden_lists.unwrap_or_default());
        }
        if let Some(shutdown) = self.shutdown_seconds {
            behaviour.shutdown = seconds(shutdown);
        }
        if self.quota.is_some() {
            behaviour.quota = self.quota;
        }
        for SoldOut { size, region } in &self.sold_out {
            let everywhere = regions.iter().filter(|known| {
                region.as_ref().is_none_or(|region| **known == Region::from(region.as_str()))
            });
            behaviour
                .sold_out
                .extend(everywhere.map(|region| (Size(size.clone()), region.clone())));
        }
        for NamedFate { name, fate } in &self.fates {
            world.decide_fate(name, *fate);
        }
    }
}

#[cfg(test)]
mod tests {
    use stagecraft_core::desired::ProviderId;

    use super::super::faults::{Effect, When};
    use super::*;
    use crate::world::Behaviour;

    #[test]
    fn a_file_names_rules_world_and_tokens() {
        let script = Script::read(
            r#"{
                "rules": [
                    { "method": "POST", "path": "/droplets", "when": { "nth": 2 }, "then": "lost_answer" },
                    { "then": { "status": { "code": 503, "with_effect": true } } }
                ],
                "world": {
                    "quota": 3, "hidden_lists": 2, "address_late_seconds": 5,
                    "sold_out": [{ "size": "x-small" }, { "size": "x-large", "region": "west" }],
                    "fates": [{ "name": "web-1", "fate": "stays_pending" }]
                },
                "tokens": { "abc": "read_only", "xyz": "without_tags" }
            }"#,
        )
        .unwrap();
        let lost = Rule::new("POST", "/droplets", Effect::LostAnswer).when(When::Nth(2));
        let failing = Effect::Status { code: 503, with_effect: true };
        let everywhere =
            Rule { method: None, path: "/**".to_owned(), when: When::All, then: failing };
        assert_eq!(script.rules, [lost, everywhere]);
        assert_eq!(script.tokens["abc"], Access::ReadOnly);
        let mut world = World::new(ProviderId::DigitalOcean, Behaviour::names_are_free(), 1);
        script.world.apply(&mut world);
        let behaviour = world.behaviour();
        assert_eq!((behaviour.quota, behaviour.sold_out.len()), (Some(3), 3));
        assert_eq!(behaviour.visible, Delay::Both(Duration::ZERO, 2));
    }

    #[test]
    fn what_is_not_known_is_named_with_what_there_is() {
        for (text, unknown, known) in [
            (r#"{ "rulez": [] }"#, "`rulez`", "`rules`"),
            (r#"{ "rules": [{ "then": "explode" }] }"#, "`explode`", "`lost_answer`"),
            (r#"{ "rules": [{ "then": "cut", "wen": "all" }] }"#, "`wen`", "`when`"),
            (r#"{ "rules": [{ "then": "cut", "when": { "tenth": 1 } }] }"#, "`tenth`", "`nth`"),
            (r#"{ "rules": [{ "then": { "status": { "cod": 5 } } }] }"#, "`cod`", "`code`"),
            (r#"{ "world": { "quotas": 1 } }"#, "`quotas`", "`quota`"),
            (r#"{ "tokens": { "a": "some" } }"#, "`some`", "`read_only`"),
            (
                r#"{ "world": { "fates": [{ "name": "a", "fate": "dies" }] } }"#,
                "`dies`",
                "`vanishes`",
            ),
        ] {
            let error = Script::read(text).unwrap_err();
            assert!(error.contains(unknown) && error.contains(known), "{text}: {error}");
        }
    }

    #[test]
    fn what_only_one_front_end_knows_is_read_as_it_does() {
        use super::super::digitalocean::{Habits, Shortage};
        let script = Script::read(r#"{ "account": { "shortage": "temporary" } }"#).unwrap();
        let habits = Habits { shortage: Shortage::Temporary, ..Habits::default() };
        assert_eq!(script.account::<Habits>(), Ok(habits));
        let script = Script::read(r#"{ "account": { "late_keys": 5 } }"#).unwrap();
        let error = script.account::<Habits>().unwrap_err();
        assert!(error.contains("`late_keys`") && error.contains("`late_key_seconds`"), "{error}");
    }
}
