//! The provider `aws` against our own emulator of EC2, which knows tokens of orders, shortages, spot
//! instances and what shows late.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

mod conformance;
mod orders;
mod stage;
