//! Every documented promise of [`CloudProvider`], as checks that any provider can be put through.
//!
//! A check makes its own instances in its own scopes and removes them afterwards, so checks do not
//! depend on each other and can run in any order. What a subject cannot show, e.g. a machine that
//! was switched off behind everyone's back, is skipped, visibly.

mod bench;
mod identity;
mod lifecycle;
mod ownership;

pub use bench::Pace;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use stagecraft_core::cloud::{Catalogue, CloudProvider, CreateInstance};
use stagecraft_core::inventory::Spec;
use stagecraft_core::name::InstanceId;

use bench::{Bench, Stop, cheapest};

/// A provider to be judged, and what the judge needs besides.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The provider.
    fn provider(&self) -> Arc<dyn CloudProvider>;

    /// A short DNS label that no other run uses; begins every name the suite makes.
    fn run(&self) -> String;

    /// Whether a name can be used once only.
    fn unique_names(&self) -> bool;

    /// Whether an order that is made twice gives one instance: unless overridden, where names are
    /// unique.
    fn repeats_are_recognised(&self) -> bool {
        self.unique_names()
    }

    /// The name that the instance of an order has at the provider.
    fn name_of(&self, order: &CreateInstance) -> String {
        order.marks.name.clone()
    }

    /// A well-formed identifier that no instance has.
    fn unknown_id(&self) -> InstanceId;

    /// How patient to be.
    fn pace(&self) -> Pace;

    /// What to order: unless overridden, the portable size `small` of the default architecture.
    fn spec(&self, catalogue: &Catalogue) -> Option<Spec> {
        cheapest(catalogue)
    }

    /// How many instances make a list long; more than a page, where pages can be made small.
    fn many(&self) -> usize {
        3
    }

    /// Switches an instance off behind the provider's back; `false` when that is impossible here.
    async fn stop(&self, id: &InstanceId) -> bool;

    /// Makes an instance of this name without our labels behind the provider's back; `None` when
    /// that is impossible here.
    async fn plant_foreign(&self, name: &str) -> Option<InstanceId>;

    /// Whether what was planted is still there.
    async fn has_foreign(&self, id: &InstanceId) -> bool;

    /// Removes what was planted.
    async fn remove_foreign(&self, id: &InstanceId);
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The promise is kept.
    Kept,
    /// The promise is broken, and how that showed.
    Broken(String),
    /// Nothing is known, and why.
    Skipped(String),
}

/// The outcomes of a run of the suite, in the order of [`checks`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict(pub Vec<(&'static str, Outcome)>);

/// A promise that is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The check.
    pub check: &'static str,
    /// How it showed.
    pub how: String,
}

impl Verdict {
    /// The promises that are not kept.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.0
            .iter()
            .filter_map(|(check, outcome)| match outcome {
                Outcome::Broken(how) => Some(Violation { check, how: how.clone() }),
                Outcome::Kept | Outcome::Skipped(_) => None,
            })
            .collect()
    }

    /// The checks that could not be made.
    #[must_use]
    pub fn skipped(&self) -> Vec<&'static str> {
        self.0
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Skipped(_)))
            .map(|(check, _)| *check)
            .collect()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, outcome) in &self.0 {
            match outcome {
                Outcome::Kept => writeln!(f, "kept     {check}")?,
                Outcome::Broken(how) => writeln!(f, "BROKEN   {check}: {how}")?,
                Outcome::Skipped(why) => writeln!(f, "skipped  {check}: {why}")?,
            }
        }
        Ok(())
    }
}

/// A check's future.
type Checking<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + 'a>>;

/// A name and what it checks.
type Check = (&'static str, for<'a> fn(&'a Bench<'a>) -> Checking<'a>);

const CHECKS: &[Check] = &[
    ("good_credentials_are_recognised", |b| Box::pin(identity::credentials(b))),
    ("the_catalogue_agrees_with_itself", |b| Box::pin(identity::catalogue(b))),
    ("a_created_instance_is_what_was_ordered", |b| Box::pin(identity::created(b))),
    ("an_instance_keeps_its_name_role_and_tags", |b| Box::pin(identity::marks(b))),
    ("an_update_replaces_what_an_instance_carries", |b| Box::pin(identity::update(b))),
    ("pinned_keys_are_kept_apart_from_what_an_instance_carries", |b| Box::pin(identity::pins(b))),
    ("younger_instances_are_not_older", |b| Box::pin(identity::age(b))),
    ("an_unknown_instance_is_none", |b| Box::pin(identity::unknown(b))),
    ("an_instance_comes_up_with_an_address", |b| Box::pin(lifecycle::comes_up(b))),
    ("starting_what_runs_changes_nothing", |b| Box::pin(lifecycle::start_running(b))),
    ("starting_what_is_stopped_brings_it_up", |b| Box::pin(lifecycle::start_stopped(b))),
    ("what_was_terminated_is_not_live", |b| Box::pin(lifecycle::terminated(b))),
    ("terminating_twice_is_success", |b| Box::pin(lifecycle::terminate_twice(b))),
    ("a_list_is_complete", |b| Box::pin(ownership::complete(b))),
    ("a_list_shows_one_scope_only", |b| Box::pin(ownership::one_scope(b))),
    ("a_foreign_instance_is_invisible", |b| Box::pin(ownership::foreign(b))),
    ("a_foreign_instance_is_not_adopted", |b| Box::pin(ownership::foreign_name(b))),
    ("creating_twice_is_safe_where_names_are_unique", |b| Box::pin(ownership::create_twice(b))),
];

/// The names of all checks, in order.
pub fn checks() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, _)| *name)
}

/// Puts a provider through every check.
pub async fn conformance(subject: &dyn Subject) -> Verdict {
    conformance_of(subject, &checks().collect::<Vec<_>>()).await
}

/// Puts a provider through the checks of these names.
pub async fn conformance_of(subject: &dyn Subject, names: &[&str]) -> Verdict {
    let mut outcomes = Vec::new();
    for (number, (name, check)) in CHECKS.iter().enumerate() {
        if !names.contains(name) {
            continue;
        }
        let bench = Bench::new(subject, number);
        let outcome = match check(&bench).await {
            Ok(()) => Outcome::Kept,
            Err(Stop::Broken(how)) => Outcome::Broken(how),
            Err(Stop::Skipped(why)) => Outcome::Skipped(why),
        };
        bench.clean().await;
        outcomes.push((*name, outcome));
    }
    Verdict(outcomes)
}
