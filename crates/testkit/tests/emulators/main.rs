//! The emulators, over real sockets.

mod client;
mod digitalocean;
mod faults;
mod hetzner;
mod published;
mod server;
