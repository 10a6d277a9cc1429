//! Hosts as Droplets at DigitalOcean.
//!
//! # The host
//! A droplet of the size, region and image that were asked for, with one SSH key of the account for
//! root. Backups, IPv6 and the agent that sends measurements to DigitalOcean stay off, as is its
//! default; the droplet joins the default network of its region. All droplets have x86-64
//! processors: whoever asks for arm64 gets one that emulates it.
//!
//! # Ownership and names
//! A droplet is ours by its tags, which are in the request that creates it; see `labels.rs`. Names
//! are not unique, and no request can be marked as a repetition of another: after a lost answer
//! nobody knows whether there is a droplet, so the order must not be repeated before a list was
//! read.
//!
//! The host keys that are pinned are tags as well. Each is of one droplet only, so it is removed from the
//! account when it is taken off, or the droplet removed.
//!
//! All tags of a droplet that are not Stagecraft's are the user's, and an update makes them what
//! the file says. Tags themselves stay in the account when the last droplet that had one is gone.
//!
//! # Tokens of limited access
//! A token that may not read tags sees droplets without any, and none by a tag. Droplets are never
//! taken for somebody else's, or for missing, because of that: when nothing is seen, one request
//! finds out whether the token may read tags, and if not, that is the error.
//!
//! # Crashes
//! An update is several requests: tags are added before others are taken off, so that a droplet is
//! known as ours at every point, and whatever is left over counts as a tag that the next update
//! takes off.

mod account;
mod catalogue;
mod exchange;
#[cfg(test)]
mod fixtures;
mod labels;
mod paging;
mod refusal;
mod sight;
mod tagging;
mod wire;

use std::collections::BTreeMap;

use async_trait::async_trait;
use stagecraft_core::cloud::{
    Account, Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Marks};
use stagecraft_core::name::{InstanceId, Scope};
use tokio::sync::OnceCell;

use crate::http::{Api, BaseUrl, Failed, Reader, Request, Token, Volume};
use crate::{Doing, Offers};
use account::Usage;
use exchange::Changes;
use paging::PER_PAGE;
use refusal::Errors;
use sight::{Sight, contradictory};
use wire::{AccountStatus, Droplet, Droplets, OneAccount, OneDroplet, Page, Status};

/// Where DigitalOcean's API is.
const API: &str = "https://api.digitalocean.com/v2";

/// All the provider needs to know; it reads no environment itself.
#[derive(Clone, Debug)]
pub struct DigitalOceanSettings {
    /// Where the API is, if not at DigitalOcean's own address.
    pub api_url: Option<BaseUrl>,
    /// The token to authenticate with.
    pub token: Token,
    /// The name of the key in the account that may log in to new hosts.
    pub ssh_key_name: Option<String>,
}

/// The provider `digitalocean`.
#[derive(Debug)]
pub struct DigitalOceanProvider {
    api: Api,
    ssh_key_name: Option<String>,
    /// Numbers of the account's keys by name, which is not unique. Listing keys has a limit of its
    /// own.
    keys: OnceCell<BTreeMap<String, Vec<u64>>>,
    usage: OnceCell<Usage>,
    offers: Offers,
    /// Set once the token has turned out to see tags.
    reads_tags: OnceCell<()>,
}

/// What a droplet of some id is.
enum Found {
    Ours(Box<Droplet>, Box<Instance>),
    Foreign,
    Gone,
}

impl DigitalOceanProvider {
    /// A provider that connects with its first request.
    #[must_use]
    pub fn new(settings: DigitalOceanSettings) -> Self {
        let DigitalOceanSettings { api_url, token, ssh_key_name } = settings;
        let base = api_url.unwrap_or_else(|| BaseUrl::parse(API).expect("this URL is well-formed"));
        Self {
            api: Api::new(Errors, base, token),
            ssh_key_name,
            keys: OnceCell::new(),
            usage: OnceCell::new(),
            offers: Offers::default(),
            reads_tags: OnceCell::new(),
        }
    }

