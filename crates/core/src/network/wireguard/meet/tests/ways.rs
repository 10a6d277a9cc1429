//! Who hears whom, and how that is looked into.

use super::*;
use crate::network::Mesh as _;

#[test]
fn members_that_do_not_hear_each_other_are_looked_into() {
    let hosts = Hosts::meshed(["app-1", "app-2"]);
    let mut attendees = hosts.attendees();
    for attendee in attendees.values_mut() {
        for output in attendee.seen.iter_mut().flatten() {
            output.stdout = output.stdout.replace("heard=", "ignored=");
        }
    }
    let meeting = meet(&network("10.66.0.0/16"), &attendees);
    assert!(meeting.join.is_empty());
    assert_eq!(meeting.verify, names(["app-1", "app-2"]));
}

#[test]
fn a_host_that_nobody_hears_is_looked_into_and_not_all_the_others() {
    let hosts = Hosts::meshed(["app-1", "app-2", "app-3", "db-1"]);
    let mut attendees = hosts.attendees();
    let mute = format!("heard={}\n", key(hosts.disks[&host("db-1")].key));
    for (name, attendee) in &mut attendees {
        for output in attendee.seen.iter_mut().flatten() {
            output.stdout = match *name == host("db-1") {
                true => output.stdout.replace("heard=", "ignored="),
                false => output.stdout.replace(&mute, ""),
            };
        }
    }
    assert_eq!(meet(&network("10.66.0.0/16"), &attendees).verify, names(["db-1"]));
}

#[test]
fn a_way_that_works_in_one_direction_only_is_looked_into_where_it_does_not() {
    let verified = |hosts: Hosts, deaf: &str, to: &str| {
        let mut attendees = hosts.attendees();
        let mute = format!("heard={}\n", key(hosts.disks[&host(to)].key));
        let seen = attendees.get_mut(&host(deaf)).unwrap().seen.as_mut().unwrap();
        seen[0].stdout = seen[0].stdout.replace(&mute, "");
        meet(&network("10.66.0.0/16"), &attendees).verify
    };
    let three = Hosts::meshed(["app-1", "app-2", "db-1"]);
    assert_eq!(verified(three, "app-1", "db-1"), names(["app-1"]), "app-2 hears it");
    let two = Hosts::meshed(["app-1", "db-1"]);
    assert_eq!(verified(two, "app-1", "db-1"), names(["db-1"]), "nobody hears it");
}

#[test]
fn a_mesh_knows_everybody_its_members_know() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    hosts.disks.remove(&host("db-1"));
    hosts.silent.insert(host("app-2"));
    let network = network("10.66.0.0/16");
    let mesh = network.mesh().expect("it is one");
    assert_eq!(network.name(), "wireguard");
    let attendees = hosts.attendees();
    assert_eq!(mesh.known(&attendees), names(["app-2", "db-1"]), "those that are gone as well");
    assert_eq!(mesh.meet(&attendees).join.len(), 1);
}

#[test]
fn a_way_is_shown_to_work_by_what_the_host_hears_of_others_and_not_of_itself() {
    let hosts = Hosts::meshed(["app-1", "app-2", "app-3", "db-1"]);
    let network = network("10.66.0.0/16");
    let seen = hosts.attendees()[&host("app-1")].seen.clone().unwrap();
    let heard = seen[0].stdout.clone();
    let waits_for = |peers: BTreeSet<HostName>, silent: &[&str]| {
        let mute =
            silent.iter().map(|name| format!("heard={}\n", key(hosts.disks[&host(name)].key)));
        let stdout = mute.fold(heard.clone(), |heard, line| heard.replace(&line, ""));
        let steps = network.verify(&host("app-1"), &peers);
        let [step] = &steps[..] else { panic!("one step") };
        assert_eq!(step.name(), "wireguard-peers");
        match step.assess(&[Output { stdout, ..Output::default() }]) {
            Assessment::Satisfied => None,
            Assessment::Needs(changes) => Some(changes[0].doing.clone()),
            blocked @ Assessment::Blocked(_) => panic!("{blocked:?}"),
        }
    };
    let all = || names(["app-1", "app-2", "app-3", "db-1"]);
    let waiting = |whom: &str| Some(format!("waiting to hear from {whom}"));
    assert_eq!(waits_for(all(), &[]), None);
    assert_eq!(waits_for(all(), &["app-1"]), None, "nobody hears itself");
    assert_eq!(waits_for(names(["app-1"]), &["db-1"]), None, "there are no others");
    assert_eq!(waits_for(all(), &["db-1"]), waiting("db-1"));
    assert_eq!(waits_for(all(), &["app-2", "db-1"]), waiting("app-2 and db-1"));
    let three = ["app-2", "app-3", "db-1"];
    assert_eq!(waits_for(all(), &three), waiting("app-2 and 2 others"));
}

#[test]
fn a_host_is_given_longer_to_hear_from_a_peer_than_the_script_waits() {
    let peers = names(["app-1", "gone-1"]);
    let steps = network("10.66.0.0/16").verify(&host("app-1"), &peers);
    let Assessment::Needs(changes) = steps[0].assess(&[Output::default()]) else {
        panic!("nothing was heard");
    };
    let command = &changes[0].command;
    assert!(command.to_shell().ends_with(" wireguard-reach stagecraft0 30 gone-1.shop.internal"));
    assert_eq!(command.timeout().as_secs(), 60);
}

#[test]
fn what_a_host_says_of_the_mesh_is_asked_by_every_step_that_reads_it() {
    let hosts = Hosts::of(["app-1", "app-2"]);
    let network = network("10.66.0.0/16");
    let joins = hosts.meet().join.remove(&host("app-1")).expect("it has to join");
    let verify = network.verify(&host("app-1"), &names(["app-2"]));
    let found: Vec<_> =
        joins.iter().chain(&verify).map(|step| (step.name(), step.probe())).collect();
    let look = crate::network::wireguard::look();
    assert_eq!(found, [("wireguard-mesh", vec![look.clone()]), ("wireguard-peers", vec![look])]);
}

#[test]
fn a_host_says_how_it_stands() {
    let mut hosts = Hosts::meshed(["app-1", "app-2", "db-1"]);
    let seen = hosts.attendees()[&host("app-1")].seen.clone().unwrap();
    let membership = network("10.66.0.0/16").membership(&host("app-1"), &seen);
    assert_eq!(membership.name.as_deref(), Some("app-1.shop.internal"));
    assert_eq!(membership.address, Some(hosts.addresses()[&host("app-1")]));
    assert!(membership.peers.keys().eq(&[host("app-2"), host("db-1")]));
    hosts.add("new");
    let seen = hosts.attendees()[&host("new")].seen.clone().unwrap();
    let none = network("10.66.0.0/16").membership(&host("new"), &seen);
    assert_eq!(none, crate::network::Membership::default());
}
