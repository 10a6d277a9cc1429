//! Values for tests of several modules.

use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::{Arch, ProviderId};
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Lifecycle, Marks, Owner, Spec};
use stagecraft_core::name::Scope;

pub(crate) fn order(project: &str, environment: &str, host: &str) -> CreateInstance {
    let scope =
        Scope { project: project.parse().unwrap(), environment: environment.parse().unwrap() };
    let host = host.parse().unwrap();
    CreateInstance {
        marks: Marks {
            name: scope.cloud_name(&host),
            role: "app".parse().unwrap(),
            protected: false,
            tags: ["blue".to_owned()].into(),
        },
        owner: Owner { scope, host },
        spec: Spec {
            region: "local".into(),
            size: "small".into(),
            image: "debian-12".into(),
            arch: Arch::Amd64,
            spot: false,
        },
        pins: Pins::default(),
        user_data: None,
    }
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
