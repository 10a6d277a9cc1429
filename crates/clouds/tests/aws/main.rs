//! The provider `aws` against moto, an imitation of AWS by others. moto knows neither tokens of orders
//! nor shortages.
//!
//! It runs where `STAGECRAFT_TEST_MOTO` names an interpreter of Python with moto, as `./test` sets it.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

mod conformance;
mod hosts;
mod policy;
mod stage;
