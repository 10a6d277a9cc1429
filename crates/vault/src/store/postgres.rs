use std::path::Path;
use std::sync::Arc;

use postgres::error::{Error, SqlState};
use postgres::types::{ToSql, Type};
use postgres::{Client, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::Url;
use super::{Column, Database, DatabaseError, DatabaseErrorKind, Row, Value};

/// The lock of all writers of one store, by a number that nobody else is likely to take.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '30s'; \
                     SELECT pg_advisory_xact_lock(6004232150912563532)";

/// A store in a database of PostgreSQL.
pub struct Postgres {
    url: Url,
    client: Client,
}

impl Postgres {
    /// Connects. `ca_file` has the certificates of the authorities that are believed instead of those
    /// this machine trusts.
    ///
    /// Waits by running its own tasks, so it must not be called by an asynchronous task.
    ///
    /// # Errors
    /// When the server cannot be reached or does not let us in.
    pub fn connect(url: &Url, ca_file: Option<&Path>) -> Result<Self, DatabaseError> {
        let config = url.config()?;
        let client = if url.is_encrypted() {
            config.connect(MakeRustlsConnect::new(tls(ca_file)?))
        } else {
            config.connect(NoTls)
        };
        match client {
            Ok(client) => Ok(Self { url: url.clone(), client }),
            Err(error) => Err(failed(url, DatabaseErrorKind::Unreachable, &error)),
        }
    }

    fn failed(&self, error: &Error) -> DatabaseError {
        failed(&self.url, DatabaseErrorKind::Failed, error)
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Postgres").field(&self.url).finish()
    }
}

impl Database for Postgres {
    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.client.batch_execute(BEGIN).map_err(|error| self.failed(&error))
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.client.batch_execute("COMMIT").map_err(|error| self.failed(&error))
    }

    fn rollback(&mut self) {
        // A connection that is lost gives its transaction up as well.
        let _best_effort = self.client.batch_execute("ROLLBACK");
    }

    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        let changed = self.client.execute(sql, &parameters(values));
        changed.map_err(|error| self.failed(&error))
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError> {
        let rows = self.client.query(sql, &parameters(values));
        let rows = rows.map_err(|error| self.failed(&error))?;
        Ok(rows.iter().map(|row| (0..row.len()).map(|at| column(row, at)).collect()).collect())
    }

    fn has_table(&mut self, name: &str) -> Result<bool, DatabaseError> {
        // Asked of the catalogue's table: its functions may answer what was so before another run's
        // lock was waited for.
        let sql = "SELECT tablename::text FROM pg_catalog.pg_tables \
                   WHERE schemaname = ANY (current_schemas(false)) AND tablename::text = $1";
        Ok(!self.query(sql, &[Value::Text(name)])?.is_empty())
    }

    fn bytes_type(&self) -> &'static str {
        "BYTEA"
    }

    fn anew(&self) -> String {
        format!("take another database than {}", self.url.describe())
    }
}

fn parameters<'a>(values: &'a [Value<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    let parameter = |value: &'a Value<'_>| -> &'a (dyn ToSql + Sync) {
        match value {
            Value::Text(text) => text,
            Value::Bytes(bytes) => bytes,
            Value::Number(number) => number,
        }
    };
    values.iter().map(parameter).collect()
}

fn column(row: &postgres::Row, at: usize) -> Column {
    let Some(of) = row.columns().get(at) else { return Column::Other };
    let column = if *of.type_() == Type::TEXT {
        row.try_get(at).map(|text: Option<String>| text.map(Column::Text))
    } else if *of.type_() == Type::BYTEA {
        row.try_get(at).map(|bytes: Option<Vec<u8>>| bytes.map(Column::Bytes))
    } else if *of.type_() == Type::INT8 {
        row.try_get(at).map(|number: Option<i64>| number.map(Column::Number))
    } else {
        Ok(None)
    };
    column.ok().flatten().unwrap_or(Column::Other)
}

/// What servers are verified by.
fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, DatabaseError> {
    let unreachable = |why: String| DatabaseError::new(DatabaseErrorKind::Unreachable, why);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreachable(error.to_string()))?;
    let Some(path) = ca_file else {
        let trusting = builder.with_platform_verifier();
        let trusting = trusting.map_err(|error| unreachable(error.to_string()))?;
        return Ok(trusting.with_no_client_auth());
    };
    let unusable = |why: String| unreachable(format!("the authority `{}`: {why}", path.display()));
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path);
    for certificate in certificates.map_err(|error| unusable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn failed(url: &Url, kind: DatabaseErrorKind, error: &Error) -> DatabaseError {
    let why = match error.as_db_error() {
        Some(said) if *said.code() == SqlState::LOCK_NOT_AVAILABLE => {
            "another run has been writing for more than 30 seconds".to_owned()
        }
        Some(said) => said.message().to_owned(),
        None => stagecraft_core::error::chain(error),
    };
    let kind = if error.is_closed() { DatabaseErrorKind::Unreachable } else { kind };
    DatabaseError::new(kind, format!("{}: {}", url.describe(), url.redact(&why)))
}
