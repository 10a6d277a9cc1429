//! Who is in the mesh, under which address, and who has to be told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::conf::{Conf, Record};
use super::key::PublicKey;
use super::look::{Said, has_no_key};
use super::mesh::Join;
use super::range::{capacity, is_usable, nth, preferred};
use super::{KEY_FILE, WireGuard};
use crate::error::{Code, Failure};
use crate::name::HostName;
use crate::network::{Attendee, Meeting};

/// What is known of a host before addresses are given.
struct Claim {
    key: PublicKey,
    /// The address it has in its own eyes.
    own: Option<IpAddr>,
    /// The address it has in the eyes of others.
    told: Option<IpAddr>,
}

pub(super) fn meet(network: &WireGuard, attendees: &BTreeMap<HostName, Attendee>) -> Meeting {
    let mut meeting = Meeting::default();
    let said: BTreeMap<&HostName, Said> = attendees
        .iter()
        .filter_map(|(host, one)| Some((host, Said::of(one.seen.as_deref()?)?)))
        .collect();
    let mut claims = claims(network, attendees, &said);
    refuse_twins(&mut claims, &said, &mut meeting);
    let members = members(network, attendees, &claims, &mut meeting);
    for (&host, own) in &said {
        let Some(record) = members.get(host) else { continue };
        let join = join(network, host, record, &members, own);
        if !join.is_done(own) {
            meeting.join.insert(host.clone(), vec![Box::new(join)]);
        }
        let others = said.iter().filter(|(other, _)| **other != host).map(|(_, said)| said);
        if moved(record, own) || known_otherwise(host, record, others) {
            meeting.verify.insert(host.clone());
        }
    }
    meeting.verify.extend(unheard(&said).into_iter().cloned());
    meeting
}

/// Whether a host is not yet where it is to be.
fn moved(record: &Record, own: &Said) -> bool {
    own.conf.as_ref().is_none_or(|conf| conf.address.addr() != record.address)
}

/// Whether some member does not know a host as it is to be.
fn known_otherwise<'s>(
    host: &HostName,
    record: &Record,
    mut others: impl Iterator<Item = &'s Said>,
) -> bool {
    others.any(|other| other.conf.as_ref().is_some_and(|conf| conf.peers.get(host) != Some(record)))
}

/// Of hosts that are up, know each other and do not hear each other, those whose matter it is: one that
/// most others do not hear, or else those that do not hear it.
fn unheard<'h>(said: &BTreeMap<&'h HostName, Said>) -> BTreeSet<&'h HostName> {
    let is_deaf = |own: &Said, peer: &HostName, theirs: &Said| {
        let record = own.conf.as_ref().and_then(|conf| conf.peers.get(peer));
        record.is_some_and(|record| record.key == theirs.key) && !own.heard.contains(&theirs.key)
    };
    let mut whose = BTreeSet::new();
    for (&peer, theirs) in said {
        let deaf: Vec<&HostName> = said
            .iter()
            .filter(|(_, own)| is_deaf(own, peer, theirs))
            .map(|(&host, _)| host)
            .collect();
        let others = said.len() - 1;
        if deaf.len() * 2 > others { whose.extend([peer]) } else { whose.extend(deaf) }
    }
    whose
}

/// What each attendee says of itself; of one that could not be reached, what most others say.
fn claims(
    network: &WireGuard,
    attendees: &BTreeMap<HostName, Attendee>,
    said: &BTreeMap<&HostName, Said>,
) -> BTreeMap<HostName, Claim> {
    let confs = || said.values().filter_map(|said| said.conf.as_ref());
    let mut holders: BTreeMap<&PublicKey, BTreeSet<&HostName>> = BTreeMap::new();
    for (host, said) in said {
        holders.entry(&said.key).or_default().insert(host);
    }
    // Whoever says that a host has the key of another that is here is wrong, or lies.
    let is_anothers = |host: &HostName, key: &PublicKey| {
        holders.get(key).is_some_and(|holders| !holders.contains(host))
    };
    let told = |host: &HostName| {
        let mut votes: BTreeMap<(&PublicKey, IpAddr), usize> = BTreeMap::new();
        let records = confs().filter_map(|conf| conf.peers.get(host));
        for record in records.filter(|record| !is_anothers(host, &record.key)) {
            *votes.entry((&record.key, record.address)).or_default() += 1;
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(record, _)| record)
    };
    let usable = |address: &IpAddr| is_usable(&network.range, *address);
    attendees
        .iter()
        .filter_map(|(host, attendee)| {
            let (told, said) = (told(host), said.get(host));
            let key = match (said, &attendee.seen) {
                (Some(said), _) => said.key.clone(),
                // It has no key, so it is no member, whatever its predecessor was.
                (None, Some(seen)) if has_no_key(seen) => return None,
                (None, _) => told?.0.clone(),
            };
            let own = said.and_then(|said| Some(said.conf.as_ref()?.address.addr()));
            let told = told.map(|(_, address)| address);
            Some((host.clone(), Claim { key, own: own.filter(usable), told: told.filter(usable) }))
        })
        .collect()
}

