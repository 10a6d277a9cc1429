use std::collections::BTreeMap;
use std::time::Duration;

use stagecraft_core::name::InstanceId;

/// The kinds of requests a world takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestKind {
    /// Whose credentials are these?
    Validate,
    /// What can be ordered?
    Catalogue,
    /// What is there?
    List,
    /// What of this one?
    Get,
    /// Make one.
    Create,
    /// Switch it on.
    Start,
    /// Change its name, labels and tags.
    Update,
    /// Remove it.
    Terminate,
}

/// How many requests were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests(BTreeMap<RequestKind, u64>);

impl Requests {
    /// How many of one kind.
    #[must_use]
    pub fn of(&self, kind: RequestKind) -> u64 {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    /// How many altogether.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    pub(super) fn count(&mut self, kind: RequestKind) {
        *self.0.entry(kind).or_default() += 1;
    }
}

/// One change to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its place in the log, from 1.
    pub number: u64,
    /// When it happened, since the world began.
    pub at: Duration,
    /// What it was.
    pub kind: EffectKind,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// A machine was made.
    Created {
        /// Its id.
        id: InstanceId,
        /// The name it was ordered under.
        name: String,
    },
    /// A machine was switched on.
    Started {
        /// Its id.
        id: InstanceId,
    },
    /// A machine carries something else now.
    Updated {
        /// Its id.
        id: InstanceId,
    },
    /// A machine is being removed.
    Terminated {
        /// Its id.
        id: InstanceId,
    },
    /// Something on a machine's disk changed.
    HostChanged {
        /// The machine's id.
        id: InstanceId,
        /// The command that did it.
        command: String,
    },
}
