//! What the API knows of the account and the world does not.

mod actions;
mod keys;
mod tags;

pub(super) use actions::Action;
pub(super) use keys::Key;

use std::collections::BTreeMap;

use super::habits::Habits;
use super::problem::Problem;
use actions::Actions;
use keys::Keys;
use tags::Tags;

/// The account.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) habits: Habits,
    pub(super) keys: Keys,
    pub(super) tags: Tags,
    pub(super) droplets: BTreeMap<u64, Extra>,
    pub(super) actions: Actions,
}

impl Account {
    /// Refuses to do anything to a droplet that something is being done to, if the account does.
    pub(super) fn refuse_if_busy(&self, droplet: u64) -> Result<(), Problem> {
        if self.habits.busy_refuses && self.actions.is_busy(droplet) {
            return Err(Problem::unprocessable("Droplet already has a pending event."));
        }
        Ok(())
    }
}

/// What the API knows of a droplet and the world does not.
#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    pub(super) ipv6: bool,
    pub(super) monitoring: bool,
    pub(super) backups: bool,
    pub(super) user_data: Option<String>,
    pub(super) keys: Vec<String>,
}
