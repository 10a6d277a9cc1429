//! Hosts as servers of Hetzner Cloud.
//!
//! # Ownership and names
//! A server is ours by its labels, which are in the request that orders it; see `labels.rs`. The API
//! has no key that would make an order safe to repeat, but a project knows a name once. So a name
//! that is taken is looked up: a live server with the same owner is the one that was ordered
//! before, by an order whose answer was lost or by another run, and any other is left alone.
//!
//! # What an order brings
//! One server with an IPv4 and an IPv6 address, which are billed and deleted with it, and the SSH
//! key of the settings. Its image is ordered by id: names stand for one image of each architecture.
//! Ids of images are looked up once.
//!
//! # Failures after the order
//! Work goes on after an order is answered, and that it failed is told only to who asks for it; see
//! `actions.rs`.

mod actions;
mod catalogue;
mod decimal;
mod exchange;
#[cfg(test)]
mod fixtures;
mod labels;
mod order;
mod refusal;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use stagecraft_core::cloud::{
    Account, Catalogue, CloudError, CloudErrorKind, CloudProvider, CreateInstance, Termination,
};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Lifecycle, Marks};
use stagecraft_core::name::{InstanceId, Scope};
use tokio::sync::OnceCell;

use crate::http::{Api, BaseUrl, Failed, Reader, Request, Token, Volume};
use crate::{Doing, Offers};
use actions::Orders;
use catalogue::Images;
use refusal::{Hetzner, LIMIT, NOT_FOUND, TAKEN};

/// Where the API is, unless the settings say otherwise.
const API: &str = "https://api.hetzner.cloud/v1";

/// All the provider needs to know; it reads no environment itself.
#[derive(Debug)]
pub struct HetznerSettings {
    /// Where the API is, with its version; `None` means Hetzner's own.
    pub api_url: Option<BaseUrl>,
    /// A token of the project, for reading and writing.
    pub token: Token,
    /// The name of the key in the project that may log in; needed to order.
    pub ssh_key_name: Option<String>,
}

/// The provider `hetzner`: one project of Hetzner Cloud.
#[derive(Debug)]
pub struct HetznerProvider {
    api: Api,
    ssh_key_name: Option<String>,
    images: OnceCell<Images>,
    /// How many servers the project had when a limit was first reached, if the API told.
    used: OnceCell<Option<u64>>,
    offers: Offers,
    orders: Mutex<Orders>,
}

impl HetznerProvider {
    /// A provider that connects with its first request.
    #[must_use]
    pub fn new(settings: HetznerSettings) -> Self {
        let HetznerSettings { api_url, token, ssh_key_name } = settings;
        let api_url =
            api_url.unwrap_or_else(|| BaseUrl::parse(API).expect("the constant is a URL"));
        Self {
            api: Api::new(Hetzner, api_url, token),
            ssh_key_name,
            images: OnceCell::new(),
            used: OnceCell::new(),
            offers: Offers::default(),
            orders: Mutex::default(),
        }
    }

    /// All pages of a list, and when the first one was answered: what is in it may have become older
    /// since, by as long as the others took. What is there twice was seen twice, last as it is now.
    async fn all<T: DeserializeOwned>(
        &self,
        doing: &Doing,
        request: Request,
    ) -> Result<(Vec<T>, Option<SystemTime>), CloudError> {
        let (mut all, mut began) = (Vec::new(), None);
        let (mut reader, mut volume) = (Reader::new(exchange::PER_PAGE), Volume::default());
        loop {
            let request = request.clone().with("page", reader.page());
            let (page, answer) = self.api.ask_with_answer::<wire::Page<T>>(doing, &request).await?;
            all.extend(page.items);
            began = began.or_else(|| answer.date());
            let wire::Pagination { next_page, total_entries } = page.meta.pagination;
            match volume.add(&answer).and_then(|()| reader.turn(next_page, total_entries)) {
                Ok(Some(next)) => reader = next,
                Ok(None) => return Ok((all, began)),
                Err(why) => return Err(doing.failed(CloudErrorKind::UnexpectedAnswer(why))),
            }
        }
    }

    /// The server and when it was looked at.
    async fn find(
        &self,
        doing: &Doing,
        id: &InstanceId,
    ) -> Result<Option<(wire::Server, Option<SystemTime>)>, CloudError> {
        match self.api.ask_with_answer::<wire::One>(doing, &exchange::server(id)).await {
            Ok((found, answer)) => Ok(Some((found.server, answer.date()))),
            Err(failed) if is_gone(&failed) => Ok(None),
            Err(failed) => Err(failed.into()),
        }
    }

    /// The server and its instance, or an error that says whether it is gone or not ours.
    async fn ours(
        &self,
        doing: &Doing,
        id: &InstanceId,
    ) -> Result<(wire::Server, Instance), CloudError> {
        match self.find(doing, id).await? {
            Some((server, _)) => match exchange::instance(&server) {
                Some(instance) => Ok((server, instance)),
                None => Err(not_ours(doing, id)),
            },
            None => Err(doing.failed(CloudErrorKind::NotFound(format!("there is no server {id}")))),
        }
    }

