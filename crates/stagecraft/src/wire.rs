//! The only place that knows every adapter, and the only one that reads the environment.

mod adapters;
mod clouds;
mod environment;
mod forget;
mod networks;

pub(crate) use adapters::{
    Access, access, connector, mint, or_by_variable, provider_facts, providers,
};
pub(crate) use clouds::Clouds;
pub(crate) use environment::Environment;
pub(crate) use forget::ForgetKeys;
pub(crate) use networks::network;
