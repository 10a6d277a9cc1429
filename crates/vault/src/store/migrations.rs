//! The tables of the store, and how those of older versions become those of this one.

use super::{Column, Database, DatabaseError, DatabaseErrorKind, Value};
use crate::error::VaultError;

/// The version that this version of stagecraft writes.
pub const LATEST: i64 = MIGRATIONS.len() as i64;

/// What leads from each version to the next, `@bytes@` standing for the type of bytes. Once released,
/// a migration is never changed: the stores of that version are as it made them.
const MIGRATIONS: &[&[&str]] = &[&[
    // Which key counts: one row as soon as there is an entry.
    "CREATE TABLE stagecraft_key (id TEXT NOT NULL)",
    "CREATE TABLE stagecraft_credential (name TEXT NOT NULL PRIMARY KEY, issuer TEXT NOT NULL, \
     sealed @bytes@ NOT NULL)",
]];

const TABLE: &str = "stagecraft_schema";

/// The statements that lead to each version from the one before, for a database of this type of bytes.
#[must_use]
pub fn migrations(bytes_type: &str) -> Vec<Vec<String>> {
    let statements = |statements: &&[&str]| {
        statements.iter().map(|statement| statement.replace("@bytes@", bytes_type)).collect()
    };
    MIGRATIONS.iter().map(statements).collect()
}

/// Whether there is a store of whatever version. Only looks.
pub(crate) fn is_made(database: &mut dyn Database) -> Result<bool, DatabaseError> {
    database.has_table(TABLE)
}

/// Makes a store one of the latest version, in one transaction. A new one starts from nothing.
pub(crate) fn migrate(database: &mut dyn Database) -> Result<(), VaultError> {
    let failed = |doing| move |why| VaultError::Database { doing, why };
    let found = version(database).map_err(failed("read"))?;
    if found > LATEST {
        return Err(VaultError::Newer { found, known: LATEST });
    }
    if found == LATEST {
        return Ok(());
    }
    database.begin().map_err(failed("set up"))?;
    let done = upward(database).and_then(|()| database.commit());
    if done.is_err() {
        database.rollback();
    }
    done.map_err(failed("set up"))
}

fn upward(database: &mut dyn Database) -> Result<(), DatabaseError> {
    // Another run may have been faster.
    let from = version(database)?;
    if !database.has_table(TABLE)? {
        database.execute("CREATE TABLE stagecraft_schema (version BIGINT NOT NULL)", &[])?;
        database.execute("INSERT INTO stagecraft_schema (version) VALUES (0)", &[])?;
    }
    let steps = migrations(database.bytes_type());
    for statement in steps.iter().skip(usize::try_from(from).unwrap_or_default()).flatten() {
        database.execute(statement, &[])?;
    }
    database
        .execute("UPDATE stagecraft_schema SET version = $1", &[Value::Number(LATEST.max(from))])?;
    Ok(())
}

/// The version of a store; 0 where there is none yet.
fn version(database: &mut dyn Database) -> Result<i64, DatabaseError> {
    if !database.has_table(TABLE)? {
        return Ok(0);
    }
    let rows = database.query("SELECT version FROM stagecraft_schema", &[])?;
    match rows.as_slice() {
        [row] if matches!(row.as_slice(), [Column::Number(0..)]) => {
            let [Column::Number(version)] = row.as_slice() else { return Ok(0) };
            Ok(*version)
        }
        _ => Err(DatabaseError::new(
            DatabaseErrorKind::Damaged,
            "the table `stagecraft_schema` does not hold one version",
        )),
    }
}
