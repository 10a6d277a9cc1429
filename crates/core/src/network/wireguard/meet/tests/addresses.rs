//! Which address is whose.

use super::*;

#[test]
fn a_range_that_is_full_refuses_the_rest_and_changes_nothing_for_the_others() {
    let mut hosts = Hosts::of(["a", "b"]);
    let small = network("10.66.0.0/30");
    hosts.obey(&meet(&small, &hosts.attendees()));
    hosts.add("c");
    let meeting = meet(&small, &hosts.attendees());
    assert!(meeting.join.is_empty());
    let failure = &meeting.refused[&host("c")];
    assert_eq!(failure.message, "all 2 addresses of the mesh's range 10.66.0.0/30 are taken");
}

#[test]
fn a_host_whose_address_is_taken_gets_the_next_one() {
    let small = network("10.66.0.0/29");
    let home = |name: &HostName| nth(&small.range, preferred(name));
    let mut alike = (0..).map(|number| host(&format!("host-{number}")));
    let first = alike.next().unwrap();
    let second = alike.find(|name| home(name) == home(&first)).unwrap();
    let mut hosts = Hosts::of([first.as_str()]);
    hosts.obey(&meet(&small, &hosts.attendees()));
    hosts.add(second.as_str());
    hosts.obey(&meet(&small, &hosts.attendees()));
    let addresses = hosts.addresses();
    assert_eq!(Some(addresses[&first]), home(&first));
    assert_eq!(Some(addresses[&second]), nth(&small.range, preferred(&second) + 1));
}

#[test]
fn another_range_moves_everybody() {
    let mut hosts = Hosts::meshed(["app-1", "app-2"]);
    let other = network("10.99.0.0/24");
    let meeting = meet(&other, &hosts.attendees());
    assert_eq!(meeting.verify.len(), 2);
    hosts.obey(&meeting);
    assert!(meet(&other, &hosts.attendees()).join.is_empty());
    assert!(hosts.addresses().values().all(|address| is_usable(&other.range, *address)));
}

#[test]
fn two_runs_that_see_different_hosts_give_new_ones_different_addresses() {
    let hosts = Hosts::meshed(["app-1"]);
    let with = |new: &str| {
        let mut hosts = hosts.clone();
        hosts.add(new);
        let meeting = hosts.meet();
        hosts.obey(&meeting);
        hosts.addresses()[&host(new)]
    };
    assert_ne!(with("app-2"), with("db-1"));
}

#[test]
fn of_two_hosts_with_one_address_one_moves() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    let taken = hosts.addresses()[&host("app-1")];
    let disk = hosts.disks.get_mut(&host("db-1")).unwrap();
    let mut conf = Conf::parse(&disk.conf).unwrap();
    conf.address = IpNet::new(taken, 16).unwrap();
    disk.conf = conf.render(&host("db-1"), "shop.internal");
    hosts.obey(&hosts.meet());
    hosts.assert_meshed();
    assert_eq!(hosts.addresses()[&host("app-1")], taken);
}
