//! Carrying out an approved plan, all hosts at once.

mod sight;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::{EventKind, HostEnd, HostEvent, SkipReason};
use stagecraft_core::inventory::{Instance, Inventory, Lifecycle};
use stagecraft_core::name::{HostName, InstanceId};
use stagecraft_core::plan::{Approved, Change, Entry, Fate};
use stagecraft_core::resolve::ResolvedHost;

use crate::login::Age;
use crate::watch::Watch;
use crate::{Engine, StepsFor};
use sight::Sight;

/// What exists changed since the plan was made; it must be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what exists changed since the plan was made")]
pub struct Stale;

/// What the futures of one run share.
struct Run<'e> {
    watch: Watch<'e>,
    steps: Option<&'e StepsFor>,
    /// Instances this run ordered, by host: the only ones it may remove as surplus.
    ordered: Mutex<BTreeMap<HostName, (ProviderId, InstanceId)>>,
}

/// How far a host got at the provider.
enum Reached {
    /// An instance that runs.
    Instance(Box<Instance>, Age),
    /// The end: removed, failed or interrupted.
    End(HostEnd),
}

impl Engine {
    /// Carries out a plan; with `steps`, sets up every host that is kept or made.
    ///
    /// What comes of each host is told in events; the failure of one never stops another.
    ///
    /// # Errors
    /// [`Stale`] when the plan would change something and what exists is not what it was made
    /// from. Nothing was done then.
    pub async fn apply(&self, approved: &Approved, steps: Option<&StepsFor>) -> Result<(), Stale> {
        let plan = approved.plan();
        if plan.has_effects() && self.observe(&plan.scope).await.digest() != plan.basis {
            return Err(Stale);
        }
        let run = Run {
            watch: Watch::new(self, &plan.scope),
            steps,
            ordered: Mutex::new(BTreeMap::new()),
        };
        let mut by_host: BTreeMap<&HostName, Vec<&Entry>> = BTreeMap::new();
        for entry in plan.entries.iter().filter(|entry| entry.is_worked_on()) {
            by_host.entry(&entry.host).or_default().push(entry);
        }
        self.together(&run, async {
            join_all(by_host.iter().map(|(host, entries)| self.host(&run, host, entries))).await;
            self.settle(&run).await;
        })
        .await;
        Ok(())
    }

    /// Sets up hosts that exist, without touching the cloud.
    pub async fn bootstrap(&self, instances: Vec<Instance>, steps: &StepsFor) {
        let hosts = instances.iter().map(|instance| async {
            let host = &instance.owner.host;
            let end = match instance.lifecycle {
                Lifecycle::Running => self.set_up(instance, Age::Old, Some(steps)).await,
                Lifecycle::Pending
                | Lifecycle::Stopped
                | Lifecycle::Terminating
                | Lifecycle::Terminated
                | Lifecycle::Failed => HostEnd::Failed(
                    Failure::new(
                        Code::HOST_MISSING,
                        format!("the instance of `{host}` does not run"),
                    )
                    .with_hint("run `stagecraft infra up`"),
                ),
            };
            self.end(host, end);
        });
        self.until_done(async { drop(join_all(hosts).await) }).await;
    }

    /// Does `work` while the lists it waits for are read.
    async fn together(&self, run: &Run<'_>, work: impl Future<Output = ()>) {
        tokio::select! {
            never = run.watch.run() => match never {},
            () = self.until_done(work) => {}
        }
    }

