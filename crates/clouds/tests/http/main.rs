//! What can go wrong between an adapter and an API, whatever the API is. DigitalOcean's adapter
//! stands for all; what only Hetzner's has to expect is in `hetzner.rs`.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

mod bad_answers;
mod hetzner;
mod secrecy;
mod server;
mod tls;
