//! Tags of one droplet, on it and in the account.

use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::Instance;

use super::wire::OneTag;
use super::{DigitalOceanProvider, exchange, gone, labels};
use crate::Doing;

impl DigitalOceanProvider {
    /// Adds a tag to a droplet, and to the account first if it is new there.
    pub(super) async fn attach(
        &self,
        doing: &Doing,
        tag: &str,
        droplet: u64,
    ) -> Result<(), CloudError> {
        match self.api.tell(doing, &exchange::attach(tag, droplet)).await {
            Err(failed) if gone(&failed) => {}
            done => return Ok(done?),
        }
        self.attach_new(doing, tag, droplet).await
    }

    /// Makes a tag in the account, and adds it to a droplet.
    async fn attach_new(&self, doing: &Doing, tag: &str, droplet: u64) -> Result<(), CloudError> {
        // An existing tag is answered as the account writes it, and only so can it be attached.
        let OneTag { tag: made } = self.api.ask(doing, &exchange::make_tag(tag)).await?;
        if labels::plain(&made.name) != tag {
            let why = format!("the new tag `{tag}` has another name");
            return Err(doing.failed(CloudErrorKind::UnexpectedAnswer(why)));
        }
        Ok(self.api.tell(doing, &exchange::attach(&made.name, droplet)).await?)
    }

    /// Removes a tag that only one droplet has. Left in the account, such tags would pile up there.
    async fn discard(&self, doing: &Doing, tag: &str) -> Result<(), CloudError> {
        match self.api.tell(doing, &exchange::remove_tag(tag)).await {
            Err(failed) if gone(&failed) => Ok(()),
            done => Ok(done?),
        }
    }

    pub(super) async fn detach(
        &self,
        doing: &Doing,
        tag: &str,
        droplet: u64,
    ) -> Result<(), CloudError> {
        match self.api.tell(doing, &exchange::detach(tag, droplet)).await {
            // Somebody removed the tag from the account, and so from the droplet.
            Err(failed) if gone(&failed) => Ok(()),
            done => Ok(done?),
        }
    }

    /// Makes the tags of keys on a droplet those of `pins`.
    pub(super) async fn retag_keys(
        &self,
        doing: &Doing,
        instance: &Instance,
        droplet: u64,
        pins: &Pins,
    ) -> Result<(), CloudError> {
        let (there, wanted) = (labels::all_pins(instance), labels::of_pins(pins));
        for tag in wanted.difference(&there) {
            self.attach_new(doing, tag, droplet).await?;
        }
        for tag in there.difference(&wanted) {
            self.discard(doing, tag).await?;
        }
        Ok(())
    }

    /// Removes the tags of keys of a droplet that is being removed. What stays in the account does no
    /// harm there.
    ///
    /// # Errors
    /// Only that there were too many requests, as everybody has to know.
    pub(super) async fn discard_keys(
        &self,
        doing: &Doing,
        instance: &Instance,
    ) -> Result<(), CloudError> {
        for tag in labels::all_pins(instance) {
            match self.discard(doing, &tag).await {
                Err(error) if matches!(error.kind, CloudErrorKind::RateLimited { .. }) => {
                    return Err(error);
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}