    /// Asks how the orders of servers that are not up yet go, where this process knows of any.
    async fn follow(&self, doing: &Doing, listed: &[Instance]) -> Result<(), CloudError> {
        let open = self.orders().open(listed);
        for ids in open.chunks(exchange::ACTIONS) {
            let told = match self.api.ask(doing, &exchange::actions(ids)).await {
                Ok(wire::Actions { actions }) => actions,
                Err(failed) if is_gone(&failed) => Vec::new(),
                Err(failed) => return Err(failed.into()),
            };
            let silent: Vec<u64> =
                ids.iter().copied().filter(|id| told.iter().all(|of| of.id != *id)).collect();
            let mut orders = self.orders();
            orders.went(&told);
            orders.forget(&silent);
        }
        Ok(())
    }

    fn add_what_is_known(&self, instance: &mut Instance, now: Option<SystemTime>) {
        self.orders().add_to(instance, exchange::is_new(instance, now));
        instance.trouble = instance.trouble.take().map(|trouble| self.api.clean(&trouble));
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gone(&self, id: &InstanceId) -> Termination {
        self.orders().end(id);
        Termination::AlreadyGone
    }

    /// What an action that was started has to say so far.
    fn accepted(&self, doing: &Doing, action: &wire::Action) -> Result<(), CloudError> {
        match action.status {
            wire::ActionStatus::Error => {
                let why = self.api.clean(&actions::trouble(action));
                Err(doing.in_doubt(CloudErrorKind::ProviderFault(why)))
            }
            wire::ActionStatus::Running
            | wire::ActionStatus::Success
            | wire::ActionStatus::Other => Ok(()),
        }
    }
}

#[async_trait]
impl CloudProvider for HetznerProvider {
    fn id(&self) -> ProviderId {
        ProviderId::Hetzner
    }

    async fn validate_credentials(&self) -> Result<Account, CloudError> {
        let doing = reading("check the token");
        self.api.ask::<wire::Page<wire::Named>>(&doing, &exchange::anything()).await?;
        // The API does not tell its name.
        Ok(Account { name: "the project of the token".to_owned() })
    }

    async fn catalogue(&self) -> Result<Catalogue, CloudError> {
        let doing = reading("list what can be ordered");
        let ((types, date), (images, _), (keys, _), pricing) = tokio::try_join!(
            self.all::<wire::ServerType>(&doing, exchange::server_types()),
            self.all::<wire::Image>(&doing, exchange::images()),
            self.all::<wire::Named>(&doing, exchange::ssh_keys()),
            async { Ok(self.api.ask::<wire::Priced>(&doing, &exchange::pricing()).await?.pricing) },
        )?;
        let images = catalogue::images(&images);
        let now = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        let catalogue = catalogue::catalogue(&types, &images, keys, &pricing, now);
        // What was looked up for an order before is as good.
        drop(self.images.set(images));
        self.offers.remember(&catalogue);
        Ok(catalogue)
    }

    async fn list(&self, scope: &Scope) -> Result<Vec<Instance>, CloudError> {
        let doing = reading(format!("list the hosts of `{scope}`"));
        let (servers, now) = self.all::<wire::Server>(&doing, exchange::servers(scope)).await?;
        let ours = servers.iter().filter_map(exchange::instance);
        let ours: BTreeMap<InstanceId, Instance> = ours
            .filter(|instance| instance.owner.scope == *scope)
            .map(|instance| (instance.id.clone(), instance))
            .collect();
        let mut listed: Vec<Instance> = ours.into_values().collect();
        self.follow(&doing, &listed).await?;
        for instance in &mut listed {
            self.add_what_is_known(instance, now);
        }
        Ok(listed)
    }

    async fn get(&self, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
        let doing = reading(format!("look at server {id}"));
        let Some((server, now)) = self.find(&doing, id).await? else { return Ok(None) };
        Ok(exchange::instance(&server).map(|mut instance| {
            self.add_what_is_known(&mut instance, now);
            instance
        }))
    }

