//! What the providers reported: instances that are ours, and what could not be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::desired::{Arch, ProviderId};
use crate::error::Failure;
use crate::identity::Pins;
use crate::name::{HostName, Image, InstanceId, InventoryDigest, Region, RoleName, Scope, Size};

/// What an instance is made of; a difference in any field means another machine.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Spec {
    /// Where at the provider.
    pub region: Region,
    /// The provider's own slug.
    pub size: Size,
    /// The image's portable name.
    pub image: Image,
    /// The architecture.
    pub arch: Arch,
    /// Whether it is interruptible.
    pub spot: bool,
}

/// What an instance carries besides its [`Spec`]; changed in place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Marks {
    /// The name shown in the provider's console.
    pub name: String,
    /// The role of the host.
    pub role: RoleName,
    /// Whether the file declared it protected when this was last written.
    pub protected: bool,
    /// The user's own tags.
    pub tags: BTreeSet<String>,
}

/// Whose an instance is. Read from the labels written when it was created, never from its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The project and environment.
    pub scope: Scope,
    /// The host.
    pub host: HostName,
}

/// Where an instance is in its life.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// Ordered, not up yet; also when it is up but has no address yet.
    Pending,
    /// Up, with an address.
    Running,
    /// Exists, switched off.
    Stopped,
    /// Being removed.
    Terminating,
    /// Removed, still listed.
    Terminated,
    /// The provider gave up on it.
    Failed,
}

/// Where to reach SSH.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// An address or a name.
    pub host: String,
    /// The port; `None` means the one of the configuration.
    pub port: Option<u16>,
}

/// One machine as a provider reported it at one moment; possibly already out of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The provider's own identifier.
    pub id: InstanceId,
    /// Who reported it.
    pub provider: ProviderId,
    /// Whose it is.
    pub owner: Owner,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// What it is made of.
    pub spec: Spec,
    /// What it carries.
    pub marks: Marks,
    /// The host keys its host may present.
    pub pins: Pins,
    /// Its own address, public where it has one.
    pub address: Option<IpAddr>,
    /// Where SSH answers, when that is not `address`.
    pub ssh: Option<Endpoint>,
    /// When it was created, in milliseconds since 1970, as the provider says. Orders duplicates.
    pub created_at: u64,
    /// What the provider says went wrong with it, of one that is gone why it ended unasked, without
    /// secrets; `None` when it says nothing.
    pub trouble: Option<String>,
}

impl Instance {
    /// Whether it exists for us: neither removed nor being removed.
    #[must_use]
    pub fn is_live(&self) -> bool {
        match self.lifecycle {
            Lifecycle::Pending | Lifecycle::Running | Lifecycle::Stopped | Lifecycle::Failed => {
                true
            }
            Lifecycle::Terminating | Lifecycle::Terminated => false,
        }
    }

    /// Where to connect to, once there is an address.
    #[must_use]
    pub fn endpoint(&self) -> Option<Endpoint> {
        self.ssh.clone().or_else(|| {
            self.address.map(|address| Endpoint { host: address.to_string(), port: None })
        })
    }

    /// Orders duplicates of one host: the first is the one that stays.
    fn seniority(&self) -> (u64, ProviderId, &InstanceId) {
        (self.created_at, self.provider, &self.id)
    }
}

/// Everything observed before planning, and what could not be observed.
///
/// Holds live instances of one scope, and of those that are gone why the last of a host ended; the order
/// in which a provider listed them is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    by_host: BTreeMap<HostName, Vec<Instance>>,
    /// The youngest instance of each host among those that are gone and still listed.
    ended: BTreeMap<HostName, Instance>,
    unlisted: BTreeMap<ProviderId, Failure>,
}

impl Inventory {
    /// An inventory of what was listed. Instances that are gone stand for no host.
    #[must_use]
    pub fn new(listed: impl IntoIterator<Item = Instance>) -> Self {
        let mut by_host: BTreeMap<HostName, Vec<Instance>> = BTreeMap::new();
        let mut ended: BTreeMap<HostName, Instance> = BTreeMap::new();
        for instance in listed {
            let host = instance.owner.host.clone();
            if instance.is_live() {
                by_host.entry(host).or_default().push(instance);
            } else if ended.get(&host).is_none_or(|of| of.seniority() < instance.seniority()) {
                ended.insert(host, instance);
            }
        }
        for same in by_host.values_mut() {
            same.sort_by(|a, b| a.seniority().cmp(&b.seniority()));
            same.dedup_by(|a, b| a.provider == b.provider && a.id == b.id);
        }
        Self { by_host, ended, unlisted: BTreeMap::new() }
    }

