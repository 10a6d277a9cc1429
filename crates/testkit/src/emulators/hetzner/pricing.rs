//! `GET /pricing`.

use serde_json::{Value, json};

use super::money::{CURRENCY, Money, vat_rate};
use super::places::PLACES;
use super::types::Type;

/// The whole price page.
pub(super) fn shown() -> Value {
    let server_types: Vec<Value> = Type::all()
        .map(|known| json!({ "id": known.id, "name": known.name, "prices": known.prices() }))
        .collect();
    json!({ "pricing": {
        "currency": CURRENCY,
        "vat_rate": vat_rate(),
        "primary_ips": [address("ipv4", 50, true), address("ipv6", 0, true)],
        "floating_ips": [address("ipv4", 300, false), address("ipv6", 100, false)],
        "floating_ip": { "price_monthly": Money::cents(300).shown() },
        "image": { "price_per_gb_month": Money::cents(1).shown() },
        "volume": { "price_per_gb_month": Money::cents(4).shown() },
        "server_backup": { "percentage": "20.0000000000" },
        "server_types": server_types,
        "load_balancer_types": [balancer()],
    }})
}

fn address(kind: &str, cents: u64, hourly: bool) -> Value {
    let monthly = Money::cents(cents);
    let prices: Vec<Value> = PLACES
        .iter()
        .map(|place| {
            let mut price = json!({ "location": place.name, "price_monthly": monthly.shown() });
            if hourly {
                price["price_hourly"] = monthly.hourly().shown();
            }
            price
        })
        .collect();
    json!({ "type": kind, "prices": prices })
}

fn balancer() -> Value {
    let monthly = Money::cents(539);
    let prices: Vec<Value> = PLACES
        .iter()
        .map(|place| {
            json!({
                "location": place.name,
                "price_hourly": monthly.hourly().shown(),
                "price_monthly": monthly.shown(),
                "included_traffic": Type::traffic(place.name),
                "price_per_tb_traffic": Money::cents(100).shown(),
            })
        })
        .collect();
    json!({ "id": 1, "name": "lb11", "prices": prices })
}
