//! Hetzner Cloud, API v1, over a world.
//!
//! ```text
//!  Call -> Resource -> token -> Turn: asks the world, the account, the hosts -> Outcome
//!                                      |          |
//!            machines, their lives ----+          +---- keys, images, types, actions, user data
//! ```

mod account;
mod actions;
mod body;
mod catalogue;
mod habits;
mod images;
mod keys;
mod money;
mod order;
mod paging;
mod places;
mod pricing;
mod problem;
mod route;
mod selector;
mod server;
mod servers;
mod stamp;
mod turn;
mod types;

pub use habits::{Habits, Shortage};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Access, Answer, Call, Front, Outcome};
use super::hosts::{Hosts, NoHosts};
use super::ids::instance;
use super::limits::{Over, Rule, Usage};
use crate::shared::SharedWorld;
use crate::world::{Labels, RequestKind};

use account::Account;
use problem::Problem;
use route::Resource;
use turn::{Done, Stop, Turn};

/// Requests an account may make before it has to wait for each, which happens once a second.
const REQUESTS: u32 = 3600;
/// The key every account begins with.
const DEPLOY_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLUI4SotagtjyKzlwhEOTKnRqbPUU0NTusem0Ie8HBw deploy";

/// The API of one account. Clones are the same account.
#[derive(Clone, Debug)]
pub struct Hetzner {
    world: SharedWorld,
    hosts: Arc<dyn Hosts>,
    account: Arc<Mutex<Account>>,
}

impl Hetzner {
    /// An account with the SSH key `deploy`, whose machines are those of `world`. The world offers
    /// what the API does from now on.
    #[must_use]
    pub fn new(world: &SharedWorld) -> Self {
        let mut account = Account::default();
        let (kind, place) = types::OUT_OF_STOCK;
        account.out_of_stock.insert((kind.to_owned(), place.to_owned()));
        world.with(|world, now| {
            *world.catalogue() = catalogue::offer();
            let created = world.epoch_millis(now);
            let added = account.keys.add("deploy", DEPLOY_KEY, Labels::new(), created);
            debug_assert!(added.is_ok(), "the first key is a key");
        });
        let (world, hosts) = (world.clone(), Arc::new(NoHosts));
        Self { world, hosts, account: Arc::new(Mutex::new(account)) }
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

    /// Adds an SSH key in OpenSSH's one-line form, in place of one of the same name.
    ///
    /// # Errors
    /// It is no public key, or is there under another name.
    pub fn put_key(&self, name: &str, public_key: &str) -> Result<(), String> {
        let created = self.world.with(|world, now| world.epoch_millis(now));
        let mut account = self.account();
        account.keys.forget(name);
        match account.keys.add(name, public_key, Labels::new(), created) {
            Ok(_) => Ok(()),
            Err(problem) => Err(problem.message().to_owned()),
        }
    }

    /// Says whether a server type can be had in a location; the list of types says the same.
    pub fn set_stock(&self, server_type: &str, location: &str, available: bool) {
        let pair = (server_type.to_owned(), location.to_owned());
        let out_of_stock = &mut self.account().out_of_stock;
        if available {
            out_of_stock.remove(&pair)
        } else {
            out_of_stock.insert(pair)
        };
    }

    /// Forgets what a server was made from, as when an image is removed.
    pub fn forget_image(&self, server: u64) {
        self.with_record(server, |record| record.image = None);
    }

    /// Protects a server from removal, or no longer.
    pub fn protect(&self, server: u64, protected: bool) {
        self.with_record(server, |record| record.protected = protected);
    }

    /// The user data a server was ordered with.
    #[must_use]
    pub fn user_data(&self, server: u64) -> Option<String> {
        self.account().servers.get(&server)?.user_data.clone()
    }

    /// The public keys a server was ordered with.
    #[must_use]
    pub fn keys_of(&self, server: u64) -> Vec<String> {
        self.account().servers.get(&server).map(|record| record.keys.clone()).unwrap_or_default()
    }

    fn with_record(&self, server: u64, change: impl FnOnce(&mut account::Record)) {
        let machines = self.world.with(crate::world::World::machines);
        let Some(seen) = machines.into_iter().find(|seen| seen.id == instance(server)) else {
            return;
        };
        let mut account = self.account();
        change(account.record_mut(&seen));
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, turn: &mut Turn<'_>) -> Done {
        let call = turn.call;
        let resource = Resource::at(&call.segments()).ok_or_else(Problem::no_route)?;
        admit(call)?;
        turn.settle_actions();
        turn.serve(resource)
    }
}

impl Front for Hetzner {
    fn prefix(&self) -> &'static str {
        "/v1"
    }

