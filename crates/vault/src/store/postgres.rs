use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

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

#[cfg(test)]
mod tests;

/// How long the server may take to let us in, and for each answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// For how long the server keeps us waiting for other writers, as [`BEGIN`] tells it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The most of the server's words that is shown.
const LONGEST: usize = 200;

/// The lock of all writers of one store, by a number that nobody else is likely to take.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '30s'; \
                     SELECT pg_advisory_xact_lock(6004232150912563532)";

/// Whose word is believed on who a server is.
#[derive(Clone, Debug)]
pub struct Authorities {
    /// The file they were read from.
    pub file: PathBuf,
    /// What is in it: their certificates, in PEM.
    pub certificates: Vec<u8>,
}

/// A store in a database of PostgreSQL.
pub struct Postgres {
    url: Url,
    /// `None` once the server did not answer in time: whoever waits for it has the connection.
    client: Option<Client>,
    patience: Duration,
}

impl Postgres {
    /// Connects. `authorities` are believed instead of those this machine trusts.
    ///
    /// Waits by running its own tasks, so it must not be called by an asynchronous task.
    ///
    /// # Errors
    /// When the server cannot be reached or does not let us in.
    pub fn connect(url: &Url, authorities: Option<&Authorities>) -> Result<Self, DatabaseError> {
        Self::connect_within(url, authorities, PATIENCE)
    }

    fn connect_within(
        url: &Url,
        authorities: Option<&Authorities>,
        patience: Duration,
    ) -> Result<Self, DatabaseError> {
        let config = url.config()?.clone();
        let tls = if url.is_encrypted() { Some(tls(authorities)?) } else { None };
        // The URL may give each of its servers more.
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1);
        let asked = config.get_connect_timeout().copied().unwrap_or_default();
        let limit = patience.max(asked.saturating_mul(hosts.max(1)));
        let connecting = move || match tls {
            Some(tls) => config.connect(MakeRustlsConnect::new(tls)),
            None => config.connect(NoTls),
        };
        match within(limit, connecting)? {
            Some(Ok(client)) => Ok(Self { url: url.clone(), client: Some(client), patience }),
            Some(Err(error)) => Err(failed(url, DatabaseErrorKind::Unreachable, &error)),
            None => Err(silent(url, limit)),
        }
    }

    /// Asks the server something and waits for the answer, within a limit: where it does not come, the
    /// connection is given up, and with it the transaction.
    fn exchange<T: Send + 'static>(
        &mut self,
        limit: Duration,
        ask: impl FnOnce(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let Some(mut client) = self.client.take() else {
            let why = format!("{}: the connection was given up", self.url.describe());
            return Err(DatabaseError::new(DatabaseErrorKind::Unreachable, why));
        };
        let asking = move || {
            let answer = ask(&mut client);
            (client, answer)
        };
        let Some((client, answer)) = within(limit, asking)? else {
            return Err(silent(&self.url, limit));
        };
        self.client = Some(client);
        answer.map_err(|error| failed(&self.url, DatabaseErrorKind::Failed, &error))
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Postgres").field(&self.url).finish()
    }
}

impl Database for Postgres {
    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.exchange(self.patience + LOCK_TIMEOUT, |client| client.batch_execute(BEGIN))
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.exchange(self.patience, |client| client.batch_execute("COMMIT"))
    }

    fn rollback(&mut self) {
        // A connection that is lost gives its transaction up as well.
        let _best_effort = self.exchange(self.patience, |client| client.batch_execute("ROLLBACK"));
    }

    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        let (sql, values) = (sql.to_owned(), owned(values));
        self.exchange(self.patience, move |client| client.execute(&sql, &parameters(&values)))
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError> {
        let (sql, values) = (sql.to_owned(), owned(values));
        let asking = move |client: &mut Client| client.query(&sql, &parameters(&values));
        let rows = self.exchange(self.patience, asking)?;
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

/// What comes of `work`, which waits for somebody else; `None` when the limit is reached first. It is then
/// left to itself, and ends with the process at the latest.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, DatabaseError> {
    let (done, waiting) = sync_channel(1);
    let working = move || {
        // Nobody may listen any more.
        let _unheard = done.send(work());
    };
    let failed = |why: String| DatabaseError::new(DatabaseErrorKind::Failed, why);
    std::thread::Builder::new()
        .spawn(working)
        .map_err(|error| failed(format!("could not start a thread: {error}")))?;
    // In pieces: a process that is stopped, or whose machine sleeps, is not kept waiting by the server, and
    // no more than a piece counts.
    let mut left = limit;
    while !left.is_zero() {
        let piece = left.min(Duration::from_secs(1));
        match waiting.recv_timeout(piece) {
            Ok(outcome) => return Ok(Some(outcome)),
            Err(RecvTimeoutError::Timeout) => left -= piece,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(failed("what waited for the server broke off".to_owned()));
            }
        }
    }
    Ok(None)
}

fn silent(url: &Url, limit: Duration) -> DatabaseError {
    let why = format!("{}: it did not answer within {} s", url.describe(), limit.as_secs());
    DatabaseError::new(DatabaseErrorKind::Unreachable, why)
}

type Parameter = Box<dyn ToSql + Sync + Send>;

fn owned(values: &[Value<'_>]) -> Vec<Parameter> {
    let parameter = |value: &Value<'_>| -> Parameter {
        match *value {
            Value::Text(text) => Box::new(text.to_owned()),
            Value::Bytes(bytes) => Box::new(bytes.to_owned()),
            Value::Number(number) => Box::new(number),
        }
    };
    values.iter().map(parameter).collect()
}

fn parameters(values: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| -> &(dyn ToSql + Sync) { value.as_ref() }).collect()
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
fn tls(authorities: Option<&Authorities>) -> Result<ClientConfig, DatabaseError> {
    let unreachable = |why: String| DatabaseError::new(DatabaseErrorKind::Unreachable, why);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreachable(error.to_string()))?;
    let Some(Authorities { file, certificates }) = authorities else {
        let trusting = builder.with_platform_verifier();
        let trusting = trusting.map_err(|error| unreachable(error.to_string()))?;
        return Ok(trusting.with_no_client_auth());
    };
    let unusable = |why: String| unreachable(format!("the authority `{}`: {why}", file.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(certificates) {
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
        Some(said) => short(&url.redact(said.message())),
        None => stagecraft_core::error::chain(error),
    };
    let kind = if error.is_closed() { DatabaseErrorKind::Unreachable } else { kind };
    DatabaseError::new(kind, format!("{}: {}", url.describe(), url.redact(&why)))
}

/// What the server says, on one line and not longer than anybody reads.
fn short(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
