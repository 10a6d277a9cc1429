//! Hosts to log in to that are only a disk and a very small shell, one behind every address of a
//! [`World`](crate::World).
//!
//! They run the probe batches of `stagecraft_core::converge` and the commands of a [`MarkerStep`];
//! whatever else a test's steps need is given to them as a script by name. A command a fake does
//! not know fails with status 127 and is remembered.

mod fleet;
mod identity;
mod mint;
mod remote;
mod shell;
mod step;
mod wireguard;

pub use fleet::{FakeFleet, HostFault};
pub use mint::FakeMint;
pub use remote::{FakeConnector, FakeRemote};
pub use shell::Script;
pub use step::MarkerStep;
pub use wireguard::FakeAir;
