//! How hosts find and reach each other privately: steps, as data.

use std::fmt::Debug;

use crate::converge::Step;
use crate::name::HostName;

/// A private network hosts can join.
///
/// Pure: joining is a list of steps that bootstrap runs after its own, so a network needs no
/// executor and bootstrap knows no network by name.
pub trait NetworkProvider: Debug + Send + Sync {
    /// What must be true on `host` for it to be a member, in order.
    fn steps(&self, host: &HostName) -> Vec<Box<dyn Step>>;
}
