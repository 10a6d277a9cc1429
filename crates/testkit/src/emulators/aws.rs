//! Amazon EC2 over a world, with the two calls of other services that go with it: who am I (STS), and
//! which image is the newest (SSM).
//!
//! ```text
//!  Call -> signature -> permission -> action -> Turn: asks the world, the account, the hosts -> Outcome
//!                                                |          |
//!                      machines, their lives ----+          +---- keys, groups, templates, tokens, tags
//! ```
//!
//! One address serves every region: the region is that of the signature. An action or a parameter that is
//! not emulated is refused as an unknown one.

mod account;
mod action;
mod admit;
mod catalogue;
mod filters;
mod fleet;
mod habits;
mod ids;
mod images;
mod instance;
mod instances;
mod launch;
mod lifecycle;
mod network;
mod networks;
mod others;
mod paging;
mod params;
mod places;
mod problem;
mod resolve;
mod route;
mod run;
mod security;
mod sign;
mod spec;
mod tag_words;
mod tags;
mod templates;
mod turn;
mod types;
mod xml;

pub use habits::{AccessKey, Clock, Habits, Shortage, Standing};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use stagecraft_core::name::InstanceId;

use super::call::{Answer, Call, Front, Media, Outcome};
use super::hosts::{Hosts, NoHosts};
use super::limits::{Over, Rule, Usage};
use crate::shared::SharedWorld;
use crate::world::{RequestKind, World};

use account::{Account, Reason};
use action::Action;
use admit::{FIRST_KEY, identify, permit, service_of};
use problem::Problem;
use route::{asked, name_of, serve, success};
use turn::{Done, Stop, Turn, stamp};

/// The key pair every account begins with.
const DEPLOY_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLUI4SotagtjyKzlwhEOTKnRqbPUU0NTusem0Ie8HBw deploy";

/// The API of one account. Clones are the same account.
#[derive(Clone, Debug)]
pub struct Aws {
    world: SharedWorld,
    hosts: Arc<dyn Hosts>,
    account: Arc<Mutex<Account>>,
}

impl Aws {
    /// An account with the key pair `deploy` and the access key [`Aws::access_key`], whose machines
    /// are those of `world`. The world offers what the API does, and remembers what was terminated,
    /// from now on.
    #[must_use]
    pub fn new(world: &SharedWorld) -> Self {
        let mut account = Account::default();
        world.with(|world, now| {
            *world.catalogue() = catalogue::offer();
            world.behaviour().remembers_terminated = true;
            let created = stamp(world.epoch_millis(now));
            let added = account.keys.put("deploy", DEPLOY_KEY, &created);
            debug_assert!(added.is_ok(), "the first key is a key");
        });
        let (world, hosts) = (world.clone(), Arc::new(NoHosts));
        Self { world, hosts, account: Arc::new(Mutex::new(account)) }
    }

    /// The id and the secret of the access key every account begins with.
    #[must_use]
    pub fn access_key() -> (&'static str, &'static str) {
        FIRST_KEY
    }

    /// Puts hosts behind the machines.
    #[must_use]
    pub fn with_hosts(self, hosts: Arc<dyn Hosts>) -> Self {
        Self { hosts, ..self }
    }

    /// Changes how the account behaves from now on.
    pub fn change_habits(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.account().habits);
    }

    /// Adds a key pair by its public half in OpenSSH's one-line form, in every region and in place of
    /// one of the same name.
    ///
    /// # Errors
    /// It is no public key, or of a kind that is not taken.
    pub fn put_key(&self, name: &str, public_key: &str) -> Result<(), String> {
        let created = self.world.with(|world, now| stamp(world.epoch_millis(now)));
        self.account().keys.put(name, public_key, &created)
    }

    /// Takes a spot instance back, at once.
    pub fn interrupt(&self, instance: &str) {
        let Some(id) = ids::machine(instance) else { return };
        let machines = self.world.with(World::machines);
        if let Some(seen) = machines.into_iter().find(|seen| seen.id == id) {
            self.world.with(|world, now| world.take_away(now, &id));
            self.hosts.removed(&id);
            let now = self.world.now();
            let mut account = self.account();
            let record = account.record_mut(&seen);
            record.ended = Some(now);
            record.reason = Some(Reason::Interrupted);
        }
    }

    /// The machine of an instance, by the id the API shows.
    #[must_use]
    pub fn machine(instance: &str) -> Option<InstanceId> {
        ids::machine(instance)
    }

    /// The id by which the API shows a machine.
    #[must_use]
    pub fn instance(machine: &InstanceId) -> String {
        ids::instance(machine)
    }

    /// The user data an instance was ordered with, decoded.
    #[must_use]
    pub fn user_data(&self, instance: &str) -> Option<String> {
        self.account().instances.get(&ids::machine(instance)?)?.user_data.clone()
    }

    /// The public keys an instance was ordered with.
    #[must_use]
    pub fn keys_of(&self, instance: &str) -> Vec<String> {
        let record = ids::machine(instance)
            .and_then(|id| self.account().instances.get(&id).map(|one| one.public_keys.clone()));
        record.unwrap_or_default()
    }

    /// The names of the security groups somebody made, in all regions.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        let account = self.account();
        let regions = places::Place::all();
        let groups = regions.flat_map(|place| account.groups.of(place.region));
        groups.map(|group| group.name.clone()).filter(|name| name != "default").collect()
    }

    /// The names of the key pairs there are.
    #[must_use]
    pub fn key_pairs(&self) -> Vec<String> {
        self.account().keys.all().iter().map(|key| key.name.clone()).collect()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(
        &self,
        call: &Call,
        account: &mut Account,
        kill: &mut Option<crate::world::Kill>,
    ) -> Done {
        if call.method != "POST" || !call.path.is_empty() || !call.query.is_empty() {
            let message = "Only POST / with the parameters in the body is emulated";
            return Err(Problem::new(400, "InvalidQueryParameter", message).into());
        }
        let world_time = self.world.with(|world, now| world.epoch_millis(now));
        let now = admit::time(&account.habits, Duration::from_millis(world_time));
        let admitted = identify(call, &account.habits, now)?;
        let (action, params) = asked(call, admitted.service)?;
        permit(&admitted, action, call.access, &account.habits)?;
        let mut turn = Turn {
            call,
            action,
            place: admitted.place,
            caller: admitted.caller,
            world: &self.world,
            hosts: &*self.hosts,
            account,
            kill: None,
        };
        turn.settle();
        let done = serve(&mut turn, params);
        *kill = turn.kill;
        done
    }
}

