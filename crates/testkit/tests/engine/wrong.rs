//! Providers that break what the promises rest on, to see that the tests notice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stagecraft_core::cloud::{
    Account, Catalogue, CloudError, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Marks};
use stagecraft_core::name::{InstanceId, Scope};
use stagecraft_testkit::{Flaw, MockCloud, Process, SharedWorld};

/// It does not write labels of ownership.
pub(crate) fn drops_labels(cloud: &SharedWorld, process: &Process) -> Arc<dyn CloudProvider> {
    Arc::new(MockCloud::new(cloud, process).with_flaw(Flaw::DropsLabels))
}

/// It takes whatever is named like ours for ours.
pub(crate) fn owns_by_name(cloud: &SharedWorld, process: &Process) -> Arc<dyn CloudProvider> {
    Arc::new(MockCloud::new(cloud, process).with_flaw(Flaw::OwnsByName))
}

/// It says that it removes what it keeps.
pub(crate) fn keeps_machines(cloud: &SharedWorld, process: &Process) -> Arc<dyn CloudProvider> {
    Arc::new(MockCloud::new(cloud, process).with_flaw(Flaw::KeepsMachines))
}

/// Whatever is being removed looks as if it ran, until it is gone.
pub(crate) fn hides_termination(cloud: &SharedWorld, process: &Process) -> Arc<dyn CloudProvider> {
    Arc::new(MockCloud::new(cloud, process).with_flaw(Flaw::HidesTermination))
}

/// It says of a create whose answer was lost that it had no effect.
pub(crate) fn repeats_blindly(inner: Arc<dyn CloudProvider>) -> Arc<dyn CloudProvider> {
    Wrong::of(inner, Fib::LossIsHarmless)
}

/// It lists only what this very process created.
pub(crate) fn sees_only_its_own(inner: Arc<dyn CloudProvider>) -> Arc<dyn CloudProvider> {
    Wrong::of(inner, Fib::NobodyElse)
}

/// It writes down no role.
pub(crate) fn forgets_the_role(inner: Arc<dyn CloudProvider>) -> Arc<dyn CloudProvider> {
    Wrong::of(inner, Fib::NoRole)
}

/// Its lists tell an address of every instance at which nobody is.
pub(crate) fn lists_old_addresses(inner: Arc<dyn CloudProvider>) -> Arc<dyn CloudProvider> {
    Wrong::of(inner, Fib::OldAddresses)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fib {
    OldAddresses,
    LossIsHarmless,
    NobodyElse,
    NoRole,
}

#[derive(Debug)]
struct Wrong {
    inner: Arc<dyn CloudProvider>,
    fib: Fib,
    own: Mutex<BTreeSet<InstanceId>>,
}

impl Wrong {
    fn of(inner: Arc<dyn CloudProvider>, fib: Fib) -> Arc<dyn CloudProvider> {
        Arc::new(Self { inner, fib, own: Mutex::default() })
    }

    fn marks(&self, marks: &Marks) -> Marks {
        let mut marks = marks.clone();
        if self.fib == Fib::NoRole {
            marks.role = "unknown".parse().expect("a name");
        }
        marks
    }
}

#[async_trait]
impl CloudProvider for Wrong {
    fn id(&self) -> ProviderId {
        self.inner.id()
    }

    async fn validate_credentials(&self) -> Result<Account, CloudError> {
        self.inner.validate_credentials().await
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        self.inner.catalogue().await
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        let mut list = self.inner.list(scope).await?;
        if self.fib == Fib::NobodyElse {
            let own = self.own.lock().expect("not poisoned");
            list.retain(|instance| own.contains(&instance.id));
        }
        if self.fib == Fib::OldAddresses {
            for instance in &mut list {
                instance.address = instance.address.map(|_| [192, 0, 2, 1].into());
            }
        }
        Ok(list)
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        self.inner.get(id).await
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        let request = CreateInstance { marks: self.marks(&request.marks), ..request.clone() };
        let made = self.inner.create(&request).await.map_err(|mut error| {
            error.maybe_done &= self.fib != Fib::LossIsHarmless;
            error
        })?;
        self.own.lock().expect("not poisoned").insert(made.id.clone());
        Ok(made)
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        self.inner.start(id).await
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        self.inner.update(id, &self.marks(marks)).await
    }

    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError> {
        self.inner.pin(instance, pins).await
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        self.inner.terminate(id).await
    }

    async fn tidy(&self, scope: &Scope) -> Result<(), CloudError> {
        self.inner.tidy(scope).await
    }
}
