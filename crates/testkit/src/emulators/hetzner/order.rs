//! The body of an order for a server, understood and checked.

use std::collections::BTreeSet;

use stagecraft_core::inventory::Spec;

use super::account::Keys;
use super::body::{Body, name_or_id};
use super::images::Image;
use super::places::Place;
use super::problem::Problem;
use super::types::Type;
use crate::world::{Labels, Order};

/// The most bytes of user data.
const USER_DATA: usize = 32 * 1024;

/// An order that can be carried out, if there is room.
#[derive(Debug)]
pub(super) struct ServerOrder {
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) kind: &'static Type,
    pub(super) image: &'static Image,
    /// `None` leaves it to the provider.
    pub(super) place: Option<&'static Place>,
    /// Public keys.
    pub(super) keys: Vec<String>,
    pub(super) user_data: Option<String>,
    pub(super) switched_on: bool,
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
}

impl ServerOrder {
    /// Reads the body of `POST /servers`.
    ///
    /// # Errors
    /// Everything that is wrong with its fields, or that what it names does not exist.
    pub(super) fn read(bytes: &[u8], keys: &Keys) -> Result<Self, Problem> {
        let mut body = Body::read(bytes)?;
        let name = body.required("name");
        body.check_host_name(&name);
        let kind = body.required_name_or_id("server_type");
        let image = body.required_name_or_id("image");
        let place = body.text("location");
        let labels = body.labels().unwrap_or_default();
        let user_data = body.text("user_data");
        if user_data.as_ref().is_some_and(|data| data.len() > USER_DATA) {
            body.complain("user_data", "Length must be between 0 and 32768.");
        }
        let wanted_keys = body.take("ssh_keys", "an array of names or ids", |value| {
            value.as_array()?.iter().map(name_or_id).collect::<Option<Vec<_>>>()
        });
        let switched_on = body.flag("start_after_create").unwrap_or(true);
        let [ipv4, ipv6] = public_net(&mut body);
        body.flag("automount");
        if body.take("placement_group", "an integer", |value| value.as_u64()).is_some() {
            body.complain("placement_group", "there are none in this project");
        }
        for unsupported in ["volumes", "networks", "firewalls"] {
            if body.list(unsupported).is_some_and(|items| !items.is_empty()) {
                body.complain(unsupported, "there are none in this project");
            }
        }
        body.finish()?;

        let unknown = |field: &str, what: &str, given: &str| {
            Problem::invalid_field(field, &format!("{what} '{given}' not found"))
        };
        let kind = Type::find(&kind).ok_or_else(|| unknown("server_type", "server type", &kind))?;
        let place = place
            .map(|given| Place::find(&given).ok_or_else(|| unknown("location", "location", &given)))
            .transpose()?;
        let found = match image.parse() {
            Ok(id) => Image::numbered(id),
            Err(_) => Image::named(&image, kind.arch),
        };
        let image = found.ok_or_else(|| unknown("image", "image", &image))?;
        if image.arch != kind.arch {
            let message = "image architecture does not match the server type";
            return Err(Problem::invalid_field("image", message));
        }
        let keys = wanted_keys
            .unwrap_or_default()
            .iter()
            .map(|given| match keys.find(given) {
                Some(key) => Ok(key.public_key.clone()),
                None => Err(unknown("ssh_keys", "SSH key", given)),
            })
            .collect::<Result<_, _>>()?;
        let order =
            Self { name, labels, kind, image, place, keys, user_data, switched_on, ipv4, ipv6 };
        Ok(order)
    }

    /// The order in the world's terms.
    pub(super) fn at(&self, place: &str) -> Order {
        Order {
            name: self.name.clone(),
            labels: self.labels.clone(),
            tags: BTreeSet::new(),
            spec: Spec {
                region: place.into(),
                size: self.kind.name.into(),
                image: self.image.key().as_str().into(),
                arch: self.kind.arch,
                spot: false,
            },
            user_data: self.user_data.clone(),
        }
    }
}

/// Whether an IPv4 and an IPv6 are wanted.
fn public_net(body: &mut Body) -> [bool; 2] {
    let wanted = body.take("public_net", "an object that enables addresses", |value| {
        let mut wanted = [true, true];
        for (key, value) in value.as_object()? {
            match key.as_str() {
                "enable_ipv4" => wanted[0] = value.as_bool()?,
                "enable_ipv6" => wanted[1] = value.as_bool()?,
                // Addresses of their own do not exist in this project.
                "ipv4" | "ipv6" if value.is_null() => {}
                _ => return None,
            }
        }
        Some(wanted)
    });
    wanted.unwrap_or([true, true])
}