    /// Everything a list holds.
    async fn read<P: Page>(
        &self,
        doing: &Doing,
        list: &Request,
    ) -> Result<Vec<P::Item>, CloudError> {
        let mut items = Vec::new();
        let (mut reader, mut volume) = (Reader::new(PER_PAGE), Volume::default());
        loop {
            let request = list.clone().with("page", reader.page()).with("per_page", PER_PAGE);
            let asked = self.api.ask_with_answer::<P>(doing, &request).await;
            let (page, answer) = asked.map_err(no_list)?;
            let (found, turn) = page.open();
            items.extend(found);
            let next = volume.add(&answer).and_then(|()| paging::next(&turn));
            match next.and_then(|next| reader.turn(next, turn.total)) {
                Ok(Some(next)) => reader = next,
                Ok(None) => return Ok(items),
                Err(why) => return Err(doing.failed(CloudErrorKind::UnexpectedAnswer(why))),
            }
        }
    }

    /// The droplet of this id, and whose it is.
    async fn find(&self, doing: &Doing, id: &InstanceId) -> Result<Found, CloudError> {
        let Some(number) = exchange::number(id) else { return Ok(Found::Gone) };
        let droplet = match self.api.ask(doing, &exchange::look(number)).await {
            Ok(OneDroplet { droplet }) => droplet,
            Err(failed) if gone(&failed) => return Ok(Found::Gone),
            Err(failed) => return Err(failed.error),
        };
        match sight::sight(&droplet) {
            Sight::Ours(instance) => Ok(Found::Ours(Box::new(droplet), instance)),
            Sight::Foreign => Ok(Found::Foreign),
            // Either it has no tags, or the token may not see them.
            Sight::Bare => self.must_read_tags(doing).await.map(|()| Found::Foreign),
            Sight::Contradictory(tags) => Err(contradictory(doing, number, &tags)),
        }
    }

    /// The droplet of this id, which must be there and ours.
    async fn ours(
        &self,
        doing: &Doing,
        id: &InstanceId,
    ) -> Result<(Box<Droplet>, Box<Instance>), CloudError> {
        match self.find(doing, id).await? {
            Found::Ours(droplet, instance) => Ok((droplet, instance)),
            Found::Foreign => Err(not_ours(doing, id)),
            Found::Gone => {
                let why = format!("there is no droplet {id}");
                Err(doing.failed(CloudErrorKind::NotFound(why)))
            }
        }
    }
}

#[async_trait]
impl CloudProvider for DigitalOceanProvider {
    fn id(&self) -> ProviderId {
        ProviderId::DigitalOcean
    }

