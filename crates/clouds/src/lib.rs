//! The clouds: adapters that translate between Stagecraft and the places where hosts can live.
//!
//! Each provider is a folder with the same rooms:
//!
//! | file | holds |
//! |---|---|
//! | `labels.rs` | what is written on an instance and how it is read back |
//! | `exchange.rs` | requests and answers as pure functions, tested with recorded answers |
//! | `catalogue.rs` | what can be ordered |
//! | `<provider>.rs` | the [`CloudProvider`](stagecraft_core::cloud::CloudProvider): one logical request per method |
//!
//! An adapter does not plan, wait, retry, print, or read the environment; it is given plain
//! settings by the binary.

pub mod local;
