//! The credential store: records that are sealed where they rest, and the keys they are sealed with.
//!
//! ```text
//! Credential -> seal (key, name, issuer) -> record -> Database (SQLite | PostgreSQL)
//!                     KeyRing <- KeySource (file | variable | keyring)
//! ```
//!
//! Sealing is pure; [`Vault`] decides what is read and written in which order; a [`Database`] and a
//! [`KeySource`] only do it. Every change is one transaction, which also looks at which key counts, so
//! that no record is ever sealed with another.

mod error;
mod key;
mod keys;
mod seal;
mod store;
mod vault;

pub use error::{KeyringError, VaultError};
pub use key::{InvalidKey, Key, KeyId, KeyRing};
pub use keys::{KeyFile, KeyItem, KeyLock, KeySource, KeyVariable, SessionBus};
pub use seal::{Nonce, OpenError, open, seal};
pub use store::{
    Authorities, Column, Database, DatabaseError, DatabaseErrorKind, InvalidUrl, LATEST, Postgres,
    Row, Sqlite, Url, Value, migrations,
};
pub use vault::{Entry, Put, Rotation, Vault};
