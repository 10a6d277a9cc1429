//! What a run sees, and what it would do about it.

use std::collections::BTreeSet;

use stagecraft_core::desired::ProviderId;
use stagecraft_core::inventory::Inventory;
use stagecraft_core::name::HostName;
use stagecraft_core::plan::{Plan, PlanError, Policy, plan_up};

use super::Run;
use crate::stop::Stop;
use crate::ui::names;
use crate::wire::Clouds;

impl Run<'_> {
    /// What exists.
    ///
    /// # Errors
    /// When a provider cannot be listed, or the user interrupts.
    pub(crate) async fn observe(&self) -> Result<Inventory, Stop> {
        let looking = self.engine.observe(&self.project.scope);
        let inventory = self.signals.interruptible(looking).await?;
        self.progress.finish();
        refuse_blind(&inventory, &self.clouds)?;
        Ok(inventory)
    }

    /// What exists, and what `infra up` would do about it.
    ///
    /// # Errors
    /// When a provider does not answer, a host cannot be ordered or does not exist, or the user
    /// interrupts.
    pub(crate) async fn plan(&self, policy: &Policy) -> Result<(Inventory, Plan), Stop> {
        let hosts = &self.project.hosts;
        let in_use: BTreeSet<ProviderId> = hosts.values().map(|host| host.provider).collect();
        let scope = &self.project.scope;
        let looking =
            async { tokio::join!(self.engine.observe(scope), self.engine.catalogues(&in_use)) };
        let (inventory, catalogues) = self.signals.interruptible(looking).await?;
        self.progress.finish();
        refuse_blind(&inventory, &self.clouds)?;
        let catalogues = catalogues.map_err(|error| Stop::from(&error))?;
        let file = &self.project.file;
        let wanted = file.resolved(scope, hosts, &catalogues, &inventory, &policy.replace)?;
        let plan = plan_up(scope, &wanted, &inventory, policy)
            .map_err(|error| self.no_plan(&error, &inventory))?;
        Ok((inventory, self.with_network(plan)))
    }

    /// Why there is no plan.
    pub(crate) fn no_plan(&self, error: &PlanError, inventory: &Inventory) -> Stop {
        match error {
            PlanError::UnknownHost(_) => {
                Stop::from(error).with_hint(self.known_hosts_hint(inventory))
            }
            PlanError::Blind { .. }
            | PlanError::NothingToReplaceWith(_)
            | PlanError::ReplaceNotSelected(_) => Stop::from(error),
        }
    }

    /// Which hosts there are to name.
    pub(crate) fn known_hosts_hint(&self, inventory: &Inventory) -> String {
        let exist = inventory.hosts().map(|(host, _)| host);
        known_hosts(self.project.hosts.keys(), exist)
    }
}

/// The hosts of the file, and those that exist without it.
fn known_hosts<'h>(
    file: impl IntoIterator<Item = &'h HostName>,
    exist: impl IntoIterator<Item = &'h HostName>,
) -> String {
    let file: BTreeSet<&HostName> = file.into_iter().collect();
    let others: BTreeSet<&HostName> =
        exist.into_iter().filter(|host| !file.contains(host)).collect();
    let hint = match names(&file) {
        none if none.is_empty() => "the file has no hosts in this environment".to_owned(),
        hosts => format!("the file has {hosts}"),
    };
    if !others.is_empty() {
        let exist = if others.len() == 1 { "exists and is" } else { "exist and are" };
        return format!("{hint}; {} {exist} not in it", names(&others));
    }
    hint
}

fn refuse_blind(inventory: &Inventory, clouds: &Clouds) -> Result<(), Stop> {
    let blind = inventory.unlisted().iter().map(|(&provider, why)| {
        let stop = Stop::from(&PlanError::Blind { provider, why: why.clone() });
        match clouds.way_around(provider) {
            Some(hint) => stop.with_hint(hint),
            None => stop,
        }
    });
    // All of them: to mend one and then to be told of the next would be tiresome.
    let all = blind.reduce(|mut all, one| {
        all.troubles.extend(one.troubles);
        all
    });
    all.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use stagecraft_core::desired::ProviderId;
    use stagecraft_core::error::{Code, Failure};

    use super::*;
    use crate::ui::samples::host;

    #[test]
    fn all_clouds_that_cannot_be_seen_are_told_at_once() {
        let why = Failure::new(Code::CLOUD_UNREACHABLE, "no answer");
        let inventory = Inventory::default()
            .with_unlisted(ProviderId::Aws, why.clone())
            .with_unlisted(ProviderId::Hetzner, why);
        let stop = refuse_blind(&inventory, &Clouds::default()).unwrap_err();
        let told: Vec<_> = stop.troubles.iter().map(|of| of.failure.message.as_str()).collect();
        assert!(told.len() == 2 && told[1].contains("without that"), "{told:?}");
        assert!(refuse_blind(&Inventory::default(), &Clouds::default()).is_ok());
    }

    #[test]
    fn hosts_that_exist_and_are_not_in_the_file_can_be_named_too() {
        let (a, b, c) = (host("a"), host("b"), host("c"));
        assert_eq!(known_hosts([&a, &b], [&b]), "the file has `a` and `b`");
        assert_eq!(
            known_hosts([&a], [&a, &b, &c]),
            "the file has `a`; `b` and `c` exist and are not in it"
        );
        assert_eq!(
            known_hosts([], [&b]),
            "the file has no hosts in this environment; `b` exists and is not in it"
        );
    }
}
