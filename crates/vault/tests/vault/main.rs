//! The credential store for real: in SQLite, and in PostgreSQL where `STAGECRAFT_TEST_POSTGRES` names one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

mod damage;
mod entries;
mod migrations;
mod rotation;
mod stage;
mod tls;
mod vectors;
