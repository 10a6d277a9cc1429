//! Orders that tests of several crates place.

use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::{Arch, ProviderId};
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Marks, Owner, Spec};
use stagecraft_core::name::Scope;

/// `shop/staging`, whose hosts the orders are for.
pub fn scope() -> Scope {
    Scope {
        project: "shop".parse().expect("a name"),
        environment: "staging".parse().expect("a name"),
    }
}

/// A small machine that the provider and its emulator offer.
pub fn spec(provider: ProviderId) -> Spec {
    let (region, size, image) = match provider {
        ProviderId::DigitalOcean => ("nyc3", "s-2vcpu-4gb", "ubuntu-22.04"),
        ProviderId::Hetzner => ("fsn1", "cx23", "debian-12"),
        ProviderId::Aws => ("us-east-1", "t3.small", "debian-12"),
        ProviderId::Local => ("local", "small", "debian-12"),
    };
    Spec {
        region: region.into(),
        size: size.into(),
        image: image.into(),
        arch: Arch::Amd64,
        spot: false,
    }
}

/// An order for a host of [`scope`], of the role `app`, with a tag alone and one that has a value.
pub fn order(provider: ProviderId, host: &str) -> CreateInstance {
    let (scope, host) = (scope(), host.parse().expect("a name"));
    CreateInstance {
        marks: Marks {
            name: scope.cloud_name(&host),
            role: "app".parse().expect("a name"),
            protected: false,
            tags: ["blue".to_owned(), "team:search".to_owned()].into(),
        },
        owner: Owner { scope, host },
        spec: spec(provider),
        pins: Pins::default(),
        user_data: None,
    }
}
