use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, params_from_iter};

use super::{Column, Database, DatabaseError, DatabaseErrorKind, Row, Value};

/// How long a writer waits for another.
const PATIENCE: Duration = Duration::from_secs(30);

/// A store in one file.
pub struct Sqlite {
    path: PathBuf,
    connection: Connection,
}

impl Sqlite {
    /// Opens the file at this place; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Result<Option<Self>, DatabaseError> {
        match std::fs::metadata(path) {
            Ok(_) => Self::connect(path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreachable(path, &error)),
        }
    }

    /// Opens the file at this place, and makes one for its owner alone where there is none.
    ///
    /// # Errors
    /// When it cannot be opened or made.
    pub fn create(path: &Path) -> Result<Self, DatabaseError> {
        Self::make_folder(path)?;
        // An empty file is an empty database; made here, it has its permissions from the start.
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unreachable(path, &error)),
        }
        Self::connect(path)
    }

    /// Makes the folder of the file at this place, for its owner alone, where there is none.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_folder(path: &Path) -> Result<(), DatabaseError> {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(folder).map_err(|error| unreachable(folder, &error))
    }

    fn connect(path: &Path) -> Result<Self, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let told = |error: &rusqlite::Error| failed(path, error);
        let connection = Connection::open_with_flags(path, flags).map_err(|error| told(&error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| told(&error))?;
        // What is removed is overwritten, and what is written is on the disk.
        connection
            .execute_batch("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL")
            .map_err(|error| told(&error))?;
        Ok(Self { path: path.to_owned(), connection })
    }

    fn batch(&self, sql: &str) -> Result<(), DatabaseError> {
        self.connection.execute_batch(sql).map_err(|error| failed(&self.path, &error))
    }
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sqlite").field(&self.path).finish()
    }
}

impl Database for Sqlite {
    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.batch("COMMIT")
    }

    fn rollback(&mut self) {
        // Where there is no transaction any more, that is as well.
        let _best_effort = self.batch("ROLLBACK");
    }

    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        let told = |error: &rusqlite::Error| failed(&self.path, error);
        let mut statement = self.connection.prepare(sql).map_err(|error| told(&error))?;
        let changed = statement.execute(params_from_iter(values));
        changed.map(|rows| rows as u64).map_err(|error| told(&error))
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError> {
        let told = |error: rusqlite::Error| failed(&self.path, &error);
        let mut statement = self.connection.prepare(sql).map_err(told)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(values), |row| {
            (0..columns).map(|at| row.get_ref(at).map(column)).collect()
        });
        rows.map_err(told)?.collect::<Result<Vec<Row>, _>>().map_err(told)
    }

    fn has_table(&mut self, name: &str) -> Result<bool, DatabaseError> {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1";
        Ok(!self.query(sql, &[Value::Text(name)])?.is_empty())
    }

    fn bytes_type(&self) -> &'static str {
        "BLOB"
    }

    fn anew(&self) -> String {
        format!("move `{}` away", self.path.display())
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Number(number) => ValueRef::Integer(*number),
        }))
    }
}

fn column(value: ValueRef<'_>) -> Column {
    match value {
        ValueRef::Text(text) => Column::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Column::Bytes(bytes.to_vec()),
        ValueRef::Integer(number) => Column::Number(number),
        ValueRef::Real(_) | ValueRef::Null => Column::Other,
    }
}

fn unreachable(path: &Path, error: &std::io::Error) -> DatabaseError {
    let message = format!("`{}`: {error}", path.display());
    DatabaseError::new(DatabaseErrorKind::Unreachable, message)
}

fn failed(path: &Path, error: &rusqlite::Error) -> DatabaseError {
    let path = path.display();
    let (kind, why) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
            DatabaseErrorKind::Damaged,
            "it is cut off, or was changed by something else".to_owned(),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            DatabaseErrorKind::Failed,
            format!("another run has been writing for more than {} seconds", PATIENCE.as_secs()),
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            (DatabaseErrorKind::Unreachable, error.to_string())
        }
        _ => (DatabaseErrorKind::Failed, error.to_string()),
    };
    DatabaseError::new(kind, format!("`{path}`: {why}"))
}
