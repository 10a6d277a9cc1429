//! The built binary as a user meets it, without any cloud: help, files, messages, exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod clouds;
mod documents;
mod file;
mod help;
mod output;
mod stage;
