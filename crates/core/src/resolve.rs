//! From what the file asks for to what can be ordered: sizes, regions, images and keys checked
//! against a provider's live catalogue before anything is created.

mod order;

pub use order::{OrderProblem, SshKeyNames};

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Catalogue, Price};
use crate::desired::{DesiredHost, ProviderId};
use crate::inventory::{Inventory, Marks, Spec};
use crate::name::{HostName, Scope};
use order::Order;

/// A desired host that can be ordered as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedHost {
    /// Its name.
    pub name: HostName,
    /// Where it lives.
    pub provider: ProviderId,
    /// What its instance is made of, in the provider's own words.
    pub spec: Spec,
    /// What its instance carries.
    pub marks: Marks,
    /// Its price, where the provider gives one.
    pub monthly: Option<Price>,
    /// What was asked for and cannot be had, without being an error.
    pub notices: Vec<String>,
}

/// Resolves all hosts, or says everything that is wrong with them.
///
/// Callers fetch a catalogue for each provider that has desired hosts; a host without one is a
/// problem like any other. A host that is there as asked needs nothing that can be ordered today:
/// it stays valid when its size is sold out or its image retired. `anew` names the hosts that will
/// be ordered although they are there.
///
/// # Errors
/// All problems of all hosts, by host.
pub fn resolve(
    scope: &Scope,
    desired: &BTreeMap<HostName, DesiredHost>,
    catalogues: &BTreeMap<ProviderId, Catalogue>,
    ssh_keys: &SshKeyNames,
    there: &Inventory,
    anew: &BTreeSet<HostName>,
) -> Result<BTreeMap<HostName, ResolvedHost>, Vec<OrderProblem>> {
    let mut resolved = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, host) in desired {
        let Some(catalogue) = catalogues.get(&host.provider) else {
            // Left out it would look as if the file did not have it, and `--prune` would remove it.
            problems.push(OrderProblem {
                host: name.clone(),
                at: host.places.host,
                message: format!("what {} offers is not known", host.provider),
                hint: None,
            });
            continue;
        };
        let instance =
            there.get(name).filter(|of| of.provider == host.provider && !anew.contains(name));
        let order = Order { host, catalogue, there: instance.map(|instance| &instance.spec) };
        match order.spec() {
            Ok((spec, notices)) => {
                problems.extend(order.problems(&spec, ssh_keys));
                let monthly = order.offer(&spec).and_then(|offer| offer.regions.get(&spec.region));
                resolved.insert(
                    name.clone(),
                    ResolvedHost {
                        name: name.clone(),
                        provider: host.provider,
                        marks: Marks {
                            name: scope.cloud_name(name),
                            role: host.role.clone(),
                            protected: host.protected,
                            tags: host.tags.clone(),
                        },
                        monthly: monthly.cloned().flatten(),
                        spec,
                        notices,
                    },
                );
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(resolved) } else { Err(problems) }
}

#[cfg(test)]
mod tests;
