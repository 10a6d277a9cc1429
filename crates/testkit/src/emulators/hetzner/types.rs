//! Server types: their shapes, where each is sold, and for how much.

use serde_json::{Value, json};
use stagecraft_core::desired::Arch;

use super::money::Money;
use super::places::{EUROPE, PLACES};

/// When a type that is gone went, and when that was announced.
const GONE: (&str, &str) = ("2023-10-31T23:59:59Z", "2023-07-16T08:00:00Z");
/// When a type that is going goes, and when that was announced.
const GOING: (&str, &str) = ("2037-12-31T23:59:59Z", "2023-07-16T08:00:00Z");
/// Traffic a server may send for nothing, in bytes: in Europe and elsewhere.
const TRAFFIC: [u64; 2] = [20 << 40, 1 << 40];

const OVERSEAS: &[&str] = &["ash", "hil", "sin"];
const ALMOST_EVERYWHERE: &[&str] = &["fsn1", "nbg1", "hel1", "ash", "sin"];
const EVERYWHERE: &[&str] = &["fsn1", "nbg1", "hel1", "ash", "hil", "sin"];

/// One server type.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) arch: Arch,
    pub(super) disk: u32,
    cores: u32,
    memory: u32,
    family: Family,
    offers: &'static [Offer],
}

/// Locations with the same terms.
#[derive(Debug)]
struct Offer {
    places: &'static [&'static str],
    monthly: Money,
    sale: Sale,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sale {
    Open,
    Recommended,
    /// Sold until a time to come.
    Going,
    /// Sold until a time that has passed.
    Gone,
    /// In `locations`, without a price: not sold.
    Unpriced,
    /// With a price, not in `locations`: not sold.
    Unlisted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    CostOptimized,
    Regular,
    Dedicated,
}

use Family::{CostOptimized, Dedicated, Regular};
use Sale::{Going, Gone, Open, Recommended, Unlisted, Unpriced};

/// All server types, by id.
#[rustfmt::skip]
const TYPES: &[Type] = &[
    amd(22, "cpx11", [2, 2, 40], Regular, &[at(EUROPE, 439, Gone), at(OVERSEAS, 449, Open)]),
    amd(23, "cpx21", [3, 4, 80], Regular, &[at(EUROPE, 755, Gone), at(OVERSEAS, 849, Open)]),
    amd(24, "cpx31", [4, 8, 160], Regular, &[at(EUROPE, 1361, Gone), at(OVERSEAS, 1549, Open)]),
    amd(25, "cpx41", [8, 16, 240], Regular, &[at(EUROPE, 2521, Gone),
        at(&["ash", "hil"], 2849, Open), at(&["sin"], 3049, Going)]),
    amd(26, "cpx51", [16, 32, 360], Regular, &[at(EUROPE, 5483, Gone), at(OVERSEAS, 6149, Open)]),
    arm(45, "cax11", [2, 4, 40], &[at(EUROPE, 379, Recommended), at(&["ash"], 399, Unlisted)]),
    arm(93, "cax21", [4, 8, 80], &[at(EUROPE, 649, Recommended)]),
    arm(94, "cax31", [8, 16, 160], &[at(EUROPE, 1249, Recommended)]),
    arm(95, "cax41", [16, 32, 320], &[at(EUROPE, 2449, Open)]),
    amd(96, "ccx13", [2, 8, 80], Dedicated, &[at(EVERYWHERE, 1249, Open)]),
    amd(97, "ccx23", [4, 16, 160], Dedicated, &[at(EVERYWHERE, 2449, Open)]),
    amd(98, "ccx33", [8, 32, 240], Dedicated, &[at(EVERYWHERE, 4849, Open)]),
    amd(99, "ccx43", [16, 64, 360], Dedicated, &[at(EVERYWHERE, 9649, Open)]),
    amd(100, "ccx53", [32, 128, 600], Dedicated, &[at(EVERYWHERE, 19249, Open)]),
    amd(101, "ccx63", [48, 192, 960], Dedicated, &[at(EVERYWHERE, 28849, Open)]),
    amd(104, "cx22", [2, 4, 40], CostOptimized, &[at(EUROPE, 329, Gone)]),
    amd(105, "cx32", [4, 8, 80], CostOptimized, &[at(EUROPE, 569, Gone)]),
    amd(106, "cx42", [8, 16, 160], CostOptimized, &[at(EUROPE, 1399, Gone)]),
    amd(107, "cx52", [16, 32, 320], CostOptimized, &[at(EUROPE, 2799, Gone)]),
    amd(108, "cpx12", [1, 2, 40], Regular, &[at(EUROPE, 499, Open)]),
    amd(109, "cpx22", [2, 4, 80], Regular, &[at(ALMOST_EVERYWHERE, 649, Recommended)]),
    amd(110, "cpx32", [4, 8, 160], Regular, &[at(ALMOST_EVERYWHERE, 1099, Recommended)]),
    amd(111, "cpx42", [8, 16, 320], Regular, &[at(ALMOST_EVERYWHERE, 1999, Recommended)]),
    amd(112, "cpx52", [12, 24, 480], Regular, &[at(EUROPE, 2899, Open)]),
    amd(113, "cpx62", [16, 32, 640], Regular, &[at(EUROPE, 3899, Open), at(&["sin"], 0, Unpriced)]),
    amd(114, "cx23", [2, 4, 40], CostOptimized, &[at(EUROPE, 349, Recommended)]),
    amd(115, "cx33", [4, 8, 80], CostOptimized, &[at(EUROPE, 549, Recommended)]),
    amd(116, "cx43", [8, 16, 160], CostOptimized, &[at(EUROPE, 949, Recommended)]),
    amd(117, "cx53", [16, 32, 320], CostOptimized, &[at(EUROPE, 1749, Open)]),
];

