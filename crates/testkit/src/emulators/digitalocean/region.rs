//! A region as the API shows it: with the sizes that are sold there.

use serde_json::{Value, json};

use super::places::Place;
use super::sizes::SIZES;

impl Place {
    /// The region as the API shows it.
    pub(super) fn shown(&self) -> Value {
        let sold = SIZES.iter().filter(|size| size.regions().contains(&self.slug));
        let sizes: Vec<&str> = sold.map(|size| size.slug).collect();
        json!({
            "name": self.name,
            "slug": self.slug,
            "features": ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"],
            "available": self.available,
            "sizes": sizes,
        })
    }
}

/// A region as the API shows it, though it may not be one that there is.
pub(super) fn shown(slug: &str) -> Value {
    match Place::named(slug) {
        Some(place) => place.shown(),
        None => json!({
            "name": slug, "slug": slug, "features": [], "available": false, "sizes": [],
        }),
    }
}
