use std::collections::BTreeSet;

use super::Plan;
use crate::desired::ProviderId;
use crate::name::InstanceId;

/// Instances that would be removed.
pub type Destroys = BTreeSet<(ProviderId, InstanceId)>;

/// Proof that a plan was agreed to; the only thing that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved(Plan);

impl Plan {
    /// Agrees to the plan if it removes nothing outside `agreed`; else gives it back.
    ///
    /// What was agreed to is a set of instances and not a plan, so that a plan made anew because
    /// the cloud moved on needs no second question unless it would remove more.
    ///
    /// # Errors
    /// The plan, unchanged.
    pub fn approve(self, agreed: &Destroys) -> Result<Approved, Self> {
        if self.destroys().is_subset(agreed) { Ok(Approved(self)) } else { Err(self) }
    }
}

impl Approved {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}
