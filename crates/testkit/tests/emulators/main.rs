//! The emulators, over real sockets.

mod aws;
mod client;
mod digitalocean;
mod faults;
mod hetzner;
mod published;
mod server;
