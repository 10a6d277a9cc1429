//! Addresses: how many a range has, which is whose, and what else uses them.

use std::net::IpAddr;

use ipnet::IpNet;
use sha2::{Digest as _, Sha256};

use super::INTERFACE;
use crate::converge::{Assessment, Step};
use crate::error::{Code, Failure};
use crate::name::HostName;
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::{script, values};

/// How many hosts a range has addresses for.
#[must_use]
pub fn capacity(range: &IpNet) -> u128 {
    let bits = u32::from(range.max_prefix_len() - range.prefix_len());
    let all = 1_u128.checked_shl(bits).unwrap_or(u128::MAX);
    // The first address is the range's own; with IPv4 the last one is everybody's.
    all.saturating_sub(if range.addr().is_ipv4() { 2 } else { 1 })
}

/// The address of this number, counted from 0; numbers behind the last one begin again.
pub(super) fn nth(range: &IpNet, number: u128) -> Option<IpAddr> {
    let offset = number.checked_rem(capacity(range))? + 1;
    Some(match range.network() {
        IpAddr::V4(first) => IpAddr::V4((u32::from(first) + u32::try_from(offset).ok()?).into()),
        IpAddr::V6(first) => IpAddr::V6((u128::from(first) + offset).into()),
    })
}

/// The number of the address a host gets when nobody else has it. It depends on nothing but the name, so
/// that hosts that come and go do not move others, and two runs at once give the same.
pub(super) fn preferred(host: &HostName) -> u128 {
    let digest = Sha256::digest(host.as_str());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// Whether an address of a range may be a host's.
pub(super) fn is_usable(range: &IpNet, address: IpAddr) -> bool {
    let everybodys = address.is_ipv4() && range.broadcast() == address;
    range.contains(&address) && range.network() != address && !everybodys
}

/// Whether two ranges share addresses.
fn clash(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// No address of the range is used by something else on the host.
#[derive(Debug)]
pub(super) struct Free {
    pub(super) range: IpNet,
    pub(super) address: Option<IpAddr>,
}

impl Step for Free {
    fn name(&self) -> &'static str {
        "wireguard-range"
    }

    fn probe(&self) -> Vec<Command> {
        vec![script("wireguard-range", include_str!("scripts/range-probe.sh"), [INTERFACE])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        let taken = |by: &str| {
            let message = format!("the mesh's range {} is not free on this host: {by}", self.range);
            let failure = Failure::new(self.failure_code(), message).with_hint(
                "set `network.providers.wireguard.cidr` to a range that no host uses otherwise",
            );
            Assessment::Blocked(failure)
        };
        if let Some(address) = self.address.filter(|address| self.range.contains(address)) {
            return taken(&format!("its own address is {address}"));
        }
        let mut routes = values(output, "route").peekable();
        if routes.peek().is_none() {
            let message = "could not find out which addresses the host uses";
            let failure = Failure::new(self.failure_code(), message);
            return Assessment::Blocked(failure.with_output(output.tail(OUTPUT_LINES)));
        }
        match routes.find(|route| destination(route).is_some_and(|to| clash(&to, &self.range))) {
            Some(route) => taken(&format!("it has the route `{}`", route.trim())),
            None => Assessment::Satisfied,
        }
    }

    fn failure_code(&self) -> Code {
        Code::NETWORK_RANGE_TAKEN
    }
}

/// Where a route leads, from a line such as `10.0.0.0/16 dev eth1 proto kernel`; `None` for a default
/// route, which leads everywhere else.
fn destination(route: &str) -> Option<IpNet> {
    route.split_whitespace().take(2).find_map(|word| {
        let address = || word.parse::<IpAddr>().ok().map(IpNet::from);
        word.parse().ok().or_else(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "route=default via 172.31.1.1 dev eth0 \n\
                          route=10.0.0.0/24 dev eth1 proto kernel scope link src 10.0.0.3 \n\
                          route=172.31.1.1 dev eth0 scope link \n\
                          route=unreachable 192.168.7.0/24 \n\
                          route=fe80::/64 dev eth0 proto kernel metric 256 pref medium\n";

    #[test]
    fn a_range_has_as_many_addresses_as_hosts_can_have() {
        for (range, hosts) in [
            ("10.66.0.0/16", 65_534),
            ("10.66.0.0/30", 2),
            ("10.66.0.0/31", 0),
            ("10.66.0.1/32", 0),
            ("fd00::/126", 3),
            ("::/0", u128::MAX - 1),
        ] {
            assert_eq!(capacity(&net(range)), hosts, "{range}");
        }
        assert_eq!(nth(&net("10.66.0.0/31"), 0), None);
        let all: Vec<_> = (0..4).filter_map(|n| nth(&net("10.66.0.8/30"), n)).collect();
        assert_eq!(all, ["10.66.0.9", "10.66.0.10", "10.66.0.9", "10.66.0.10"].map(address));
        assert!(all.iter().all(|&one| is_usable(&net("10.66.0.8/30"), one)));
        assert!(!is_usable(&net("10.66.0.8/30"), address("10.66.0.11")));
        assert!(!is_usable(&net("10.66.0.8/30"), address("10.66.0.8")));
        assert!(is_usable(&net("fd00::/126"), address("fd00::3")));
    }

    #[test]
    fn a_name_leads_to_the_same_address_in_every_version() {
        // The first eight bytes of `printf app-1 | sha256sum`.
        let number = preferred(&"app-1".parse().unwrap());
        assert_eq!(number, 0x5eb7_e725_e6ba_c43f);
        let range = net("10.66.0.0/16");
        assert_eq!(nth(&range, number), Some(address("10.66.36.18")));
    }

    #[test]
    fn a_range_nothing_else_uses_is_free() {
        for range in ["10.66.0.0/16", "10.0.1.0/24", "fd66::/64"] {
            assert_eq!(free(range, None).assess(&[saw(ROUTES)]), Assessment::Satisfied, "{range}");
        }
    }

    #[test]
    fn a_clash_says_with_what() {
        for (range, with) in [
            ("10.0.0.0/16", "it has the route `10.0.0.0/24 dev eth1"),
            ("10.0.0.128/25", "it has the route `10.0.0.0/24 dev eth1"),
            ("172.31.0.0/16", "it has the route `172.31.1.1 dev eth0"),
            ("192.168.0.0/16", "it has the route `unreachable 192.168.7.0/24`"),
            ("203.0.113.0/24", "its own address is 203.0.113.7"),
        ] {
            let step = free(range, Some("203.0.113.7"));
            let Assessment::Blocked(failure) = step.assess(&[saw(ROUTES)]) else {
                panic!("{range} is not refused");
            };
            assert!(failure.message.contains(with), "{}", failure.message);
            assert_eq!(failure.code, Code::NETWORK_RANGE_TAKEN);
        }
    }

    #[test]
    fn routes_are_asked_for_without_those_of_the_mesh_itself() {
        let [probe] = &free("10.66.0.0/16", None).probe()[..] else { panic!("one command") };
        assert_eq!(probe.display(), "wireguard-range");
        assert!(probe.to_shell().ends_with(&format!(" wireguard-range {INTERFACE}")));
    }

    #[test]
    fn a_host_that_does_not_show_its_routes_is_not_trusted_to_have_none() {
        let Assessment::Blocked(failure) =
            free("10.66.0.0/16", None).assess(&[saw("sh: 3: ip: not found\n")])
        else {
            panic!("it is not refused");
        };
        assert_eq!(failure.output, ["sh: 3: ip: not found"]);
    }

    fn free(range: &str, own: Option<&str>) -> Free {
        Free { range: net(range), address: own.map(address) }
    }

    fn saw(stdout: &str) -> Output {
        Output { stdout: stdout.to_owned(), ..Output::default() }
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
