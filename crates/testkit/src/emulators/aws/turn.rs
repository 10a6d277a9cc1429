//! One request being answered.

use std::time::Duration;

use serde_json::Value;
use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::inventory::Lifecycle;

use super::account::{Account, Reason, Record};
use super::action::Action;
use super::ids;
use super::network::{Subnet, Vpc, subnets, vpcs};
use super::paging::Page;
use super::params::Params;
use super::places::Place;
use super::problem::Problem;
use crate::emulators::call::Call;
use crate::emulators::hosts::Hosts;
use crate::shared::SharedWorld;
use crate::world::{Kill, Moment, Refusal, Reply, RequestKind, Seen, World};

/// How long what is terminated stays listed.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The content of an answer.
pub(super) type Done = Result<Value, Stop>;

/// Why a request is not answered as it hoped.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The API refuses it.
    Refused(Problem),
    /// There is no answer, whatever became of it.
    Cut,
    /// The answer makes no sense.
    Garbled,
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
    pub(super) action: Action,
    pub(super) place: &'static Place,
    /// Who asks, among everything there is.
    pub(super) caller: String,
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
        result.map_err(refused)
    }

    /// Asks for what the world does not know in detail.
    pub(super) fn ask_catalogue(&mut self) -> Result<(), Stop> {
        self.ask(World::offered).map(drop)
    }

    /// Ends the reading of the parameters, and the request if it was a rehearsal.
    ///
    /// # Errors
    /// There are parameters nobody asked for, or it was one.
    pub(super) fn finish(&self, mut params: Params) -> Result<(), Problem> {
        let rehearsal = params.flag("DryRun")?;
        params.finish()?;
        if rehearsal == Some(true) { Err(Problem::dry_run()) } else { Ok(()) }
    }

    /// All instances of the region that are remembered, visible or not; not a request.
    pub(super) fn instances(&self) -> Vec<Seen> {
        let machines = self.world.with(World::machines);
        machines.into_iter().filter(|seen| self.is_known(seen)).collect()
    }

    /// Whether an instance is one of the region and not forgotten.
    pub(super) fn is_known(&self, seen: &Seen) -> bool {
        let record = self.account.record(seen);
        let forgotten = record.ended.is_some_and(|ended| self.now() >= ended + REMEMBERED);
        record.region == self.place.region && !forgotten
    }

    /// The instance of this id among `machines`.
    ///
    /// # Errors
    /// There is none, or no id looks so.
    pub(super) fn instance_of(&self, machines: &[Seen], id: &str) -> Result<Seen, Problem> {
        let Some(machine) = ids::machine(id) else {
            let message = format!("Invalid id: \"{id}\"");
            return Err(Problem::new(400, "InvalidInstanceID.Malformed", message));
        };
        let found =
            machines.iter().find(|seen| seen.id == machine && ids::instance(&seen.id) == id);
        found.cloned().ok_or_else(|| {
            let message = format!("The instance ID '{id}' does not exist");
            Problem::new(400, "InvalidInstanceID.NotFound", message)
        })
    }

    /// Whether lists do not show an instance yet.
    pub(super) fn is_hidden(&self, record: &Record) -> bool {
        let visible = self.world.with(|world, _| world.behaviour().visible);
        !visible.passed(record.created, self.moment())
    }

    /// Notes what became of instances by itself: those that failed, and those that were taken back.
    pub(super) fn settle(&mut self) {
        let (now, after) = (self.now(), self.account.habits.spot_interrupted_after_seconds);
        let after = after.map(Duration::from_secs);
        for seen in self.world.with(World::machines) {
            let record = self.account.record(&seen);
            if record.ended.is_some() {
                continue;
            }
            if seen.lifecycle == Lifecycle::Failed {
                self.note_end(&seen, Reason::Failed);
            } else if seen.lifecycle == Lifecycle::Terminated {
                self.note_end(&seen, Reason::Terminated);
            } else if seen.spec.spot && after.is_some_and(|after| record.created.at + after <= now)
            {
                self.world.with(|world, now| world.take_away(now, &seen.id));
                self.hosts.removed(&seen.id);
                self.note_end(&seen, Reason::Interrupted);
            }
        }
    }

    /// Notes that an instance is gone or going, and why.
    pub(super) fn note_end(&mut self, seen: &Seen, reason: Reason) {
        let now = self.now();
        let record = self.account.record_mut(seen);
        record.ended = record.ended.or(Some(now));
        record.reason = Some(reason);
    }

    /// A page of a list, with the name of the list and, if there are more, the token of the next.
    pub(super) fn paged(&mut self, page: &Page, name: &str, all: Vec<Value>) -> Done {
        let begins_empty = self.account.habits.empty_pages;
        let (entries, next) = self.account.pages.turn(self.action, page, all, begins_empty)?;
        Ok(serde_json::json!({ name: entries, "nextToken": next }))
    }

    /// The networks of the region.
    pub(super) fn vpcs(&self) -> Vec<Vpc> {
        vpcs(self.place, !self.account.habits.no_default_vpc)
    }

    /// The subnets of the region.
    pub(super) fn subnets(&self) -> Vec<Subnet> {
        subnets(self.place, !self.account.habits.no_default_vpc)
    }

    /// Time since the world began.
    pub(super) fn now(&self) -> Duration {
        self.world.now()
    }

    /// The world's time, in milliseconds since 1970.
    pub(super) fn millis(&self) -> u64 {
        self.world.with(|world, now| world.epoch_millis(now))
    }

    /// The point of the world's history that is now.
    pub(super) fn moment(&self) -> Moment {
        self.world.with(|world: &mut World, at| Moment {
            at,
            lists: world.requests().of(RequestKind::List),
        })
    }
}

/// A time in milliseconds since 1970 as the API writes it.
pub(super) fn stamp(millis: u64) -> String {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn refused(refusal: Refusal) -> Stop {
    if refusal.maybe_done {
        return Stop::Cut;
    }
    let problem = match refusal.kind {
        CloudErrorKind::NoCredentials(_) | CloudErrorKind::InvalidCredentials(_) => Problem::auth(),
        CloudErrorKind::Forbidden(message) => Problem::new(403, "UnauthorizedOperation", message),
        CloudErrorKind::QuotaExceeded(_) => {
            let message = "You have requested more instances than your current instance limit allows \
                           for the specified instance type.";
            Problem::new(400, "InstanceLimitExceeded", message)
        }
        CloudErrorKind::SoldOut(what) => {
            Problem::no_capacity(format!("We currently do not have sufficient capacity: {what}"))
        }
        CloudErrorKind::InvalidInput(message) => {
            Problem::new(400, "InvalidParameterValue", message)
        }
        CloudErrorKind::NotFound(message) => {
            Problem::new(400, "InvalidInstanceID.NotFound", message)
        }
        CloudErrorKind::Conflict(message) => Problem::new(400, "IncorrectState", message),
        CloudErrorKind::RateLimited { .. } => Problem::limited(),
        CloudErrorKind::Unreachable(_) => return Stop::Cut,
        CloudErrorKind::ProviderFault(message) => Problem::new(500, "InternalError", message),
        CloudErrorKind::UnexpectedAnswer(_) => return Stop::Garbled,
        CloudErrorKind::Unsupported(message) => Problem::new(400, "UnsupportedOperation", message),
    };
    problem.into()
}
