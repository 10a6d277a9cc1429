mod addresses;
mod ways;

use data_encoding::BASE64;
use proptest::prelude::*;

use super::super::conf::Conf;
use super::*;
use crate::converge::Assessment;
use crate::network::{Member, NetworkProvider as _};
use crate::remote::Output;

/// Real hosts as far as a meeting sees them: what is on their disks.
#[derive(Clone, Debug, Default)]
struct Hosts {
    disks: BTreeMap<HostName, Disk>,
    /// Those that do not answer.
    silent: BTreeSet<HostName>,
    /// How many keys were made; no two are alike.
    keys: u8,
}

#[derive(Clone, Debug)]
struct Disk {
    key: u8,
    conf: String,
    right: bool,
}

#[test]
fn all_hosts_get_addresses_and_know_each_other() {
    let mut hosts = Hosts::of(["app-1", "app-2", "db-1"]);
    let meeting = hosts.meet();
    assert_eq!(meeting.join.len(), 3);
    assert_eq!(meeting.verify, names(["app-1", "app-2", "db-1"]));
    hosts.obey(&meeting);
    hosts.assert_meshed();
    assert!(hosts.meet().join.is_empty(), "nothing is left to do");
    assert!(hosts.meet().verify.is_empty());
}

#[test]
fn a_host_that_comes_moves_nobody_and_everybody_is_told() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    let before = hosts.addresses();
    hosts.add("app-3");
    let meeting = hosts.meet();
    assert_eq!(meeting.join.len(), 4);
    assert_eq!(meeting.verify, names(["app-3"]), "its own ways are the only new ones");
    assert_eq!(doing(&meeting, "app-1"), "telling it of app-3");
    assert_eq!(doing(&meeting, "app-3"), "joining the mesh");
    hosts.obey(&meeting);
    hosts.assert_meshed();
    let after = hosts.addresses();
    assert!(before.iter().all(|(host, address)| after.get(host) == Some(address)));
}

#[test]
fn a_host_that_goes_is_forgotten_by_all_and_its_address_is_free() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    hosts.disks.remove(&host("app-2"));
    let meeting = hosts.meet();
    assert_eq!(doing(&meeting, "db-1"), "forgetting app-2");
    assert!(meeting.verify.is_empty(), "no way is new");
    hosts.obey(&meeting);
    hosts.assert_meshed();
    assert!(hosts.disks.values().all(|disk| !disk.conf.contains("app-2")));
}

#[test]
fn a_replaced_host_keeps_its_address_and_not_its_key() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    let before = hosts.addresses();
    hosts.add("app-2");
    let meeting = hosts.meet();
    hosts.obey(&meeting);
    hosts.assert_meshed();
    assert_eq!(hosts.addresses(), before);
}

#[test]
fn a_host_that_does_not_answer_stays_as_the_others_know_it_and_joins_later() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    hosts.silent.insert(host("db-1"));
    assert!(hosts.meet().join.is_empty(), "it was not removed, so nobody forgets it");
    hosts.add("app-3");
    let meeting = hosts.meet();
    hosts.obey(&meeting);
    let knows = |hosts: &Hosts, one: &str, other: &str| {
        hosts.disks[&host(one)].conf.contains(&format!("# {other}.shop.internal\n"))
    };
    assert!(knows(&hosts, "app-3", "db-1"), "the others have told");
    assert!(!knows(&hosts, "db-1", "app-3"), "it could not be told yet");
    hosts.silent.clear();
    let meeting = hosts.meet();
    assert_eq!(meeting.join.keys().collect::<Vec<_>>(), [&host("db-1")]);
    assert_eq!(meeting.verify, names(["app-3"]), "db-1 did not know it");
    hosts.obey(&meeting);
    hosts.assert_meshed();
}

#[test]
fn a_host_nobody_ever_heard_of_holds_nobody_up() {
    let mut hosts = Hosts::of(["app-1", "app-2", "db-1"]);
    hosts.silent.insert(host("db-1"));
    let meeting = hosts.meet();
    hosts.obey(&meeting);
    assert_eq!(hosts.disks[&host("app-1")].conf.matches("[Peer]").count(), 1);
}

#[test]
fn what_is_wrong_on_one_host_is_mended_there_only() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    hosts.disks.get_mut(&host("db-1")).unwrap().right = false;
    let meeting = hosts.meet();
    assert_eq!(doing(&meeting, "db-1"), "mending the mesh");
    assert_eq!(meeting.join.len(), 1);
}

