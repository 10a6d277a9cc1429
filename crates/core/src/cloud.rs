//! The contract between Stagecraft and a cloud.

mod catalogue;
mod error;
mod registry;

pub use catalogue::{Catalogue, Limit, Price, SizeOffer};
pub use error::{CloudError, CloudErrorKind};
pub use registry::{Identity, Registry, RegistryError};

use std::fmt::Debug;

use async_trait::async_trait;

use crate::desired::ProviderId;
use crate::identity::{Pins, UserData};
use crate::inventory::{Instance, Marks, Owner, Spec};
use crate::name::{InstanceId, Scope};

/// An order for one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateInstance {
    /// Whose it will be; written as labels in the same request.
    pub owner: Owner,
    /// What it is made of.
    pub spec: Spec,
    /// What it carries; written as labels in the same request.
    pub marks: Marks,
    /// The host keys its host may present; written as labels in the same request.
    pub pins: Pins,
    /// What its first boot is told.
    pub user_data: Option<UserData>,
}

/// Whose credentials are in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's name in the provider's words; shown to users.
    pub name: String,
}

/// How a termination went; both are success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// It is being removed, or is removed.
    Started,
    /// There was nothing to remove.
    AlreadyGone,
}

/// A place where machines can be rented.
///
/// Implementations translate; they do not decide. Planning, waiting, retrying, parallelism and
/// reporting happen in the engine, once for all providers, so every method is one logical
/// request. There are no default methods but for `prepare`, which few need: a provider that cannot do
/// something says so with [`CloudErrorKind::Unsupported`].
#[async_trait]
pub trait CloudProvider: Debug + Send + Sync {
    /// Which provider this is.
    fn id(&self) -> ProviderId;

    /// Checks that the credentials work and says whose they are. One light request; changes
    /// nothing.
    async fn validate_credentials(&self) -> Result<Account, CloudError>;

    /// What can be ordered now.
    async fn catalogue(&self) -> Result<Catalogue, CloudError>;

    /// All instances labelled as belonging to `scope`, in every region, all pages read, in any
    /// order. Instances without our labels never appear.
    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError>;

    /// One instance; `None` when the provider no longer knows it, or it is not ours.
    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError>;

    /// Orders one instance and returns as soon as it has an id; it is usually still pending.
    ///
    /// Where the provider keeps names unique, an instance of that name with the same owner is
    /// returned instead of a new one.
    ///
    /// # Errors
    /// [`crate::error::Retry::Observe`] when the answer was lost: the machine may exist.
    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError>;

    /// Switches on an instance that is stopped; one that runs is left as it is.
    async fn start(&self, id: &InstanceId) -> Result<(), CloudError>;

    /// Replaces what an instance carries, and leaves its pins. Idempotent.
    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError>;

    /// Replaces the host keys pinned on an instance, as it was last seen, and leaves what it carries.
    /// Idempotent. Where that takes several requests, keys are added before others are taken off.
    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError>;

    /// Removes an instance with everything that belongs to it alone. Idempotent: terminating what
    /// is gone already is [`Termination::AlreadyGone`].
    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError>;

    /// Whether [`prepare`](Self::prepare) has anything to do. Where it has not, nobody waits for the provider.
    fn prepares(&self) -> bool {
        false
    }

    /// Brings what the instances of a scope share to what the settings ask of it by now, such as a port of
    /// the mesh that the file did not have when they were ordered. Asked for when instances that were
    /// there before are set up. Idempotent; where nothing of that kind is made, it is done without a
    /// request.
    async fn prepare(&self, _scope: &Scope) -> Result<(), CloudError> {
        Ok(())
    }

    /// Removes what was made for a scope besides its instances, as far as nothing uses it any more.
    /// Asked for when the last instance of a scope is gone. Idempotent; where nothing of that kind is
    /// made, it is done without a request.
    async fn tidy(&self, scope: &Scope) -> Result<(), CloudError>;
}
