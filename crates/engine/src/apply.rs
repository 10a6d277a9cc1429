//! Carrying out an approved plan, all hosts at once.

mod members;
mod settle;
mod sight;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::{HostEnd, HostEvent, SkipReason};
use stagecraft_core::inventory::{Instance, Inventory, Lifecycle};
use stagecraft_core::name::{HostName, InstanceId};
use stagecraft_core::plan::{Approved, Change, Entry, Fate};
use stagecraft_core::resolve::ResolvedHost;
use tokio::sync::OnceCell;

use crate::cancel::interrupted;
use crate::login::Patience;
use crate::mesh::Progress;
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
    /// Whether what hosts share at their provider is as it is to be by now.
    shared: BTreeMap<ProviderId, OnceCell<Result<(), Failure>>>,
    /// Instances this run ordered, or was given for an order, and stands by, by host: the only ones it may remove as surplus.
    ordered: Mutex<BTreeMap<HostName, (ProviderId, InstanceId)>>,
}

/// What there is to do about one host.
#[derive(Clone, Copy)]
enum Task<'t> {
    /// Entries of the plan.
    Host(&'t HostName, &'t [&'t Entry]),
    /// It is a member of the mesh, and the plan leaves it alone.
    Bystander(&'t Instance),
}

/// How far a host got at the provider.
enum Reached {
    /// An instance that runs.
    Instance(Box<Instance>, Patience),
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
            shared: self.providers.keys().map(|&id| (id, OnceCell::new())).collect(),
            ordered: Mutex::new(BTreeMap::new()),
        };
        let mut by_host: BTreeMap<&HostName, Vec<&Entry>> = BTreeMap::new();
        for entry in plan.entries.iter().filter(|entry| entry.is_worked_on()) {
            by_host.entry(&entry.host).or_default().push(entry);
        }
        let (mut room, bystanders) = self.room(plan);
        let tasks = by_host.iter().map(|(host, entries)| Task::Host(host, entries));
        let tasks = tasks.chain(bystanders.into_iter().map(Task::Bystander));
        let coming = tasks.map(|task| self.task(&run, task)).collect();
        self.together(&run, async {
            self.gather(&mut room, coming).await;
            self.settle(&run, &mut room).await;
        })
        .await;
        Ok(())
    }

    /// Does `work` while the lists it waits for are read.
    async fn together(&self, run: &Run<'_>, work: impl Future<Output = ()>) {
        tokio::select! {
            never = run.watch.run() => match never {},
            () = self.until_done(work) => {}
        }
    }

    async fn task(&self, run: &Run<'_>, task: Task<'_>) -> (HostName, Progress) {
        match task {
            Task::Host(host, _) if self.cancel.is_stopping() => {
                (host.clone(), Progress::Ended(HostEnd::Skipped(SkipReason::Interrupted)))
            }
            Task::Host(host, entries) => (host.clone(), self.carry_out(run, entries).await),
            Task::Bystander(instance) => {
                (instance.owner.host.clone(), self.ask_member(instance).await)
            }
        }
    }

    pub(crate) fn end(&self, host: &HostName, end: HostEnd) {
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
    async fn carry_out(&self, run: &Run<'_>, entries: &[&Entry]) -> Progress {
        let (removals, own): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| matches!(entry.change, Change::Delete { .. }));
        for entry in removals {
            if let Some(instance) = entry.change.instance()
                && let Err(failure) = self.remove(run, instance).await
            {
                return Progress::Ended(HostEnd::Failed(failure));
            }
        }
        let mut progress = Progress::Ended(HostEnd::Removed);
        for entry in own {
            progress = self.go_on(run, self.reach(run, entry).await).await;
        }
        progress
    }

    /// Sets up what was reached.
    async fn go_on(&self, run: &Run<'_>, reached: Result<Reached, Failure>) -> Progress {
        match reached {
            Ok(Reached::Instance(instance, patience)) => {
                self.set_up(&instance, patience, run.steps).await
            }
            Ok(Reached::End(end)) => Progress::Ended(end),
            Err(failure) => Progress::Ended(HostEnd::Failed(failure)),
        }
    }

    /// Brings the host of one entry to a running instance.
    async fn reach(&self, run: &Run<'_>, entry: &Entry) -> Result<Reached, Failure> {
        match &entry.change {
            Change::Create { wanted } => self.make(run, wanted, None).await,
            Change::Replace { instance, wanted } if entry.fate == Fate::Proceeds => {
                self.remove(run, instance).await?;
                self.make(run, wanted, Some(&instance.id)).await
            }
            Change::Replace { instance, wanted }
            | Change::Resume { instance, wanted }
            | Change::Update { instance, wanted } => {
                match self.keep(run, instance, Some(wanted)).await {
                    Err(why) if self.is_gone(run, instance, &why).await => {
                        self.make(run, wanted, None).await
                    }
                    kept => kept,
                }
            }
            Change::Unchanged { instance } => self.keep(run, instance, None).await,
            Change::Delete { .. } => Ok(Reached::End(HostEnd::Removed)),
        }
    }

    /// Whether an instance that was there before this run is not any more, nor another in its
    /// place: a killed run may have asked for its removal, or a cloud may take an order back whose
    /// sender went away.
    async fn is_gone(&self, run: &Run<'_>, instance: &Instance, why: &Failure) -> bool {
        let (host, provider) = (&instance.owner.host, instance.provider);
        let gone = if why.code == Code::CLOUD_NOT_FOUND {
            // A list may show for a while what cannot be found any more.
            self.wait_until_gone(run, host, provider, Some(&instance.id)).await.is_ok()
        } else {
            why.code == Code::INSTANCE_GONE
        };
        gone && self
            .list(provider, run.watch.scope())
            .await
            .is_ok_and(|listed| Inventory::new(listed).of_host(host).is_empty())
    }

    async fn make(
        &self,
        run: &Run<'_>,
        wanted: &ResolvedHost,
        replaced: Option<&InstanceId>,
    ) -> Result<Reached, Failure> {
        let host = &wanted.name;
        let mut ordered = self.order(run.watch.scope(), wanted, replaced).await;
        if ordered.as_ref().is_err_and(|failure| failure.code == Code::CLOUD_CONFLICT) {
            // An instance of ours that was removed a moment ago may still hold the name.
            self.wait_until_gone(run, host, wanted.provider, None).await?;
            ordered = self.order(run.watch.scope(), wanted, replaced).await;
        }
        let instance = ordered?;
        run.ordered().insert(host.clone(), (instance.provider, instance.id.clone()));
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
        if let Some(shared) = run.shared.get(&instance.provider).filter(|_| run.steps.is_some()) {
            let prepared = self.prepare(run.watch.scope(), instance.provider);
            shared.get_or_init(|| prepared).await.clone()?;
        }
        match instance.lifecycle {
            Lifecycle::Running => {
                Ok(Reached::Instance(Box::new(instance.clone()), self.with_old()))
            }
            Lifecycle::Stopped => {
                self.start(instance).await?;
                self.wait_until_up(run, host, instance.provider, None).await
            }
            Lifecycle::Pending => self.wait_until_up(run, host, instance.provider, None).await,
            Lifecycle::Failed => Err(sight::failed_to_boot(instance)),
            Lifecycle::Terminating | Lifecycle::Terminated => Err(sight::lost(host, None)),
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
        let (began, began_open) = (self.clock.now(), self.open_time(provider));
        loop {
            let seen = run.watch.until(provider, |seen| {
                let waited = self.clock.now().saturating_sub(began);
                let may_be_hidden = mine.is_some() && waited < self.limits.listing_delay;
                sight::of_host(host, mine.as_ref(), may_be_hidden, &seen.live).or_else(|| {
                    let waited = seen.asked.saturating_sub(began_open);
                    sight::overdue(host, provider, waited, self.limits.boot)
                })
            });
            let sight = tokio::select! {
                biased;
                // First: the wish to stop may also be why there is no list.
                () = self.cancel.stopping() => {
                    return Ok(Reached::End(HostEnd::Skipped(SkipReason::Interrupted)));
                }
                sight = seen => sight?,
            };
            match sight {
                Sight::Up(instance) => {
                    self.tell(host, HostEvent::Running(instance.clone()));
                    return Ok(Reached::Instance(instance, self.with_new()));
                }
                Sight::Surplus => {
                    if let Some(mine) = mine.take() {
                        self.remove_surplus(run, host, provider, &mine).await?;
                    }
                }
                Sight::Lost(failure) => return Err(failure),
            }
        }
    }

    /// Removes an instance, and tells so when it is gone: a cloud may take the request and fail to
    /// carry it out.
    async fn remove(&self, run: &Run<'_>, instance: &Instance) -> Result<(), Failure> {
        let (host, provider, id) = (&instance.owner.host, instance.provider, &instance.id);
        self.sign_off(instance).await;
        self.terminate(host, provider, id, || self.tell(host, HostEvent::Terminating)).await?;
        self.tell(host, HostEvent::TerminationBegun);
        self.wait_until_gone(run, host, provider, Some(id)).await?;
        self.tell(host, HostEvent::Terminated(Box::new(instance.clone())));
        Ok(())
    }

    /// Waits until no instance of a host is being removed any more, and `old` is no longer listed,
    /// so that its name is free and nothing takes it for its successor.
    async fn wait_until_gone(
        &self,
        run: &Run<'_>,
        host: &HostName,
        provider: ProviderId,
        old: Option<&InstanceId>,
    ) -> Result<(), Failure> {
        let (limit, began) = (self.limits.boot, self.open_time(provider));
        let gone = run.watch.until(provider, |seen| {
            let there = seen.leaving.contains(host)
                || seen.live.of_host(host).iter().any(|instance| Some(&instance.id) == old);
            match there {
                false => Some(Ok(())),
                true if seen.asked.saturating_sub(began) < limit => None,
                true => Some(Err(sight::still_there(host, limit))),
            }
        });
        tokio::select! {
            biased;
            () = self.cancel.stopping() => Err(interrupted()),
            gone = gone => gone?,
        }
    }
}

impl Run<'_> {
    fn ordered(&self) -> MutexGuard<'_, BTreeMap<HostName, (ProviderId, InstanceId)>> {
        self.ordered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
