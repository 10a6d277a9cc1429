//! The only place that knows every adapter, and the only one that reads the environment.

mod adapters;
mod environment;
mod forget;

pub(crate) use adapters::{Access, access, connector, is_available, provider_facts, providers};
pub(crate) use environment::Environment;
pub(crate) use forget::ForgetKeys;
