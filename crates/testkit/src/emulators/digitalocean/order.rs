//! Orders for droplets.

use std::collections::BTreeSet;

use serde_json::json;
use stagecraft_core::desired::Arch;
use stagecraft_core::inventory::Spec;
use stagecraft_core::name::{Image as ImageName, Region, Size as SizeName};

use super::account::Extra;
use super::body::Body;
use super::habits::Shortage;
use super::images::Image;
use super::places::{OPEN, PLACES, Place};
use super::problem::Problem;
use super::sizes::Size;
use crate::emulators::Call;
use crate::shared::SharedWorld;
use crate::world::{Labels, Order};

/// The longest user data, in bytes.
const USER_DATA: usize = 64 << 10;
/// The most droplets of one request.
const MOST: usize = 10;
/// The longest name of a droplet.
const LONGEST: usize = 255;

/// What is ordered, as far as it makes sense without knowing the account.
#[derive(Debug)]
pub(super) struct DropletOrder {
    pub(super) names: Vec<String>,
    /// Whether the answer has a list.
    pub(super) several: bool,
    size: &'static Size,
    place: &'static str,
    image: String,
    /// Ids and fingerprints.
    pub(super) keys: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) extra: Extra,
}

impl DropletOrder {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// It is wrong in itself, or names what there is not.
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        let mut body = Body::read(call)?;
        if body.has("name") == body.has("names") {
            body.complain("exactly one of name and names is required".to_owned());
        }
        let several = body.has("names");
        let names = body.texts("names").or_else(|| body.text("name").map(|name| vec![name]));
        let names = names.unwrap_or_default();
        for required in ["size", "image"] {
            if !body.has(required) {
                body.complain(format!("{required} is required"));
            }
        }
        let (size, region) = (body.text("size").unwrap_or_default(), body.text("region"));
        let image = body.slug_or_number("image").unwrap_or_default();
        let keys = body.words("ssh_keys").unwrap_or_default();
        // A list that is `null` is one that is left out.
        let tags = if body.is_null("tags") { None } else { body.texts("tags") };
        let mut extra = Extra {
            ipv6: body.flag("ipv6").unwrap_or_default(),
            monitoring: body.flag("monitoring").unwrap_or_default(),
            backups: body.flag("backups").unwrap_or_default(),
            user_data: body.text("user_data"),
            keys: Vec::new(),
        };
        body.flag("private_networking");
        body.flag("with_droplet_agent");
        body.flag("public_networking");
        body.text("vpc_uuid");
        body.texts("volumes");
        body.ignore("backup_policy");
        body.finish()?;
        extra.user_data = extra.user_data.filter(|user_data| !user_data.is_empty());
        if extra.user_data.as_ref().is_some_and(|user_data| user_data.len() > USER_DATA) {
            return Err(Problem::unprocessable("User data is too long, the limit is 64 KiB."));
        }
        if names.is_empty() || names.len() > MOST {
            return Err(Problem::unprocessable(format!("between 1 and {MOST} names can be given")));
        }
        names.iter().try_for_each(|name| check_name(name))?;
        let size = Size::named(&size).ok_or_else(|| invalid("size"))?;
        let place = place(region.as_deref(), size)?;
        let image = Image::find(&image)
            .filter(|image| image.is_offered())
            .ok_or_else(|| invalid("image"))?;
        let (image, tags) = (image.word(), tags.unwrap_or_default());
        Ok(Self { names, several, size, place, image, keys, tags, extra })
    }

    /// The order for one of the machines.
    pub(super) fn of(&self, name: &str, tags: &BTreeSet<String>) -> Order {
        Order {
            name: name.to_owned(),
            labels: Labels::new(),
            tags: tags.clone(),
            spec: Spec {
                region: Region::from(self.place),
                size: SizeName(self.size.slug.to_owned()),
                image: ImageName::from(self.image.as_str()),
                arch: Arch::Amd64,
                spot: false,
            },
            user_data: self.extra.user_data.clone(),
        }
    }

    /// A shortage, told the way that `habit` is.
    pub(super) fn shortage(&self, habit: Shortage, world: &SharedWorld) -> Problem {
        let slug = self.size.slug;
        match habit {
            Shortage::NotInRegion => not_in_region(),
            Shortage::Temporary => {
                let (mut regions, size) = (self.size.regions(), SizeName(slug.to_owned()));
                world.with(|world, _| {
                    let sold_out = &world.behaviour().sold_out;
                    regions.retain(|region| {
                        !sold_out.contains(&(size.clone(), Region::from(*region)))
                    });
                });
                let message = format!("size {slug} is temporarily unavailable in {}", self.place);
                Problem::unprocessable(message).about(json!({ "available_regions": regions }))
            }
        }
    }
}

/// Whether a droplet may have this name.
///
/// # Errors
/// It may not.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || b".-".contains(&letter);
    let ends = name.ends_with(|letter: char| letter.is_ascii_alphanumeric());
    if ends && name.len() <= LONGEST && name.bytes().all(fits) {
        return Ok(());
    }
    let message = "Name Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)";
    Err(Problem::unprocessable(message))
}

/// The region that is meant, by its name or the beginning of it, or by nothing.
fn place(asked: Option<&str>, size: &Size) -> Result<&'static str, Problem> {
    let sold = size.regions();
    let asked = asked.unwrap_or_default();
    if let Some(place) = Place::named(asked) {
        return match (place.available, sold.contains(&place.slug)) {
            (false, _) => Err(Problem::unprocessable("Region is not available")),
            (true, false) => Err(not_in_region()),
            (true, true) => Ok(place.slug),
        };
    }
    let meant: Vec<&'static str> =
        PLACES.iter().map(|place| place.slug).filter(|slug| slug.starts_with(asked)).collect();
    if meant.is_empty() {
        return Err(invalid("region"));
    }
    let open = |slug: &&&'static str| OPEN.contains(slug) && sold.contains(slug);
    meant.iter().find(open).copied().ok_or_else(not_in_region)
}

fn not_in_region() -> Problem {
    Problem::unprocessable("Size is not available in this region.")
}

fn invalid(what: &str) -> Problem {
    Problem::unprocessable(format!("You specified an invalid {what} for Droplet creation."))
}
