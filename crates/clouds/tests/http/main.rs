//! What can go wrong between an adapter and an API, whatever the API is. DigitalOcean's adapter
//! stands for all; what only others have to expect is in `hetzner.rs` and `credentials.rs`.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

mod bad_answers;
mod credentials;
mod hetzner;
mod secrecy;
mod server;
mod tls;
