//! Test doubles that behave, and the suites that judge what claims to behave like them.
//!
//! ```text
//! World (sans-IO cloud: machines, clock, faults, log of effects)
//!   ^ shared by
//!   |-- MockCloud     a CloudProvider, one per pretended process
//!   |-- emulators     providers' HTTP APIs, for whoever speaks HTTP
//!   `-- FakeConnector a Connector, one per pretended process, over the machines' disks
//! tailscale           a control server, and the client's programs for hosts
//! Process             what `kill -9` is aimed at
//! samples             orders that tests of several crates place
//! conformance         every documented promise of CloudProvider, as checks that return violations
//! ```
//!
//! Nothing here is shipped. Everything random comes from a seed, and time from whoever calls.

pub mod conformance;
pub mod emulators;
pub mod fakes;
mod gauge;
pub mod mock;
pub mod process;
pub mod samples;
pub mod shared;
pub mod tailscale;
pub mod world;

pub use fakes::{FakeAir, FakeFleet, FakeMint, HostFault, MarkerStep};
pub use gauge::{Gauge, Reading};
pub use mock::{Flaw, MockCloud};
pub use process::Process;
pub use shared::SharedWorld;
pub use world::World;
