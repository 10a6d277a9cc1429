//! DigitalOcean, API v2, over a world.
//!
//! ```text
//!  Call -> token -> route -> Turn: asks the world, the account, the hosts -> Outcome
//!                             |          |
//!   machines, their lives ----+          +---- keys, tags, images, sizes, actions, user data
//! ```

mod account;
mod actions;
mod body;
mod catalogue;
mod droplet;
mod droplets;
mod habits;
mod images;
mod keys;
mod order;
mod paging;
mod places;
mod problem;
mod region;
mod sizes;
mod tags;
mod turn;

pub use habits::{Habits, Shortage};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Access, Answer, Call, Front, Outcome};
use super::hosts::{Hosts, NoHosts};
use super::limits::{Over, Refill, Rule, Usage};
use crate::shared::SharedWorld;
use crate::world::RequestKind;

use account::Account;
use problem::Problem;
use turn::{Done, Stop, Turn};

/// The stretch of time of the limit on bursts.
const MINUTE: Duration = Duration::from_secs(60);
/// The stretch of time of the limit that headers tell of.
const HOUR: Duration = Duration::from_secs(3600);
/// The key every account begins with.
const DEPLOY_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLUI4SotagtjyKzlwhEOTKnRqbPUU0NTusem0Ie8HBw someone";

/// The API of one account. Clones are the same account.
#[derive(Clone, Debug)]
pub struct DigitalOcean {
    world: SharedWorld,
    hosts: Arc<dyn Hosts>,
    account: Arc<Mutex<Account>>,
}

