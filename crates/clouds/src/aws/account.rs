//! The services of an account, each where its region has it, and how they are asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::name::Region;
use tokio::sync::OnceCell;

use super::identity::{Identity, Seal};
use super::query::Query;
use super::refusal::Aws;
use super::{exchange, wire};
use crate::Doing;
use crate::http::{Api, BaseUrl, Failed, Request, Volume};

/// No more pages are read for one list.
const MOST_PAGES: usize = 1000;

/// Where the services are; `None` means AWS's own address in the region.
#[derive(Clone, Debug, Default)]
pub struct ApiUrls {
    /// EC2.
    pub ec2: Option<BaseUrl>,
    /// Systems Manager, for the ids of images.
    pub ssm: Option<BaseUrl>,
    /// The Security Token Service, for the name of the account.
    pub sts: Option<BaseUrl>,
}

impl ApiUrls {
    /// One place for all services and regions, which tells them apart by the signature.
    #[must_use]
    pub fn all(url: &BaseUrl) -> Self {
        Self { ec2: Some(url.clone()), ssm: Some(url.clone()), sts: Some(url.clone()) }
    }
}

/// One account.
#[derive(Debug)]
pub(super) struct Account {
    identity: Arc<Identity>,
    urls: ApiUrls,
    home: Region,
    used: BTreeSet<Region>,
    everywhere: bool,
    /// Other regions in which there was something of ours; `None` when they were not looked at.
    found: Mutex<Option<BTreeSet<Region>>>,
    apis: Mutex<BTreeMap<(&'static str, Region), Arc<Api>>>,
    known: OnceCell<Vec<wire::RegionInfo>>,
}

impl Account {
    pub(super) fn new(
        identity: Identity,
        urls: ApiUrls,
        home: Region,
        mut used: BTreeSet<Region>,
        everywhere: bool,
    ) -> Self {
        used.insert(home.clone());
        Self {
            identity: Arc::new(identity),
            urls,
            home,
            used,
            everywhere,
            found: Mutex::default(),
            apis: Mutex::default(),
            known: OnceCell::new(),
        }
    }

    pub(super) fn ec2(&self, doing: &Doing, region: &Region) -> Result<Arc<Api>, CloudError> {
        self.api(doing, "ec2", self.urls.ec2.as_ref(), region)
    }

    pub(super) fn ssm(&self, doing: &Doing, region: &Region) -> Result<Arc<Api>, CloudError> {
        self.api(doing, "ssm", self.urls.ssm.as_ref(), region)
    }

    pub(super) fn sts(&self, doing: &Doing) -> Result<Arc<Api>, CloudError> {
        self.api(doing, "sts", self.urls.sts.as_ref(), &self.home)
    }

    /// The regions that the account can use.
    pub(super) async fn regions(&self, doing: &Doing) -> Result<BTreeSet<Region>, CloudError> {
        let known = self.known(doing).await?.iter();
        let usable = known.filter(|of| of.opt_in_status.as_deref() != Some("not-opted-in"));
        Ok(usable.map(|of| of.region_name.as_str().into()).collect())
    }

    /// The regions in use that exist. In one that does not exist, e.g. for a slip of the keyboard,
    /// there is nothing, and nobody who could be asked.
    pub(super) async fn used(&self, doing: &Doing) -> Result<Vec<Region>, CloudError> {
        let mut used = self.used.clone();
        used.extend(self.found().iter().flatten().cloned());
        if used.len() > 1 {
            let known = self.known(doing).await?;
            used.retain(|region| known.iter().any(|of| of.region_name == region.as_str()));
        }
        Ok(used.into_iter().collect())
    }

    /// The regions that are not in use, in which nobody has looked for instances yet.
    pub(super) async fn unseen(&self, doing: &Doing) -> Result<Vec<Region>, CloudError> {
        if self.found().is_some() {
            return Ok(Vec::new());
        }
        self.others(doing).await
    }

    /// The regions that are not in use by the settings, in which an earlier file may have left something.
    pub(super) async fn others(&self, doing: &Doing) -> Result<Vec<Region>, CloudError> {
        if !self.everywhere {
            return Ok(Vec::new());
        }
        let regions = self.regions(doing).await?;
        Ok(regions.difference(&self.used).cloned().collect())
    }

