//! What there is of ours, in the regions in use and, once, in all others of the account.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use stagecraft_core::cloud::CloudError;
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::{InstanceId, Region, Scope};

use super::account::{all, is_closed};
use super::{AwsProvider, Place, exchange, reading, wire};
use crate::Doing;

const WHY_THERE: &str = "is looked at because earlier files may have had hosts in any region of the \
                         account; to look at some only, name them by `regions` under \
                         `cloud.providers.aws`";

impl AwsProvider {
    /// What is ours in all regions in which it may be.
    pub(super) async fn listed(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        let doing = &reading(format!("list the hosts of `{scope}`"));
        let regions = self.account.used(doing).await?;
        let unseen = self.account.unseen(doing).await?;
        let lists = regions.iter().map(|region| self.list_region(doing, scope, region));
        let others = unseen.iter().map(|region| async move {
            match self.list_region(doing, scope, region).await {
                Err(error) if is_closed(&error) => Ok(Vec::new()),
                Err(error) => Err(error.with_hint(format!("`{region}` {WHY_THERE}"))),
                listed => listed,
            }
        });
        let (listed, others) = tokio::join!(try_join_all(lists), try_join_all(others));
        let (listed, others) = (listed?, others?);
        let others: Vec<Instance> = others.into_iter().flatten().collect();
        self.account.remember(others.iter().map(|of| of.spec.region.clone()).collect());
        let listed = listed.into_iter().flatten().chain(others);
        let listed: BTreeMap<InstanceId, Instance> =
            listed.map(|instance| (instance.id.clone(), instance)).collect();
        let mut places = self.places();
        for (id, instance) in &listed {
            places.insert(id.clone(), Place { region: instance.spec.region.clone(), seen: true });
        }
        Ok(listed.into_values().collect())
    }

    async fn list_region(
        &self,
        doing: &Doing,
        scope: &Scope,
        region: &Region,
    ) -> Result<Vec<Instance>, CloudError> {
        let api = self.account.ec2(doing, region)?;
        let query = exchange::instances(scope);
        let (found, now) = all::<wire::Reservations>(&api, doing, query).await?;
        let found = found.iter().flat_map(|of| &of.instances_set.items);
        let ours = found.filter_map(|of| exchange::instance(of, region, now));
        Ok(ours.filter(|instance| instance.owner.scope == *scope).collect())
    }
}
