//! Hosts as instances of Amazon EC2.
//!
//! # Ownership and names
//! An instance is ours by its tags, which are in the request that orders it; see `labels.rs`. Names
//! are tags like others, and mean nothing. An order carries a token of project, environment, host,
//! zone and attempt, so that the same order made twice gives one instance; see `creation.rs`.
//!
//! # Regions
//! Every region has an API of its own, and ids do not tell theirs. The regions in use are given by the
//! settings: all are listed, and an id that was not listed is looked for in all. The first list looks
//! into all others of the account too, unless the settings say which may be used: an earlier file
//! may have had hosts there.
//!
//! # What an order brings
//! One instance with its root volume and a public IPv4 address, which go with it, in a default
//! subnet of a zone that sells its type, or in the subnet of the settings. Its metadata service takes
//! tokens only (IMDSv2). The environment has a security group besides, see `group.rs`, which
//! [`tidy`](CloudProvider::tidy) removes.
//!
//! # Visibility
//! EC2 shows what was made some seconds later. What this process ordered and has not seen since is
//! not taken to be gone.

mod account;
mod catalogue;
mod creation;
mod exchange;
#[cfg(test)]
mod fixtures;
mod group;
mod identity;
mod labels;
mod listing;
mod offer;
mod order;
mod query;
mod refusal;
mod wire;

pub use account::ApiUrls;
pub use identity::{AwsCredentials, AwsProfile};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use stagecraft_core::cloud::{
    Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::{Arch, ProviderId};
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Lifecycle, Marks};
use stagecraft_core::name::{Image, InstanceId, Region, Scope, Size};

use crate::http::{Api, Failed};
use crate::{Doing, Offers};
use account::{Account, is_closed};
use identity::Identity;
use labels::Labels;
use refusal::{BAD_INSTANCE, NO_INSTANCE};

/// All the provider needs to know. The environment is read for
/// [`AwsCredentials::Chain`] alone, by AWS's own crate.
#[derive(Debug)]
pub struct AwsSettings {
    /// Where the services are.
    pub api_urls: ApiUrls,
    /// Whose account.
    pub credentials: AwsCredentials,
    /// The region of questions that need just one.
    pub default_region: Region,
    /// Further regions in which hosts may be.
    pub regions: BTreeSet<Region>,
    /// Whether all other regions of the account are looked at too.
    pub everywhere: bool,
    /// Types whose families are to be in the catalogue besides those of the portable sizes.
    pub sizes: BTreeSet<Size>,
    /// The name of the key pair that may log in, in each region; needed to order.
    pub ssh_key_name: Option<String>,
    /// The subnet hosts are in, instead of the default VPC's.
    pub subnet_id: Option<String>,
    /// Where SSH answers.
    pub ssh_port: u16,
    /// The UDP port of the mesh, if there is one.
    pub mesh_port: Option<u16>,
}

/// The provider `aws`: one account of Amazon Web Services, and some of its regions.
#[derive(Debug)]
pub struct AwsProvider {
    account: Account,
    sizes: BTreeSet<Size>,
    ssh_key_name: Option<String>,
    subnet_id: Option<String>,
    ssh_port: u16,
    mesh_port: Option<u16>,
    offers: Offers,
    places: Mutex<BTreeMap<InstanceId, Place>>,
    /// How often the instance behind a token was looked for in vain.
    looked: Mutex<BTreeMap<String, u32>>,
    images: tokio::sync::Mutex<BTreeMap<(Region, Image, Arch), String>>,
    seats: tokio::sync::Mutex<BTreeMap<(Region, Size), Vec<wire::Subnet>>>,
    groups: tokio::sync::Mutex<BTreeMap<(String, Scope), String>>,
}

/// What is known of an instance.
#[derive(Clone, Debug)]
struct Place {
    region: Region,
    /// Whether it was seen after it was ordered.
    seen: bool,
}