    fn answer(&self, call: &Call) -> Outcome {
        let account = &mut *self.account();
        let mut turn = Turn { call, world: &self.world, hosts: &*self.hosts, account, kill: None };
        let done = self.done(&mut turn);
        let (kill, novelties) = (turn.kill, turn.account.habits.novelties);
        let outcome = match done {
            Ok((status, Value::Null)) => Answer::empty(status).into(),
            Ok((status, body)) if novelties => Answer::new(status, with_novelties(body)).into(),
            Ok((status, body)) => Answer::new(status, body).into(),
            Err(Stop::Refused(problem)) => refusal(&problem).into(),
            Err(Stop::Limited) => self.limited(call, &Over { rule: None, after: None }).into(),
            Err(Stop::Garbled) => Answer::new(200, json!([])).into(),
            Err(Stop::Cut) => Outcome::cut(),
        };
        outcome.killing(kill)
    }

    fn limited(&self, call: &Call, _over: &Over) -> Answer {
        // The API shows the beginning of the token to whoever has it.
        let beginning: String = call.token.iter().flat_map(|token| token.chars()).take(8).collect();
        let message =
            format!("Limit of '{REQUESTS}' requests per hour for token '{beginning}...' reached.");
        refusal(&Problem::new(429, "rate_limit_exceeded", message))
    }

    fn failing(&self, call: &Call, status: u16) -> Answer {
        if status == 404 && Resource::at(&call.segments()).is_none() {
            return refusal(&Problem::no_route());
        }
        let (code, message) = match status {
            400 => ("json_error", "invalid JSON input in your request"),
            401 => ("unauthorized", "the token you have provided is invalid"),
            403 => ("forbidden", "insufficient permissions for this request"),
            404 => ("not_found", "resource not found"),
            405 => ("method_not_allowed", "method not allowed"),
            409 => ("conflict", "the resource has changed during the request, please retry"),
            410 => ("deprecated_api_endpoint", "this endpoint is no longer available"),
            412 => ("resource_unavailable", "error during placement"),
            413 | 422 => ("invalid_input", "invalid input"),
            423 => ("locked", "cannot perform operation because server is locked"),
            429 => ("rate_limit_exceeded", "rate limit exceeded"),
            502 => ("bad_gateway", "bad gateway"),
            503 => ("unavailable", "service unavailable"),
            504 => ("timeout", "the request timed out"),
            _ => ("server_error", "internal server error"),
        };
        refusal(&Problem::new(status, code, message))
    }

    fn limits(&self) -> Vec<Rule> {
        vec![Rule::refilled(REQUESTS, Duration::from_secs(1))]
    }

    fn usage_headers(&self, usage: &[Usage], _now: u64) -> Vec<(String, String)> {
        let header = |name: &str, value: u64| (name.to_owned(), value.to_string());
        usage
            .iter()
            .flat_map(|usage| {
                [
                    header("ratelimit-limit", u64::from(usage.rule.most)),
                    header("ratelimit-remaining", u64::from(usage.remaining)),
                    header("ratelimit-reset", usage.full_at.div_ceil(1000)),
                ]
            })
            .collect()
    }

    fn kind(&self, call: &Call) -> Option<RequestKind> {
        Resource::at(&call.segments())?.kind(&call.method)
    }

    fn request_id_header(&self) -> Option<&'static str> {
        Some("x-correlation-id")
    }
}

/// Lets a call in if its token may do what it asks for.
fn admit(call: &Call) -> Result<(), Problem> {
    match call.access {
        Access::Missing => Err(Problem::unauthorized("token is required")),
        Access::Unknown => Err(Problem::unauthorized("the token you have provided is invalid")),
        Access::Nothing => {
            Err(Problem::new(403, "forbidden", "insufficient permissions for this request"))
        }
        Access::ReadOnly if call.method != "GET" => Err(Problem::read_only()),
        Access::Full | Access::ReadOnly | Access::WithoutTags => Ok(()),
    }
}

fn refusal(problem: &Problem) -> Answer {
    Answer::new(problem.status, problem.body())
}

/// Adds fields that no description knows to a body and to the resources in it.
fn with_novelties(mut body: Value) -> Value {
    let novelty = json!({ "since": 2031, "words": ["new"] });
    let resources = body.as_object_mut().into_iter().flat_map(|body| body.values_mut());
    for resource in resources {
        match resource {
            Value::Array(items) => {
                for item in items {
                    item["novelty"] = novelty.clone();
                }
            }
            Value::Object(fields) => drop(fields.insert("novelty".to_owned(), novelty.clone())),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    body["novelty"] = novelty;
    body
}
