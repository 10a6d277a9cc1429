use super::*;
use crate::aws::fixtures;

#[test]
fn an_instance_is_what_was_ordered() {
    let order = fixtures::order("db-1");
    let read = read(&format!("{RUNNING}{PUBLIC}"), None).unwrap();
    assert_eq!(read.id, InstanceId::from("i-1234567890abcdef0"));
    assert_eq!(read.owner, order.owner);
    assert_eq!(read.spec, order.spec);
    assert_eq!(read.marks, order.marks);
    assert_eq!(read.lifecycle, Lifecycle::Running);
    assert_eq!(read.address, Some([203, 0, 113, 7].into()));
    assert_eq!(read.created_at, 1_795_168_800_000);
    assert_eq!(read.trouble, None);
}

#[test]
fn only_the_low_byte_of_a_state_counts() {
    for (code, expected) in [
        (0, Lifecycle::Pending),
        (16, Lifecycle::Running),
        (256 + 16, Lifecycle::Running),
        (32, Lifecycle::Terminating),
        (48, Lifecycle::Terminated),
        (64, Lifecycle::Stopped),
        (80, Lifecycle::Stopped),
        (99, Lifecycle::Pending),
    ] {
        assert_eq!(lifecycle(code, true), expected, "{code}");
    }
    assert_eq!(lifecycle(16, false), Lifecycle::Pending);
}

#[test]
fn a_young_instance_is_waited_for_until_its_public_address_is_there() {
    let launched = UNIX_EPOCH + Duration::from_millis(1_795_168_800_000);
    let young = read(RUNNING, Some(launched + Duration::from_secs(5))).unwrap();
    assert_eq!((young.lifecycle, young.address), (Lifecycle::Pending, None));
    let old = read(RUNNING, Some(launched + YOUNG)).unwrap();
    assert_eq!(old.lifecycle, Lifecycle::Running);
    assert_eq!(old.address, Some([192, 168, 1, 88].into()), "it has no public one");
}

#[test]
fn switching_on_makes_no_instance_younger() {
    let attached = "<networkInterfaceSet><item><attachment><attachTime>2026-11-19T10:00:00Z\
                    </attachTime></attachment></item></networkInterfaceSet>";
    let read = read(&format!("{RUNNING}{attached}"), None).unwrap();
    assert_eq!(read.created_at, 1_795_082_400_000);
}

#[test]
fn an_instance_of_another_scope_or_without_our_tags_is_its_owners() {
    let answer = fixtures::described(RUNNING).replace("stagecraft.host", "team.host");
    assert_eq!(parsed(&answer, None), None);
}

#[test]
fn a_spot_host_that_runs_on_demand_is_as_asked_and_says_why() {
    let tag = "<item><key>stagecraft.spot</key><value>InsufficientInstanceCapacity</value></item>";
    let answer = fixtures::described(RUNNING).replacen("<tagSet>", &format!("<tagSet>{tag}"), 1);
    let read = parsed(&answer, None).unwrap();
    assert!(read.spec.spot);
    assert_eq!(
        read.trouble.as_deref(),
        Some("no spot instance was to be had (InsufficientInstanceCapacity): on demand")
    );
}

#[test]
fn an_interrupted_spot_host_says_that_it_was() {
    let ended = "<instanceState><code>48</code><name>terminated</name></instanceState>\
                 <instanceLifecycle>spot</instanceLifecycle><stateReason>\
                 <code>Server.SpotInstanceTermination</code>\
                 <message>Server.SpotInstanceTermination: Spot instance termination</message>\
                 </stateReason>";
    let read = read(ended, None).unwrap();
    assert_eq!((read.lifecycle, read.spec.spot), (Lifecycle::Terminated, true));
    assert_eq!(
        read.trouble.as_deref(),
        Some("AWS took the spot instance back (Server.SpotInstanceTermination)")
    );
    let by_user = ended.replace("Server.SpotInstanceTermination", "Client.UserInitiatedShutdown");
    assert_eq!(super::tests::read(&by_user, None).unwrap().trouble, None);
}

