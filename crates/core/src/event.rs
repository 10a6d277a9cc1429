//! Everything that happens in a run, as one stream in one order.
//!
//! Progress display, plain lines and the final [report](crate::report) are folds over it.

use std::time::Duration;

use crate::converge::StepReport;
use crate::desired::ProviderId;
use crate::error::{Code, Failure};
use crate::inventory::Instance;
use crate::name::HostName;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Position in the stream, from 0, without gaps.
    pub sequence: u64,
    /// Time since the run began.
    pub elapsed: Duration,
    /// What happened.
    pub kind: EventKind,
}

/// What happened, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// Something about a provider.
    Provider(ProviderId, ProviderEvent),
    /// Something about a host.
    Host(HostName, HostEvent),
    /// The user asked to stop: nothing new is started, what is in flight is finished.
    Stopping,
}

/// What can happen to a provider.
#[derive(Clone, Debug, PartialEq)]
pub enum ProviderEvent {
    /// Its instances are being listed, to find out what exists.
    Listing,
    /// A request failed and will be made again.
    Retrying {
        /// How long from now.
        after: Duration,
        /// Why.
        code: Code,
    },
    /// It asked to slow down: no request is sent to it for a while, whoever waits. Told once for
    /// each pause, not for each request that it holds up.
    RateLimited {
        /// How long from now.
        after: Duration,
    },
}

/// What can happen to a host.
#[derive(Clone, Debug, PartialEq)]
pub enum HostEvent {
    /// An instance is being ordered.
    Creating,
    /// An instance exists now.
    Created(Box<Instance>),
    /// A stopped instance is being switched on.
    Starting,
    /// It is switched on; it may still be coming up.
    Started,
    /// Its name, role or tags are being changed in place.
    Updating,
    /// They are changed.
    Updated,
    /// An instance is being removed.
    Terminating,
    /// Its provider took the request to remove it; it may exist for a while.
    TerminationBegun,
    /// This instance is removed, or was gone already.
    Terminated(Box<Instance>),
    /// The instance is not up yet.
    WaitingForInstance,
    /// The instance is up and has an address.
    Running(Box<Instance>),
    /// SSH does not answer yet, or is being connected to.
    WaitingForSsh,
    /// Logged in.
    Connected,
    /// A change is being made on the host.
    Doing {
        /// The step's name.
        step: &'static str,
        /// What is being done, e.g. `installing docker.io`.
        doing: String,
    },
    /// A step ended.
    Step(StepReport),
    /// A request about this host failed and will be made again. Not told when the provider asked to
    /// slow down: see [`ProviderEvent::RateLimited`].
    Retrying {
        /// How long from now.
        after: Duration,
        /// Why.
        code: Code,
    },
    /// The answer to an order was lost: whether there is an instance now is looked for, and nothing
    /// is ordered before that is known.
    LookingForLost {
        /// How long from now.
        after: Duration,
        /// What became of the answer.
        code: Code,
    },
    /// A surplus instance of this host, made by this run while another run made one too, is being
    /// removed; the oldest stays.
    RemovingDuplicate,
    /// It is ready to be told of the other members of its mesh, and waits for them.
    WaitingForMembers,
    /// A host that the run does not work on otherwise has to be told of the others.
    Included(Box<Instance>),
    /// The network could not be told that this host leaves it; its machine is removed all the same.
    NotSignedOff(Failure),
    /// Nothing more happens to this host in this run.
    Ended(HostEnd),
}

/// How a host ended.
#[derive(Clone, Debug, PartialEq)]
pub enum HostEnd {
    /// It is as asked.
    Ready,
    /// It has no instance any more, as asked.
    Removed,
    /// It is not.
    Failed(Failure),
    /// It was not worked on.
    Skipped(SkipReason),
}

/// Why a host was not worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The user interrupted the run before its turn.
    Interrupted,
    /// Bootstrap was switched off with `--no-bootstrap`.
    NoBootstrap,
}

/// Receives everything that happens, in order. Cannot fail and cannot influence the run.
pub trait Reporter: std::fmt::Debug + Send + Sync {
    /// Takes one event. Called by one caller at a time.
    fn report(&self, event: &Event);
}
