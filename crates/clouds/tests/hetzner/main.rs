//! The provider `hetzner` over HTTP, against an emulated account.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

mod budget;
mod conformance;
mod doubts;
mod orders;
mod pins;
mod refusals;
mod secrecy;
mod stage;
