//! SSH for real, inside the process.
//!
//! [`SshConnector`] implements [`stagecraft_core::remote::Connector`]: one attempt per call, with
//! typed failures. What decides is apart from what acts:
//!
//! ```text
//! SshSettings + ~/.ssh/config + Target --login::resolve--> Login   (pure: who, where, which keys)
//! known-hosts files + presented key    --host_keys-------> Verdict (pure: believed or not)
//! Login --connect--> TCP or jump hosts -> key exchange -> Verdict -> auth -> session
//! Login --export---> arguments for the system's `ssh`, a block for `ssh_config`
//! ```
//!
//! Nothing here reads the environment; the caller names every file in [`SshSettings`].

mod auth;
mod client;
mod connect;
mod export;
mod failure;
mod files;
mod folders;
mod host_keys;
mod keyring;
mod keys;
mod login;
mod mint;
mod output;
mod patience;
mod ready;
mod scan;
mod session;
mod settings;
mod ssh_config;
mod unlocked;

pub use connect::SshConnector;
pub use export::{Export, ExportError, Exporter};
pub use files::read_file;
pub use host_keys::alias_of;
pub use host_keys::store::{HostKeyStore, StoreError};
pub use keyring::Passphrases;
pub use keys::{KeyError, KeyPair, check_key_file, ensure_key_pair, public_key_of};
pub use login::{AgentUse, Identities, Jump, Login, LoginError, resolve};
pub use mint::Ed25519Mint;
pub use scan::Presented;
pub use settings::SshSettings;
pub use ssh_config::{SshConfig, SshConfigError};
pub use unlocked::UnlockedKey;
