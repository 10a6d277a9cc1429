//! What the API knows of the account and the world does not.

mod groups;
mod keys;
mod record;
mod tokens;

pub(super) use groups::{Group, Groups, Permission, Source};
pub(super) use keys::{Key, Keys};
pub(super) use record::{Reason, Record};
pub(super) use tokens::{Remembered, TokenKey, Tokens};

use std::collections::BTreeMap;
use std::time::Duration;

use stagecraft_core::name::InstanceId;

use super::habits::Habits;
use super::ids::derived;
use super::paging::Pages;
use super::spec::Spec;
use crate::emulators::limits::{Limits, Rule};
use crate::world::{Labels, Seen};

/// The buckets of instances: how far apart more of each are given.
const LAUNCHES: (&str, Duration) = ("launch", Duration::from_millis(500));
const TERMINATIONS: (&str, Duration) = ("terminate", Duration::from_millis(50));

/// The account.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) habits: Habits,
    pub(super) keys: Keys,
    pub(super) groups: Groups,
    pub(super) templates: Vec<Template>,
    pub(super) instances: BTreeMap<InstanceId, Record>,
    pub(super) tokens: Tokens,
    /// Of everything but instances, by id.
    pub(super) tags: BTreeMap<String, Labels>,
    pub(super) pages: Pages,
    bursts: Option<(u32, Limits)>,
    issued: u64,
}

/// A launch template with one version.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) region: &'static str,
    /// In milliseconds since 1970.
    pub(super) created: u64,
    pub(super) spec: Spec,
}

impl Account {
    /// What is known of an instance, also of one that was not ordered through the API.
    pub(super) fn record(&self, seen: &Seen) -> Record {
        let known = self.instances.get(&seen.id).cloned();
        known.unwrap_or_else(|| Record::of(seen, !self.habits.no_default_vpc))
    }

    /// The same, to be changed.
    pub(super) fn record_mut(&mut self, seen: &Seen) -> &mut Record {
        let has_default = !self.habits.no_default_vpc;
        let fresh = || Record::of(seen, has_default);
        self.instances.entry(seen.id.clone()).or_insert_with(fresh)
    }

    /// A new id of something.
    pub(super) fn issue(&mut self, prefix: &str) -> String {
        self.issued += 1;
        derived(prefix, &[&self.issued.to_string()])
    }

    /// The tags of anything but an instance.
    pub(super) fn tags_of(&self, id: &str) -> Labels {
        self.tags.get(id).cloned().unwrap_or_default()
    }

    /// Takes so many instances from the bucket of launches or of terminations of a region; whether
    /// there were as many.
    pub(super) fn take_burst(&mut self, launch: bool, region: &str, count: u32, now: u64) -> bool {
        let most = self.habits.burst_of_instances;
        if self.bursts.as_ref().is_none_or(|(of, _)| *of != most) {
            let rule = |(name, every)| Rule::refilled(most, every).only("instances", name);
            self.bursts = Some((most, Limits::new(vec![rule(LAUNCHES), rule(TERMINATIONS)])));
        }
        let (bucket, _) = if launch { LAUNCHES } else { TERMINATIONS };
        let Some((_, limits)) = &mut self.bursts else { return true };
        (0..count).all(|_| limits.take(region, "instances", bucket, now).is_ok())
    }
}
