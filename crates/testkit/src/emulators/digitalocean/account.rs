//! What the API knows of the account and the world does not.

use std::collections::BTreeMap;

use super::actions::Actions;
use super::habits::Habits;
use super::keys::Keys;
use super::tags::Tags;

/// The account.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) habits: Habits,
    pub(super) keys: Keys,
    pub(super) tags: Tags,
    pub(super) droplets: BTreeMap<u64, Extra>,
    pub(super) actions: Actions,
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
