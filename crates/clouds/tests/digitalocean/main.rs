//! The provider `digitalocean` over HTTP: against an emulated account, and answer by answer.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

mod answers;
mod budget;
mod conformance;
mod failures;
mod orders;
mod pins;
mod requests;
#[path = "../http/server.rs"]
#[expect(dead_code, reason = "shared with the tests of what all APIs have in common")]
mod server;
mod stage;