    async fn validate_credentials(&self) -> Result<Account, CloudError> {
        let doing = reading("look at the account");
        let OneAccount { account } = self.api.ask(&doing, &exchange::account()).await?;
        let says = self.api.clean(account.status_message.as_deref().unwrap_or_default());
        let team = account.team.and_then(|team| team.name).filter(|name| !name.trim().is_empty());
        let name = self.api.clean(&team.or(account.email).unwrap_or_else(|| "unnamed".to_owned()));
        match account.status {
            Some(AccountStatus::Locked) => {
                let why = format!("the account {name} is locked: {says}");
                Err(doing
                    .failed(CloudErrorKind::Forbidden(why.trim_end_matches([' ', ':']).to_owned()))
                    .with_hint("sign in at https://cloud.digitalocean.com to see what is wrong"))
            }
            Some(AccountStatus::Warning) => {
                let name = format!("{name} (DigitalOcean warns: {says})");
                Ok(Account { name })
            }
            Some(AccountStatus::Active | AccountStatus::Unknown) | None => Ok(Account { name }),
        }
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        let doing = reading("list what can be ordered");
        let (sizes, regions, images) =
            (catalogue::sizes(), catalogue::regions(), catalogue::images());
        let (sizes, regions, images, keys) = tokio::try_join!(
            self.read::<wire::Sizes>(&doing, &sizes),
            self.read::<wire::Regions>(&doing, &regions),
            self.read::<wire::Images>(&doing, &images),
            self.keys(&doing),
        )?;
        let keys = keys.keys().cloned().collect();
        let catalogue = catalogue::catalogue(sizes, regions, images, keys);
        self.offers.remember(&catalogue);
        Ok(catalogue)
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        let doing = reading(format!("list the hosts of `{scope}`"));
        let droplets = self.read::<Droplets>(&doing, &exchange::in_scope(scope)).await?;
        if droplets.is_empty() {
            self.must_read_tags(&doing).await?;
        }
        let mut seen = BTreeMap::new();
        for droplet in droplets {
            let listed = sight::listed(&droplet, scope, &doing)?;
            seen.insert(droplet.id, listed);
        }
        Ok(seen.into_values().flatten().collect())
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        match self.find(&reading(format!("look at droplet {id}")), id).await? {
            Found::Ours(_, instance) => Ok(Some(*instance)),
            Found::Foreign | Found::Gone => Ok(None),
        }
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        // Nothing of the order exists before the last of these requests.
        let before = reading(format!("create host `{}`", request.owner.host));
        let doing = Doing { changes: true, ..before.clone() };
        let key = self.key(&before).await?;
        let order = exchange::order(request, key).map_err(|kind| before.failed(kind))?;
        match self.api.ask(&doing, &order).await {
            Ok(OneDroplet { droplet }) => sight::made(&droplet, request, &doing),
            Err(failed) => Err(self.refused(&before, &request.spec, failed).await),
        }
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        let (droplet, instance) = self.ours(&reading(format!("start droplet {id}")), id).await?;
        match droplet.status {
            Status::New | Status::Active => return Ok(()),
            Status::Off | Status::Archive | Status::Unknown => {}
        }
        let doing = changing(format!("start host `{}`", instance.owner.host));
        match self.api.tell(&doing, &exchange::power_on(droplet.id)).await {
            Err(failed) if refusal::is_on_already(&failed) => Ok(()),
            done => Ok(done?),
        }
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        let (droplet, instance) = self.ours(&reading(format!("update droplet {id}")), id).await?;
        let doing = changing(format!("update host `{}`", instance.owner.host));
        let changes = exchange::changes(&droplet, &instance, marks);
        let Changes { attach, detach, rename } = changes.map_err(|kind| doing.failed(kind))?;
        for tag in &attach {
            self.attach(&doing, tag, droplet.id).await?;
        }
        for tag in &detach {
            self.detach(&doing, tag, droplet.id).await?;
        }
        if let Some(name) = rename {
            self.api.tell(&doing, &exchange::rename(droplet.id, &name)).await?;
        }
        Ok(())
    }

    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError> {
        let doing = changing(format!("pin the host key of `{}`", instance.owner.host));
        let Some(number) = exchange::number(&instance.id) else {
            return Err(not_ours(&doing, &instance.id));
        };
        self.retag_keys(&doing, instance, number, pins).await
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        let before = reading(format!("terminate droplet {id}"));
        let (droplet, instance) = match self.find(&before, id).await? {
            Found::Ours(droplet, instance) => (droplet, instance),
            Found::Foreign => return Err(not_ours(&before, id)),
            Found::Gone => return Ok(Termination::AlreadyGone),
        };
        let doing = changing(format!("terminate host `{}`", instance.owner.host));
        let destroyed = self.api.tell(&doing, &exchange::destroy(droplet.id)).await;
        if destroyed.is_ok() {
            self.discard_keys(&doing, &instance).await?;
        }
        match destroyed {
            Ok(()) => Ok(Termination::Started),
            // It is being removed already.
            Err(failed) if failed.is_status(409) => Ok(Termination::Started),
            Err(failed) if gone(&failed) => Ok(Termination::AlreadyGone),
            Err(failed) => Err(failed.error),
        }
    }

    async fn tidy(&self, _: &Scope) -> Result<(), CloudError> {
        Ok(())
    }
}

fn reading(operation: impl Into<String>) -> Doing {
    Doing::reading(ProviderId::DigitalOcean, operation)
}

fn changing(operation: impl Into<String>) -> Doing {
    Doing::changing(ProviderId::DigitalOcean, operation)
}

/// A list that is not there: lists always are, be they empty.
fn no_list(failed: Failed) -> CloudError {
    if !gone(&failed) {
        return failed.error;
    }
    let CloudError { kind, .. } = &failed.error;
    let kind = CloudErrorKind::UnexpectedAnswer(kind.to_string());
    CloudError { kind, ..failed.error }.with_hint(refusal::CHECK_URL)
}

fn not_ours(doing: &Doing, id: &InstanceId) -> CloudError {
    doing.failed(CloudErrorKind::NotFound(format!("droplet {id} is not one of ours")))
}

/// Whether the API itself says that there is no such thing, and not something before it.
fn gone(failed: &Failed) -> bool {
    failed.is_status(404) && !failed.is_code("")
}
