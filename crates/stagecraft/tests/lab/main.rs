//! The built binary against real hosts on this machine's Docker Engine.
//!
//! Needs an engine, and takes minutes: `./test` runs it, `./test --fast` and a bare `cargo test`
//! skip it and say so.

#![expect(clippy::disallowed_methods, reason = "tests are told by the environment what to use")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says why")]

mod algorithms;
mod cloud_init;
mod clouds;
mod guard;
mod hostile;
mod identity;
mod interrupted;
mod keys;
mod lifecycle;
mod mesh;
mod middle;
mod passphrases;
mod remote_engine;
mod secrets;
mod stage;
mod street;
mod tailnet;
mod terminal;
mod users;
mod ways;
