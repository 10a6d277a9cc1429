use stagecraft_core::inventory::{Instance, Lifecycle};
use stagecraft_core::plan::{Action, Fate, Plan};

use crate::Engine;
use crate::mesh::Room;

impl Engine {
    /// The members of the mesh, and those of them that a plan leaves alone.
    pub(super) fn room<'p>(&self, plan: &'p Plan) -> (Room, Vec<&'p Instance>) {
        if self.mesh().is_none() {
            return (Room::new(&plan.scope, [], [], false), Vec::new());
        }
        let stays = plan.stays();
        let bystanders: Vec<&Instance> = stays
            .values()
            .filter(|(entry, instance)| {
                !entry.is_worked_on() && instance.lifecycle == Lifecycle::Running
            })
            .map(|&(_, instance)| instance)
            .collect();
        let changes = plan.entries.iter().any(|entry| {
            let action = entry.change.action();
            entry.fate == Fate::Proceeds
                && matches!(action, Action::Create | Action::Replace | Action::Delete)
        });
        // Who goes is a member until it is gone.
        let members = plan.standing().into_values().map(|(_, instance)| instance);
        (Room::new(&plan.scope, members, bystanders.iter().copied(), changes), bystanders)
    }
}