    /// Does `work`, and tells once when the user asks to stop meanwhile.
    async fn until_done(&self, work: impl Future<Output = ()>) {
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => return,
            () = self.cancel.stopping() => self.events.tell(EventKind::Stopping),
        }
        work.await;
    }

    async fn host(&self, run: &Run<'_>, host: &HostName, entries: &[&Entry]) {
        let end = if self.cancel.is_stopping() {
            HostEnd::Skipped(SkipReason::Interrupted)
        } else {
            self.carry_out(run, entries).await
        };
        self.end(host, end);
    }

    fn end(&self, host: &HostName, end: HostEnd) {
        let end = match end {
            HostEnd::Failed(failure) if failure.code == Code::INTERRUPTED => {
                HostEnd::Skipped(SkipReason::Interrupted)
            }
            end
            @ (HostEnd::Ready | HostEnd::Removed | HostEnd::Failed(_) | HostEnd::Skipped(_)) => end,
        };
        self.tell(host, HostEvent::Ended(end));
    }

    /// Surplus instances go first, so that what follows sees one instance.
    async fn carry_out(&self, run: &Run<'_>, entries: &[&Entry]) -> HostEnd {
        let (removals, own): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| matches!(entry.change, Change::Delete { .. }));
        for entry in removals {
            if let Some(instance) = entry.change.instance()
                && let Err(failure) = self.remove(instance).await
            {
                return HostEnd::Failed(failure);
            }
        }
        let mut end = HostEnd::Removed;
        for entry in own {
            end = match self.reach(run, entry).await {
                Ok(Reached::Instance(instance, age)) => {
                    self.set_up(&instance, age, run.steps).await
                }
                Ok(Reached::End(end)) => end,
                Err(failure) => HostEnd::Failed(failure),
            };
        }
        end
    }

    /// Brings the host of one entry to a running instance.
    async fn reach(&self, run: &Run<'_>, entry: &Entry) -> Result<Reached, Failure> {
        match &entry.change {
            Change::Create { wanted } => self.make(run, wanted, None).await,
            Change::Replace { instance, wanted } if entry.fate == Fate::Proceeds => {
                self.remove(instance).await?;
                if !self.wait_until_gone(run, instance).await? {
                    return Ok(Reached::End(HostEnd::Skipped(SkipReason::Interrupted)));
                }
                self.make(run, wanted, Some(&instance.id)).await
            }
            Change::Replace { instance, wanted }
            | Change::Resume { instance, wanted }
            | Change::Update { instance, wanted } => self.keep(run, instance, Some(wanted)).await,
            Change::Unchanged { instance } => self.keep(run, instance, None).await,
            Change::Delete { .. } => Ok(Reached::End(HostEnd::Removed)),
        }
    }

    async fn make(
        &self,
        run: &Run<'_>,
        wanted: &ResolvedHost,
        replaced: Option<&InstanceId>,
    ) -> Result<Reached, Failure> {
        let host = &wanted.name;
        if self.cancel.is_stopping() {
            return Ok(Reached::End(HostEnd::Skipped(SkipReason::Interrupted)));
        }
        self.tell(host, HostEvent::Creating);
        let instance = self.order(run.watch.scope(), wanted, replaced).await?;
        run.ordered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(host.clone(), (instance.provider, instance.id.clone()));
        self.tell(host, HostEvent::Created(Box::new(instance.clone())));
        self.wait_until_up(run, host, instance.provider, Some(instance.id)).await
    }

    async fn keep(
        &self,
        run: &Run<'_>,
        instance: &Instance,
        wanted: Option<&ResolvedHost>,
    ) -> Result<Reached, Failure> {
        let host = &instance.owner.host;
        if let Some(wanted) = wanted
            && wanted.provider == instance.provider
            && wanted.marks != instance.marks
        {
            self.update(instance, &wanted.marks).await?;
        }
        match instance.lifecycle {
            Lifecycle::Running => Ok(Reached::Instance(Box::new(instance.clone()), Age::Old)),
            Lifecycle::Stopped => {
                self.start(instance).await?;
                self.wait_until_up(run, host, instance.provider, None).await
            }
            Lifecycle::Pending => self.wait_until_up(run, host, instance.provider, None).await,
            Lifecycle::Failed | Lifecycle::Terminating | Lifecycle::Terminated => {
                Err(sight::lost(host))
            }
        }
    }

    /// Waits until a host's instance runs. `mine` is the instance this run ordered for it: if an
    /// older one turns up, made by another run, mine is removed and the other waited for.
    async fn wait_until_up(
        &self,
        run: &Run<'_>,
        host: &HostName,
        provider: ProviderId,
        mut mine: Option<InstanceId>,
    ) -> Result<Reached, Failure> {
        self.tell(host, HostEvent::WaitingForInstance);
        let began = self.clock.now();
        loop {
            let limit = self.limits.boot.saturating_sub(self.clock.now().saturating_sub(began));
            let seen = run.watch.until(provider, |seen| {
                let waited = self.clock.now().saturating_sub(began);
                let may_be_hidden = mine.is_some() && waited < self.limits.listing_delay;
                sight::of_host(host, mine.as_ref(), may_be_hidden, seen)
            });
            let sight = tokio::select! {
                sight = seen => sight?,
                () = self.clock.sleep(limit) => return Err(sight::timed_out(host, self.limits.boot)),
                () = self.cancel.stopping() => {
                    return Ok(Reached::End(HostEnd::Skipped(SkipReason::Interrupted)));
                }
            };
            match sight {
                Sight::Up(instance) => {
                    self.tell(host, HostEvent::Running(instance.clone()));
                    return Ok(Reached::Instance(instance, Age::New));
                }
                Sight::Surplus => {
                    if let Some(mine) = mine.take() {
                        self.tell(host, HostEvent::RemovingDuplicate);
                        self.terminate(host, provider, &mine).await?;
                    }
                }
                Sight::Lost(failure) => return Err(failure),
            }
        }
    }

    /// Waits until an instance that is being removed is no longer listed, so that its name is free
    /// and nothing takes it for its successor. `false` when the user asked to stop.
    async fn wait_until_gone(&self, run: &Run<'_>, old: &Instance) -> Result<bool, Failure> {
        let gone = run.watch.until(old.provider, |seen| {
            let there = seen.of_host(&old.owner.host).iter().any(|instance| instance.id == old.id);
            (!there).then_some(())
        });
        tokio::select! {
            gone = gone => gone.map(|()| true),
            () = self.clock.sleep(self.limits.boot) => {
                Err(sight::still_there(&old.owner.host, self.limits.boot))
            }
            () = self.cancel.stopping() => Ok(false),
        }
    }

    /// The last look of a run that ordered something: an instance of ours that another run's turns
    /// out to be older than is removed, and the other set up in its place.
    async fn settle(&self, run: &Run<'_>) {
        let ordered = run.ordered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut seen: BTreeMap<ProviderId, Inventory> = BTreeMap::new();
        for &(provider, _) in ordered.values() {
            if !seen.contains_key(&provider)
                && let Ok(listed) = self.list(provider, run.watch.scope()).await
            {
                // A list that fails leaves the duplicate to the next run's plan.
                seen.insert(provider, Inventory::new(listed));
            }
        }
        let surplus = ordered.iter().filter(|(host, (provider, mine))| {
            seen.get(provider).is_some_and(|seen| sight::is_surplus(host, mine, seen))
        });
        join_all(surplus.map(|(host, (provider, mine))| async {
            let reached = self.wait_until_up(run, host, *provider, Some(mine.clone())).await;
            let end = match reached {
                Ok(Reached::Instance(instance, age)) => {
                    self.set_up(&instance, age, run.steps).await
                }
                Ok(Reached::End(end)) => end,
                Err(failure) => HostEnd::Failed(failure),
            };
            self.end(host, end);
        }))
        .await;
    }
}

/// The failure of a host that was not worked on to the end because the user asked to stop.
pub(crate) fn interrupted() -> Failure {
    Failure::new(Code::INTERRUPTED, "interrupted before this host was done")
}

/// Seconds, for messages.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs()
}
