//! What is written on machines at each cloud. It is not taken from the adapters: machines that carry
//! these words must be known as ours by every version.

use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::{Marks, Owner, Spec};
use stagecraft_core::name::Scope;
use stagecraft_testkit::world::{Labels, Order};

use crate::dialect::{Dialect, carries, spec};

/// What an API speaks.
pub(crate) fn words(api: ProviderId) -> Dialect {
    match api {
        ProviderId::DigitalOcean => Dialect {
            spec: spec("nyc3", "s-1vcpu-1gb"),
            other_size: "s-2vcpu-4gb".into(),
            order: droplet,
            is_of: |seen, scope| seen.tags.contains(&scope_tag(scope)),
        },
        ProviderId::Hetzner => Dialect {
            spec: spec("fsn1", "cx23"),
            other_size: "cx33".into(),
            order: server,
            is_of: |seen, scope| carries(seen, &scope_labels(scope)),
        },
        ProviderId::Aws => Dialect {
            spec: spec("us-east-1", "t3.small"),
            other_size: "t3.medium".into(),
            order: instance,
            is_of: |seen, scope| carries(seen, &scope_labels(scope)),
        },
        ProviderId::Local => unreachable!("there is no emulator of it"),
    }
}

fn droplet(owner: &Owner, marks: &Marks, spec: &Spec) -> Order {
    let mut tags = marks.tags.clone();
    tags.insert(scope_tag(&owner.scope));
    tags.insert(format!("stagecraft:host:{}", owner.host));
    tags.insert(format!("stagecraft:role:{}", marks.role));
    tags.insert(format!("stagecraft:image:{}", spec.image));
    tags.extend(marks.protected.then(|| "stagecraft:protected".to_owned()));
    Order {
        name: marks.name.clone(),
        labels: Labels::new(),
        tags,
        spec: spec.clone(),
        user_data: None,
    }
}

fn scope_tag(scope: &Scope) -> String {
    format!("stagecraft:scope:{}:{}", scope.project, scope.environment)
}

/// The same words as at Hetzner, and the name as one of them.
fn instance(owner: &Owner, marks: &Marks, spec: &Spec) -> Order {
    let mut order = server(owner, marks, spec);
    order.labels.insert("Name".to_owned(), marks.name.clone());
    order
}

fn server(owner: &Owner, marks: &Marks, spec: &Spec) -> Order {
    let mut labels = scope_labels(&owner.scope);
    let mut write = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
    write("stagecraft.host", owner.host.as_str());
    write("stagecraft.role", marks.role.as_str());
    write("stagecraft.image", spec.image.as_str());
    if marks.protected {
        write("stagecraft.protected", "true");
    }
    labels.extend(marks.tags.iter().map(|tag| (tag.clone(), String::new())));
    let name = marks.name.clone();
    Order { name, labels, tags: Default::default(), spec: spec.clone(), user_data: None }
}

fn scope_labels(scope: &Scope) -> Labels {
    [
        ("stagecraft.project", scope.project.as_str()),
        ("stagecraft.environment", scope.environment.as_str()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}
