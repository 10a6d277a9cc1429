use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::parts;
use crate::converge::{Assessment, Step};
use crate::name::HostName;
use crate::network::{Attendee, Meeting, Member, Mesh as _, NetworkProvider as _, WireGuard};
use crate::remote::Output;
use crate::script::{value, values};

/// What the hosts of a mesh say. The first part is its range; each further part is what one host
/// prints, and an empty one a host that cannot be reached. However they lie, no address is given twice,
/// and where nobody is refused, those who were told the outcome have nothing to be told again.
pub fn mesh(input: &[u8]) {
    let parts = parts(input);
    let (range, said) = parts.split_first().expect("there is a first part");
    let range = range.trim().parse::<IpNet>().map(|range| range.trunc());
    let network = network(range.unwrap_or_else(|_| "10.66.0.0/29".parse().expect("a range")));
    let mut attendees: BTreeMap<HostName, Attendee> =
        said.iter().take(8).enumerate().map(|(number, text)| attendee(number, text)).collect();
    let first = network.meet(&attendees);
    assert_eq!(format!("{first:?}"), format!("{:?}", network.meet(&attendees)), "it differs");
    let _known = network.known(&attendees);
    told(&network, &first, &mut attendees);
    let again = network.meet(&attendees);
    // Those who are refused keep on saying what they said.
    let settled = again.join.is_empty() || !first.refused.is_empty();
    assert!(settled, "{:?} is told again: {:?}", again.join, attendees);
    for (host, attendee) in &attendees {
        let seen = attendee.seen.as_deref().unwrap_or_default();
        let membership = network.membership(host, seen);
        let peers = membership.peers.keys().cloned().collect();
        for step in network.verify(host, &peers) {
            let _assessment = step.assess(&[Output::default()]);
        }
    }
}

pub(super) fn network(range: IpNet) -> WireGuard {
    WireGuard { range, port: 51820, domain: "shop.internal".to_owned() }
}

fn attendee(number: usize, text: &str) -> (HostName, Attendee) {
    let host: HostName = format!("app-{number}").parse().expect("a name");
    let member = Member {
        host: host.clone(),
        role: "app".parse().expect("a name"),
        tags: BTreeSet::new(),
        address: (number % 3 < 2).then(|| [203, 0, 113, 7].into()),
    };
    let output = Output { stdout: text.to_owned(), ..Output::default() };
    (host, Attendee { member, seen: (!text.is_empty()).then(|| vec![output]) })
}

/// Lets every host do what the meeting wants of it.
fn told(network: &WireGuard, meeting: &Meeting, attendees: &mut BTreeMap<HostName, Attendee>) {
    let mut addresses: BTreeMap<IpAddr, &HostName> = BTreeMap::new();
    for (host, steps) in &meeting.join {
        assert!(!meeting.refused.contains_key(host), "`{host}` is refused and told to join");
        let text = written(steps);
        let address: IpNet = text
            .lines()
            .find_map(|line| line.strip_prefix("Address = ")?.parse().ok())
            .expect("it has an address");
        assert!(network.range.contains(&address.addr()), "{address} is elsewhere");
        assert_eq!(addresses.insert(address.addr(), host), None, "{address} is given twice");
        let attendee = attendees.get_mut(host).expect("it is one of them");
        let seen = attendee.seen.as_mut().expect("it could be reached");
        let mut stdout = format!("public={}\n", value(&seen[0], "public"));
        stdout.extend(text.lines().flat_map(|line| ["conf=", line, "\n"]));
        stdout.push_str("right=yes\n");
        stdout.extend(values(&seen[0], "heard").flat_map(|key| ["heard=", key, "\n"]));
        *seen = vec![Output { stdout, ..Output::default() }];
    }
}

/// The configuration that a host is to have: nothing in it but what we write.
fn written(steps: &[Box<dyn Step>]) -> String {
    let Assessment::Needs(changes) = steps[0].assess(&[Output::default()]) else {
        panic!("it is told, and there is nothing to do");
    };
    let text = String::from_utf8(changes[0].command.stdin().expect("a file").to_vec());
    let text = text.expect("a text");
    const OURS: [&str; 9] = [
        "# ",
        "[Interface]",
        "[Peer]",
        "Address = ",
        "ListenPort = 51820",
        "PostUp = wg set stagecraft0 ",
        "PublicKey = ",
        "AllowedIPs = ",
        "Endpoint = ",
    ];
    for line in text.lines().filter(|line| !line.is_empty() && *line != "PersistentKeepalive = 25")
    {
        assert!(OURS.iter().any(|start| line.starts_with(start)), "{line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    assert_eq!(text.matches("PostUp").count(), 1, "{text}");
    text
}

#[cfg(test)]
mod tests {
    use super::attendee;

    #[test]
    fn of_three_hosts_one_has_no_address_and_who_says_nothing_could_not_be_reached() {
        let hosts: Vec<_> = (0..4).map(|number| attendee(number, "public=none\n").1).collect();
        let has_address: Vec<_> = hosts.iter().map(|one| one.member.address.is_some()).collect();
        assert_eq!(has_address, [true, true, false, true]);
        let seen = hosts[0].seen.as_ref().expect("it answered");
        assert_eq!(seen[0].stdout, "public=none\n");
        assert_eq!(attendee(0, "").1.seen, None);
    }
}
