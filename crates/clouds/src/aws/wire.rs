//! Answers of the EC2 Query API 2016-11-15, of STS and of SSM, as far as we read them.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A list as EC2 writes it: an element around one `item` for each.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct Set<T> {
    #[serde(default = "Vec::new", rename = "item")]
    pub(super) items: Vec<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

/// A page of a list. One may be empty although more follow.
pub(super) trait Page {
    type Item;
    /// What is on it, and the token of the next; empty or missing at the end.
    fn turn(self) -> (Vec<Self::Item>, Option<String>);
}

macro_rules! page {
    ($(#[$doc:meta])* $name:ident, $field:ident, $item:ty) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(super) struct $name {
            #[serde(default)]
            pub(super) $field: Set<$item>,
            next_token: Option<String>,
        }

        impl Page for $name {
            type Item = $item;

            fn turn(self) -> (Vec<$item>, Option<String>) {
                (self.$field.items, self.next_token.filter(|token| !token.is_empty()))
            }
        }
    };
}

page!(
    /// `DescribeInstances`.
    Reservations, reservation_set, Reservation
);
page!(
    /// `DescribeInstanceTypes`.
    Types, instance_type_set, InstanceType
);
page!(
    /// `DescribeInstanceTypeOfferings`.
    Offerings, instance_type_offering_set, Offering
);
page!(
    /// `DescribeSubnets`.
    Subnets, subnet_set, Subnet
);
page!(
    /// `DescribeSecurityGroups`.
    Groups, security_group_info, Group
);
page!(
    /// `DescribeRegions`, which has one page.
    Regions, region_info, RegionInfo
);
page!(
    /// `DescribeKeyPairs`, which has one page.
    KeyPairs, key_set, KeyPair
);

/// Instances that were ordered together; also the answer of `RunInstances`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reservation {
    #[serde(default)]
    pub(super) instances_set: Set<Instance>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    pub(super) instance_id: String,
    pub(super) instance_state: State,
    pub(super) instance_type: String,
    pub(super) architecture: Option<String>,
    /// `spot`, or nothing.
    pub(super) instance_lifecycle: Option<String>,
    pub(super) private_ip_address: Option<String>,
    pub(super) ip_address: Option<String>,
    pub(super) launch_time: String,
    pub(super) client_token: Option<String>,
    pub(super) state_reason: Option<StateReason>,
    #[serde(default)]
    pub(super) tag_set: Set<Tag>,
    #[serde(default)]
    pub(super) network_interface_set: Set<Interface>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct State {
    /// Only the low byte has a meaning.
    pub(super) code: u32,
}

/// Why an instance left the state before, e.g. `Server.SpotInstanceTermination`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct StateReason {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Interface {
    pub(super) attachment: Option<Attachment>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    pub(super) attach_time: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceType {
    pub(super) instance_type: String,
    pub(super) processor_info: Option<ProcessorInfo>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProcessorInfo {
    #[serde(default)]
    pub(super) supported_architectures: Set<String>,
}

/// An instance type in an Availability Zone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Offering {
    pub(super) instance_type: String,
    pub(super) location: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subnet {
    pub(super) subnet_id: String,
    pub(super) vpc_id: String,
    pub(super) availability_zone: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) group_id: String,
    pub(super) group_name: String,
    #[serde(default)]
    pub(super) ip_permissions: Set<Permission>,
    #[serde(default)]
    pub(super) tag_set: Set<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    pub(super) ip_protocol: String,
    pub(super) from_port: Option<i32>,
    pub(super) to_port: Option<i32>,
    #[serde(default)]
    pub(super) ip_ranges: Set<IgnoredAny>,
    #[serde(default)]
    pub(super) ipv6_ranges: Set<IgnoredAny>,
}

/// `CreateSecurityGroup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MadeGroup {
    pub(super) group_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegionInfo {
    pub(super) region_name: String,
    /// `not-opted-in` where the account cannot use it.
    pub(super) opt_in_status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyPair {
    pub(super) key_name: String,
}

/// `GetCallerIdentity` of STS.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Caller {
    pub(super) get_caller_identity_result: CallerIdentity,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CallerIdentity {
    pub(super) account: String,
    pub(super) arn: String,
}

/// `GetParameter` of SSM.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Parameter {
    pub(super) parameter: ParameterValue,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ParameterValue {
    pub(super) value: String,
}

/// An error of a service, whichever way it writes one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
}

/// EC2: `<Response><Errors><Error>`, with `<RequestID>`. STS: `<ErrorResponse><Error>`, with
/// `<RequestId>`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Refused {
    #[serde(default)]
    errors: Errors,
    error: Option<Fault>,
    #[serde(rename = "RequestID", alias = "RequestId")]
    request_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Errors {
    #[serde(default)]
    error: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fault {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let Refused { errors, error, request_id } = refused;
        let first = errors.error.into_iter().chain(error).next();
        let Fault { code, message } =
            first.unwrap_or(Fault { code: String::new(), message: String::new() });
        Self { code, message, request_id }
    }
}

/// SSM: `{"__type": "…#ParameterNotFound", "message": "…"}`.
impl<'de> Deserialize<'de> for Problem {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let code = text("__type").unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let message = text("message").or_else(|| text("Message")).unwrap_or_default();
        Ok(Self { code, message, request_id: None })
    }
}
