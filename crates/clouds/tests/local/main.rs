//! The provider `local` against a real Docker Engine: the one of `DOCKER_HOST`, else the one of this
//! machine. Where the lab is off the tests say so and pass.
//!
//! Every test has a project of its own and removes its hosts, also when it fails.

#![expect(clippy::disallowed_methods, reason = "tests are told by the environment what to use")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]
#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

mod conformance;
mod engine;
mod support;
