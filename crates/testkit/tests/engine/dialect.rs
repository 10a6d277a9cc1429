//! What a provider calls what is ordered, and how it writes down whose a machine is.

use stagecraft_core::desired::Arch;
use stagecraft_core::inventory::{Marks, Owner, Spec};
use stagecraft_core::name::{Scope, Size};
use stagecraft_testkit::mock;
use stagecraft_testkit::world::{Labels, Order, Seen};

/// The words of one provider.
pub(crate) struct Dialect {
    /// What the hosts of a file are ordered as.
    pub(crate) spec: Spec,
    /// Another size there is.
    pub(crate) other_size: Size,
    /// A machine of ours as the provider makes it.
    pub(crate) order: fn(&Owner, &Marks, &Spec) -> Order,
    /// Whether a machine is one of a scope.
    pub(crate) is_of: fn(&Seen, &Scope) -> bool,
}

impl Dialect {
    /// What the doubles speak.
    pub(crate) fn of_doubles() -> Self {
        Self {
            spec: spec("east", "x-small"),
            other_size: "x-medium".into(),
            order: mock::order,
            is_of: |seen, scope| carries(seen, &mock::selector(scope)),
        }
    }
}

/// An order of an image there is everywhere.
pub(crate) fn spec(region: &str, size: &str) -> Spec {
    Spec {
        region: region.into(),
        size: size.into(),
        image: "debian-12".into(),
        arch: Arch::Amd64,
        spot: false,
    }
}

/// Whether a machine has all these labels.
pub(crate) fn carries(seen: &Seen, labels: &Labels) -> bool {
    labels.iter().all(|(key, value)| seen.labels.get(key) == Some(value))
}
