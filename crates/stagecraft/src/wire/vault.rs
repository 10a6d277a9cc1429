//! Where the credential store and its key are, by what the file says or by default.

use std::path::{Path, PathBuf};

use stagecraft_core::config::{KeyPlace, StoreConfig, StorePlace};
use stagecraft_core::credential::Issuer;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::name::CredentialName;
use stagecraft_remote::read_file;
use stagecraft_vault::{
    Authorities, Database, DatabaseError, Key, KeyFile, KeyItem, KeySource, KeyVariable, Postgres,
    SessionBus, Sqlite, Url, Vault, VaultError,
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
    let vault = Vault::existing(database, keys(environment, store, base)?);
    vault.map_err(|error| Failure::from(&error))
}

/// More than the certificates of all authorities there are.
const MOST_AUTHORITIES: u64 = 4 * 1024 * 1024;

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
            if !path.exists() {
                // Without a key there is nothing to keep in a store: where none can be had, none is made.
                Sqlite::make_folder(&path).map_err(|why| failed("make", why))?;
                first_key(keys(environment, store, base)?.as_ref())
                    .map_err(|error| Failure::from(&error))?;
            }
            Box::new(Sqlite::create(&path).map_err(|why| failed("make", why))?)
        }
        // Nobody but its owner makes a database in PostgreSQL; its tables are made when it is opened.
        StorePlace::Postgres { url_env, ca_file } => {
            Box::new(postgres(environment, url_env, ca_file.as_deref(), base)?)
        }
    };
    let vault = Vault::open(database, keys(environment, store, base)?);
    vault.map_err(|error| Failure::from(&error))
}

/// What is told where an entry is needed and there is no store.
pub(super) fn no_store(
    environment: &Environment,
    store: &StoreConfig,
    base: &Path,
    name: &CredentialName,
    issuer: Issuer,
) -> Failure {
    let place = match &store.place {
        StorePlace::File(path) => store_file(environment, path.as_deref(), base)
            .map(|path| format!(" at `{}`", path.display()))
            .unwrap_or_default(),
        StorePlace::Postgres { .. } => String::new(),
    };
    let message = format!("the entry `{name}` is needed, and there is no credential store{place}");
    Failure::new(Code::CREDENTIAL_NOT_FOUND, message).with_hint(format!(
        "run `stagecraft credentials add {name} --provider {issuer}`, which makes it"
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
    let url = postgres_url(environment, name)?;
    let authorities = ca_file.map(|written| authorities(environment, written, base)).transpose()?;
    Postgres::connect(&url, authorities.as_ref()).map_err(|why| failed("open", why))
}

/// Reads whom the file names to be believed on who the server is.
fn authorities(
    environment: &Environment,
    written: &str,
    base: &Path,
) -> Result<Authorities, Failure> {
    let file = environment.expand(written, base);
    let file = file.ok_or_else(|| homeless("credentials.ca_file"))?;
    match read_file(&file, MOST_AUTHORITIES) {
        Ok(certificates) => Ok(Authorities { file, certificates: certificates.to_vec() }),
        Err(why) => {
            let message = format!(
                "could not open the credential store: the authority `{}`: {why}",
                file.display()
            );
            Err(Failure::new(Code::STORE_UNREACHABLE, message).with_hint(
                "name a file that has the certificate of the server's authority in PEM with `credentials.ca_file`",
            ))
        }
    }
}

fn postgres_url(environment: &Environment, name: &str) -> Result<Url, Failure> {
    let unusable = |why: String| {
        let message = format!(
            "the credential store needs the URL of PostgreSQL, and the environment variable `{name}` {why}"
        );
        Failure::new(Code::STORE_UNREACHABLE, message)
            .with_hint(format!("run `export {name}=postgresql://USER:PASSWORD@HOST/DATABASE`"))
    };
    let text = environment.secret(name).filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| unusable("is not set".to_owned()))?;
    Url::parse(&text).map_err(|why| unusable(format!("holds none: {why}")))
}

fn keys(
    environment: &Environment,
    store: &StoreConfig,
    base: &Path,
) -> Result<Box<dyn KeySource>, Failure> {
    Ok(match &store.key {
        KeyPlace::File(written) => {
            let path = match written {
                Some(written) => environment.expand(written, base),
                None => environment.config_dir().map(|folder| folder.join("credentials.key")),
            };
            Box::new(KeyFile::new(path.ok_or_else(|| homeless("credentials.key_file"))?))
        }
        KeyPlace::Variable(name) => Box::new(KeyVariable::new(name, environment.secret(name))),
        KeyPlace::Keyring(name) => {
            let folder = environment.state_dir().ok_or_else(|| homeless("credentials.key_file"))?;
            let lock = folder.join(format!("keyring-{name}.lock"));
            let of = identity(environment, &store.place, base)?;
            Box::new(KeyItem::new(name.clone(), session_bus(environment), lock, &of))
        }
    })
}

/// The key of a store that is about to be made. One that was made for it already stays.
fn first_key(keys: &dyn KeySource) -> Result<(), VaultError> {
    keys.create(Key::generate()?).map(drop)
}

/// What tells a store from the others of this user, without the password of its URL.
fn identity(environment: &Environment, place: &StorePlace, base: &Path) -> Result<String, Failure> {
    match place {
        StorePlace::File(path) => {
            let path = store_file(environment, path.as_deref(), base)?;
            Ok(real(&path).display().to_string())
        }
        StorePlace::Postgres { url_env, .. } => Ok(postgres_url(environment, url_env)?.describe()),
    }
}

/// Where a file is, or will be, whatever links lead there.
fn real(path: &Path) -> PathBuf {
    let real = std::fs::canonicalize;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return path.to_owned();
    };
    real(path)
        .or_else(|_| real(folder).map(|folder| folder.join(name)))
        .unwrap_or_else(|_| path.to_owned())
}