impl AwsProvider {
    /// A provider that connects with its first request.
    #[must_use]
    pub fn new(settings: AwsSettings) -> Self {
        let AwsSettings { api_urls, credentials, default_region, regions, everywhere, .. } =
            settings;
        let identity = Identity::new(credentials);
        Self {
            account: Account::new(identity, api_urls, default_region, regions, everywhere),
            sizes: settings.sizes,
            ssh_key_name: settings.ssh_key_name,
            subnet_id: settings.subnet_id,
            ssh_port: settings.ssh_port,
            mesh_port: settings.mesh_port,
            offers: Offers::default(),
            places: Mutex::default(),
            looked: Mutex::default(),
            images: tokio::sync::Mutex::default(),
            seats: tokio::sync::Mutex::default(),
            groups: tokio::sync::Mutex::default(),
        }
    }

    /// The instance, its tags, and the API of its region; `None` when it is gone or not ours.
    async fn find(
        &self,
        doing: &Doing,
        id: &InstanceId,
    ) -> Result<Option<(Instance, Labels, std::sync::Arc<Api>)>, CloudError> {
        let known = self.places().get(id).cloned();
        let regions = match &known {
            Some(place) => vec![place.region.clone()],
            None => self.account.used(doing).await?,
        };
        for region in regions {
            let api = self.account.ec2(doing, &region)?;
            let question = exchange::instance_by_id(id);
            let answer = api.ask_with_answer::<wire::Reservations>(doing, &question).await;
            let (found, now) = match answer {
                Ok((page, answer)) => (wire::Page::turn(page).0, answer.date()),
                Err(failed) if is_gone(&failed) => continue,
                Err(failed) => return Err(failed.into()),
            };
            let mut found = found.iter().flat_map(|of| &of.instances_set.items);
            if let Some(of) = found.find(|of| of.instance_id == id.as_str()) {
                let tags = labels::read(&of.tag_set);
                let instance = exchange::instance(of, &region, now);
                self.places().insert(id.clone(), Place { region, seen: true });
                return Ok(instance.map(|instance| (instance, tags, api)));
            }
        }
        if known.is_some_and(|place| !place.seen) {
            return Err(group::not_there_yet(doing, id.as_str()));
        }
        Ok(None)
    }

    /// The same of an instance that must be there.
    async fn ours(
        &self,
        doing: &Doing,
        id: &InstanceId,
    ) -> Result<(Instance, Labels, std::sync::Arc<Api>), CloudError> {
        self.find(doing, id).await?.ok_or_else(|| {
            let why = format!("there is no instance {id} of ours");
            doing.failed(CloudErrorKind::NotFound(why))
        })
    }

