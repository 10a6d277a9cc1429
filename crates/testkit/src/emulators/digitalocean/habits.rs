//! What the API leaves open, as switches.

use serde::Deserialize;

/// How the emulated account behaves where the API leaves room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Habits {
    /// How long a new SSH key cannot be named in an order, in seconds.
    pub late_key_seconds: u64,
    /// How a shortage is told to who orders.
    pub shortage: Shortage,
    /// Whether a droplet with an action under way refuses other actions and to be destroyed.
    pub busy_refuses: bool,
    /// Whether a droplet that is being destroyed is still shown as it was, locked.
    pub lingers: bool,
    /// Whether answers have fields, words and entries that no description knows.
    pub novelties: bool,
}

/// The ways in which the API says that there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortage {
    /// `Size is not available in this region.`
    #[default]
    NotInRegion,
    /// `... temporarily unavailable ...`, with the regions that have room.
    Temporary,
}
