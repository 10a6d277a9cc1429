//! The configuration of one host, as `wg-quick` reads it; also the record of who is in the mesh.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use data_encoding::HEXLOWER;
use ipnet::IpNet;
use sha2::{Digest as _, Sha256};

use super::key::PublicKey;
use super::{INTERFACE, KEY_FILE};
use crate::name::HostName;

const HEADER: &str = "# Written by stagecraft; what is changed here by hand is changed back.";
/// How often a host says something to a peer, so that what stands in between keeps the way open.
const KEEPALIVE: u64 = 25;

/// One host's view of the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conf {
    /// Its own address, and the range it is in.
    pub(super) address: IpNet,
    /// The UDP port it listens on.
    pub(super) port: u16,
    /// The others.
    pub(super) peers: BTreeMap<HostName, Record>,
}

/// What is known of a member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    /// Its public key.
    pub(super) key: PublicKey,
    /// Its address in the mesh.
    pub(super) address: IpAddr,
    /// Where it is reached; `None` when it has to begin.
    pub(super) endpoint: Option<SocketAddr>,
}

impl Conf {
    /// The file, for the host of this name.
    pub(super) fn render(&self, host: &HostName, domain: &str) -> String {
        let Self { address, port, peers } = self;
        let mut text = format!(
            "{HEADER}\n[Interface]\n# {host}.{domain}\nAddress = {address}\nListenPort = {port}\n\
             PostUp = wg set {INTERFACE} private-key {KEY_FILE}\n"
        );
        for (peer, Record { key, address, endpoint }) in peers {
            let _infallible = write!(
                text,
                "\n[Peer]\n# {peer}.{domain}\nPublicKey = {key}\nAllowedIPs = {}\n",
                IpNet::from(*address)
            );
            if let Some(endpoint) = endpoint {
                let _infallible = writeln!(text, "Endpoint = {endpoint}");
            }
            let _infallible = writeln!(text, "PersistentKeepalive = {KEEPALIVE}");
        }
        text
    }

    /// Reads a file that [`render`](Self::render) wrote; `None` when it is not one. Peers that make no
    /// sense are left out, so that they are written anew.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut sections = text.split("\n[Peer]\n");
        let own = sections.next()?;
        Some(Self {
            address: value(own, "Address")?.parse().ok()?,
            port: value(own, "ListenPort")?.parse().ok()?,
            peers: sections.filter_map(peer).collect(),
        })
    }
}

/// The hash by which a host recognises a file.
pub(super) fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}

fn peer(section: &str) -> Option<(HostName, Record)> {
    let name = section.lines().find_map(|line| line.strip_prefix("# "))?;
    let host = name.split('.').next()?.parse().ok()?;
    let address: IpNet = value(section, "AllowedIPs")?.parse().ok()?;
    let record = Record {
        key: value(section, "PublicKey")?.parse().ok()?,
        address: address.addr(),
        endpoint: value(section, "Endpoint").and_then(|endpoint| endpoint.parse().ok()),
    };
    Some((host, record))
}

fn value<'a>(section: &'a str, key: &str) -> Option<&'a str> {
    section.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;

    #[test]
    fn a_file_is_what_wg_quick_reads_and_holds_no_private_key() {
        assert_eq!(
            conf().render(&host("app-1"), "shop.internal"),
            "# Written by stagecraft; what is changed here by hand is changed back.\n\
             [Interface]\n\
             # app-1.shop.internal\n\
             Address = 10.66.0.9/16\n\
             ListenPort = 51820\n\
             PostUp = wg set stagecraft0 private-key /etc/wireguard/stagecraft0.key\n\
             \n\
             [Peer]\n\
             # db-1.shop.internal\n\
             PublicKey = BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\
             AllowedIPs = 10.66.1.7/32\n\
             Endpoint = 203.0.113.7:51820\n\
             PersistentKeepalive = 25\n\
             \n\
             [Peer]\n\
             # db-2.shop.internal\n\
             PublicKey = CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=\n\
             AllowedIPs = 10.66.1.8/32\n\
             PersistentKeepalive = 25\n"
        );
    }

    #[test]
    fn a_file_is_read_back_as_it_was_written() {
        let text = conf().render(&host("app-1"), "shop.internal");
        assert_eq!(Conf::parse(&text), Some(conf()));
        let six = Conf {
            address: "fd00:66::9/64".parse().unwrap(),
            peers: [("a".parse().unwrap(), record(1, "fd00:66::1", Some("[2001:db8::1]:1")))]
                .into(),
            ..conf()
        };
        assert_eq!(Conf::parse(&six.render(&host("b"), "x.internal")), Some(six));
    }

    #[test]
    fn a_host_recognises_a_file_by_what_sha256sum_prints() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc"), abc);
    }

    #[test]
    fn what_makes_no_sense_is_not_believed() {
        assert_eq!(Conf::parse(""), None);
        assert_eq!(Conf::parse("[Interface]\nAddress = nowhere\nListenPort = 51820\n"), None);
        let text = conf().render(&host("app-1"), "shop.internal");
        for (from, to) in [
            ("# db-1.", "# $(reboot)."),
            ("AllowedIPs = 10.66.1.7/32", "AllowedIPs = all"),
            ("PublicKey = BwcH", "PublicKey = "),
        ] {
            let read = Conf::parse(&text.replace(from, to)).unwrap();
            assert_eq!(read.peers.into_keys().collect::<Vec<_>>(), [host("db-2")], "{to}");
        }
    }

    fn conf() -> Conf {
        Conf {
            address: "10.66.0.9/16".parse().unwrap(),
            port: 51820,
            peers: [
                (host("db-1"), record(7, "10.66.1.7", Some("203.0.113.7:51820"))),
                (host("db-2"), record(8, "10.66.1.8", None)),
            ]
            .into(),
        }
    }

    fn record(key: u8, address: &str, endpoint: Option<&str>) -> Record {
        Record {
            key: BASE64.encode(&[key; 32]).parse().unwrap(),
            address: address.parse().unwrap(),
            endpoint: endpoint.map(|endpoint| endpoint.parse().unwrap()),
        }
    }

    fn host(name: &str) -> HostName {
        name.parse().unwrap()
    }
}
