//! Answers of the API, with the fields that are used and no others.
//!
//! What is not described is ignored, words that are not described are `Other`, and what may be null
//! may also be missing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use crate::http::since_1970;

/// A part of a list, whatever it lists.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    #[serde(alias = "servers", alias = "server_types", alias = "images", alias = "ssh_keys")]
    #[serde(alias = "locations")]
    pub(super) items: Vec<T>,
    pub(super) meta: Meta,
}

#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    pub(super) pagination: Pagination,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pagination {
    pub(super) next_page: Option<u64>,
    pub(super) total_entries: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct One {
    pub(super) server: Server,
}

/// The answer to an order. What else is in it, a password among it, is not read.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    pub(super) server: Server,
    pub(super) action: Option<Action>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) next_actions: Vec<Action>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Acted {
    pub(super) action: Action,
}

#[derive(Debug, Deserialize)]
pub(super) struct Actions {
    pub(super) actions: Vec<Action>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Action {
    pub(super) id: u64,
    pub(super) status: ActionStatus,
    pub(super) error: Option<ActionError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ActionStatus {
    Running,
    Success,
    Error,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ActionError {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Server {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: ServerStatus,
    /// Since 1970.
    #[serde(deserialize_with = "moment")]
    pub(super) created: Duration,
    pub(super) public_net: Option<PublicNet>,
    pub(super) server_type: TypeOfServer,
    pub(super) location: Named,
    pub(super) image: Option<ImageOfServer>,
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ServerStatus {
    Initializing,
    Starting,
    Running,
    Stopping,
    Off,
    Deleting,
    Migrating,
    Rebuilding,
    Unknown,
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct PublicNet {
    pub(super) ipv4: Option<Ip>,
    pub(super) ipv6: Option<Ip>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Ip {
    pub(super) ip: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TypeOfServer {
    pub(super) name: String,
    pub(super) architecture: Architecture,
}

#[derive(Debug, Deserialize)]
pub(super) struct ImageOfServer {
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Architecture {
    X86,
    Arm,
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct ServerType {
    pub(super) name: String,
    pub(super) cores: Number,
    /// In GB.
    pub(super) memory: Number,
    pub(super) cpu_type: CpuType,
    pub(super) architecture: Architecture,
    pub(super) prices: Vec<LocationPrice>,
    pub(super) locations: Vec<TypeLocation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CpuType {
    Shared,
    Dedicated,
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct TypeLocation {
    pub(super) name: String,
    pub(super) deprecation: Option<Deprecation>,
    pub(super) available: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Deprecation {
    pub(super) unavailable_after: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LocationPrice {
    pub(super) location: String,
    pub(super) price_monthly: Amount,
}

#[derive(Debug, Deserialize)]
pub(super) struct Amount {
    /// A decimal number, with value added tax.
    pub(super) gross: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Image {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    pub(super) architecture: Architecture,
    pub(super) deprecated: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Priced {
    pub(super) pricing: Pricing,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pricing {
    pub(super) currency: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) primary_ips: Vec<PrimaryIpPrice>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PrimaryIpPrice {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) prices: Vec<LocationPrice>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    pub(super) error: Problem,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Problem {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    /// A different thing for each code, and not always there.
    pub(super) details: Option<Value>,
}

fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    since_1970(&text).ok_or_else(|| D::Error::custom("a time is not one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_described_is_ignored_and_unknown_words_are_other() {
        let server: Server = serde_json::from_value(serde_json::json!({
            "id": 1, "name": "a", "status": "hibernating", "created": "2026-11-20T10:00:00+00:00",
            "server_type": { "name": "rv1", "architecture": "riscv", "cores": 2 },
            "location": { "name": "fsn1" }, "labels": {}, "warp_drive": { "engaged": true },
        }))
        .unwrap();
        assert_eq!(server.status, ServerStatus::Other);
        assert_eq!(server.server_type.architecture, Architecture::Other);
        assert!(server.public_net.is_none() && server.image.is_none());
        let action: Action =
            serde_json::from_value(serde_json::json!({ "id": 1, "status": "paused" })).unwrap();
        assert_eq!(action.status, ActionStatus::Other);
        let kind: CpuType = serde_json::from_value("quantum".into()).unwrap();
        assert_eq!(kind, CpuType::Other);
    }

    #[test]
    fn lists_that_are_null_are_empty() {
        let mut created = serde_json::json!({ "server": crate::hetzner::fixtures::server(1, "a") });
        created["next_actions"] = Value::Null;
        let created: Created = serde_json::from_value(created).unwrap();
        assert_eq!(created.next_actions.len(), 0);
        let pricing = r#"{"currency": "EUR", "primary_ips": null}"#;
        assert_eq!(serde_json::from_str::<Pricing>(pricing).unwrap().primary_ips.len(), 0);
    }

    #[test]
    fn a_list_without_its_pagination_is_not_a_list() {
        let text = r#"{"servers": []}"#;
        assert!(serde_json::from_str::<Page<Server>>(text).is_err());
        let text = r#"{"servers": [], "meta": {"pagination": {"page": 1, "last_page": null}}}"#;
        assert_eq!(
            serde_json::from_str::<Page<Server>>(text).unwrap().meta.pagination.next_page,
            None
        );
    }

    #[test]
    fn a_creation_time_that_is_none_is_not_taken_for_the_oldest() {
        let moment = |text: &str| {
            let deserializer: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
                serde::de::IntoDeserializer::into_deserializer(text);
            moment(deserializer)
        };
        assert_eq!(moment("1970-01-01T00:00:02Z"), Ok(Duration::from_secs(2)));
        assert!(moment("a while ago").is_err());
    }
}
