//! Connections over real sockets: to a server inside the test, which sees everything the client
//! does, and to the system's `sshd` where there is one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agent;
mod commands;
mod host_keys;
mod logging_in;
mod openssh;
mod passphrases;
mod support;
