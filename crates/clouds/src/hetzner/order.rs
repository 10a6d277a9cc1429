//! What an order needs before it is sent, and what is made of it when it is refused.

use std::time::Duration;

use stagecraft_core::cloud::{CloudError, CloudErrorKind, CreateInstance};
use stagecraft_core::inventory::{Instance, Spec};

use super::{HetznerProvider, catalogue, exchange, wire};
use crate::Doing;
use crate::http::Failed;

/// How soon a name that is about to be free is asked for again.
const SOON: Duration = Duration::from_secs(2);

impl HetznerProvider {
    /// The id of the image of an order.
    pub(super) async fn image(&self, doing: &Doing, spec: &Spec) -> Result<u64, CloudError> {
        let listed = self.images.get_or_try_init(async || {
            let listed = self.all(doing, exchange::images()).await?.0;
            Ok::<_, CloudError>(catalogue::images(&listed))
        });
        let found = listed.await?.get(&(spec.image.clone(), spec.arch)).copied();
        found.ok_or_else(|| {
            let why = format!("there is no image `{}` for {}", spec.image, spec.arch);
            doing
                .failed(CloudErrorKind::InvalidInput(why))
                .with_hint("`stagecraft validate --online` lists the images there are")
        })
    }

    /// The server that has the name of an order already, if it is what was ordered.
    pub(super) async fn adopt(
        &self,
        doing: &Doing,
        order: &CreateInstance,
        taken: Failed,
    ) -> Result<Instance, CloudError> {
        let name = &order.marks.name;
        let named: wire::Page<wire::Server> =
            self.api.ask(doing, &exchange::server_named(name)).await?;
        let refused =
            |kind| CloudError { request_id: taken.error.request_id.clone(), ..doing.failed(kind) };
        let Some(server) = named.items.iter().find(|of| of.name.eq_ignore_ascii_case(name)) else {
            let why = format!("the name `{name}` was taken, and is free again");
            return Err(refused(CloudErrorKind::ProviderFault(why)).retry_after(SOON));
        };
        let who = match exchange::instance(server) {
            Some(mut instance) if instance.owner == order.owner => {
                if instance.is_live() {
                    self.add_what_is_known(&mut instance, None);
                    return Ok(instance);
                }
                let why = format!("server {} of that name is still being removed", server.id);
                return Err(refused(CloudErrorKind::ProviderFault(why)).retry_after(SOON));
            }
            Some(other) => format!("is host `{}` of `{}`", other.owner.host, other.owner.scope),
            None => "is not one of ours".to_owned(),
        };
        let why = format!("the name `{name}` is taken by server {}, which {who}", server.id);
        Err(refused(CloudErrorKind::Conflict(why)).with_hint(format!(
            "rename the host or the environment in the file, or remove server {} in the Hetzner \
             Console if nobody needs it",
            server.id
        )))
    }

    /// Adds to a limit that is reached how much of it is used, as far as the API tells.
    pub(super) async fn with_use(&self, doing: &Doing, mut error: CloudError) -> CloudError {
        let used = self.used.get_or_init(async || {
            let request = exchange::count_of_servers();
            let page: wire::Page<wire::Server> = self.api.ask(doing, &request).await.ok()?;
            page.meta.pagination.total_entries
        });
        if let Some(used) = used.await
            && let CloudErrorKind::QuotaExceeded(why) = &mut error.kind
        {
            *why = format!("{why}; servers in the project: {used}");
        }
        error
    }
}