#[test]
fn a_host_with_a_new_address_of_its_own_is_told_to_all_others() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    let mut attendees = hosts.attendees();
    attendees.get_mut(&host("db-1")).unwrap().member.address =
        Some("198.51.100.9".parse().unwrap());
    let meeting = meet(&network("10.66.0.0/16"), &attendees);
    assert_eq!(meeting.join.keys().cloned().collect::<BTreeSet<_>>(), names(["app-1", "app-2"]));
    assert_eq!(meeting.verify, names(["db-1"]));
    hosts.obey(&meeting);
    assert!(hosts.disks[&host("app-1")].conf.contains("Endpoint = 198.51.100.9:51820\n"));
}

#[test]
fn a_copied_key_is_refused_and_the_host_others_know_by_it_stays() {
    for copy in ["aaa-1", "zzz-1"] {
        let mut hosts = Hosts::meshed(["app-1", "db-1"]);
        let disk = hosts.disks[&host("app-1")].clone();
        hosts.disks.insert(host(copy), disk);
        let meeting = hosts.meet();
        assert_eq!(
            meeting.refused[&host(copy)].message,
            format!("`{copy}` has the same WireGuard key as `app-1`")
        );
        assert_eq!(meeting.refused.len(), 1);
        assert!(meeting.join.is_empty());
    }
    let mut hosts = Hosts::of(["app-1", "app-2", "db-1"]);
    let disk = hosts.disks[&host("app-1")].clone();
    hosts.disks.insert(host("app-2"), disk);
    let refused = hosts.meet().refused;
    assert!(refused.keys().eq(&[host("app-1"), host("app-2")]), "nobody knows whose it is");
}

#[test]
fn a_host_that_lies_puts_no_other_out_of_the_mesh() {
    for liar in ["app-1", "app-2", "app-3"] {
        let mut hosts = Hosts::meshed(["app-1", "app-2", "app-3", "db-1"]);
        hosts.silent = names(["db-1"]);
        // It says that the host that does not answer has its own key.
        let key_of = |hosts: &Hosts, name: &str| key(hosts.disks[&host(name)].key);
        let (own, absent) = (key_of(&hosts, liar), key_of(&hosts, "db-1"));
        for name in ["app-1", "app-2", "app-3"].into_iter().filter(|name| *name != liar) {
            // Nobody else knows better.
            hosts.disks.get_mut(&host(name)).unwrap().conf.clear();
        }
        let disk = hosts.disks.get_mut(&host(liar)).unwrap();
        disk.conf = disk.conf.replace(&absent, &own);
        assert!(hosts.meet().refused.is_empty(), "{liar}");

        // It shows the key of another, which it cannot use, and says that all know it by that.
        let mut hosts = Hosts::meshed(["app-1", "app-2", "app-3", "db-1"]);
        let stolen = hosts.disks[&host("db-1")].key;
        let disk = hosts.disks.get_mut(&host(liar)).unwrap();
        disk.key = stolen;
        disk.conf = disk.conf.replace("# db-1.", &format!("# {liar}."));
        assert!(hosts.meet().refused.keys().eq(&[host(liar)]), "{liar}");
    }
}

#[test]
fn an_answer_that_is_not_understood_makes_nobody_forget_its_host() {
    let hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    for said in ["", "public=\nsh: 1: wg: not found\n"] {
        let mut attendees = hosts.attendees();
        let output = Output { status: 124, stdout: said.to_owned(), ..Output::default() };
        attendees.get_mut(&host("db-1")).unwrap().seen = Some(vec![output]);
        assert!(meet(&network("10.66.0.0/16"), &attendees).join.is_empty(), "{said}");
    }
    let mut attendees = hosts.attendees();
    let output = Output { stdout: "public=none\n".to_owned(), ..Output::default() };
    attendees.get_mut(&host("db-1")).unwrap().seen = Some(vec![output]);
    assert_eq!(meet(&network("10.66.0.0/16"), &attendees).join.len(), 2, "it has lost its key");
}

#[test]
fn what_most_others_say_of_a_host_that_does_not_answer_is_believed() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "app-3", "db-1"]);
    let real = key(hosts.disks[&host("db-1")].key);
    hosts.silent.insert(host("db-1"));
    // One sorts before the real key, the other after it.
    for wrong in [key(0), key(200)] {
        let mut hosts = hosts.clone();
        let disk = hosts.disks.get_mut(&host("app-2")).unwrap();
        disk.conf = disk.conf.replace(&real, &wrong);
        let meeting = hosts.meet();
        assert_eq!(meeting.join.keys().collect::<Vec<_>>(), [&host("app-2")], "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_happened_one_run_that_reaches_all_makes_it_right(
        events in prop::collection::vec((0..5_u8, 0..9_u8), 1..30),
    ) {
        let mut hosts = Hosts::default();
        for (what, which) in events {
            let name = format!("host-{which}");
            match what {
                0 | 1 => hosts.add(&name),
                2 => drop(hosts.disks.remove(&host(&name))),
                3 => drop(hosts.silent.insert(host(&name))),
                _ => drop(hosts.silent.remove(&host(&name))),
            }
            let before = hosts.addresses();
            let meeting = hosts.meet();
            prop_assert!(meeting.refused.is_empty());
            hosts.obey(&meeting);
            let after = hosts.addresses();
            for (host, address) in &before {
                // Whoever could not be told of the others may have to move once it can.
                if hosts.silent.is_empty() && hosts.disks.contains_key(host) && what < 3 {
                    prop_assert_eq!(after.get(host), Some(address), "{} moved", host);
                }
            }
        }
        hosts.silent.clear();
        hosts.obey(&hosts.meet());
        hosts.assert_meshed();
        prop_assert!(hosts.meet().join.is_empty());
    }
}

