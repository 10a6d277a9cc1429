//! What the API knows of the account and the world does not.

mod actions;
mod keys;

pub(super) use actions::{Action, Course};
pub(super) use keys::{Key, Keys};

use std::collections::{BTreeMap, BTreeSet};

use super::habits::Habits;
use super::images::Image;
use crate::emulators::ids::number;
use crate::world::{Moment, Seen};
use actions::Actions;

/// The account.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) habits: Habits,
    pub(super) keys: Keys,
    pub(super) servers: BTreeMap<u64, Record>,
    pub(super) actions: Actions,
    /// Server types nobody can have in a location, for now.
    pub(super) out_of_stock: BTreeSet<(String, String)>,
}

impl Account {
    /// What is known of a server, also of one that was not ordered through the API.
    pub(super) fn record(&self, seen: &Seen) -> Record {
        self.servers.get(&number(&seen.id)).cloned().unwrap_or_else(|| Record::of(seen))
    }

    /// The same, to be changed.
    pub(super) fn record_mut(&mut self, seen: &Seen) -> &mut Record {
        self.servers.entry(number(&seen.id)).or_insert_with(|| Record::of(seen))
    }
}

/// What the API knows of a server and the world does not.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The id of its image; `None` when that was removed.
    pub(super) image: Option<u64>,
    pub(super) created: Option<Moment>,
    pub(super) user_data: Option<String>,
    pub(super) keys: Vec<String>,
    pub(super) protected: bool,
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
}

impl Record {
    /// Of a server that was not ordered through the API.
    fn of(seen: &Seen) -> Self {
        let image = Image::named(&seen.spec.image.0, seen.spec.arch);
        Self {
            image: image.map(|image| image.id),
            created: None,
            user_data: None,
            keys: Vec::new(),
            protected: false,
            ipv4: true,
            ipv6: true,
        }
    }
}
