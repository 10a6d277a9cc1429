//! Facts about this machine that its containers need, when the engine runs on it.
//!
//! Each is read from a file, and `None` or nothing when it cannot be told; the defaults then do.

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// Number of CAP_SYS_RESOURCE in the kernel's masks.
const SYS_RESOURCE: u32 = 24;

/// The largest packet that leaves this machine by its default route.
pub(super) fn uplink_mtu() -> Option<u32> {
    let routes = read("/proc/net/route")?;
    let interface = default_interface(&routes)?;
    read(&format!("/sys/class/net/{interface}/mtu"))?.trim().parse().ok()
}

/// Name servers that containers can reach; those behind systemd's local one, where that is in use.
pub(super) fn resolvers() -> Vec<Ipv4Addr> {
    ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]
        .into_iter()
        .filter_map(|path| read(path).map(|text| reachable_resolvers(&text)))
        .find(|servers| !servers.is_empty())
        .unwrap_or_default()
}

/// Whether processes of this machine can have CAP_SYS_RESOURCE at all. Machines that are
/// containers themselves often cannot.
pub(super) fn has_sys_resource() -> Option<bool> {
    bounding_set_has(&read("/proc/self/status")?, SYS_RESOURCE)
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(PathBuf::from(path)).ok()
}

fn default_interface(routes: &str) -> Option<&str> {
    routes
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (name, destination, metric) = (fields.first()?, fields.get(1)?, fields.get(6)?);
            let mask = fields.get(7)?;
            let is_default = *destination == "00000000" && *mask == "00000000" && *name != "*";
            is_default.then_some((metric.parse::<u32>().ok()?, *name))
        })
        .min()
        .map(|(_, name)| name)
}

fn reachable_resolvers(text: &str) -> Vec<Ipv4Addr> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .filter_map(|rest| rest.trim().parse().ok())
        .filter(|address: &Ipv4Addr| !address.is_loopback() && !address.is_unspecified())
        .collect()
}

fn bounding_set_has(status: &str, capability: u32) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapBnd:"))?;
    Some(u64::from_str_radix(mask.trim(), 16).ok()? >> capability & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uplink_is_the_default_route_with_the_lowest_metric() {
        let routes = "\
Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
";
        assert_eq!(default_interface(routes), Some("eth0"));
        assert_eq!(default_interface("Iface\tDestination\n"), None);
    }

    #[test]
    fn a_resolver_on_the_loopback_address_is_out_of_reach_for_containers() {
        let text =
            "# note\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nnameserver fd00::2\nsearch lan\n";
        assert_eq!(reachable_resolvers(text), [Ipv4Addr::new(10, 0, 0, 2)]);
    }

    #[test]
    fn the_bounding_set_is_read_bit_by_bit() {
        let without = "CapEff:\t000001ffffffffff\nCapBnd:\t000001fffeffffff\n";
        assert_eq!(bounding_set_has(without, SYS_RESOURCE), Some(false));
        let with = "CapBnd:\t000001ffffffffff\n";
        assert_eq!(bounding_set_has(with, SYS_RESOURCE), Some(true));
        assert_eq!(bounding_set_has("", SYS_RESOURCE), None);
    }
}
