//! Ids of machines in APIs that number them.

use stagecraft_core::name::InstanceId;

/// The world's id of the machine of this number.
pub(super) fn instance(number: u64) -> InstanceId {
    InstanceId(number.to_string())
}

/// The number of a machine as the API shows it.
pub(super) fn number(id: &InstanceId) -> u64 {
    id.0.parse().unwrap_or_default()
}
