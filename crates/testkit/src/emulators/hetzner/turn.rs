//! One request being answered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use stagecraft_core::cloud::CloudErrorKind;

use super::account::Account;
use super::habits::Shortage;
use super::paging::Page;
use super::problem::Problem;
use super::selector::Selector;
use crate::emulators::call::Call;
use crate::emulators::hosts::Hosts;
use crate::emulators::ids::{instance, number};
use crate::shared::SharedWorld;
use crate::world::{Kill, Refusal, Reply, Seen, World};

/// A status and a body, `null` for none.
pub(super) type Done = Result<(u16, Value), Stop>;

/// Why a request is not answered as it hoped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The API refuses it.
    Refused(Problem),
    /// There is no answer, whatever became of it.
    Cut,
    /// It is one too many.
    Limited,
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
        result.map_err(|refusal| self.refused(refusal))
    }

    /// Asks for what the world does not know in detail: keys, images, types, prices.
    pub(super) fn ask_catalogue(&mut self) -> Result<(), Stop> {
        self.ask(World::offered).map(drop)
    }

    /// Looks at one machine.
    pub(super) fn look(&mut self, server: u64) -> Result<Seen, Stop> {
        let id = instance(server);
        self.ask(|world, now| world.get(now, &id)).map_err(|stop| match stop {
            Stop::Refused(problem) if problem.status == 404 => {
                Problem::not_found("server", server).into()
            }
            Stop::Refused(_) | Stop::Cut | Stop::Limited | Stop::Garbled => stop,
        })
    }

    /// All machines by id; not a request.
    pub(super) fn machines(&self) -> BTreeMap<u64, Seen> {
        let machines = self.world.with(World::machines);
        machines.into_iter().map(|seen| (number(&seen.id), seen)).collect()
    }

    /// One machine as it is; not a request.
    pub(super) fn find(&self, server: u64) -> Result<Seen, Stop> {
        let found = self.machines().remove(&server);
        found.ok_or_else(|| Problem::not_found("server", server).into())
    }

    /// Time since the world began.
    pub(super) fn now(&self) -> Duration {
        self.world.now()
    }

    /// A time since the world began, in milliseconds since 1970.
    pub(super) fn time(&self, at: Duration) -> u64 {
        self.world.with(|world, _| world.epoch_millis(at))
    }

    /// The page that is asked for.
    pub(super) fn page(&self) -> Result<Page, Problem> {
        Page::asked(self.call.value("page"), self.call.value("per_page"))
    }

    /// The labels that are asked for.
    pub(super) fn selector(&self) -> Result<Selector, Problem> {
        let text = self.call.value("label_selector").unwrap_or_default();
        Selector::parse(text).map_err(|part| {
            let message = format!("invalid label selector near '{part}'");
            Problem::invalid_field("label_selector", &message)
        })
    }

    /// A shortage, the way this account tells it.
    pub(super) fn shortage(&self) -> Problem {
        match self.account.habits.shortage {
            Shortage::Unavailable => {
                Problem::new(412, "resource_unavailable", "error during placement")
            }
            Shortage::Placement => Problem::new(422, "placement_error", "error during placement"),
        }
    }

    fn refused(&self, refusal: Refusal) -> Stop {
        if refusal.maybe_done {
            return Stop::Cut;
        }
        let problem = match refusal.kind {
            CloudErrorKind::NoCredentials(_) | CloudErrorKind::InvalidCredentials(_) => {
                Problem::unauthorized("the token you have provided is invalid")
            }
            CloudErrorKind::Forbidden(message) => Problem::new(403, "forbidden", message),
            CloudErrorKind::QuotaExceeded(_) => Problem::limit("server_limit"),
            CloudErrorKind::SoldOut(_) => self.shortage(),
            CloudErrorKind::InvalidInput(message) => Problem::invalid_field("name", &message),
            CloudErrorKind::NotFound(message) => Problem::new(404, "not_found", message),
            CloudErrorKind::Conflict(_) => Problem::taken("server name is already used"),
            CloudErrorKind::RateLimited { .. } => return Stop::Limited,
            CloudErrorKind::Unreachable(_) => return Stop::Cut,
            CloudErrorKind::ProviderFault(message) => Problem::new(500, "server_error", message),
            CloudErrorKind::UnexpectedAnswer(_) => return Stop::Garbled,
            CloudErrorKind::Unsupported(message) => Problem::new(422, "unsupported_error", message),
        };
        problem.into()
    }
}
