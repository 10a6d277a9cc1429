//! The clouds: adapters that translate between Stagecraft and the places where hosts can live.
//!
//! Each provider is a folder with the same rooms:
//!
//! | file | holds |
//! |---|---|
//! | `wire.rs` | answers as the API describes them; never leaves the folder |
//! | `labels.rs` | what is written on an instance and how it is read back |
//! | `exchange.rs` | requests and answers as pure functions, tested with recorded answers |
//! | `refusal.rs` | what the API's errors mean |
//! | `catalogue.rs` | what can be ordered |
//! | `<provider>.rs` | the [`CloudProvider`](stagecraft_core::cloud::CloudProvider): one logical request per method |
//!
//! [`http`] sends requests for all providers that are reached by an HTTP API. `local` speaks to
//! Docker Engine through a client of its own.
//!
//! An adapter does not plan, wait, retry, print, or read the environment; it is given plain
//! settings by the binary.

pub mod aws;
pub mod digitalocean;
mod doing;
#[cfg(any(fuzzing, test))]
pub mod fuzz;
pub mod hetzner;
pub mod http;
pub mod local;
mod offers;

pub use doing::Doing;
use offers::Offers;
