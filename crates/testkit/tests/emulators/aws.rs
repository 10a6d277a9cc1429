//! EC2, and what of STS and SSM goes with it.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

mod catalogue;
mod credentials;
mod fleets;
mod hosts;
mod life;
mod limits;
mod lists;
mod networks;
mod orders;
mod refusals;
mod room;
mod signer;
mod stage;
mod tags;
mod tokens;