    /// Records that a provider could not be listed: what it holds is unknown, not empty.
    #[must_use]
    pub fn with_unlisted(mut self, provider: ProviderId, why: Failure) -> Self {
        self.unlisted.insert(provider, why);
        self
    }

    /// The providers that could not be listed, and why.
    #[must_use]
    pub fn unlisted(&self) -> &BTreeMap<ProviderId, Failure> {
        &self.unlisted
    }

    /// All instances of one host, the one that stays first.
    #[must_use]
    pub fn of_host(&self, host: &HostName) -> &[Instance] {
        self.by_host.get(host).map_or(&[], Vec::as_slice)
    }

    /// The instance that stands for a host: the oldest.
    #[must_use]
    pub fn get(&self, host: &HostName) -> Option<&Instance> {
        self.of_host(host).first()
    }

    /// The youngest of a host's instances that are gone and still listed.
    #[must_use]
    pub fn ended(&self, host: &HostName) -> Option<&Instance> {
        self.ended.get(host)
    }

    /// Why a host has no instance any more, if its provider says that the last one ended unasked.
    #[must_use]
    pub fn why_gone(&self, host: &HostName) -> Option<&str> {
        if self.by_host.contains_key(host) {
            return None;
        }
        self.ended(host)?.trouble.as_deref()
    }

    /// Hosts that have at least one instance, sorted, with their instances.
    pub fn hosts(&self) -> impl Iterator<Item = (&HostName, &[Instance])> {
        self.by_host.iter().map(|(host, instances)| (host, instances.as_slice()))
    }

    /// All instances, by host and then by age.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.by_host.values().flatten()
    }

    /// Digest of what plans would do depends on; equal for any order of listing, and unchanged by an
    /// instance merely coming up, or by one that is gone.
    #[must_use]
    pub fn digest(&self) -> InventoryDigest {
        let mut hasher = Sha256::new();
        for instance in self.instances() {
            let facts = (
                instance.provider,
                instance.id.as_str(),
                instance.owner.host.as_str(),
                &instance.spec,
                &instance.marks,
                instance.lifecycle == Lifecycle::Failed,
            );
            hasher.update(format!("{facts:?}\n"));
        }
        for provider in self.unlisted.keys() {
            hasher.update(format!("unlisted {provider}\n"));
        }
        let mut hex = String::with_capacity(64);
        for byte in hasher.finalize() {
            let _infallible = write!(hex, "{byte:02x}");
        }
        InventoryDigest(hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::running;

    #[test]
    fn ssh_answers_at_the_instances_address_unless_it_says_where_else() {
        let mut instance = running("app-1", 1);
        assert_eq!(instance.endpoint(), None, "it has no address yet");
        instance.address = Some([10, 0, 0, 7].into());
        let own = Endpoint { host: "10.0.0.7".to_owned(), port: None };
        assert_eq!(instance.endpoint(), Some(own));
        let elsewhere = Endpoint { host: "127.0.0.1".to_owned(), port: Some(2201) };
        instance.ssh = Some(elsewhere.clone());
        assert_eq!(instance.endpoint(), Some(elsewhere));
    }

    #[test]
    fn a_plan_stays_valid_while_an_instance_comes_up_and_not_when_it_fails() {
        let digest =
            |lifecycle| Inventory::new([Instance { lifecycle, ..running("app-1", 1) }]).digest();
        assert_eq!(digest(Lifecycle::Pending), digest(Lifecycle::Running));
        assert_ne!(digest(Lifecycle::Failed), digest(Lifecycle::Running));
        let blind = |provider| {
            let why = Failure::new(crate::error::Code::CLOUD_UNREACHABLE, "no answer");
            Inventory::new([]).with_unlisted(provider, why).digest()
        };
        assert_ne!(blind(ProviderId::Aws), blind(ProviderId::Local));
        assert_ne!(blind(ProviderId::Aws), Inventory::new([]).digest());
    }
}