    /// Writes what is new, and then takes off what is old.
    async fn relabel(
        &self,
        doing: &Doing,
        api: &Api,
        id: &InstanceId,
        now: &Labels,
        then: &Labels,
    ) -> Result<(), CloudError> {
        let (new, old) = labels::difference(now, then);
        if !new.is_empty() {
            api.tell(doing, &exchange::write_tags(id, &new)).await?;
        }
        if !old.is_empty() {
            api.tell(doing, &exchange::remove_tags(id, &old)).await?;
        }
        Ok(())
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn looked(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CloudProvider for AwsProvider {
    fn id(&self) -> ProviderId {
        ProviderId::Aws
    }

    async fn validate_credentials(&self) -> Result<stagecraft_core::cloud::Account, CloudError> {
        let doing = reading("check the credentials");
        let api = self.account.sts(&doing)?;
        let caller: wire::Caller = api.ask(&doing, &exchange::caller()).await?;
        let wire::CallerIdentity { account, arn } = caller.get_caller_identity_result;
        Ok(stagecraft_core::cloud::Account { name: api.clean(&format!("{account} ({arn})")) })
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        let doing = reading("list what can be ordered");
        let regions = self.account.regions(&doing).await?;
        let used = self.account.used(&doing).await?;
        let used = used.into_iter().filter(|region| regions.contains(region));
        let doing = &doing;
        let offers = used.map(|region| async move {
            let offer = self.offer(doing, &region).await?;
            Ok::<_, CloudError>((region, offer))
        });
        let offers = try_join_all(offers).await?.into_iter().collect();
        let catalogue = catalogue::catalogue(regions, &offers, self.subnet_id.as_deref());
        self.offers.remember(&catalogue);
        Ok(catalogue)
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        self.listed(scope).await
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        let found = self.find(&reading(format!("look at instance {id}")), id).await?;
        Ok(found.map(|(instance, ..)| instance))
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        self.order(request).await
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        let (instance, _, api) = self.ours(&reading(format!("start instance {id}")), id).await?;
        let doing = changing(format!("start host `{}`", instance.owner.host));
        match instance.lifecycle {
            Lifecycle::Pending | Lifecycle::Running => Ok(()),
            Lifecycle::Stopped | Lifecycle::Failed => {
                Ok(api.tell(&doing, &exchange::start(id)).await?)
            }
            Lifecycle::Terminating | Lifecycle::Terminated => {
                let why = format!("instance {id} is being removed");
                Err(doing.failed(CloudErrorKind::NotFound(why)))
            }
        }
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        let looking = reading(format!("update instance {id}"));
        let (instance, tags, api) = self.ours(&looking, id).await?;
        let doing = changing(format!("update host `{}`", instance.owner.host));
        let Instance { owner, spec, pins, .. } = &instance;
        let market = labels::ordered(&tags);
        let then = labels::written(owner, &spec.image, marks, pins, &market)
            .map_err(|bad| doing.failed(CloudErrorKind::InvalidInput(bad.to_string())))?;
        self.relabel(&doing, &api, id, &tags, &then).await
    }

    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError> {
        let looking = reading(format!("pin the host key of `{}`", instance.owner.host));
        let (_, tags, api) = self.ours(&looking, &instance.id).await?;
        let doing = Doing { changes: true, ..looking };
        let then = labels::with_pins(&tags, pins);
        self.relabel(&doing, &api, &instance.id, &tags, &then).await
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        let looking = reading(format!("terminate instance {id}"));
        let Some((instance, _, api)) = self.find(&looking, id).await? else {
            return Ok(Termination::AlreadyGone);
        };
        if !instance.is_live() {
            return Ok(Termination::AlreadyGone);
        }
        let doing = changing(format!("terminate host `{}`", instance.owner.host));
        match api.tell(&doing, &exchange::terminate(id)).await {
            Ok(()) => Ok(Termination::Started),
            Err(failed) if is_gone(&failed) => Ok(Termination::AlreadyGone),
            Err(failed) => Err(failed.into()),
        }
    }

    fn prepares(&self) -> bool {
        self.mesh().is_some()
    }

    async fn prepare(&self, scope: &Scope) -> Result<(), CloudError> {
        let Some(mesh) = self.mesh() else { return Ok(()) };
        let looking = reading(format!("open the port of the mesh to the hosts of `{scope}`"));
        let regions = self.account.used(&looking).await?;
        let doing = Doing { changes: true, ..looking };
        let openings = regions.iter().map(|region| self.open_groups(&doing, region, scope, mesh));
        try_join_all(openings).await.map(drop)
    }

    async fn tidy(&self, scope: &Scope) -> Result<(), CloudError> {
        let looking = reading(format!("remove the security groups of `{scope}`"));
        let mut regions: BTreeSet<Region> =
            self.account.used(&looking).await?.into_iter().collect();
        let others = self.account.others(&looking).await?;
        regions.extend(others.iter().cloned());
        let doing = Doing { changes: true, ..looking };
        let removals = regions.iter().map(|region| async {
            match self.remove_groups(&doing, region, scope).await {
                Err(error) if others.contains(region) && is_closed(&error) => Ok(()),
                removed => removed,
            }
        });
        try_join_all(removals).await.map(drop)
    }
}

fn reading(operation: impl Into<String>) -> Doing {
    Doing::reading(ProviderId::Aws, operation)
}

fn changing(operation: impl Into<String>) -> Doing {
    Doing::changing(ProviderId::Aws, operation)
}

/// Whether the API said that what a request was about does not exist.
fn is_gone(failed: &Failed) -> bool {
    failed.is_code(NO_INSTANCE) || failed.is_code(BAD_INSTANCE)
}