    /// Keeps in which of the regions that nobody had looked at something was.
    pub(super) fn remember(&self, found: BTreeSet<Region>) {
        self.found().get_or_insert_default().extend(found);
    }

    fn found(&self) -> MutexGuard<'_, Option<BTreeSet<Region>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn known(&self, doing: &Doing) -> Result<&Vec<wire::RegionInfo>, CloudError> {
        self.known
            .get_or_try_init(async || {
                let api = self.ec2(doing, &self.home)?;
                let answer: wire::Regions = api.ask(doing, &exchange::regions()).await?;
                let (regions, _) = wire::Page::turn(answer);
                // Left out, hosts there would not be seen; quoted, it could print anything.
                if regions.iter().any(|of| !is_name(&of.region_name)) {
                    let why = "the list of regions has one whose name cannot be that of a region";
                    return Err(doing.failed(CloudErrorKind::UnexpectedAnswer(why.to_owned())));
                }
                Ok(regions)
            })
            .await
    }

    fn api(
        &self,
        doing: &Doing,
        service: &'static str,
        url: Option<&BaseUrl>,
        region: &Region,
    ) -> Result<Arc<Api>, CloudError> {
        let mut apis = self.apis.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(api) = apis.get(&(service, region.clone())) {
            return Ok(api.clone());
        }
        let at_its_own_url = url.is_none();
        let url = url.cloned().or_else(|| own_url(service, region)).ok_or_else(|| {
            let why = format!("`{region}` is not the name of a region");
            doing.failed(CloudErrorKind::InvalidInput(why))
        })?;
        let seal = Seal { identity: self.identity.clone(), service, region: region.clone() };
        let api = Arc::new(Api::new(Aws { region: region.clone(), at_its_own_url }, url, seal));
        apis.insert((service, region.clone()), api.clone());
        Ok(api)
    }
}

/// Whether a region is closed to the account, as by a policy of its organisation: nothing can be there.
pub(super) fn is_closed(error: &CloudError) -> bool {
    matches!(error.kind, CloudErrorKind::Forbidden(_) | CloudErrorKind::InvalidCredentials(_))
}

/// All pages of a list, and when the first was answered: what is in it may have become older since,
/// by as long as the others took. A page may be empty although more follow.
pub(super) async fn all<P: wire::Page + DeserializeOwned>(
    api: &Api,
    doing: &Doing,
    query: Query,
) -> Result<(Vec<P::Item>, Option<SystemTime>), Failed> {
    let (mut all, mut volume, mut began) = (Vec::new(), Volume::default(), None);
    let mut request: Request = query.clone().request();
    for _ in 0..MOST_PAGES {
        let (page, answer) = api.ask_with_answer::<P>(doing, &request).await?;
        let (items, next) = page.turn();
        all.extend(items);
        volume.add(&answer).map_err(|why| doing.failed(CloudErrorKind::UnexpectedAnswer(why)))?;
        began = began.or_else(|| answer.date());
        let Some(token) = next else { return Ok((all, began)) };
        request = query.clone().with("NextToken", token).request();
    }
    let why = format!("a list has more than {MOST_PAGES} pages");
    Err(doing.failed(CloudErrorKind::UnexpectedAnswer(why)).into())
}

/// Where AWS itself has a service.
fn own_url(service: &str, region: &Region) -> Option<BaseUrl> {
    let name = region.as_str();
    if !is_name(name) {
        return None;
    }
    let suffix = if name.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    BaseUrl::parse(&format!("https://{service}.{name}.{suffix}")).ok()
}

/// Whether a region can be called so: its name is a part of the names of its servers.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_where_their_region_is() {
        let url = |region: &str| own_url("ec2", &region.into()).map(|url| url.to_string());
        assert_eq!(url("eu-west-1").as_deref(), Some("https://ec2.eu-west-1.amazonaws.com"));
        assert_eq!(url("cn-north-1").as_deref(), Some("https://ec2.cn-north-1.amazonaws.com.cn"));
        for odd in ["", "a.example/", "x@y", "EU", "é"] {
            assert_eq!(url(odd), None, "{odd}");
        }
    }
}
