//! Values for tests of several modules.

use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::{Instance, Lifecycle};
use stagecraft_testkit::samples;

/// An order for a host of `shop/staging`.
pub(crate) fn order(host: &str) -> CreateInstance {
    samples::order(ProviderId::Local, host)
}

pub(crate) fn instance(id: &str, request: &CreateInstance) -> Instance {
    Instance {
        id: id.into(),
        provider: ProviderId::Local,
        owner: request.owner.clone(),
        lifecycle: Lifecycle::Running,
        spec: request.spec.clone(),
        marks: request.marks.clone(),
        pins: request.pins,
        address: None,
        ssh: None,
        created_at: 0,
        trouble: None,
    }
}
