//! Which addresses belong to the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};

/// IPv4 networks that are not globally reachable, from the IANA IPv4 Special-Purpose Address Registry, and multicast.
const RESERVED_V4: [&str; 16] = [
    "0.0.0.0/8",          // this network
    "10.0.0.0/8",         // private use
    "100.64.0.0/10",      // shared address space of carriers
    "127.0.0.0/8",        // loopback
    "169.254.0.0/16",     // link-local, and the metadata services of clouds
    "172.16.0.0/12",      // private use
    "192.0.0.0/24",       // IETF protocol assignments
    "192.0.2.0/24",       // documentation
    "192.88.99.0/24",     // 6to4 relays, withdrawn
    "192.168.0.0/16",     // private use
    "198.18.0.0/15",      // benchmarks
    "198.51.100.0/24",    // documentation
    "203.0.113.0/24",     // documentation
    "224.0.0.0/4",        // multicast
    "240.0.0.0/4",        // reserved
    "255.255.255.255/32", // broadcast
];

/// All global unicast addresses of IPv6. Everything outside is local, multicast or not assigned.
const GLOBAL_V6: &str = "2000::/3";
/// Networks in it that are not globally reachable, from the IANA IPv6 Special-Purpose Address Registry, and 6to4, whose
/// addresses contain an IPv4 address and lead to it.
const RESERVED_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];
/// NAT64: the last 32 bits are the IPv4 address that is reached.
const NAT64: &str = "64:ff9b::/96";

struct Networks {
    reserved_v4: Vec<Ipv4Net>,
    global_v6: Vec<Ipv6Net>,
    reserved_v6: Vec<Ipv6Net>,
    nat64: Vec<Ipv6Net>,
}

static NETWORKS: LazyLock<Networks> = LazyLock::new(|| {
    let v6 = |list: &[&str]| list.iter().filter_map(|net| net.parse().ok()).collect();
    Networks {
        reserved_v4: RESERVED_V4.iter().filter_map(|net| net.parse().ok()).collect(),
        global_v6: v6(&[GLOBAL_V6]),
        reserved_v6: v6(&RESERVED_V6),
        nat64: v6(&[NAT64]),
    }
});

/// Whether an address is one of the public internet: neither of this machine nor of a private network, whatever its
/// form.
pub fn is_public(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether an address is one of this machine.
pub fn is_local_host(address: IpAddr) -> bool {
    let address = plain(address);
    address.is_loopback() || address.is_unspecified()
}

/// The IPv4 address in a mapped one (`::ffff:127.0.0.1`), or the address itself.
pub(crate) fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NETWORKS.reserved_v4.iter().any(|net| net.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |nets: &[Ipv6Net]| nets.iter().any(|net| net.contains(&address));
    if within(&NETWORKS.nat64) {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    within(&NETWORKS.global_v6) && !within(&NETWORKS.reserved_v6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_of_the_tables_is_one() {
        assert_eq!(NETWORKS.reserved_v4.len(), RESERVED_V4.len());
        assert_eq!((NETWORKS.global_v6.len(), NETWORKS.nat64.len()), (1, 1));
        assert_eq!(NETWORKS.reserved_v6.len(), RESERVED_V6.len());
    }

    #[test]
    fn the_first_and_the_last_address_of_each_special_network_are_not_public() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("169.254.169.254", "169.254.170.2"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "239.255.255.255"),
            ("240.0.0.0", "255.255.255.255"),
            ("::", "::1"),
            ("::7f00:1", "::ffff:ffff"),
            ("::ffff:127.0.0.1", "::ffff:10.0.0.1"),
            ("::ffff:169.254.169.254", "::ffff:0.0.0.0"),
            ("64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1"),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
            ("100::", "100::ffff:ffff:ffff:ffff"),
            ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff"),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2002:7f00:1::", "2002:a00:1::"),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fd00:ec2::254", "fe80::1"),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            for address in [first, last] {
                assert!(!is_public(address.parse().unwrap()), "{address}");
            }
        }
    }

    #[test]
    fn the_addresses_beside_them_are_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "8.8.8.8",
            "2001:200::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "3ffe:ffff::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn this_machine_is_known_in_every_form() {
        for address in
            ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"]
        {
            assert!(is_local_host(address.parse().unwrap()), "{address}");
        }
        assert!(!is_local_host("10.0.0.1".parse().unwrap()));
    }
}