/// Where the programs of this session meet.
fn session_bus(environment: &Environment) -> Option<SessionBus> {
    match environment.text("DBUS_SESSION_BUS_ADDRESS") {
        Some(address) => Some(SessionBus::Address(address.to_owned())),
        None => {
            let folder = Path::new(environment.text("XDG_RUNTIME_DIR")?);
            Some(SessionBus::Socket(folder.join("bus")))
        }
    }
}

fn homeless(key: &str) -> Failure {
    let message = "the home directory is unknown, so there is no place for the credential store";
    Failure::new(Code::STORE_UNREACHABLE, message)
        .with_hint(format!("set `HOME`, or `{key}` in the file"))
}

fn failed(doing: &'static str, why: DatabaseError) -> Failure {
    Failure::from(&VaultError::Database { doing, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_where_its_variables_say() {
        let bus = |variables: &[(&str, &str)]| {
            session_bus(&Environment::for_tests("/home/ada", variables))
        };
        let (address, folder) =
            (("DBUS_SESSION_BUS_ADDRESS", "unix:path=/a"), ("XDG_RUNTIME_DIR", "/run/user/1"));
        let by_address = Some(SessionBus::Address("unix:path=/a".to_owned()));
        assert_eq!(bus(&[address, folder]), by_address);
        assert_eq!(bus(&[folder]), Some(SessionBus::Socket("/run/user/1/bus".into())));
        assert_eq!(bus(&[]), None);
    }

    #[test]
    fn a_store_is_at_the_same_place_before_it_is_made_and_after() {
        let folder = tempfile::tempdir().unwrap();
        let (there, link) = (folder.path().join("there"), folder.path().join("link"));
        std::fs::create_dir(&there).unwrap();
        std::os::unix::fs::symlink(&there, &link).unwrap();
        let before = real(&link.join("a.db"));
        std::fs::write(there.join("a.db"), "").unwrap();
        assert_eq!(before, real(&link.join("a.db")));
        assert_eq!(before, std::fs::canonicalize(there.join("a.db")).unwrap());
    }

    #[test]
    fn a_store_is_told_from_others_without_its_password() {
        let url = "postgresql://ada:planted-password@db.example.com/shop";
        let environment = Environment::for_tests("/home/ada", &[("URL", url)]);
        let identity = |place| identity(&environment, &place, Path::new("/shop")).unwrap();
        let postgres = StorePlace::Postgres { url_env: "URL".to_owned(), ca_file: None };
        assert_eq!(identity(postgres), "PostgreSQL `shop` at db.example.com");
        assert_eq!(identity(StorePlace::File(Some("a.db".to_owned()))), "/shop/a.db");
        let own = "/home/ada/.local/share/stagecraft/credentials.db";
        assert_eq!(identity(StorePlace::File(None)), own);
    }
}
