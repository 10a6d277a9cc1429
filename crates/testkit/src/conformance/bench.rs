use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use stagecraft_core::cloud::{
    Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, SizeOffer,
};
use stagecraft_core::error::chain;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::{Instance, Lifecycle, Marks, Owner, Spec};
use stagecraft_core::name::{InstanceId, Scope};

use super::Subject;

/// How patient the suite is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The pause between two looks.
    pub poll: Duration,
    /// How long anything may take to show.
    pub patience: Duration,
}

/// Why a check ends early.
#[derive(Debug)]
pub(super) enum Stop {
    Broken(String),
    Skipped(String),
}

impl From<CloudError> for Stop {
    fn from(error: CloudError) -> Self {
        match &error.kind {
            CloudErrorKind::Unsupported(_) => Self::Skipped(chain(&error)),
            CloudErrorKind::NoCredentials(_)
            | CloudErrorKind::InvalidCredentials(_)
            | CloudErrorKind::Forbidden(_)
            | CloudErrorKind::QuotaExceeded(_)
            | CloudErrorKind::SoldOut(_)
            | CloudErrorKind::InvalidInput(_)
            | CloudErrorKind::NotFound(_)
            | CloudErrorKind::Conflict(_)
            | CloudErrorKind::RateLimited { .. }
            | CloudErrorKind::Unreachable(_)
            | CloudErrorKind::ProviderFault(_)
            | CloudErrorKind::UnexpectedAnswer(_) => Self::Broken(chain(&error)),
        }
    }
}

/// Fails a check unless something holds.
pub(super) fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(Stop::Broken(otherwise())) }
}

