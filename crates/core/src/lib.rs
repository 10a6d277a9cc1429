//! Stagecraft as data and pure functions.
//!
//! The modules repeat the one-way street the product is built as:
//!
//! ```text
//! config -> desired -> (resolve) -> inventory -> plan -> converge -> report
//! ```
//!
//! Nothing here does I/O, reads a clock or the environment, or needs an async runtime. What acts is
//! reached through the traits [`cloud::CloudProvider`], [`remote::Connector`],
//! [`network::NetworkProvider`] and [`event::Reporter`], implemented elsewhere.

mod apt;
pub mod bootstrap;
pub mod cloud;
pub mod config;
pub mod converge;
pub mod credential;
pub mod desired;
pub mod error;
pub mod event;
#[cfg(any(fuzzing, test))]
pub mod fuzz;
pub mod guard;
pub mod identity;
pub mod inventory;
pub mod name;
pub mod network;
pub mod plan;
pub mod remote;
pub mod report;
pub mod resolve;
#[cfg(test)]
mod samples;
mod script;
mod secret;
pub mod words;

pub use secret::Secret;
