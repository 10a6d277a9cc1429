//! Marks that change on containers that cannot.
//!
//! Docker cannot relabel a container. Its first marks are labels of the container itself; every
//! change is written as a new *generation*: an empty volume whose labels say the marks, the
//! container and a number. The highest number wins.
//!
//! ```text
//! container 4f…            labels: name, role, protected, tags     generation 0
//! volume stagecraft-marks-4f…-1   labels: …, marks-of=4f…           generation 1
//! volume stagecraft-marks-4f…-2   labels: …, marks-of=4f…           generation 2: these count
//! ```
//!
//! Creating a volume is atomic and its name is unique, so of two writers of one generation one
//! wins, and the other, who gets back labels that are not its own, makes its change to those and takes
//! the next number: marks and host keys are changed apart, and neither loses the other. What is
//! older than the generation before the newest is removed after the newest is written: killed in
//! between, a volume is left that nobody reads, and the next change or the termination removes it.
//! The generation before stays, so that a listing under way at the same moment never finds none.
//!
//! The first generation is written before the container is started for the first time. So one that runs
//! and has none lost them: `docker volume prune` of Docker before 23 removes them.

use std::collections::BTreeMap;

use bollard::models::{Volume, VolumeCreateRequest};
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::Marks;
use stagecraft_core::name::{InstanceId, Scope};

use super::labels::{self, GENERATION, Labels, MARKS_OF};

/// What can change on a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) marks: Marks,
    pub(super) pins: Pins,
}

/// What was written after the container was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) number: u64,
    pub(super) volume: String,
    pub(super) carried: Carried,
}

/// The generations of each container, oldest first.
pub(super) fn by_container(volumes: &[Volume]) -> BTreeMap<InstanceId, Vec<Generation>> {
    let mut all: BTreeMap<InstanceId, Vec<Generation>> = BTreeMap::new();
    for volume in volumes {
        if let Some((id, generation)) = read(volume) {
            all.entry(id).or_default().push(generation);
        }
    }
    for generations in all.values_mut() {
        generations.sort_by_key(|generation| generation.number);
    }
    all
}

/// The request that writes generation `number`.
pub(super) fn write(
    id: &InstanceId,
    scope: &Scope,
    number: u64,
    carried: &Carried,
) -> VolumeCreateRequest {
    let mut labels: Labels = labels::of_scope(scope);
    labels.extend(labels::of_marks(&carried.marks));
    labels.extend(labels::of_pins(&carried.pins));
    labels.extend(labels::labels_from([
        (MARKS_OF, id.to_string()),
        (GENERATION, number.to_string()),
    ]));
    VolumeCreateRequest {
        name: Some(format!("stagecraft-marks-{id}-{number}")),
        labels: Some(labels),
        ..VolumeCreateRequest::default()
    }
}

/// What a volume says; after writing one, that may be what another writer of the same generation
/// wrote.
pub(super) fn held(volume: &Volume) -> Option<Carried> {
    let labels = &volume.labels;
    Some(Carried { marks: labels::marks(labels)?, pins: labels::pins(labels) })
}

/// The volumes nobody needs once generation `newest` is written.
pub(super) fn obsolete(generations: &[Generation], newest: u64) -> Vec<&str> {
    generations
        .iter()
        .filter(|generation| generation.number + 1 < newest)
        .map(|generation| generation.volume.as_str())
        .collect()
}

fn read(volume: &Volume) -> Option<(InstanceId, Generation)> {
    let labels = &volume.labels;
    let generation = Generation {
        number: labels.get(GENERATION)?.parse().ok()?,
        volume: volume.name.clone(),
        carried: held(volume)?,
    };
    Some((labels.get(MARKS_OF)?.as_str().into(), generation))
}

#[cfg(test)]
mod tests {
    use stagecraft_core::identity::HostKey;

    use super::*;
    use crate::local::fixtures::{instance, order};

    #[test]
    fn the_highest_generation_counts_by_number_and_not_by_text() {
        let host = instance("4f", &order("db-1"));
        let volumes: Vec<Volume> = [9, 10, 2]
            .map(|number| {
                let marks = Marks { name: format!("name-{number}"), ..host.marks.clone() };
                let carried = Carried { marks, pins: Pins::default() };
                stored(&write(&host.id, &host.owner.scope, number, &carried))
            })
            .into();
        let all = by_container(&volumes);
        let generations = &all[&host.id];
        assert_eq!(generations.last().unwrap().carried.marks.name, "name-10");
        assert_eq!(obsolete(generations, 10), ["stagecraft-marks-4f-2"]);
        assert_eq!(obsolete(generations, 11), ["stagecraft-marks-4f-2", "stagecraft-marks-4f-9"]);
    }

    #[test]
    fn the_loser_of_a_race_for_one_generation_notices() {
        let host = instance("4f", &order("db-1"));
        let pins = Pins::of_own(HostKey::new([2; 32]));
        let theirs = Carried { marks: host.marks.clone(), pins };
        let mine = Carried { marks: Marks { protected: true, ..host.marks.clone() }, pins };
        for carried in [&theirs, &mine] {
            let volume = stored(&write(&host.id, &host.owner.scope, 1, carried));
            assert_eq!(held(&volume).as_ref(), Some(carried));
        }
    }

    #[test]
    fn a_volume_without_our_labels_marks_nothing() {
        let foreign = Volume { name: "stagecraft-marks-4f-99".to_owned(), ..Volume::default() };
        assert!(by_container(&[foreign]).is_empty());
    }

    fn stored(request: &VolumeCreateRequest) -> Volume {
        Volume {
            name: request.name.clone().unwrap(),
            labels: request.labels.clone().unwrap(),
            ..Volume::default()
        }
    }
}