/// What one check works with: its own names, and a list of what to remove afterwards.
pub(super) struct Bench<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) provider: Arc<dyn CloudProvider>,
    number: usize,
    keys: Cell<u64>,
    made: RefCell<Vec<InstanceId>>,
    planted: RefCell<Vec<InstanceId>>,
    scopes: RefCell<Vec<Scope>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(subject: &'a dyn Subject, number: usize) -> Self {
        Self {
            subject,
            provider: subject.provider(),
            number,
            keys: Cell::default(),
            made: RefCell::default(),
            planted: RefCell::default(),
            scopes: RefCell::default(),
        }
    }

    /// The scope most checks need.
    pub(super) fn scope(&self) -> Result<Scope, Stop> {
        self.scope_of("p", &format!("{}{}", self.subject.run(), self.number))
    }

    /// A scope of this run; `project` is made unique by the check's number.
    pub(super) fn scope_of(&self, project: &str, environment: &str) -> Result<Scope, Stop> {
        let project = format!("{}{}{project}", self.subject.run(), self.number);
        let invalid = |name: &str| Stop::Broken(format!("the suite made the bad name `{name}`"));
        let scope = Scope {
            project: project.parse().map_err(|_| invalid(&project))?,
            environment: environment.parse().map_err(|_| invalid(environment))?,
        };
        self.scopes.borrow_mut().push(scope.clone());
        Ok(scope)
    }

    /// An order for a host of `scope`, not sent yet.
    pub(super) async fn order(&self, scope: &Scope, host: &str) -> Result<CreateInstance, Stop> {
        let catalogue = self.provider.catalogue().await?;
        let spec = self
            .subject
            .spec(&catalogue)
            .ok_or_else(|| Stop::Broken("the catalogue offers no small size".to_owned()))?;
        let invalid = |_| Stop::Broken(format!("the suite made the bad name `{host}`"));
        let owner = Owner { scope: scope.clone(), host: host.parse().map_err(invalid)? };
        let marks = Marks {
            // Names must not clash between the scopes of one check.
            name: format!("{}-in-{}-{host}", scope.project, scope.environment),
            role: "app".parse().map_err(invalid)?,
            protected: false,
            tags: ["blue".to_owned(), "green".to_owned()].into(),
        };
        let pins = Pins::of_order(self.key());
        Ok(CreateInstance { owner, spec, marks, pins, user_data: None })
    }

    /// A host key no other instance of this check has.
    pub(super) fn key(&self) -> HostKey {
        self.keys.set(self.keys.get() + 1);
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&self.keys.get().to_be_bytes());
        bytes[8..16].copy_from_slice(&(self.number as u64).to_be_bytes());
        HostKey::new(bytes)
    }

    /// Sends an order, and remembers to remove what came of it.
    pub(super) async fn send(&self, order: &CreateInstance) -> Result<Instance, CloudError> {
        let instance = self.provider.create(order).await?;
        self.made.borrow_mut().push(instance.id.clone());
        Ok(instance)
    }

    /// An instance of a host of `scope`.
    pub(super) async fn make(&self, scope: &Scope, host: &str) -> Result<Instance, Stop> {
        let order = self.order(scope, host).await?;
        Ok(self.send(&order).await?)
    }

    /// An instance that runs.
    pub(super) async fn make_running(&self, scope: &Scope, host: &str) -> Result<Instance, Stop> {
        let made = self.make(scope, host).await?;
        self.listed(scope, &made.id, "comes up", |seen| {
            (seen.lifecycle == Lifecycle::Running).then(|| seen.clone())
        })
        .await
    }

    /// A foreign instance of this name.
    pub(super) async fn plant(&self, name: &str) -> Result<InstanceId, Stop> {
        let Some(id) = self.subject.plant_foreign(name).await else {
            return Err(Stop::Skipped("foreign instances cannot be made here".to_owned()));
        };
        self.planted.borrow_mut().push(id.clone());
        Ok(id)
    }

    /// Waits until the instance is in the list of its scope and `look` is content with it.
    pub(super) async fn listed<T>(
        &self,
        scope: &Scope,
        id: &InstanceId,
        what: &str,
        look: impl Fn(&Instance) -> Option<T>,
    ) -> Result<T, Stop> {
        self.until(what, scope, |list| list.iter().find(|seen| seen.id == *id).and_then(&look))
            .await
    }

    /// Waits until `look` is content with the list of `scope`.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        scope: &Scope,
        look: impl Fn(&[Instance]) -> Option<T>,
    ) -> Result<T, Stop> {
        let Pace { poll, patience } = self.subject.pace();
        let mut waited = Duration::ZERO;
        loop {
            let list = self.provider.list(scope).await?;
            if let Some(found) = look(&list) {
                return Ok(found);
            }
            if waited >= patience {
                let how = format!("waited {} s for: {what}; last seen {list:?}", waited.as_secs());
                return Err(Stop::Broken(how));
            }
            tokio::time::sleep(poll).await;
            waited += poll;
        }
    }

    /// Lets the clock of a cloud that counts in seconds move on.
    pub(super) async fn let_a_second_pass(&self) {
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }

    /// Removes whatever the check made, as well as it can: what fails here is not what was
    /// checked.
    pub(super) async fn clean(self) {
        for id in self.made.take() {
            drop(self.provider.terminate(&id).await);
        }
        for id in self.planted.take() {
            self.subject.remove_foreign(&id).await;
        }
        for scope in self.scopes.take() {
            let gone = |list: &[Instance]| (!list.iter().any(Instance::is_live)).then_some(());
            drop(self.until("cleaning up", &scope, gone).await);
        }
    }
}

/// The portable size `small` of the default architecture, where it can be had, with an image.
pub(super) fn cheapest(catalogue: &Catalogue) -> Option<Spec> {
    let arch = catalogue.default_arch;
    let small = catalogue.portable_sizes.get(&("small".into(), arch))?;
    let orderable = |offer: &&SizeOffer| small.contains(&offer.size) && !offer.regions.is_empty();
    let offer = catalogue.sizes.iter().find(orderable)?;
    let (image, _) = catalogue.images.iter().find(|(_, of)| *of == arch)?;
    Some(Spec {
        region: offer.regions.keys().next()?.clone(),
        size: offer.size.clone(),
        image: image.clone(),
        arch,
        spot: false,
    })
}
