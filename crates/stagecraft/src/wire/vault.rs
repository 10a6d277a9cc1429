//! Where the credential store and its key are, by what the file says or by default.

use std::path::{Path, PathBuf};

use stagecraft_core::config::{KeyPlace, StoreConfig, StorePlace};
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::name::CredentialName;
use stagecraft_vault::{
    Database, DatabaseError, KeyFile, KeySource, KeyVariable, Postgres, Sqlite, Url, Vault,
    VaultError,
};

use super::Environment;

/// The credential store; `None` where there is none yet.
///
/// # Errors
/// When it cannot be opened.
pub(crate) fn existing_vault(
    environment: &Environment,
    store: &StoreConfig,
    base: &Path,
) -> Result<Option<Vault>, Failure> {
    let database: Box<dyn Database> = match &store.place {
        StorePlace::File(path) => {
            let path = store_file(environment, path.as_deref(), base)?;
            match Sqlite::open(&path).map_err(|why| failed("open", why))? {
                Some(database) => Box::new(database),
                None => return Ok(None),
            }
        }
        StorePlace::Postgres { url_env, ca_file } => {
            Box::new(postgres(environment, url_env, ca_file.as_deref(), base)?)
        }
    };
    let vault = Vault::existing(database, keys(environment, &store.key, base)?);
    vault.map_err(|error| Failure::from(&error))
}

/// The credential store, made where there is none yet.
///
/// # Errors
/// When it cannot be opened or made.
pub(crate) fn vault(
    environment: &Environment,
    store: &StoreConfig,
    base: &Path,
) -> Result<Vault, Failure> {
    let database: Box<dyn Database> = match &store.place {
        StorePlace::File(path) => {
            let path = store_file(environment, path.as_deref(), base)?;
            Box::new(Sqlite::create(&path).map_err(|why| failed("make", why))?)
        }
        // Nobody but its owner makes a database in PostgreSQL; its tables are made when it is opened.
        StorePlace::Postgres { url_env, ca_file } => {
            Box::new(postgres(environment, url_env, ca_file.as_deref(), base)?)
        }
    };
    let vault = Vault::open(database, keys(environment, &store.key, base)?);
    vault.map_err(|error| Failure::from(&error))
}

/// What is told where an entry is needed and there is no store.
pub(super) fn no_store(
    environment: &Environment,
    store: &StoreConfig,
    base: &Path,
    name: &CredentialName,
) -> Failure {
    let place = match &store.place {
        StorePlace::File(path) => store_file(environment, path.as_deref(), base)
            .map(|path| format!(" at `{}`", path.display()))
            .unwrap_or_default(),
        StorePlace::Postgres { .. } => String::new(),
    };
    let message = format!("the entry `{name}` is needed, and there is no credential store{place}");
    Failure::new(Code::CREDENTIAL_NOT_FOUND, message).with_hint(format!(
        "run `stagecraft credentials add {name} --provider PROVIDER`, which makes it"
    ))
}

fn store_file(
    environment: &Environment,
    written: Option<&str>,
    base: &Path,
) -> Result<PathBuf, Failure> {
    let path = match written {
        Some(written) => environment.expand(written, base),
        None => environment.data_dir().map(|folder| folder.join("credentials.db")),
    };
    path.ok_or_else(|| homeless("credentials.path"))
}

fn postgres(
    environment: &Environment,
    name: &str,
    ca_file: Option<&str>,
    base: &Path,
) -> Result<Postgres, Failure> {
    let unusable = |why: String| {
        let message = format!(
            "the credential store needs the URL of PostgreSQL, and the environment variable `{name}` {why}"
        );
        Failure::new(Code::STORE_UNREACHABLE, message)
            .with_hint(format!("run `export {name}=postgresql://USER:PASSWORD@HOST/DATABASE`"))
    };
    let text = environment.secret(name).filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| unusable("is not set".to_owned()))?;
    let url = Url::parse(&text).map_err(|why| unusable(format!("holds none: {why}")))?;
    let ca_file = match ca_file {
        Some(written) => {
            let path = environment.expand(written, base);
            Some(path.ok_or_else(|| homeless("credentials.ca_file"))?)
        }
        None => None,
    };
    Postgres::connect(&url, ca_file.as_deref()).map_err(|why| failed("open", why))
}

fn keys(
    environment: &Environment,
    key: &KeyPlace,
    base: &Path,
) -> Result<Box<dyn KeySource>, Failure> {
    Ok(match key {
        KeyPlace::File(written) => {
            let path = match written {
                Some(written) => environment.expand(written, base),
                None => environment.config_dir().map(|folder| folder.join("credentials.key")),
            };
            Box::new(KeyFile::new(path.ok_or_else(|| homeless("credentials.key_file"))?))
        }
        KeyPlace::Variable(name) => Box::new(KeyVariable::new(name, environment.secret(name))),
    })
}

fn homeless(key: &str) -> Failure {
    let message = "the home directory is unknown, so there is no place for the credential store";
    Failure::new(Code::STORE_UNREACHABLE, message)
        .with_hint(format!("set `HOME`, or `{key}` in the file"))
}

fn failed(doing: &'static str, why: DatabaseError) -> Failure {
    Failure::from(&VaultError::Database { doing, why })
}
