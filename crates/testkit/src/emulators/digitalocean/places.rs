//! The regions there are.

/// The regions in which everything can be ordered.
pub(super) const OPEN: [&str; 10] =
    ["nyc1", "nyc3", "sfo3", "ams3", "sgp1", "lon1", "fra1", "tor1", "blr1", "syd1"];

/// A region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) available: bool,
}

/// All regions; some take no new machines.
pub(super) const PLACES: [Place; 14] = [
    Place { slug: "nyc1", name: "New York 1", available: true },
    Place { slug: "sfo1", name: "San Francisco 1", available: false },
    Place { slug: "nyc2", name: "New York 2", available: true },
    Place { slug: "ams2", name: "Amsterdam 2", available: false },
    Place { slug: "sgp1", name: "Singapore 1", available: true },
    Place { slug: "lon1", name: "London 1", available: true },
    Place { slug: "nyc3", name: "New York 3", available: true },
    Place { slug: "ams3", name: "Amsterdam 3", available: true },
    Place { slug: "fra1", name: "Frankfurt 1", available: true },
    Place { slug: "tor1", name: "Toronto 1", available: true },
    Place { slug: "sfo2", name: "San Francisco 2", available: false },
    Place { slug: "blr1", name: "Bangalore 1", available: true },
    Place { slug: "sfo3", name: "San Francisco 3", available: true },
    Place { slug: "syd1", name: "Sydney 1", available: true },
];

impl Place {
    /// The region of this slug.
    pub(super) fn named(slug: &str) -> Option<&'static Self> {
        PLACES.iter().find(|place| place.slug == slug)
    }
}
