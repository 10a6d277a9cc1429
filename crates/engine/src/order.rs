//! Changes sent to providers: ordering, switching on, relabelling, removing.

use std::time::Duration;

use stagecraft_core::cloud::{CloudError, CloudErrorKind, CloudProvider, CreateInstance};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Diagnose as _, Failure, Retry};
use stagecraft_core::event::HostEvent;
use stagecraft_core::identity::{OneTimeKey, Pins};
use stagecraft_core::inventory::{Instance, Inventory, Marks, Owner};
use stagecraft_core::name::{HostName, InstanceId, Scope};
use stagecraft_core::resolve::ResolvedHost;

use crate::Engine;
use crate::cancel::interrupted;
use crate::pace::{Ask, is_rate_limited};
use crate::watch::may_pass;

/// After a lost answer the list is read at these times from the loss, because a new instance may
/// be missing from lists for a while.
const LOOKS_AFTER_LOSS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// Which look comes next after this many, when this long has passed since the loss. Those that a
/// later one has overtaken are left out: a list may have been held up for long.
fn next_look(done: usize, passed: Duration) -> Option<usize> {
    let due = LOOKS_AFTER_LOSS.iter().filter(|&&look| look <= passed).count();
    let next = done.max(due.saturating_sub(1));
    (next < LOOKS_AFTER_LOSS.len()).then_some(next)
}

impl Engine {
    /// Orders an instance. After a lost answer it looks for the instance before it orders again.
    pub(crate) async fn order(
        &self,
        scope: &Scope,
        wanted: &ResolvedHost,
        replaced: Option<&InstanceId>,
    ) -> Result<Instance, Failure> {
        let host = &wanted.name;
        let cloud = self.cloud(wanted.provider).map_err(|error| Failure::from(&error))?;
        // One key for all tries: what an earlier one may have made is verified by it as well.
        let key = self.mint.as_ref().map(|mint| mint.mint()).transpose();
        let key = key.map_err(|error| Failure::from(&error))?;
        let request = CreateInstance {
            owner: Owner { scope: scope.clone(), host: host.clone() },
            spec: wanted.spec.clone(),
            marks: wanted.marks.clone(),
            pins: key.as_ref().map(|key| Pins::of_order(key.public)).unwrap_or_default(),
            user_data: key.as_ref().map(OneTimeKey::user_data),
        };
        let what = format!("create host `{host}`");
        let ask = Ask { provider: wanted.provider, what: &what, slots: Some(&self.order_slots) };
        let (mut failed, mut waited, mut begun) = (0, Duration::ZERO, false);
        loop {
            // Taken anew for each try: whoever waits to try again must not hold others up.
            let turn = self.turn(&ask, &mut waited).await.map_err(|why| self.given_up(&why))?;
            if self.cancel.is_stopping() {
                return Err(interrupted());
            }
            if !std::mem::replace(&mut begun, true) {
                self.tell(host, HostEvent::Creating);
            }
            let answer = cloud.create(&request).await;
            self.end_turn(turn, &answer);
            let error = match answer {
                Ok(instance) => return Ok(instance),
                Err(error) if is_rate_limited(&error) => continue,
                Err(error) => error,
            };
            failed += 1;
            let hint = match error.retry() {
                Retry::Never => return Err(Failure::from(&error)),
                Retry::After(hint) => hint,
                Retry::Observe => {
                    if let Some(instance) = self.find_lost(scope, wanted, replaced, &error).await? {
                        return Ok(instance);
                    }
                    if error.lasting {
                        // Another order would end alike, and add a machine that no list shows.
                        return Err(Failure::from(&error));
                    }
                    Duration::ZERO
                }
            };
            let retry = self.wait_to_retry(failed, hint, |after| {
                self.tell(host, HostEvent::Retrying { after, code: error.code() });
            });
            if !retry.await {
                return Err(self.given_up(&error));
            }
        }
    }

    /// Looks for the instance of an order whose answer was lost.
    ///
    /// # Errors
    /// When it cannot be found out whether it exists; then it must not be ordered again.
    async fn find_lost(
        &self,
        scope: &Scope,
        wanted: &ResolvedHost,
        replaced: Option<&InstanceId>,
        lost: &CloudError,
    ) -> Result<Option<Instance>, Failure> {
        let began = self.clock.now();
        let passed = || self.clock.now().saturating_sub(began);
        let mut looks = 0;
        while let Some(next) = next_look(looks, passed()) {
            looks = next + 1;
            let after = LOOKS_AFTER_LOSS[next].saturating_sub(passed());
            self.tell(&wanted.name, HostEvent::LookingForLost { after, code: lost.code() });
            // Not cut short by the user's wish to stop: this is in flight until we know.
            self.clock.sleep(after).await;
            let listed = match self.list(wanted.provider, scope).await {
                Ok(listed) => listed,
                // What lost the answer may keep lists away for a while.
                Err(error)
                    if may_pass(&error)
                        && !self.cancel.is_stopping()
                        && next_look(looks, passed()).is_some() =>
                {
                    continue;
                }
                Err(error) => {
                    let message = format!(
                        "{lost}; whether the instance exists could not be found out, because {error}"
                    );
                    return Err(Failure::new(lost.code(), message).with_hint(
                        "run the command again: an instance that exists is found and used",
                    ));
                }
            };
            let seen = Inventory::new(listed);
            let found = seen.of_host(&wanted.name).iter().find(|i| Some(&i.id) != replaced);
            if let Some(instance) = found {
                return Ok(Some(instance.clone()));
            }
        }
        Ok(None)
    }

