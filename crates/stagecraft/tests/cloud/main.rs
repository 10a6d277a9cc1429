//! The built binary against emulated clouds, one scenario per fault: what the user reads, what the
//! cloud holds afterwards, and that the next run converges.
//!
//! Every byte that any run writes is searched for the tokens; see `leak.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../cli/stage.rs"]
#[expect(dead_code, reason = "shared with the tests without a cloud")]
mod cli;

/// A keyring of its own.
#[path = "../../../vault/tests/vault/session.rs"]
mod session;

mod account;
mod answers;
mod aws;
mod aws_troubles;
mod chain;
mod happy;
mod leak;
mod lost;
mod machines;
mod many;
mod orders;
mod others;
mod regions;
mod room;
mod scene;
mod screens;
mod spot;
mod stored;
mod stored_aws;
mod stored_keyring;
mod terminal;
mod tokens;
mod two_clouds;
