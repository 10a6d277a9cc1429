use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::name::is_dns_label;

use super::{Moment, Order, World};

impl World {
    /// Refuses an order that no cloud would take.
    pub(super) fn refuse_order(&self, order: &Order, now: Moment) -> Result<(), CloudErrorKind> {
        let spec = &order.spec;
        if !is_dns_label(&order.name) {
            let message = format!("`{}` is not a valid name", order.name);
            return Err(CloudErrorKind::InvalidInput(message));
        }
        if !self.catalogue.regions.contains(&spec.region) {
            return Err(CloudErrorKind::NotFound(format!("no region `{}`", spec.region)));
        }
        let Some(offer) = self.catalogue.sizes.iter().find(|offer| offer.size == spec.size) else {
            return Err(CloudErrorKind::NotFound(format!("no size `{}`", spec.size)));
        };
        if offer.arch != spec.arch {
            let message = format!("size `{}` is {}, not {}", spec.size, offer.arch, spec.arch);
            return Err(CloudErrorKind::InvalidInput(message));
        }
        if !self.catalogue.images.contains(&(spec.image.clone(), spec.arch)) {
            let message = format!("no image `{}` for {}", spec.image, spec.arch);
            return Err(CloudErrorKind::NotFound(message));
        }
        if spec.spot && !self.catalogue.spot {
            let message = "spot machines are not offered".to_owned();
            return Err(CloudErrorKind::InvalidInput(message));
        }
        let order_key = (spec.size.clone(), spec.region.clone());
        if self.behaviour.sold_out.contains(&order_key) || !offer.regions.contains_key(&spec.region)
        {
            let message = format!("size `{}` in `{}`", spec.size, spec.region);
            return Err(CloudErrorKind::SoldOut(message));
        }
        if self.behaviour.unique_names && self.holder(&order.name).is_some() {
            return Err(conflict(&order.name));
        }
        let held =
            self.machines.values().filter(|one| !one.has_ended(&self.behaviour, now)).count();
        if self.behaviour.quota.is_some_and(|quota| held >= quota) {
            return Err(CloudErrorKind::QuotaExceeded("machines".to_owned()));
        }
        Ok(())
    }
}

/// A name that can be used once only is in use.
pub(super) fn conflict(name: &str) -> CloudErrorKind {
    CloudErrorKind::Conflict(format!("the name `{name}` is taken"))
}