    async fn create(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        let CreateInstance { owner, spec, marks, pins, .. } = request;
        let before = reading(format!("create host `{}`", owner.host));
        let doing = Doing { changes: true, ..before.clone() };
        let invalid = |why: String| before.failed(CloudErrorKind::InvalidInput(why));
        let labels = labels::written(owner, &spec.image, marks, pins)
            .map_err(|bad| invalid(bad.to_string()))?;
        let Some(key) = &self.ssh_key_name else {
            let hint = "set `ssh_key_name` to the name of a key in the project; `stagecraft \
                        validate --online` lists them";
            return Err(invalid("no SSH key is given that could log in".to_owned()).with_hint(hint));
        };
        let image = self.image(&before, spec).await?;
        let order = exchange::order(request, &labels, image, key);
        let created: wire::Created = match self.api.ask(&doing, &order).await {
            Ok(created) => created,
            Err(failed) if failed.is_code(TAKEN) => {
                return self.adopt(&before, request, failed).await;
            }
            Err(failed) if failed.is_code(LIMIT) => {
                return Err(self.with_use(&before, failed.into()).await);
            }
            Err(Failed { error, .. }) if matches!(error.kind, CloudErrorKind::SoldOut(_)) => {
                return Err(CloudError { hints: vec![self.offers.instead_of(spec)], ..error });
            }
            Err(failed) => return Err(failed.into()),
        };
        let instance = exchange::instance(&created.server).filter(|made| made.owner == *owner);
        let Some(mut instance) = instance else {
            let why = format!("server {} lacks the labels it was ordered with", created.server.id);
            return Err(doing.in_doubt(CloudErrorKind::UnexpectedAnswer(why)));
        };
        let mut actions = created.next_actions;
        actions.extend(created.action);
        self.orders().began(instance.id.clone(), &actions);
        self.add_what_is_known(&mut instance, None);
        Ok(instance)
    }

    async fn start(&self, id: &InstanceId) -> Result<(), CloudError> {
        let (_, instance) = self.ours(&reading(format!("start server {id}")), id).await?;
        let doing = changing(format!("start host `{}`", instance.owner.host));
        match instance.lifecycle {
            Lifecycle::Pending | Lifecycle::Running => Ok(()),
            Lifecycle::Stopped | Lifecycle::Failed => {
                let started: wire::Acted = self.api.ask(&doing, &exchange::switch_on(id)).await?;
                self.accepted(&doing, &started.action)
            }
            Lifecycle::Terminating | Lifecycle::Terminated => {
                let why = format!("server {id} is being removed");
                Err(doing.failed(CloudErrorKind::NotFound(why)))
            }
        }
    }

    async fn update(&self, id: &InstanceId, marks: &Marks) -> Result<(), CloudError> {
        let (_, instance) = self.ours(&reading(format!("update server {id}")), id).await?;
        if instance.marks == *marks {
            return Ok(());
        }
        let doing = changing(format!("update host `{}`", instance.owner.host));
        let labels = labels::written(&instance.owner, &instance.spec.image, marks, &instance.pins)
            .map_err(|bad| doing.failed(CloudErrorKind::InvalidInput(bad.to_string())))?;
        let request = exchange::update(id, &marks.name, &labels);
        match self.api.ask::<wire::One>(&doing, &request).await {
            Ok(_) => Ok(()),
            Err(failed) if failed.is_code(TAKEN) => Err(failed.error.with_hint(format!(
                "another server has the name `{}`; rename the host or the environment in the \
                 file, or rename or remove that server in the Hetzner Console",
                marks.name
            ))),
            Err(failed) => Err(failed.into()),
        }
    }

    async fn pin(&self, instance: &Instance, pins: &Pins) -> Result<(), CloudError> {
        let host = &instance.owner.host;
        let looking = reading(format!("pin the host key of `{host}`"));
        // All labels are written at once, so the others are to be as new as can be.
        let (server, _) = self.ours(&looking, &instance.id).await?;
        let labels = labels::with_pins(&server.labels, pins);
        if labels == server.labels {
            return Ok(());
        }
        let doing = Doing { changes: true, ..looking };
        let request = exchange::relabel(&instance.id, &labels);
        Ok(self.api.ask::<wire::One>(&doing, &request).await.map(drop)?)
    }

    async fn terminate(&self, id: &InstanceId) -> Result<Termination, CloudError> {
        let looking = reading(format!("terminate server {id}"));
        let Some((server, _)) = self.find(&looking, id).await? else {
            return Ok(self.gone(id));
        };
        let Some(instance) = exchange::instance(&server) else {
            return Err(not_ours(&looking, id));
        };
        if !instance.is_live() {
            return Ok(self.gone(id));
        }
        let doing = changing(format!("terminate host `{}`", instance.owner.host));
        match self.api.ask::<wire::Acted>(&doing, &exchange::remove(id)).await {
            Ok(removed) => {
                self.accepted(&doing, &removed.action)?;
                self.orders().end(id);
                Ok(Termination::Started)
            }
            Err(failed) if is_gone(&failed) => Ok(self.gone(id)),
            Err(failed) => Err(failed.into()),
        }
    }

    async fn tidy(&self, _: &Scope) -> Result<(), CloudError> {
        Ok(())
    }
}

fn reading(operation: impl Into<String>) -> Doing {
    Doing::reading(ProviderId::Hetzner, operation)
}

fn changing(operation: impl Into<String>) -> Doing {
    Doing::changing(ProviderId::Hetzner, operation)
}

/// Whether the API said that what a request was about does not exist.
fn is_gone(failed: &Failed) -> bool {
    failed.is_code(NOT_FOUND)
}

fn not_ours(doing: &Doing, id: &InstanceId) -> CloudError {
    doing.failed(CloudErrorKind::NotFound(format!("server {id} is not one of ours")))
}
