//! `/sizes`, `/regions`, `/images`, and what the world is told of them.

use serde_json::json;
use stagecraft_core::cloud::{Price, SizeOffer};
use stagecraft_core::desired::Arch;
use stagecraft_core::name::{Image as ImageName, Region, Size as SizeName};

use super::images::{IMAGES, Image};
use super::paging::paged;
use super::places::{PLACES, Place};
use super::problem::Problem;
use super::sizes::{SIZES, Size};
use super::turn::{Done, Turn};
use crate::world::World;

/// Lets a world sell what the API offers.
pub(super) fn stock(world: &mut World) {
    let catalogue = world.catalogue();
    catalogue.regions = PLACES.iter().map(|place| Region::from(place.slug)).collect();
    let price = |size: &Size| Price { cents: u64::from(size.cents), currency: "USD".to_owned() };
    catalogue.sizes = SIZES
        .iter()
        .map(|size| SizeOffer {
            size: SizeName(size.slug.to_owned()),
            arch: Arch::Amd64,
            regions: size
                .regions()
                .into_iter()
                .map(|region| (Region::from(region), Some(price(size))))
                .collect(),
        })
        .collect();
    catalogue.portable_sizes.clear();
    let offered = IMAGES.iter().filter(|image| image.is_offered());
    let word = |image: &Image| (ImageName::from(image.word().as_str()), Arch::Amd64);
    catalogue.images = offered.map(word).collect();
    catalogue.spot = false;
}

impl Turn<'_> {
    /// `GET /sizes`.
    pub(super) fn list_sizes(&mut self) -> Done {
        self.ask_catalogue()?;
        Ok((200, paged(self.call, "sizes", SIZES.iter().collect(), Size::shown)?))
    }

    /// `GET /regions`.
    pub(super) fn list_regions(&mut self) -> Done {
        self.ask_catalogue()?;
        Ok((200, paged(self.call, "regions", PLACES.iter().collect(), Place::shown)?))
    }

    /// `GET /images`.
    pub(super) fn list_images(&mut self) -> Done {
        self.ask_catalogue()?;
        let kind = self.call.value("type");
        if kind.is_some_and(|kind| !["application", "distribution"].contains(&kind)) {
            let message = "type must be application or distribution";
            return Err(Problem::unprocessable(message).into());
        }
        // Nobody made images of their own here.
        let own =
            self.call.value("private") == Some("true") || self.call.value("tag_name").is_some();
        let images = IMAGES.iter().filter(|image| !own && image.is_of_type(kind)).collect();
        Ok((200, paged(self.call, "images", images, Image::shown)?))
    }

    /// `GET /images/{id or slug}`.
    pub(super) fn show_image(&mut self, given: &str) -> Done {
        self.ask_catalogue()?;
        let image = Image::find(given).ok_or_else(Problem::not_found)?;
        Ok((200, json!({ "image": image.shown() })))
    }
}
