//! Where records are: one set of statements, and what carries them out.

mod migrations;
mod postgres;
mod sqlite;
mod url;

pub use migrations::{LATEST, migrations};
pub use postgres::{Authorities, Postgres};
pub use sqlite::Sqlite;
pub use url::{InvalidUrl, Url};

pub(crate) use migrations::{is_made, migrate};

use std::fmt::Debug;

/// A value of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A number.
    Number(i64),
}

/// A value of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A number.
    Number(i64),
    /// Nothing, or something of another type.
    Other,
}

/// A row of an answer.
pub type Row = Vec<Column>;

/// What carries out statements. Placeholders are `$1`, `$2` and so on, in the order of the values.
///
/// A transaction that is dropped, by an error or with the process, did not happen.
pub trait Database: Debug + Send {
    /// Begins a transaction that keeps all other writers of the store waiting.
    ///
    /// # Errors
    /// When that fails, or another writer takes too long.
    fn begin(&mut self) -> Result<(), DatabaseError>;

    /// Makes a transaction last.
    ///
    /// # Errors
    /// When it did not happen, or nobody can say whether it did.
    fn commit(&mut self) -> Result<(), DatabaseError>;

    /// Gives a transaction up.
    fn rollback(&mut self);

    /// Carries out a statement, and says how many rows it changed.
    ///
    /// # Errors
    /// When it fails.
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError>;

    /// Asks for rows.
    ///
    /// # Errors
    /// When that fails.
    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError>;

    /// Whether there is a table of this name.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn has_table(&mut self, name: &str) -> Result<bool, DatabaseError>;

    /// The type of columns that hold bytes.
    fn bytes_type(&self) -> &'static str;

    /// What a user does to begin with an empty store, e.g. "move `/home/ada/a.db` away".
    fn anew(&self) -> String;
}

/// Why a database did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseError {
    /// What kind of failure it is.
    pub kind: DatabaseErrorKind,
    /// What the database says, without secrets.
    pub message: String,
}

/// Kinds of failures of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseErrorKind {
    /// It cannot be reached or opened.
    Unreachable,
    /// It is not as it was written.
    Damaged,
    /// The connection would not be protected.
    Unprotected,
    /// It refused, or failed itself.
    Failed,
}

impl DatabaseError {
    /// A failure of this kind.
    #[must_use]
    pub fn new(kind: DatabaseErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
