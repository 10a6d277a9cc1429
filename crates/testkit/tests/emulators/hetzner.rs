//! The Hetzner front end over real sockets.

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
