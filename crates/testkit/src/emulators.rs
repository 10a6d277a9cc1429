//! HTTP emulators: a provider's API over a [`World`](crate::World), for whoever speaks HTTP.
//!
//! ```text
//! client <-HTTP-> server (sockets, limits, faults, record) <-> Front (one per provider) <-> World
//!                                                                \-> Hosts (what is behind it)
//! ```
//!
//! The server does I/O and waits; a [`Front`] does neither. No type is shared with the adapters.

pub mod aws;
mod call;
pub mod digitalocean;
pub mod faults;
pub mod fingerprint;
pub mod hetzner;
mod hosts;
mod ids;
mod limits;
pub mod published;
mod record;
mod script;
mod server;

pub use call::{Access, Answer, Call, Front, Media, Outcome};
pub use hosts::{HostOrder, Hosts, NoHosts};
pub use limits::{Limits, Over, Refill, Rule, Usage};
pub use record::{Exchange, Record};
pub use script::{NamedFate, Script, SoldOut, WorldHabits};
pub use server::{Emulator, Options, Running, Watcher};
