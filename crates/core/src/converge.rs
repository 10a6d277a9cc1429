//! Making things true on a host: look, decide, change only what is needed, look again.
//!
//! A [`Step`] never touches a host; it says what to look at and what is missing. A
//! [`Convergence`] drives the steps of one host without I/O: ask it for the next [`Effect`], tell
//! it what came of it.
//!
//! ```text
//!            +--------------------------- changed ------------------------------+
//!            v                                                                   |
//!  Probe (all open steps, one command) --> assess in order --> Change (one step) +
//!            |                                  |
//!            |                                  +-- blocked / not converged --> rest skipped
//!            +-- all satisfied --> Finished
//! ```

mod batch;
mod convergence;
mod inspect;

pub use convergence::{Convergence, Effect, StepReport, StepResult};
pub use inspect::{finding, findings, last_seen, look};

use std::fmt::Debug;

use crate::Secret;
use crate::error::{Code, Failure};
use crate::guard::Guard;
use crate::remote::{Command, Output};

/// One thing that must be true on a host.
pub trait Step: Debug + Send + Sync {
    /// Its stable name in reports, e.g. `docker-install`.
    fn name(&self) -> &'static str;

    /// Read-only commands whose output [`assess`](Step::assess) needs. They run as root, without
    /// input, with standard error joined to standard output, and are given 20 seconds
    /// each; one that others took half a minute before is not run.
    fn probe(&self) -> Vec<Command>;

    /// Decides from the outputs, in probe order, whether and how to change the host.
    fn assess(&self, seen: &[Output]) -> Assessment;

    /// The code of a change that failed or did not help.
    fn failure_code(&self) -> Code;

    /// What it takes to the host and nobody may read, also when the host prints it.
    fn secret(&self) -> Option<&Secret> {
        None
    }
}

/// What a step makes of what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assessment {
    /// Nothing to do.
    Satisfied,
    /// These changes, in this order, should make it true.
    Needs(Vec<Change>),
    /// No change of ours can make it true.
    Blocked(Failure),
}

/// One change to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it does, for the progress display, e.g. `installing docker.io`.
    pub doing: String,
    /// How.
    pub command: Command,
    /// What undoes it unless a fresh connection shows that there still is a way in.
    pub guard: Option<Box<Guard>>,
    /// What to tell when it is still needed after it was made; `None` leaves that to the driver.
    ///
    /// The look after a change asks for the change again, so this is written by who has just seen
    /// the host, and it is read then only.
    pub in_vain: Option<Box<Failure>>,
    /// What the user can do when it fails.
    pub hint: Option<String>,
}

impl Change {
    /// A change made by one command.
    #[must_use]
    pub fn new(doing: impl Into<String>, command: Command) -> Self {
        Self { doing: doing.into(), command, guard: None, hint: None, in_vain: None }
    }

    /// The same, with what the user can do when it fails.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A change that could lock us out, which the host undoes by itself if it does.
    #[must_use]
    pub fn guarded(mut self, guard: Guard) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    /// Says what it means when this is needed although it was just made.
    #[must_use]
    pub fn or_else(mut self, in_vain: Failure) -> Self {
        self.in_vain = Some(Box::new(in_vain));
        self
    }
}
