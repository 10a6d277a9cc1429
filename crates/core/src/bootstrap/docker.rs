mod group;
mod install;
mod service;
mod verify;

pub(super) use group::Group;
pub(super) use install::Install;
pub(super) use service::Service;
pub(super) use verify::Verify;