impl DigitalOcean {
    /// An account with the SSH key `deploy`, whose machines are those of `world`. The world offers
    /// what the API does from now on.
    #[must_use]
    pub fn new(world: &SharedWorld) -> Self {
        world.with(|world, _| catalogue::stock(world));
        let mut account = Account::default();
        let added = account.keys.add("deploy", DEPLOY_KEY, None);
        debug_assert!(added.is_ok(), "the first key is a key");
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

    /// Adds an SSH key in OpenSSH's one-line form, in place of one of the same name; it can be
    /// ordered with at once.
    ///
    /// # Errors
    /// It is no public key, or is there under another name.
    pub fn put_key(&self, name: &str, public_key: &str) -> Result<(), String> {
        let mut account = self.account();
        account.keys.forget(name);
        match account.keys.add(name, public_key, None) {
            Ok(_) => Ok(()),
            Err(problem) => Err(problem.message().to_owned()),
        }
    }

    /// The user data a droplet was ordered with.
    #[must_use]
    pub fn user_data(&self, droplet: u64) -> Option<String> {
        self.account().droplets.get(&droplet)?.user_data.clone()
    }

    /// The public keys a droplet was ordered with.
    #[must_use]
    pub fn keys_of(&self, droplet: u64) -> Vec<String> {
        self.account().droplets.get(&droplet).map(|extra| extra.keys.clone()).unwrap_or_default()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Front for DigitalOcean {
    fn prefix(&self) -> &'static str {
        "/v2"
    }

    fn answer(&self, call: &Call) -> Outcome {
        let account = &mut *self.account();
        let mut turn = Turn { call, world: &self.world, hosts: &*self.hosts, account, kill: None };
        let done = admit(call).map_err(Stop::from).and_then(|()| {
            turn.settle_actions();
            route(&mut turn)
        });
        let (kill, novelties) = (turn.kill, turn.account.habits.novelties);
        let outcome = match done {
            Ok((status, Value::Null)) => Answer::empty(status).into(),
            Ok((status, body)) if novelties => Answer::new(status, with_novelties(body)).into(),
            Ok((status, body)) => Answer::new(status, body).into(),
            Err(Stop::Refused(problem)) => refusal(call, &problem).into(),
            Err(Stop::SoldOut) => refusal(call, &Problem::unprocessable("sold out")).into(),
            Err(Stop::Limited(after)) => self.limited(call, &Over { rule: None, after }).into(),
            Err(Stop::Garbled) => Answer::new(200, json!([])).into(),
            Err(Stop::Cut) => Outcome::cut(),
        };
        outcome.killing(kill)
    }

    fn limited(&self, call: &Call, over: &Over) -> Answer {
        // How long to wait is told only when the many requests came in a short time.
        let told = over.rule.is_none_or(|rule| match rule.refill {
            Refill::Sliding(within) => within <= MINUTE,
            Refill::OneEvery(_) => true,
        });
        refusal(call, &Problem::new(429, "API rate limit exceeded."))
            .retry_after(over.after.filter(|_| told))
    }

    fn failing(&self, call: &Call, status: u16) -> Answer {
        let problem = match status {
            401 => Problem::unauthorized(),
            403 => Problem::forbidden(),
            404 => Problem::not_found(),
            409 => Problem::new(409, "The request could not be completed due to a conflict."),
            422 => Problem::unprocessable("The request could not be processed."),
            429 => Problem::new(429, "API rate limit exceeded."),
            500.. => Problem::new(status, "Server Error"),
            0..500 => Problem::new(status, "The request was refused."),
        };
        refusal(call, &problem)
    }

    fn limits(&self) -> Vec<Rule> {
        vec![
            Rule::sliding(5000, HOUR),
            Rule::sliding(250, MINUTE),
            Rule::sliding(10, MINUTE).only("GET", "/account/keys"),
        ]
    }

    fn usage_headers(&self, usage: &[Usage], _now: u64) -> Vec<(String, String)> {
        // Only the limit of the hour is told.
        let Some(hour) = usage.first() else { return Vec::new() };
        [
            ("ratelimit-limit", u64::from(hour.rule.most)),
            ("ratelimit-remaining", u64::from(hour.remaining)),
            ("ratelimit-reset", hour.next_at.div_ceil(1000)),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .to_vec()
    }

    fn kind(&self, call: &Call) -> Option<RequestKind> {
        match (call.method.as_str(), &call.segments()[..]) {
            ("POST", ["droplets"]) => Some(RequestKind::Create),
            ("DELETE", ["droplets", ..]) => Some(RequestKind::Terminate),
            ("POST", ["droplets", _, "actions"]) => Some(RequestKind::Start),
            ("POST" | "DELETE", ["tags", ..]) => Some(RequestKind::Update),
            _ => None,
        }
    }

    fn request_id_header(&self) -> Option<&'static str> {
        Some("x-request-id")
    }
}

/// Lets a call in if its token may do what it asks for.
fn admit(call: &Call) -> Result<(), Problem> {
    match call.access {
        Access::Missing | Access::Unknown => Err(Problem::unauthorized()),
        Access::Nothing => Err(Problem::forbidden()),
        Access::ReadOnly if call.method != "GET" => Err(Problem::forbidden()),
        Access::Full | Access::ReadOnly | Access::WithoutTags => Ok(()),
    }
}

/// Answers by method and path.
fn route(turn: &mut Turn<'_>) -> Done {
    let call = turn.call;
    let segments = call.segments();
    let number = |text: &str| text.parse::<u64>().map_err(|_| Problem::not_found());
    match (call.method.as_str(), &segments[..]) {
        ("GET", ["account"]) => turn.show_account(),
        ("GET", ["account", "keys"]) => turn.list_keys(),
        ("POST", ["account", "keys"]) => turn.add_key(),
        ("GET", ["account", "keys", key]) => turn.show_key(key),
        ("PUT", ["account", "keys", key]) => turn.rename_key(key),
        ("DELETE", ["account", "keys", key]) => turn.remove_key(key),
        ("GET", ["actions"]) => turn.list_actions(None),
        ("GET", ["actions", id]) => turn.show_action(None, number(id)?),
        ("GET", ["droplets"]) => turn.list_droplets(),
        ("POST", ["droplets"]) => turn.create_droplets(),
        ("DELETE", ["droplets"]) => turn.remove_tagged(),
        ("GET", ["droplets", id]) => turn.show_droplet(number(id)?),
        ("DELETE", ["droplets", id]) => turn.remove_droplet(number(id)?),
        ("GET", ["droplets", id, "actions"]) => turn.list_actions(Some(number(id)?)),
        ("POST", ["droplets", id, "actions"]) => turn.act(number(id)?),
        ("GET", ["droplets", id, "actions", action]) => {
            turn.show_action(Some(number(id)?), number(action)?)
        }
        ("GET", ["images"]) => turn.list_images(),
        ("GET", ["images", image]) => turn.show_image(image),
        ("GET", ["regions"]) => turn.list_regions(),
        ("GET", ["sizes"]) => turn.list_sizes(),
        ("GET", ["tags"]) => turn.list_tags(),
        ("POST", ["tags"]) => turn.add_tag(),
        ("GET", ["tags", name]) => turn.show_tag(name),
        ("DELETE", ["tags", name]) => turn.remove_tag(name),
        ("POST", ["tags", name, "resources"]) => turn.tag_resources(name, true),
        ("DELETE", ["tags", name, "resources"]) => turn.tag_resources(name, false),
        _ => Err(Problem::not_found().into()),
    }
}

fn refusal(call: &Call, problem: &Problem) -> Answer {
    Answer::new(problem.status, problem.body(&call.request_id))
}

/// Adds what no description knows: fields everywhere, a distribution, a network of another type in
/// front of the others.
fn with_novelties(mut body: Value) -> Value {
    let resources = body.as_object_mut().into_iter().flat_map(|body| body.values_mut());
    for resource in resources {
        match resource {
            Value::Array(items) => items.iter_mut().for_each(novel),
            Value::Object(_) => novel(resource),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    if let Some(images) = body.get_mut("images").and_then(Value::as_array_mut) {
        let mut image = images.first().cloned().unwrap_or_else(|| json!({}));
        image["id"] = json!(999_000_111);
        image["slug"] = json!("almalinux-9-x64");
        image["distribution"] = json!("AlmaLinux");
        images.push(image);
    }
    body["novelty"] = json!(["new"]);
    body
}

fn novel(resource: &mut Value) {
    if let Some(fields) = resource.as_object_mut() {
        fields.insert("novelty".to_owned(), json!({ "since": 2031 }));
    }
    if let Some(v4) = resource.pointer_mut("/networks/v4").and_then(Value::as_array_mut) {
        let network = json!({
            "ip_address": "192.0.2.1",
            "netmask": "255.255.255.255",
            "gateway": null,
            "type": "anycast",
        });
        v4.insert(0, network);
    }
}