impl Front for Aws {
    fn prefix(&self) -> &'static str {
        ""
    }

    fn answer(&self, call: &Call) -> Outcome {
        let (mut account, mut kill) = (self.account(), None);
        let done = self.done(call, &mut account, &mut kill);
        let service = service_of(call);
        let outcome: Outcome = match done {
            Ok(content) => success(call, service, &content).into(),
            Err(Stop::Refused(problem)) => problem.answer(service, &call.request_id).into(),
            Err(Stop::Garbled) => {
                Answer::new(200, Value::String("<".to_owned())).written_as(Media::Xml).into()
            }
            Err(Stop::Cut) => Outcome::cut(),
        };
        outcome.killing(kill)
    }

    fn limited(&self, call: &Call, over: &Over) -> Answer {
        let answer = Problem::limited().answer(service_of(call), &call.request_id);
        // The API never says how long to wait; only who injects it does.
        answer.retry_after(over.after.filter(|_| over.rule.is_none()))
    }

    fn failing(&self, call: &Call, status: u16) -> Answer {
        let (code, message) = match status {
            401 => ("AuthFailure", "AWS was not able to validate the provided access credentials"),
            403 => ("UnauthorizedOperation", "You are not authorized to perform this operation."),
            503 => ("Unavailable", "The service is unavailable. Please try again shortly."),
            500.. => ("InternalError", "An internal error has occurred"),
            0..500 => ("InvalidRequest", "The request is not valid."),
        };
        Problem::new(status, code, message).answer(service_of(call), &call.request_id)
    }

    fn limits(&self) -> Vec<Rule> {
        let bucket = |name, most, per_second: u64| {
            let every = Duration::from_millis(1000 / per_second);
            Rule::refilled(most, every).only("POST", name)
        };
        vec![
            bucket("read", 100, 20),
            bucket("read-everything", 50, 10),
            bucket("write", 50, 5),
            bucket("other", 40, 40),
            bucket("RunInstances", 5, 2),
            bucket("StartInstances", 5, 2),
            bucket("StopInstances", 5, 2),
            bucket("TerminateInstances", 100, 5),
            bucket("CreateTags", 100, 10),
        ]
    }

    fn usage_headers(&self, _usage: &[Usage], _now: u64) -> Vec<(String, String)> {
        Vec::new()
    }

    fn kind(&self, call: &Call) -> Option<RequestKind> {
        Action::named(&name_of(call)?)?.kind()
    }

    fn request_id_header(&self) -> Option<&'static str> {
        Some("x-amzn-requestid")
    }

    fn credential<'a>(&self, authorization: &'a str) -> Option<&'a str> {
        sign::key_id(authorization)
    }

    fn known_as(&self, call: &Call) -> Option<String> {
        let name = name_of(call).unwrap_or_else(|| "unknown".to_owned());
        Some(format!("/{name}"))
    }

    /// The account has limits of its own in every region.
    fn payer(&self, call: &Call) -> Option<String> {
        let signature = sign::Signature::read(call.authorization.as_deref()?).ok()?;
        Some(format!("{}/{}", signature.key_id, signature.region))
    }

    fn limited_as(&self, call: &Call, _path: &str) -> String {
        let Some(action) = name_of(call).as_deref().and_then(Action::named) else {
            return "write".to_owned();
        };
        let narrow = |name: &str| {
            let named = ["Filter.", "InstanceId.", "MaxResults", "NextToken", "InstanceType."];
            named.iter().any(|beginning| name.starts_with(beginning))
                || name.split_once('.').is_some_and(|(name, _)| name.ends_with("Id"))
        };
        let mut names = url::form_urlencoded::parse(&call.body);
        action.bucket(!names.any(|(name, _)| narrow(&name))).to_owned()
    }

    fn credentials_wanted(&self) -> &'static str {
        "requests signed with the access key AKIAIOSFODNN7EXAMPLE and the secret of the same example"
    }
}
