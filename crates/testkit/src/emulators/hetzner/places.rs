//! Where servers stand.

use serde_json::{Value, json};

/// One location.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) id: u64,
    pub(super) name: &'static str,
    description: &'static str,
    country: &'static str,
    city: &'static str,
    latitude: f64,
    longitude: f64,
    zone: &'static str,
}

/// The locations in Europe.
pub(super) const EUROPE: &[&str] = &["fsn1", "nbg1", "hel1"];

/// All locations, by id.
pub(super) const PLACES: [Place; 6] = [
    place(
        1,
        "fsn1",
        "Falkenstein DC Park 1",
        "DE",
        "Falkenstein",
        50.47612,
        12.370071,
        "eu-central",
    ),
    place(2, "nbg1", "Nuremberg DC Park 1", "DE", "Nuremberg", 49.452102, 11.076665, "eu-central"),
    place(3, "hel1", "Helsinki DC Park 1", "FI", "Helsinki", 60.169855, 24.938379, "eu-central"),
    place(4, "ash", "Ashburn, VA", "US", "Ashburn, VA", 39.045821, -77.487073, "us-east"),
    place(5, "hil", "Hillsboro, OR", "US", "Hillsboro, OR", 45.54222, -122.951924, "us-west"),
    place(6, "sin", "Singapore", "SG", "Singapore", 1.283333, 103.833333, "ap-southeast"),
];

impl Place {
    /// The location of this name or id.
    pub(super) fn find(given: &str) -> Option<&'static Self> {
        PLACES.iter().find(|place| place.name == given || place.id.to_string() == given)
    }

    /// As the API shows it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "country": self.country,
            "city": self.city,
            "latitude": self.latitude,
            "longitude": self.longitude,
            "network_zone": self.zone,
        })
    }
}

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
const fn place(
    id: u64,
    name: &'static str,
    description: &'static str,
    country: &'static str,
    city: &'static str,
    latitude: f64,
    longitude: f64,
    zone: &'static str,
) -> Place {
    Place { id, name, description, country, city, latitude, longitude, zone }
}
