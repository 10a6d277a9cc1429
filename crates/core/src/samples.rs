//! What tests of several rooms begin with.

use std::collections::BTreeSet;

use crate::desired::{Arch, ProviderId};
use crate::identity::Pins;
use crate::inventory::{Instance, Lifecycle, Marks, Owner, Spec};
use crate::name::{HostName, Image, InstanceId, Region, Scope, Size};

/// A small instance of `shop/dev` that runs and stands for the host `name`, without an address.
pub(crate) fn running(name: &str, created_at: u64) -> Instance {
    Instance {
        id: InstanceId(format!("i-{created_at}")),
        provider: ProviderId::Local,
        owner: Owner { scope: scope(), host: host(name) },
        lifecycle: Lifecycle::Running,
        spec: Spec {
            region: Region::from("local"),
            size: Size::from("small"),
            image: Image::from("debian-12"),
            arch: Arch::Amd64,
            spot: false,
        },
        marks: Marks {
            name: format!("dev-{name}"),
            role: "app".parse().expect("a name"),
            protected: false,
            tags: BTreeSet::new(),
        },
        address: None,
        ssh: None,
        created_at,
        pins: Pins::default(),
        trouble: None,
    }
}

/// The scope of [`running`].
pub(crate) fn scope() -> Scope {
    Scope { project: "shop".parse().expect("a name"), environment: "dev".parse().expect("a name") }
}

/// A host of this name.
pub(crate) fn host(name: &str) -> HostName {
    name.parse().expect("a name")
}
