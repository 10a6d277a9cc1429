//! `/server_types`, `/images`, `/locations`, `/pricing`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stagecraft_core::cloud::{Catalogue, Price, SizeOffer};
use stagecraft_core::desired::Arch;

use super::images::Image;
use super::money::{CURRENCY, Money};
use super::paging::sorted;
use super::places::{PLACES, Place};
use super::pricing;
use super::problem::Problem;
use super::turn::{Done, Turn};
use super::types::{Type, word};

impl Turn<'_> {
    /// `GET /server_types`.
    pub(super) fn list_types(&mut self) -> Done {
        self.ask_catalogue()?;
        let (page, name) = (self.page()?, self.call.value("name"));
        let mut types: Vec<Value> = Type::all()
            .filter(|known| name.is_none_or(|name| known.name == name))
            .map(|known| self.server_type(known))
            .collect();
        if self.account.habits.novelties && name.is_none() {
            types.push(novel_type());
        }
        let silent = self.account.habits.silent_totals;
        Ok((200, page.of("server_types", types, silent, |shown| shown)))
    }

    /// `GET /server_types/{id}`.
    pub(super) fn show_type(&mut self, id: u64) -> Done {
        self.ask_catalogue()?;
        let known = Type::all().find(|known| known.id == id);
        let known = known.ok_or_else(|| Problem::not_found("server type", id))?;
        Ok((200, json!({ "server_type": self.server_type(known) })))
    }

    /// `GET /images`.
    pub(super) fn list_images(&mut self) -> Done {
        self.ask_catalogue()?;
        let (page, selector) = (self.page()?, self.selector()?);
        let (name, kinds) = (self.call.value("name"), self.call.values("type"));
        let (arches, statuses) = (self.call.values("architecture"), self.call.values("status"));
        let old = self.call.value("include_deprecated") == Some("true");
        let mut images: Vec<&Image> = Image::all()
            .filter(|image| name.is_none_or(|name| image.name == Some(name)))
            .filter(|image| kinds.is_empty() || kinds.contains(&image.kind))
            .filter(|image| arches.is_empty() || arches.contains(&word(image.arch)))
            .filter(|_| statuses.is_empty() || statuses.contains(&"available"))
            .filter(|image| old || image.deprecated.is_none())
            .filter(|_| self.call.value("bound_to").is_none() && selector.picks(&[].into()))
            .collect();
        sorted(&mut images, &self.call.values("sort"), |image, by| match by {
            "id" => Some((image.id, String::new())),
            "name" => Some((0, image.key())),
            "created" => Some((0, String::new())),
            _ => None,
        })?;
        let habits = self.account.habits;
        let shown = |image: &Image| {
            let mut shown = image.shown();
            if habits.novelties && image.kind == "app" {
                shown["os_flavor"] = json!("nixos");
            }
            shown
        };
        Ok((200, page.of("images", images, habits.silent_totals, shown)))
    }

    /// `GET /images/{id}`.
    pub(super) fn show_image(&mut self, id: u64) -> Done {
        self.ask_catalogue()?;
        let image = Image::numbered(id).ok_or_else(|| Problem::not_found("image", id))?;
        Ok((200, json!({ "image": image.shown() })))
    }

    /// `GET /locations`.
    pub(super) fn list_places(&mut self) -> Done {
        self.ask_catalogue()?;
        let (page, name) = (self.page()?, self.call.value("name"));
        let mut places: Vec<&Place> =
            PLACES.iter().filter(|place| name.is_none_or(|name| place.name == name)).collect();
        sorted(&mut places, &self.call.values("sort"), |place, by| match by {
            "id" => Some((place.id, String::new())),
            "name" => Some((0, place.name.to_owned())),
            _ => None,
        })?;
        let silent = self.account.habits.silent_totals;
        Ok((200, page.of("locations", places, silent, Place::shown)))
    }

    /// `GET /locations/{id}`.
    pub(super) fn show_place(&mut self, id: u64) -> Done {
        self.ask_catalogue()?;
        let place = PLACES.iter().find(|place| place.id == id);
        let place = place.ok_or_else(|| Problem::not_found("location", id))?;
        Ok((200, json!({ "location": place.shown() })))
    }

    /// `GET /pricing`.
    pub(super) fn show_pricing(&mut self) -> Done {
        self.ask_catalogue()?;
        Ok((200, pricing::shown()))
    }

    fn server_type(&self, known: &Type) -> Value {
        known.shown(|place| self.in_stock(known.name, place))
    }
}

/// All that is sold, stock or no stock, as a world keeps it.
pub(super) fn offer() -> Catalogue {
    let price = |monthly: Money| Price { cents: monthly.gross_cents(), currency: CURRENCY.into() };
    let sizes = Type::all().map(|known| SizeOffer {
        size: known.name.into(),
        arch: known.arch,
        regions: known
            .sold()
            .map(|(place, monthly)| (place.into(), Some(price(monthly))))
            .collect(),
    });
    Catalogue {
        regions: PLACES.iter().map(|place| place.name.into()).collect(),
        sizes: sizes.collect(),
        portable_sizes: BTreeMap::new(),
        images: Image::all().map(|image| (image.key().as_str().into(), image.arch)).collect(),
        ssh_keys: None,
        regional_keys: [].into(),
        limits: [].into(),
        default_arch: Arch::Amd64,
        spot: false,
    }
}

/// A type of an architecture that nobody knows yet, with a price nobody can beat.
fn novel_type() -> Value {
    let model = Type::find("cx23").map(|known| known.shown(|_| true));
    let mut shown = model.unwrap_or_default();
    shown["id"] = json!(900);
    shown["name"] = json!("ax23");
    shown["cpu_type"] = json!("burstable");
    shown["architecture"] = json!("riscv");
    for price in shown["prices"].as_array_mut().into_iter().flatten() {
        price["price_monthly"] = json!({ "net": "0.0100000000", "gross": "0.0119000000000000" });
    }
    shown
}
