//! One request being answered.

use std::time::Duration;

use serde_json::Value;
use stagecraft_core::cloud::CloudErrorKind;

use super::account::Account;
use super::problem::Problem;
use crate::emulators::ids::number;
use crate::emulators::{Access, Call, Hosts};
use crate::shared::SharedWorld;
use crate::world::{Kill, Reply, Seen, World};

/// A status and a body, `null` for none.
pub(super) type Done = Result<(u16, Value), Stop>;

/// Why a request is not answered as it hoped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The API refuses it.
    Refused(Problem),
    /// There is no answer, whatever became of it.
    Cut,
    /// It is one too many; how long to wait.
    Limited(Option<Duration>),
    /// The answer is outside the description.
    Garbled,
    /// The world has no capacity for an order; how that is told is decided where it was made.
    SoldOut,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// A request and what it works with.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) call: &'a Call,
    pub(super) world: &'a SharedWorld,
    pub(super) hosts: &'a dyn Hosts,
    pub(super) account: &'a mut Account,
    /// Whether the process that asked is to be killed.
    pub(super) kill: Option<Kill>,
}

impl Turn<'_> {
    /// Makes one request of the world.
    pub(super) fn ask<T>(
        &mut self,
        act: impl FnOnce(&mut World, Duration) -> Reply<T>,
    ) -> Result<T, Stop> {
        let Reply { result, kill } = self.world.with(act);
        self.kill = self.kill.or(kill);
        result.map_err(|refusal| if refusal.maybe_done { Stop::Cut } else { stop(refusal.kind) })
    }

    /// Asks for what the world does not know in detail: keys, images, sizes, regions.
    pub(super) fn ask_catalogue(&mut self) -> Result<(), Stop> {
        self.ask(World::offered).map(drop)
    }

    /// Every machine that exists, by the API's ids; not a request.
    pub(super) fn machines(&self) -> Vec<Seen> {
        let mut machines = self.world.with(World::machines);
        machines.sort_by_key(|seen| number(&seen.id));
        machines
    }

    /// One machine that exists; not a request.
    pub(super) fn find(&self, droplet: u64) -> Result<Seen, Problem> {
        let mut machines = self.machines().into_iter();
        machines.find(|seen| number(&seen.id) == droplet).ok_or_else(Problem::not_found)
    }

    /// Time since the world began.
    pub(super) fn now(&self) -> Duration {
        self.world.now()
    }

    /// A time as the API writes it.
    pub(super) fn stamp_at(&self, at: Duration) -> String {
        stamp(self.world.with(|world, _| world.epoch_millis(at)))
    }

    /// Whether whoever asks may see tags.
    pub(super) fn sees_tags(&self) -> bool {
        self.call.access != Access::WithoutTags
    }
}

/// A time in milliseconds since 1970 as the API writes it.
pub(super) fn stamp(millis: u64) -> String {
    let millis = i64::try_from(millis).unwrap_or_default();
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn stop(kind: CloudErrorKind) -> Stop {
    match kind {
        CloudErrorKind::NoCredentials(_) | CloudErrorKind::InvalidCredentials(_) => {
            Problem::unauthorized().into()
        }
        CloudErrorKind::Forbidden(_) => Problem::forbidden().into(),
        CloudErrorKind::QuotaExceeded(_) => Problem::droplet_limit().into(),
        CloudErrorKind::SoldOut(_) => Stop::SoldOut,
        CloudErrorKind::InvalidInput(message) => Problem::unprocessable(message).into(),
        CloudErrorKind::NotFound(_) => Problem::not_found().into(),
        CloudErrorKind::Conflict(message) => Problem::new(409, message).into(),
        CloudErrorKind::RateLimited { after, .. } => Stop::Limited(after),
        CloudErrorKind::Unreachable(_) => Stop::Cut,
        CloudErrorKind::ProviderFault(message) => Problem::new(500, message).into(),
        CloudErrorKind::UnexpectedAnswer(_) => Stop::Garbled,
        CloudErrorKind::Unsupported(message) => Problem::unprocessable(message).into(),
    }
}
