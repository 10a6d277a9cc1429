//! What is looked up in the account, once for all orders.

use std::collections::BTreeMap;

use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::inventory::Spec;

use super::sight::cannot_read_tags;
use super::wire::{Counted, Keys, OneAccount};
use super::{DigitalOceanProvider, catalogue, exchange};
use crate::Doing;
use crate::http::Failed;

/// How full the account is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    droplets: u64,
    limit: u64,
}

impl DigitalOceanProvider {
    /// The numbers of the account's keys by name.
    pub(super) async fn keys(
        &self,
        doing: &Doing,
    ) -> Result<&BTreeMap<String, Vec<u64>>, CloudError> {
        self.keys
            .get_or_try_init(|| async {
                let mut by_name: BTreeMap<String, Vec<u64>> = BTreeMap::new();
                for key in self.read::<Keys>(doing, &catalogue::keys()).await? {
                    by_name.entry(key.name).or_default().push(key.id);
                }
                Ok(by_name)
            })
            .await
    }

    /// The number of the key that may log in to new hosts.
    pub(super) async fn key(&self, doing: &Doing) -> Result<u64, CloudError> {
        let wrong = |why: String| doing.failed(CloudErrorKind::InvalidInput(why));
        let Some(name) = &self.ssh_key_name else {
            return Err(wrong("no SSH key is named that may log in".to_owned())
                .with_hint("set `ssh_key_name` to the name of an SSH key of the account"));
        };
        let keys = self.keys(doing).await?;
        match keys.get(name).map(Vec::as_slice) {
            Some([key]) => Ok(*key),
            Some(several) => {
                Err(wrong(format!("the account has {} SSH keys named `{name}`", several.len()))
                    .with_hint(
                        "rename one of them in the account, or set `ssh_key_name` to another",
                    ))
            }
            None => {
                let names: Vec<String> =
                    keys.keys().map(|name| format!("`{}`", self.api.clean(name))).collect();
                let hint = match names.as_slice() {
                    [] => "the account has no SSH keys; add one there".to_owned(),
                    names => format!("the account has {}", names.join(", ")),
                };
                Err(wrong(format!("the account has no SSH key named `{name}`")).with_hint(hint))
            }
        }
    }

    /// Makes sure that the token sees tags. One that does not sees droplets without any, and finds
    /// none by them, as if there were none.
    pub(super) async fn must_read_tags(&self, doing: &Doing) -> Result<(), CloudError> {
        let look = || async {
            match self.api.tell(doing, &exchange::tags()).await {
                Err(failed) if failed.is_status(403) => {
                    let CloudError { request_id, .. } = failed.error;
                    Err(CloudError { request_id, ..cannot_read_tags(doing) })
                }
                done => Ok(done?),
            }
        };
        self.reads_tags.get_or_try_init(look).await.copied()
    }

    /// The refusal of an order, with how full the account is or where there is more, if that is the
    /// reason.
    pub(super) async fn refused(&self, doing: &Doing, spec: &Spec, failed: Failed) -> CloudError {
        let mut error = failed.error;
        if let CloudErrorKind::QuotaExceeded(why) = &mut error.kind
            && let Ok(Usage { droplets, limit }) = self.usage(doing).await
        {
            *why = format!("{why} ({droplets} droplets of at most {limit})");
        }
        if matches!(error.kind, CloudErrorKind::SoldOut(_)) && error.hints.is_empty() {
            error.hints.push(self.offers.instead_of(spec));
        }
        error
    }

    async fn usage(&self, doing: &Doing) -> Result<&Usage, CloudError> {
        self.usage
            .get_or_try_init(|| async {
                let (account, count) = (exchange::account(), exchange::count());
                let (OneAccount { account }, Counted { meta }) =
                    tokio::try_join!(self.api.ask(doing, &account), self.api.ask(doing, &count))?;
                let usage = account.droplet_limit.zip(meta.total);
                usage.map(|(limit, droplets)| Usage { droplets, limit }).ok_or_else(|| {
                    let why = "it does not say how full the account is".to_owned();
                    doing.failed(CloudErrorKind::UnexpectedAnswer(why))
                })
            })
            .await
    }
}
