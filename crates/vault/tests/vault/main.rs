//! The credential store for real: in SQLite, in PostgreSQL where `STAGECRAFT_TEST_POSTGRES` names
//! one, and with its key in a real keyring where the programs for that are installed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

mod damage;
mod entries;
mod keyring;
mod migrations;
mod rotation;
mod session;
mod stage;
mod tls;
mod vectors;
