//! The Hetzner front end over real sockets.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

mod catalogue;
mod hosts;
mod keys;
mod life;
mod limits;
mod lists;
mod orders;
mod published;
mod refusals;
mod stage;
