//! When two runs order the same host at once, the younger instance goes.

use std::collections::BTreeMap;

use futures_util::future::{join_all, ready};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::Failure;
use stagecraft_core::event::HostEvent;
use stagecraft_core::inventory::Inventory;
use stagecraft_core::name::{HostName, InstanceId};

use super::{Run, sight};
use crate::Engine;
use crate::mesh::{Progress, Room};

impl Engine {
    /// Removes an instance that this run ordered, because an older one stands for the host.
    pub(super) async fn remove_surplus(
        &self,
        run: &Run<'_>,
        host: &HostName,
        provider: ProviderId,
        mine: &InstanceId,
    ) -> Result<(), Failure> {
        let begin = || {
            run.ordered().remove(host);
            self.tell(host, HostEvent::RemovingDuplicate);
        };
        self.terminate(host, provider, mine, begin).await
    }

    /// The last look of a run that ordered something: an instance of ours that another run's turns
    /// out to be older than is removed, and the other set up in its place.
    pub(super) async fn settle(&self, run: &Run<'_>, room: &mut Room) {
        let ordered = run.ordered().clone();
        let mut seen: BTreeMap<ProviderId, Inventory> = BTreeMap::new();
        for &(provider, _) in ordered.values() {
            if !seen.contains_key(&provider)
                && !self.cancel.is_stopping()
                && let Ok(listed) = self.list(provider, run.watch.scope()).await
            {
                // A list that fails leaves the duplicate to the next run's plan.
                seen.insert(provider, Inventory::new(listed));
            }
        }
        let surplus = ordered.iter().filter(|(host, (provider, mine))| {
            seen.get(provider).is_some_and(|seen| sight::is_surplus(host, mine, seen))
        });
        let anew = surplus.map(|(host, (provider, mine))| async move {
            (host.clone(), self.give_way(run, host, *provider, mine).await)
        });
        let anew: Vec<_> = join_all(anew).await;
        let anew = anew.into_iter().filter_map(|(host, progress)| Some((host, progress?)));
        self.gather(room, anew.map(ready).collect()).await;
    }

    /// Sets a host up anew that ended with an instance that is surplus; `None` when that stays for now.
    async fn give_way(
        &self,
        run: &Run<'_>,
        host: &HostName,
        provider: ProviderId,
        mine: &InstanceId,
    ) -> Option<Progress> {
        let reached = match self.remove_surplus(run, host, provider, mine).await {
            Ok(()) => self.wait_until_up(run, host, provider, None).await,
            // Its turn never came, so how it ended before stands; the next plan tells of the duplicate.
            Err(_) if run.ordered().contains_key(host) => return None,
            Err(failure) => Err(failure),
        };
        Some(self.go_on(run, reached).await)
    }
}