/// Two hosts with one key are one host for WireGuard, as when the image of one was the other's disk. The
/// one that others know by it stays.
fn refuse_twins(
    claims: &mut BTreeMap<HostName, Claim>,
    said: &BTreeMap<&HostName, Said>,
    meeting: &mut Meeting,
) {
    let mut owners: BTreeMap<PublicKey, Vec<HostName>> = BTreeMap::new();
    for (host, claim) in claims.iter() {
        owners.entry(claim.key.clone()).or_default().push(host.clone());
    }
    for (key, hosts) in owners.into_iter().filter(|(_, hosts)| hosts.len() > 1) {
        // What they say themselves is no proof.
        let others = || said.iter().filter(|(other, _)| !hosts.contains(other));
        let is_known = |host: &HostName| {
            let mut records = others().filter_map(|(_, said)| said.conf.as_ref()?.peers.get(host));
            records.any(|record| record.key == key)
        };
        let known: Vec<&HostName> = hosts.iter().filter(|host| is_known(host)).collect();
        let stays = (known.len() == 1).then(|| known[0]);
        for host in hosts.iter().filter(|host| Some(*host) != stays) {
            let others: Vec<String> = hosts
                .iter()
                .filter(|other| *other != host)
                .map(|other| format!("`{other}`"))
                .collect();
            let message = format!("`{host}` has the same WireGuard key as {}", others.join(", "));
            let failure = Failure::new(Code::NETWORK_JOIN_FAILED, message).with_hint(format!(
                "on the one whose disk is a copy, remove `{KEY_FILE}`, and run `stagecraft infra up` again"
            ));
            meeting.refused.insert(host.clone(), failure);
            claims.remove(host);
        }
    }
}

/// Gives everybody an address: the one it has, the one its name had, or a free one.
fn members(
    network: &WireGuard,
    attendees: &BTreeMap<HostName, Attendee>,
    claims: &BTreeMap<HostName, Claim>,
    meeting: &mut Meeting,
) -> BTreeMap<HostName, Record> {
    let range = &network.range;
    let mut owners: BTreeMap<IpAddr, &HostName> = BTreeMap::new();
    let mut addresses: BTreeMap<&HostName, IpAddr> = BTreeMap::new();
    let mut take = |host, address| {
        let free = !owners.contains_key(&address) && !addresses.contains_key(host);
        if free {
            owners.insert(address, host);
            addresses.insert(host, address);
        }
        free
    };
    // Of two that have the same address, it stays with the one whose name leads to it, or the first.
    let is_home = |host: &HostName, address| nth(range, preferred(host)) == Some(address);
    let (at_home, elsewhere): (Vec<_>, Vec<_>) = claims
        .iter()
        .filter_map(|(host, claim)| Some((host, claim.own?)))
        .partition(|&(host, own)| is_home(host, own));
    let (of_absent, of_others): (Vec<_>, Vec<_>) = claims
        .iter()
        .filter_map(|(host, claim)| Some((host, claim.told?)))
        .partition(|(host, _)| claims[*host].own.is_none());
    let mut without: BTreeSet<&HostName> = claims.keys().collect();
    for (host, address) in at_home.into_iter().chain(of_absent).chain(elsewhere).chain(of_others) {
        if take(host, address) {
            without.remove(host);
        }
    }
    for host in without {
        // As many tries as there are hosts find a free address if there is one.
        let mut tries =
            (0..=claims.len() as u128).filter_map(|further| nth(range, preferred(host) + further));
        if !tries.any(|address| take(host, address)) {
            meeting.refused.insert(host.clone(), full(range));
        }
    }
    let endpoint = |host: &HostName| {
        let address = attendees.get(host)?.member.address?;
        Some(SocketAddr::new(address, network.port))
    };
    addresses
        .into_iter()
        .filter_map(|(host, address)| {
            let key = claims.get(host)?.key.clone();
            Some((host.clone(), Record { key, address, endpoint: endpoint(host) }))
        })
        .collect()
}

fn full(range: &IpNet) -> Failure {
    let message =
        format!("all {} addresses of the mesh's range {range} are taken", capacity(range));
    Failure::new(Code::NETWORK_JOIN_FAILED, message).with_hint(
        "set `network.providers.wireguard.cidr` to a larger range; hosts get new addresses then",
    )
}

/// What one host has to have.
fn join(
    network: &WireGuard,
    host: &HostName,
    own: &Record,
    members: &BTreeMap<HostName, Record>,
    said: &Said,
) -> Join {
    let peers: BTreeMap<HostName, Record> = members
        .iter()
        .filter(|(peer, _)| *peer != host)
        .map(|(peer, record)| (peer.clone(), record.clone()))
        .collect();
    let doing = doing(&peers, said);
    let length = network.range.prefix_len();
    let conf = Conf {
        address: IpNet::new(own.address, length).unwrap_or_else(|_| own.address.into()),
        port: network.port,
        peers,
    };
    Join { text: conf.render(host, &network.domain), doing }
}

fn doing(peers: &BTreeMap<HostName, Record>, said: &Said) -> String {
    let Some(conf) = &said.conf else { return "joining the mesh".to_owned() };
    let new: Vec<&HostName> =
        peers.iter().filter(|(host, one)| conf.peers.get(*host) != Some(one)).map(first).collect();
    let gone: Vec<&HostName> =
        conf.peers.keys().filter(|host| !peers.contains_key(*host)).collect();
    match (new.as_slice(), gone.as_slice()) {
        ([], []) => "mending the mesh".to_owned(),
        ([one], []) => format!("telling it of {one}"),
        ([], [one]) => format!("forgetting {one}"),
        (new, gone) => format!("changing {} peers", new.len() + gone.len()),
    }
}

fn first<V>((host, _): (&HostName, V)) -> &HostName {
    host
}

#[cfg(test)]
mod tests;
