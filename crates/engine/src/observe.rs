use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use stagecraft_core::cloud::{Account, Catalogue, CloudError};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::Failure;
use stagecraft_core::event::{EventKind, ProviderEvent};
use stagecraft_core::inventory::{Instance, Inventory};
use stagecraft_core::name::Scope;

use crate::Engine;
use crate::pace::Ask;

impl Engine {
    /// Lists all providers at once. One that cannot be listed is recorded as such.
    pub async fn observe(&self, scope: &Scope) -> Inventory {
        let listings = self.providers.keys().map(|&provider| async move {
            self.events.tell(EventKind::Provider(provider, ProviderEvent::Listing));
            (provider, self.list(provider, scope).await)
        });
        let mut seen = Vec::new();
        let mut unlisted = BTreeMap::new();
        for (provider, listing) in join_all(listings).await {
            match listing {
                Ok(instances) => seen.extend(instances),
                Err(error) => {
                    unlisted.insert(provider, Failure::from(&error));
                }
            }
        }
        unlisted
            .into_iter()
            .fold(Inventory::new(seen), |inventory, (id, why)| inventory.with_unlisted(id, why))
    }

    /// What can be ordered from these providers.
    ///
    /// # Errors
    /// The first provider's that does not answer.
    pub async fn catalogues(
        &self,
        of: &BTreeSet<ProviderId>,
    ) -> Result<BTreeMap<ProviderId, Catalogue>, CloudError> {
        let requests = self.providers.iter().filter(|(id, _)| of.contains(id)).map(
            |(&id, provider)| async move {
                let ask = Ask { provider: id, what: "read the catalogue", slots: None };
                let catalogue = self
                    .repeat(
                        &ask,
                        async || provider.catalogue().await,
                        |after, code| {
                            self.retrying(id, after, code);
                        },
                    )
                    .await?;
                Ok((id, catalogue))
            },
        );
        join_all(requests).await.into_iter().collect()
    }

    /// Checks the credentials of every provider.
    pub async fn validate_credentials(&self) -> BTreeMap<ProviderId, Result<Account, CloudError>> {
        let requests = self.providers.iter().map(|(&id, provider)| async move {
            let ask = Ask { provider: id, what: "validate the credentials", slots: None };
            let account = self
                .repeat(
                    &ask,
                    async || provider.validate_credentials().await,
                    |after, code| {
                        self.retrying(id, after, code);
                    },
                )
                .await;
            (id, account)
        });
        join_all(requests).await.into_iter().collect()
    }

    /// Lists one provider.
    pub(crate) async fn list(
        &self,
        provider: ProviderId,
        scope: &Scope,
    ) -> Result<Vec<Instance>, CloudError> {
        let cloud = self.cloud(provider)?;
        let ask = Ask { provider, what: "list instances", slots: None };
        self.repeat(
            &ask,
            async || cloud.list(scope).await,
            |after, code| {
                self.retrying(provider, after, code);
            },
        )
        .await
    }

    /// Tells that a provider is asked again.
    pub(crate) fn retrying(
        &self,
        provider: ProviderId,
        after: std::time::Duration,
        code: stagecraft_core::error::Code,
    ) {
        self.events.tell(EventKind::Provider(provider, ProviderEvent::Retrying { after, code }));
    }
}
