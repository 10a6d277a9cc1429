//! The only place that knows every adapter, and the only one that reads the environment.

mod access;
mod adapters;
mod clouds;
mod dumps;
mod environment;
mod files;
mod forget;
mod identities;
mod networks;
mod secrets;
mod vault;

pub(crate) use access::{Access, access, connector, mint, or_by_variable};
pub(crate) use adapters::{provider_facts, providers, registry};
pub(crate) use clouds::Clouds;
pub(crate) use dumps::without_core_dumps;
pub(crate) use environment::Environment;
pub(crate) use files::with_many_files;
pub(crate) use forget::ForgetKeys;
pub(crate) use identities::check_credential;
pub(crate) use networks::network;
pub(crate) use secrets::Secrets;
pub(crate) use vault::{existing_vault, vault};