    /// Switches an instance on.
    pub(crate) async fn start(&self, instance: &Instance) -> Result<(), Failure> {
        let host = &instance.owner.host;
        let begin = || self.tell(host, HostEvent::Starting);
        let request = async |cloud: &dyn CloudProvider| cloud.start(&instance.id).await;
        self.change(host, instance.provider, "switch on", begin, request).await?;
        self.tell(host, HostEvent::Started);
        Ok(())
    }

    /// Replaces what an instance carries.
    pub(crate) async fn update(&self, instance: &Instance, marks: &Marks) -> Result<(), Failure> {
        let host = &instance.owner.host;
        let begin = || self.tell(host, HostEvent::Updating);
        let request = async |cloud: &dyn CloudProvider| cloud.update(&instance.id, marks).await;
        self.change(host, instance.provider, "update", begin, request).await?;
        self.tell(host, HostEvent::Updated);
        Ok(())
    }

    /// Removes an instance; that it is gone already is success. `begin` is called when it is
    /// asked for.
    pub(crate) async fn terminate(
        &self,
        host: &HostName,
        provider: ProviderId,
        id: &InstanceId,
        begin: impl Fn(),
    ) -> Result<(), Failure> {
        let request = async |cloud: &dyn CloudProvider| cloud.terminate(id).await;
        self.change(host, provider, "remove", begin, request).await.map(|_| ())
    }

    /// Brings what the instances of a scope share at a provider to what the file asks of it by now.
    pub(crate) async fn prepare(&self, scope: &Scope, provider: ProviderId) -> Result<(), Failure> {
        let cloud = self.cloud(provider).map_err(|error| Failure::from(&error))?;
        if !cloud.prepares() {
            // Not even its gate is passed: it may be closed, and what asks nothing is no answer.
            return Ok(());
        }
        let what = format!("prepare `{scope}`");
        let ask = Ask { provider, what: &what, slots: Some(&self.order_slots) };
        let retrying = |after, code| self.retrying(provider, after, code);
        let prepared = self.repeat(&ask, async || cloud.prepare(scope).await, retrying);
        prepared.await.map_err(|error| self.given_up(&error))
    }

    /// Removes what providers made for a scope besides its instances, as far as nothing uses it any more.
    ///
    /// # Errors
    /// What is left behind, by provider.
    pub async fn tidy(&self, scope: &Scope) -> Result<(), Vec<CloudError>> {
        let mut left = Vec::new();
        for (&provider, cloud) in &self.providers {
            let what = format!("tidy up after `{scope}`");
            let ask = Ask { provider, what: &what, slots: Some(&self.order_slots) };
            let tidied = self.repeat(&ask, async || cloud.tidy(scope).await, |_, _| ());
            left.extend(tidied.await.err());
        }
        if left.is_empty() { Ok(()) } else { Err(left) }
    }

    /// Makes an idempotent change, again if its answer was lost. `begin` is called before the
    /// first try, and not at all when the user asked to stop before its turn came.
    pub(crate) async fn change<T>(
        &self,
        host: &HostName,
        provider: ProviderId,
        verb: &str,
        begin: impl Fn(),
        request: impl AsyncFn(&dyn CloudProvider) -> Result<T, CloudError>,
    ) -> Result<T, Failure> {
        let cloud = self.cloud(provider).map_err(|error| Failure::from(&error))?;
        let what = format!("{verb} host `{host}`");
        let ask = Ask { provider, what: &what, slots: Some(&self.order_slots) };
        let mut begun = false;
        self.repeat(
            &ask,
            async || {
                if self.cancel.is_stopping() {
                    return Ok(None);
                }
                if !std::mem::replace(&mut begun, true) {
                    begin();
                }
                request(cloud).await.map(Some)
            },
            |after, code| self.tell(host, HostEvent::Retrying { after, code }),
        )
        .await
        .map_err(|error| self.given_up(&error))?
        .ok_or_else(interrupted)
    }

    /// Why a request that failed is not made again.
    fn given_up(&self, error: &CloudError) -> Failure {
        match error.retry() {
            Retry::After(_) | Retry::Observe if self.cancel.is_stopping() => interrupted(),
            Retry::After(_) | Retry::Observe | Retry::Never => Failure::from(error),
        }
    }

    pub(crate) fn cloud(&self, id: ProviderId) -> Result<&dyn CloudProvider, CloudError> {
        self.providers.get(&id).map(AsRef::as_ref).ok_or_else(|| {
            let kind = CloudErrorKind::InvalidInput(
                "it is not among the providers of the configuration".to_owned(),
            );
            CloudError::new(id, "be used", kind)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_were_overtaken_are_left_out_and_the_last_one_never() {
        let secs = Duration::from_secs;
        assert_eq!(next_look(0, secs(0)), Some(0));
        assert_eq!(next_look(1, secs(2)), Some(1));
        assert_eq!(next_look(1, secs(16)), Some(2), "the third is due");
        assert_eq!(next_look(1, secs(300)), Some(4));
        assert_eq!(next_look(5, secs(300)), None);
    }
}
