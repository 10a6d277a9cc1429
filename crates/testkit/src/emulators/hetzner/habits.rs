//! What the API leaves open, as switches.

use serde::Deserialize;

/// How the emulated account behaves where the API leaves room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Habits {
    /// How a shortage is told when somebody orders.
    pub shortage: Shortage,
    /// Whether a shortage of the world is told in the list of server types too, rather than only to
    /// who orders.
    pub announces_shortage: bool,
    /// Whether lists keep to themselves how long they are.
    pub silent_totals: bool,
    /// Whether a running action keeps a server from being changed or removed too, rather than only
    /// from other actions.
    pub locks_everything: bool,
    /// Whether answers have fields, words and entries that no description knows.
    pub novelties: bool,
}

/// The two ways in which the API says that there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortage {
    /// 412 `resource_unavailable`.
    #[default]
    Unavailable,
    /// 422 `placement_error`.
    Placement,
}
