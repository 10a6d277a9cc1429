//! What is written on a container, and how it is read back.
//!
//! Ownership, spec and first marks are labels in the request that creates the container, so that
//! there is no moment in which it exists and is not known as ours. Label keys are public
//! interface: hosts made by an older version carry them.

use std::collections::{BTreeSet, HashMap};

use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::Arch;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::{Marks, Owner, Spec};
use stagecraft_core::name::Scope;

/// The project; its presence makes a container ours.
pub const PROJECT: &str = "stagecraft.project";
/// The environment.
pub const ENVIRONMENT: &str = "stagecraft.environment";
/// The host.
pub const HOST: &str = "stagecraft.host";
/// The network all hosts share carries this label, and no other network does.
pub const NETWORK: &str = "stagecraft.network";
/// Images carry this label; its value is `host`, or `base` for what a host image was made from.
pub const IMAGE_ROLE: &str = "stagecraft.image-role";
/// A volume with marks names its container with this label.
pub(super) const MARKS_OF: &str = "stagecraft.marks-of";
/// Which of the marks of one container count: those with the highest number.
pub(super) const GENERATION: &str = "stagecraft.generation";

/// Containers with this label have marks beside them from before their first start.
const MARKS: &str = "stagecraft.marks";
const REGION: &str = "stagecraft.region";
const SIZE: &str = "stagecraft.size";
const IMAGE: &str = "stagecraft.image";
const ARCH: &str = "stagecraft.arch";
const SPOT: &str = "stagecraft.spot";
const NAME: &str = "stagecraft.name";
const ROLE: &str = "stagecraft.role";
const PROTECTED: &str = "stagecraft.protected";
const TAGS: &str = "stagecraft.tags";
const FIRST_KEY: &str = "stagecraft.first-key";
const HOST_KEY: &str = "stagecraft.host-key";

/// Labels as the engine knows them.
pub(super) type Labels = HashMap<String, String>;

/// All labels of a new container.
pub(super) fn of_container(request: &CreateInstance) -> Labels {
    let Spec { region, size, image, arch, spot } = &request.spec;
    let mut labels = of_scope(&request.owner.scope);
    labels.extend(labels_from([
        (HOST, request.owner.host.to_string()),
        (REGION, region.to_string()),
        (SIZE, size.to_string()),
        (IMAGE, image.to_string()),
        (ARCH, arch.to_string()),
        (SPOT, spot.to_string()),
        (MARKS, "volume".to_owned()),
    ]));
    labels.extend(of_marks(&request.marks));
    labels.extend(of_pins(&request.pins));
    labels
}

/// The labels that all things of one environment share.
pub(super) fn of_scope(scope: &Scope) -> Labels {
    labels_from([
        (PROJECT, scope.project.to_string()),
        (ENVIRONMENT, scope.environment.to_string()),
    ])
}

/// Marks as labels.
pub(super) fn of_marks(marks: &Marks) -> Labels {
    let Marks { name, role, protected, tags } = marks;
    labels_from([
        (NAME, name.clone()),
        (ROLE, role.to_string()),
        (PROTECTED, protected.to_string()),
        (TAGS, serde_json::json!(tags).to_string()),
    ])
}

/// Whose a container is; `None` when it is not ours.
pub(super) fn owner(labels: &Labels) -> Option<Owner> {
    Some(Owner { scope: scope(labels)?, host: labels.get(HOST)?.parse().ok()? })
}

/// The environment something belongs to.
pub(super) fn scope(labels: &Labels) -> Option<Scope> {
    Some(Scope {
        project: labels.get(PROJECT)?.parse().ok()?,
        environment: labels.get(ENVIRONMENT)?.parse().ok()?,
    })
}

/// What a container is made of.
pub(super) fn spec(labels: &Labels) -> Option<Spec> {
    Some(Spec {
        region: labels.get(REGION)?.as_str().into(),
        size: labels.get(SIZE)?.as_str().into(),
        image: labels.get(IMAGE)?.as_str().into(),
        arch: arch(labels.get(ARCH)?)?,
        spot: labels.get(SPOT)?.parse().ok()?,
    })
}

/// What a container or a volume with marks carries.
pub(super) fn marks(labels: &Labels) -> Option<Marks> {
    Some(Marks {
        name: labels.get(NAME)?.clone(),
        role: labels.get(ROLE)?.parse().ok()?,
        protected: labels.get(PROTECTED)?.parse().ok()?,
        tags: serde_json::from_str::<BTreeSet<String>>(labels.get(TAGS)?).ok()?,
    })
}

/// Whether a container that was started has marks beside it, unless somebody removed them.
pub(super) fn has_marks_beside(labels: &Labels) -> bool {
    labels.contains_key(MARKS)
}

/// The labels of pinned host keys.
pub(super) fn of_pins(pins: &Pins) -> Labels {
    let written = [(FIRST_KEY, pins.first), (HOST_KEY, pins.own)];
    let written = written.into_iter().filter_map(|(label, key)| Some((label.to_owned(), key?)));
    written.map(|(label, key)| (label, key.to_label())).collect()
}

/// The host keys pinned by a container or a volume with marks. What cannot be read is none.
pub(super) fn pins(labels: &Labels) -> Pins {
    let key = |label| HostKey::from_label(labels.get(label)?).ok();
    Pins { first: key(FIRST_KEY), own: key(HOST_KEY) }
}

/// An architecture in the engine's words.
pub(super) fn arch(text: &str) -> Option<Arch> {
    match text {
        "amd64" | "x86_64" => Some(Arch::Amd64),
        "arm64" | "aarch64" => Some(Arch::Arm64),
        _ => None,
    }
}

/// Labels from keys known at compile time.
pub(super) fn labels_from<const N: usize>(pairs: [(&str, String); N]) -> Labels {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::fixtures::order;

    #[test]
    fn what_is_written_is_read_back() {
        let mut request = order("db-1");
        request.spec.spot = true;
        request.marks.protected = true;
        request.marks.tags = ["a,b".to_owned(), "team=\"x\"".to_owned()].into();
        request.pins =
            Pins { first: Some(HostKey::new([1; 32])), own: Some(HostKey::new([2; 32])) };
        let labels = of_container(&request);
        assert_eq!(pins(&labels), request.pins);
        assert_eq!(owner(&labels), Some(request.owner));
        assert_eq!(spec(&labels), Some(request.spec));
        assert_eq!(marks(&labels), Some(request.marks));
    }

    #[test]
    fn a_container_that_lacks_one_owner_label_is_foreign() {
        for key in [PROJECT, ENVIRONMENT, HOST] {
            let mut labels = of_container(&order("db-1"));
            labels.remove(key);
            assert_eq!(owner(&labels), None, "without {key}");
        }
        let mut labels = of_container(&order("db-1"));
        labels.insert(HOST.to_owned(), "Not A Name".to_owned());
        assert_eq!(owner(&labels), None);
    }
}