impl Hosts {
    fn of<const N: usize>(names: [&str; N]) -> Self {
        let mut hosts = Self::default();
        names.into_iter().for_each(|name| hosts.add(name));
        hosts
    }

    fn meshed<const N: usize>(names: [&str; N]) -> Self {
        let mut hosts = Self::of(names);
        hosts.obey(&hosts.meet());
        hosts
    }

    /// A fresh machine, also in the place of one of the same name.
    fn add(&mut self, name: &str) {
        self.keys += 1;
        let disk = Disk { key: self.keys, conf: String::new(), right: false };
        self.disks.insert(host(name), disk);
    }

    fn attendees(&self) -> BTreeMap<HostName, Attendee> {
        self.disks.iter().map(|(host, disk)| (host.clone(), self.attendee(host, disk))).collect()
    }

    fn attendee(&self, name: &HostName, disk: &Disk) -> Attendee {
        let mut stdout = format!("public={}\n", key(disk.key));
        stdout.extend(disk.conf.lines().map(|line| format!("conf={line}\n")));
        if disk.right {
            stdout.push_str("right=yes\n");
        }
        let there = self.disks.iter().filter(|(host, _)| !self.silent.contains(*host));
        stdout.extend(there.map(|(_, other)| format!("heard={}\n", key(other.key))));
        // By name, so that it stays when others come and go.
        let address = [203, 0, 113, name.as_str().bytes().fold(0, u8::wrapping_add)];
        Attendee {
            member: Member {
                host: name.clone(),
                role: "app".parse().unwrap(),
                tags: BTreeSet::new(),
                address: Some(IpAddr::from(address)),
            },
            seen: (!self.silent.contains(name))
                .then(|| vec![Output { stdout, ..Output::default() }]),
        }
    }

    fn meet(&self) -> Meeting {
        meet(&network("10.66.0.0/16"), &self.attendees())
    }

    fn obey(&mut self, meeting: &Meeting) {
        for (host, steps) in &meeting.join {
            let Assessment::Needs(changes) = steps[0].assess(&[Output::default()]) else {
                panic!("nothing to do for {host}");
            };
            let text = changes[0].command.stdin().unwrap().to_vec();
            let disk = self.disks.get_mut(host).unwrap();
            disk.conf = String::from_utf8(text).unwrap();
            disk.right = true;
        }
    }

    fn addresses(&self) -> BTreeMap<HostName, IpAddr> {
        let conf = |disk: &Disk| Some(Conf::parse(&disk.conf)?.address.addr());
        self.disks.iter().filter_map(|(host, disk)| Some((host.clone(), conf(disk)?))).collect()
    }

    /// Every host knows every other, as it is, and nobody else.
    fn assert_meshed(&self) {
        let addresses = self.addresses();
        assert_eq!(addresses.len(), self.disks.len());
        assert_eq!(addresses.values().collect::<BTreeSet<_>>().len(), self.disks.len());
        for (name, disk) in &self.disks {
            let peers = Conf::parse(&disk.conf).unwrap().peers;
            assert_eq!(peers.len() + 1, self.disks.len(), "{name}");
            for (peer, record) in peers {
                assert_eq!(record.key.to_string(), key(self.disks[&peer].key), "{name} of {peer}");
                assert_eq!(record.address, addresses[&peer], "{name} of {peer}");
            }
        }
    }
}

fn doing(meeting: &Meeting, name: &str) -> String {
    match meeting.join[&host(name)][0].assess(&[Output::default()]) {
        Assessment::Needs(changes) => changes[1].doing.clone(),
        other @ (Assessment::Satisfied | Assessment::Blocked(_)) => panic!("{other:?}"),
    }
}

fn network(range: &str) -> WireGuard {
    WireGuard { range: range.parse().unwrap(), port: 51820, domain: "shop.internal".to_owned() }
}

fn key(number: u8) -> String {
    BASE64.encode(&[number; 32])
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<HostName> {
    names.into_iter().map(host).collect()
}

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}
