//! Questions to the APIs, and instances of EC2 as [`Instance`]s, as pure functions.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use stagecraft_core::desired::{Arch, ProviderId};
use stagecraft_core::inventory::{Instance, Lifecycle, Owner, Spec};
use stagecraft_core::name::{InstanceId, Region, Scope};

use super::labels::{self, Labels, Market};
use super::query::Query;
use super::wire;
use crate::http::{Request, since_1970, words};

/// Items per page of instances: as many as the API gives.
const PER_PAGE: u32 = 1000;
/// How long after its launch an instance without a public address is taken to be still waiting for one.
const YOUNG: Duration = Duration::from_secs(90);

/// Who asks.
pub(super) fn caller() -> Request {
    Query::sts("GetCallerIdentity").request()
}

/// All regions, those that the account has not opted in to included.
pub(super) fn regions() -> Request {
    Query::ec2("DescribeRegions").with("AllRegions", true).request()
}

/// All instances of an environment, also those that were terminated within the last hour.
pub(super) fn instances(scope: &Scope) -> Query {
    of_scope(Query::ec2("DescribeInstances"), scope).with("MaxResults", PER_PAGE)
}

/// All instances of one host, likewise.
pub(super) fn instances_of(owner: &Owner) -> Query {
    let tag = format!("tag:{}", labels::HOST);
    instances(&owner.scope).filtered(&tag, [owner.host.as_str()])
}

/// The instances that an order of this token made.
pub(super) fn instances_by_token(token: &str) -> Query {
    Query::ec2("DescribeInstances").filtered("client-token", [token]).with("MaxResults", PER_PAGE)
}

/// One instance. Pages and ids exclude each other.
pub(super) fn instance_by_id(id: &InstanceId) -> Request {
    Query::ec2("DescribeInstances").with_list("InstanceId", [id.as_str()]).request()
}

/// Terminates one instance: of a batch one bad id would fail all.
pub(super) fn terminate(id: &InstanceId) -> Request {
    Query::ec2("TerminateInstances").with_list("InstanceId", [id.as_str()]).request()
}

pub(super) fn start(id: &InstanceId) -> Request {
    Query::ec2("StartInstances").with_list("InstanceId", [id.as_str()]).request()
}

/// Writes tags; those of the same keys are replaced, others stay.
pub(super) fn write_tags(id: &InstanceId, tags: &Labels) -> Request {
    Query::ec2("CreateTags").with_list("ResourceId", [id.as_str()]).with_tags("Tag", tags).request()
}

/// Takes off the tags of these keys.
pub(super) fn remove_tags(id: &InstanceId, keys: &BTreeSet<String>) -> Request {
    let query = Query::ec2("DeleteTags").with_list("ResourceId", [id.as_str()]);
    let numbered = keys.iter().enumerate();
    numbered
        .fold(query, |query, (at, key)| query.with(format!("Tag.{}.Key", at + 1), key))
        .request()
}

/// The subnets that can be used without being named, one for each zone.
pub(super) fn default_subnets() -> Query {
    Query::ec2("DescribeSubnets").filtered("default-for-az", ["true"])
}

pub(super) fn subnet(id: &str) -> Query {
    Query::ec2("DescribeSubnets").filtered("subnet-id", [id])
}

/// The security group of an environment in a VPC, whosever it is.
pub(super) fn group_named(name: &str, vpc: &str) -> Query {
    Query::ec2("DescribeSecurityGroups").filtered("group-name", [name]).filtered("vpc-id", [vpc])
}

/// The security groups that an environment has.
pub(super) fn groups(scope: &Scope) -> Query {
    of_scope(Query::ec2("DescribeSecurityGroups"), scope)
}

pub(super) fn make_group(name: &str, vpc: &str, scope: &Scope) -> Request {
    let description =
        format!("Hosts of {} {}, made by Stagecraft", scope.project, scope.environment);
    Query::ec2("CreateSecurityGroup")
        .with("GroupName", name)
        .with("GroupDescription", description)
        .with("VpcId", vpc)
        .with("TagSpecification.1.ResourceType", "security-group")
        .with_tags("TagSpecification.1.Tag", &labels::of_scope(scope))
        .request()
}

/// A port that everybody may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    /// `tcp` or `udp`.
    pub(super) protocol: &'static str,
    pub(super) port: u16,
}

pub(super) fn open(group: &str, opening: Opening) -> Request {
    let Opening { protocol, port } = opening;
    Query::ec2("AuthorizeSecurityGroupIngress")
        .with("GroupId", group)
        .with("IpPermissions.1.IpProtocol", protocol)
        .with("IpPermissions.1.FromPort", port)
        .with("IpPermissions.1.ToPort", port)
        .with("IpPermissions.1.IpRanges.1.CidrIp", ANYWHERE)
        .with("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", ANYWHERE_6)
        .request()
}

pub(super) fn remove_group(id: &str) -> Request {
    Query::ec2("DeleteSecurityGroup").with("GroupId", id).request()
}

/// Why a spot instance ended that AWS needed elsewhere.
const INTERRUPTED: &str = "Server.SpotInstanceTermination";
const ANY_PROTOCOL: &str = "-1";
const ANYWHERE: &str = "0.0.0.0/0";
const ANYWHERE_6: &str = "::/0";