/// What nobody has at the start: a type and a location.
pub(super) const OUT_OF_STOCK: (&str, &str) = ("cx43", "nbg1");

impl Type {
    /// All of them, by id.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        TYPES.iter()
    }

    /// The type of this name or id.
    pub(super) fn find(given: &str) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.name == given || known.id.to_string() == given)
    }

    /// The oldest there is, for servers of types that are long forgotten.
    pub(super) fn oldest() -> &'static Self {
        &TYPES[0]
    }

    /// Where it is sold, whether in stock or not, and for how much a month.
    pub(super) fn sold(&self) -> impl Iterator<Item = (&'static str, Money)> {
        let sold = |offer: &&Offer| matches!(offer.sale, Open | Recommended | Going);
        self.offers
            .iter()
            .filter(sold)
            .flat_map(|offer| offer.places.iter().map(|place| (*place, offer.monthly)))
    }

    /// Traffic a server of this type at `place` may send for nothing, in bytes.
    pub(super) fn traffic(place: &str) -> u64 {
        TRAFFIC[usize::from(!EUROPE.contains(&place))]
    }

    /// Its prices as the API shows them.
    pub(super) fn prices(&self) -> Vec<Value> {
        self.terms()
            .filter(|(_, offer)| offer.sale != Unpriced)
            .map(|(place, offer)| {
                json!({
                    "location": place,
                    "price_hourly": offer.monthly.hourly().shown(),
                    "price_monthly": offer.monthly.shown(),
                    "included_traffic": Self::traffic(place),
                    "price_per_tb_traffic": Money::cents(100).shown(),
                })
            })
            .collect()
    }

    /// As the API shows it; `in_stock` says so of a location.
    pub(super) fn shown(&self, in_stock: impl Fn(&str) -> bool) -> Value {
        let ended = self.offers.iter().any(|offer| offer.sale == Gone);
        let locations: Vec<Value> = self
            .terms()
            .filter(|(_, offer)| offer.sale != Unlisted)
            .map(|(place, offer)| {
                json!({
                    "id": PLACES.iter().find(|known| known.name == place).map(|known| known.id),
                    "name": place,
                    "deprecation": deprecation(offer.sale),
                    "recommended": offer.sale == Recommended,
                    "available": !matches!(offer.sale, Gone | Unpriced) && in_stock(place),
                })
            })
            .collect();
        let (cpu, category) = match self.family {
            CostOptimized => ("shared", "Cost-Optimized"),
            Regular => ("shared", "Regular Performance"),
            Dedicated => ("dedicated", "General Purpose"),
        };
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.name.to_uppercase(),
            "cores": self.cores,
            "memory": f64::from(self.memory),
            "disk": self.disk,
            "deprecated": ended,
            "prices": self.prices(),
            "storage_type": "local",
            "cpu_type": cpu,
            "category": category,
            "architecture": word(self.arch),
            "deprecation": if ended { deprecation(Gone) } else { Value::Null },
            "locations": locations,
        })
    }

    fn terms(&self) -> impl Iterator<Item = (&'static str, &'static Offer)> {
        self.offers.iter().flat_map(|offer| offer.places.iter().map(move |place| (*place, offer)))
    }
}

/// The API's word for an architecture.
pub(super) fn word(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "x86",
        Arch::Arm64 => "arm",
    }
}

fn deprecation(sale: Sale) -> Value {
    let (after, announced) = match sale {
        Gone => GONE,
        Going => GOING,
        Open | Recommended | Unpriced | Unlisted => return Value::Null,
    };
    json!({ "unavailable_after": after, "announced": announced })
}

const fn at(places: &'static [&'static str], cents: u64, sale: Sale) -> Offer {
    Offer { places, monthly: Money::cents(cents), sale }
}

const fn amd(
    id: u64,
    name: &'static str,
    [cores, memory, disk]: [u32; 3],
    family: Family,
    offers: &'static [Offer],
) -> Type {
    Type { id, name, arch: Arch::Amd64, disk, cores, memory, family, offers }
}

const fn arm(
    id: u64,
    name: &'static str,
    [cores, memory, disk]: [u32; 3],
    offers: &'static [Offer],
) -> Type {
    Type { id, name, arch: Arch::Arm64, disk, cores, memory, family: CostOptimized, offers }
}
