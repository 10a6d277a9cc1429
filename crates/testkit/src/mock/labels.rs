use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::{Instance, Marks, Owner, Spec};
use stagecraft_core::name::Scope;

use crate::world::{Labels, Order, Seen};

pub(super) const PROJECT: &str = "stagecraft-project";
pub(super) const ENVIRONMENT: &str = "stagecraft-environment";
pub(super) const HOST: &str = "stagecraft-host";
const ROLE: &str = "stagecraft-role";
const PROTECTED: &str = "stagecraft-protected";
pub(super) const FIRST_KEY: &str = "stagecraft-first-key";
pub(super) const HOST_KEY: &str = "stagecraft-host-key";

/// The labels that every instance of `scope` carries, and no other.
#[must_use]
pub fn selector(scope: &Scope) -> Labels {
    label([(PROJECT, scope.project.as_str()), (ENVIRONMENT, scope.environment.as_str())])
}

/// An order in the world's terms; what a double writes when it makes an instance of ours.
#[must_use]
pub fn order(owner: &Owner, marks: &Marks, spec: &Spec) -> Order {
    Order {
        name: marks.name.clone(),
        labels: labels(owner, marks, &Pins::default()),
        tags: marks.tags.clone(),
        spec: spec.clone(),
        user_data: None,
    }
}

/// The same for an order of a customer.
pub(super) fn order_of(request: &CreateInstance) -> Order {
    let CreateInstance { owner, spec, marks, pins, user_data } = request;
    Order {
        labels: labels(owner, marks, pins),
        user_data: user_data.as_ref().map(|data| data.reveal().to_owned()),
        ..order(owner, marks, spec)
    }
}

pub(super) fn labels(owner: &Owner, marks: &Marks, pins: &Pins) -> Labels {
    let mut labels = selector(&owner.scope);
    labels.extend(label([
        (HOST, owner.host.as_str()),
        (ROLE, marks.role.as_str()),
        (PROTECTED, if marks.protected { "true" } else { "false" }),
    ]));
    for (key, pin) in [(FIRST_KEY, pins.first), (HOST_KEY, pins.own)] {
        labels.extend(pin.map(|pin| (key.to_owned(), pin.to_label())));
    }
    labels
}

/// The instance a machine is; `None` when its labels do not say whose it is.
pub(super) fn instance(provider: ProviderId, seen: &Seen) -> Option<Instance> {
    let label = |key: &str| seen.labels.get(key);
    let pin = |key: &str| HostKey::from_label(label(key)?).ok();
    let owner = Owner {
        scope: Scope {
            project: label(PROJECT)?.parse().ok()?,
            environment: label(ENVIRONMENT)?.parse().ok()?,
        },
        host: label(HOST)?.parse().ok()?,
    };
    let marks = Marks {
        name: seen.name.clone(),
        role: label(ROLE)?.parse().ok()?,
        protected: label(PROTECTED)? == "true",
        tags: seen.tags.clone(),
    };
    Some(Instance {
        id: seen.id.clone(),
        provider,
        owner,
        lifecycle: seen.lifecycle,
        spec: seen.spec.clone(),
        marks,
        pins: Pins { first: pin(FIRST_KEY), own: pin(HOST_KEY) },
        address: seen.address,
        ssh: None,
        created_at: seen.created_at,
        trouble: None,
    })
}

fn label<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