/// Whether a group has a rule that lets addresses reach a port. One for other groups does not count: it
/// is about private addresses.
pub(super) fn has_rule(group: &wire::Group, opening: Opening) -> bool {
    let port = i32::from(opening.port);
    group.ip_permissions.items.iter().any(|rule| {
        let ports = rule.from_port.zip(rule.to_port);
        let is_about = rule.ip_protocol == ANY_PROTOCOL
            || (rule.ip_protocol == opening.protocol
                && ports.is_some_and(|(from, to)| (from..=to).contains(&port)));
        is_about && !(rule.ip_ranges.items.is_empty() && rule.ipv6_ranges.items.is_empty())
    })
}

pub(super) fn key_pairs() -> Request {
    Query::ec2("DescribeKeyPairs").request()
}

/// The value of a public parameter of SSM.
pub(super) fn parameter(name: &str) -> Request {
    Request::post([], json!({ "Name": name }))
        .of_type("application/x-amz-json-1.1")
        .with_header("x-amz-target", "AmazonSSM.GetParameter")
}

fn of_scope(query: Query, scope: &Scope) -> Query {
    query
        .filtered(&format!("tag:{}", labels::PROJECT), [scope.project.as_str()])
        .filtered(&format!("tag:{}", labels::ENVIRONMENT), [scope.environment.as_str()])
}

/// An instance of EC2 in our words, as it was answered at `now`; `None` when it is not ours.
pub(super) fn instance(
    of: &wire::Instance,
    region: &Region,
    now: Option<SystemTime>,
) -> Option<Instance> {
    let tags = labels::read(&of.tag_set);
    let owner = labels::owner(&tags)?;
    let marks = labels::marks(&tags)?;
    let market = labels::ordered(&tags);
    let is_spot = of.instance_lifecycle.as_deref() == Some("spot");
    let launched = since_1970(&of.launch_time).unwrap_or_default();
    let address = address(of, is_young(launched, now));
    Some(Instance {
        id: of.instance_id.as_str().into(),
        provider: ProviderId::Aws,
        owner,
        lifecycle: lifecycle(of.instance_state.code, address.is_some()),
        spec: Spec {
            region: region.clone(),
            size: of.instance_type.as_str().into(),
            // Somebody who edits tags by hand may have lost ours.
            image: labels::image(&tags).unwrap_or_else(|| "unknown".into()),
            arch: of.architecture.as_deref().and_then(arch).unwrap_or(Arch::Amd64),
            // What was asked for: a host that is on demand for want of spot instances is as asked.
            spot: is_spot || market != Market::OnDemand,
        },
        marks,
        pins: labels::pins(&tags),
        address,
        ssh: None,
        created_at: u64::try_from(created(of, launched).as_millis()).unwrap_or(u64::MAX),
        trouble: trouble(of, &market).map(|why| words(&why)),
    })
}

/// Whether an instance is terminated, or on its way there.
pub(super) fn is_ended(of: &wire::Instance) -> bool {
    matches!(of.instance_state.code & 0xff, 32 | 48)
}

/// An architecture in our words, if it is one of those we know.
pub(super) fn arch(name: &str) -> Option<Arch> {
    match name {
        "x86_64" => Some(Arch::Amd64),
        "arm64" => Some(Arch::Arm64),
        _ => None,
    }
}

/// The high byte of a state's code is for AWS alone.
fn lifecycle(code: u32, reachable: bool) -> Lifecycle {
    match code & 0xff {
        16 if reachable => Lifecycle::Running,
        32 => Lifecycle::Terminating,
        48 => Lifecycle::Terminated,
        64 | 80 => Lifecycle::Stopped,
        _ => Lifecycle::Pending,
    }
}

/// The public address; the private one of an instance that seems to get no public one.
fn address(of: &wire::Instance, is_young: bool) -> Option<IpAddr> {
    let public = of.ip_address.as_deref().and_then(|text| text.parse().ok());
    let private = || of.private_ip_address.as_deref()?.parse().ok();
    public.or_else(|| private().filter(|_| !is_young))
}

fn is_young(launched: Duration, now: Option<SystemTime>) -> bool {
    let age = || now?.duration_since(UNIX_EPOCH.checked_add(launched)?).ok();
    age().is_none_or(|age| age < YOUNG)
}

/// When it was ordered. The launch time becomes a later one when an instance is switched on again, the
/// time its first interface was attached does not.
fn created(of: &wire::Instance, launched: Duration) -> Duration {
    let attached =
        of.network_interface_set.items.iter().filter_map(|interface| {
            since_1970(interface.attachment.as_ref()?.attach_time.as_deref()?)
        });
    attached.chain([launched]).min().unwrap_or(launched)
}

/// Why it is not what was asked for, or ended without being told to.
fn trouble(of: &wire::Instance, market: &Market) -> Option<String> {
    if let Some(reason) = &of.state_reason
        && (is_ended(of) || of.instance_state.code & 0xff == 80)
        && !reason.code.starts_with("Client.User")
        && !reason.code.is_empty()
    {
        if reason.code == INTERRUPTED {
            return Some(format!("AWS took the spot instance back ({INTERRUPTED})"));
        }
        let words = reason.message.trim().trim_start_matches(&reason.code).trim_start_matches(": ");
        return Some(match words {
            "" => reason.code.clone(),
            words => format!("{words} ({})", reason.code),
        });
    }
    match market {
        Market::Instead(code) => {
            Some(format!("no spot instance was to be had ({code}): on demand"))
        }
        Market::OnDemand | Market::Spot => None,
    }
}

#[cfg(test)]
mod tests;