#[test]
fn lists_of_instances_are_asked_for_by_tags_and_single_ones_without_pages() {
    let owner = fixtures::order("db-1").owner;
    let mut expected = vec![
        "Action=DescribeInstances",
        "Version=2016-11-15",
        "Filter.1.Name=tag:stagecraft.project",
        "Filter.1.Value.1=shop",
        "Filter.2.Name=tag:stagecraft.environment",
        "Filter.2.Value.1=staging",
        "MaxResults=1000",
    ];
    assert_eq!(instances(&owner.scope).request().fields(), expected);
    expected.extend(["Filter.3.Name=tag:stagecraft.host", "Filter.3.Value.1=db-1"]);
    assert_eq!(instances_of(&owner).request().fields(), expected);
    let one = ["Action=DescribeInstances", "Version=2016-11-15", "InstanceId.1=i-1"];
    assert_eq!(instance_by_id(&"i-1".into()).fields(), one);
}

#[test]
fn a_group_opens_one_port_to_everybody() {
    let opening = Opening { protocol: "udp", port: 51820 };
    let expected = [
        "Action=AuthorizeSecurityGroupIngress",
        "Version=2016-11-15",
        "GroupId=sg-1",
        "IpPermissions.1.IpProtocol=udp",
        "IpPermissions.1.FromPort=51820",
        "IpPermissions.1.ToPort=51820",
        "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0",
        "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0",
    ];
    assert_eq!(open("sg-1", opening).fields(), expected);
}

#[test]
fn a_port_has_a_rule_when_addresses_can_reach_it_and_be_they_few() {
    const ALL: &str = "<ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>";
    const FEW: &str = "<ipv6Ranges><item><cidrIpv6>2001:db8::/48</cidrIpv6></item></ipv6Ranges>";
    const GROUP: &str = "<groups><item><groupId>sg-1</groupId></item></groups><ipRanges/>";
    let group = |about: &str, whom: &str| {
        let text = format!(
            "<a><groupId>sg-1</groupId><groupName>g</groupName><ipPermissions><item>{about}{whom}\
             </item></ipPermissions></a>"
        );
        quick_xml::de::from_str::<wire::Group>(&text).unwrap()
    };
    let tcp = |from: u16, to: u16| {
        format!("<ipProtocol>tcp</ipProtocol><fromPort>{from}</fromPort><toPort>{to}</toPort>")
    };
    let ssh = Opening { protocol: "tcp", port: 22 };
    assert!(has_rule(&group(&tcp(22, 22), ALL), ssh));
    assert!(has_rule(&group(&tcp(1, 100), FEW), ssh));
    assert!(!has_rule(&group(&tcp(80, 80), ALL), ssh));
    assert!(!has_rule(&group(&tcp(22, 22), ALL), Opening { protocol: "udp", port: 22 }));
    let everything = "<ipProtocol>-1</ipProtocol>";
    assert!(has_rule(&group(everything, ALL), ssh));
    assert!(!has_rule(&group(everything, GROUP), ssh));
}

#[test]
fn a_page_may_be_empty_although_more_follow() {
    let empty = "<DescribeInstancesResponse><reservationSet/><nextToken>t-2</nextToken>\
                 </DescribeInstancesResponse>";
    let page: wire::Reservations = quick_xml::de::from_str(empty).unwrap();
    let (items, next) = wire::Page::turn(page);
    assert_eq!((items.len(), next.as_deref()), (0, Some("t-2")));
    let last = empty.replace("t-2", "");
    let page: wire::Reservations = quick_xml::de::from_str(&last).unwrap();
    assert_eq!(wire::Page::turn(page).1, None);
}

const RUNNING: &str = "<instanceState><code>16</code><name>running</name></instanceState>";
const PUBLIC: &str = "<ipAddress>203.0.113.7</ipAddress>";

fn read(inside: &str, now: Option<SystemTime>) -> Option<Instance> {
    parsed(&fixtures::described(inside), now)
}

fn parsed(answer: &str, now: Option<SystemTime>) -> Option<Instance> {
    let page: wire::Reservations = quick_xml::de::from_str(answer).unwrap();
    let found = wire::Page::turn(page).0;
    instance(&found[0].instances_set.items[0], &"us-east-1".into(), now)
}
