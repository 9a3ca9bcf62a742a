//! Addresses that the kernel itself keeps from being forwarded, whatever the ruleset says. A packet with one of them
//! proves nothing about a configuration, so tests leave it out by the name given here.
//!
//! Measured on Linux 6.18 with `rp_filter` off and checked at both sides of every boundary by the test below.

use std::net::IpAddr;

/// Why no packet between these addresses is ever forwarded to another interface; nothing if the ruleset decides.
///
/// Where the router has addresses of its own more is refused: as destination those addresses, the IPv4 broadcast
/// address of their prefix and the IPv6 subnet-router anycast address; as source the IPv4 ones.
pub(crate) fn unforwardable(source: IpAddr, destination: IpAddr) -> Option<&'static str> {
    let mut reasons = [
        (is_unspecified(source), "unspecified source"),
        (source.is_loopback(), "loopback source"),
        (source.is_multicast(), "multicast source"),
        (is_broadcast(source), "broadcast source"),
        (is_link_local_v6(source), "IPv6 link-local source"),
        (destination.is_ipv4() && is_unspecified(destination), "unspecified IPv4 destination"),
        (destination.is_loopback(), "loopback destination"),
        (destination.is_multicast(), "multicast destination"),
        (is_broadcast(destination), "broadcast destination"),
        (is_link_local_v6(destination), "IPv6 link-local destination"),
    ]
    .into_iter();
    reasons.find_map(|(holds, reason)| holds.then_some(reason))
}

fn is_unspecified(address: IpAddr) -> bool {
    address.is_unspecified()
}

fn is_broadcast(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_broadcast())
}

fn is_link_local_v6(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::super::lab::{Lab, Outcome, Packet, Transport};
    use super::super::require::ready;
    use super::super::selftest::{interfaces, outcomes, packet};
    use super::*;

    /// Blocks with a meaning of their own; each is probed at its first and last address and just outside.
    const BLOCKS: [(&str, &str); 24] = [
        ("0.0.0.0", "0.0.0.0"),
        ("0.0.0.0", "0.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("224.0.0.0", "239.255.255.255"),
        ("240.0.0.0", "255.255.255.254"),
        ("255.255.255.255", "255.255.255.255"),
        ("10.40.40.0", "10.40.40.127"),
        ("::", "::"),
        ("::1", "::1"),
        ("::", "::ffff:ffff"),
        ("::ffff:0:0", "::ffff:ffff:ffff"),
        ("64:ff9b::", "64:ff9b::ffff:ffff"),
        ("100::", "100::ffff:ffff:ffff:ffff"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8:600:230::", "2001:db8:600:230::ffff:ffff"),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fe80::", "fe80::ffff:ffff:ffff:ffff"),
        ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ];

    fn around((first, last): (&str, &str)) -> Vec<IpAddr> {
        let step = |address: IpAddr, by: i8| match address {
            IpAddr::V4(v4) => v4.to_bits().checked_add_signed(by.into()).map(|bits| IpAddr::V4(bits.into())),
            IpAddr::V6(v6) => v6.to_bits().checked_add_signed(by.into()).map(|bits| IpAddr::V6(bits.into())),
        };
        let (first, last): (IpAddr, IpAddr) = (first.parse().unwrap(), last.parse().unwrap());
        [step(first, -1), Some(first), step(first, 1), step(last, -1), Some(last), step(last, 1)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Each probe once as destination, once as source; sources never lie behind the interface they go to.
    fn probes() -> Vec<Packet> {
        let mut packets = Vec::new();
        for probe in BLOCKS.into_iter().flat_map(around) {
            let inside = if probe.is_ipv4() { "10.40.41.9" } else { "2001:db8:600:231::9" };
            let udp = Transport::Udp { source_port: 4000, destination_port: 53 };
            let text = probe.to_string();
            packets.push(packet("vlan231", inside, &text, udp.clone()));
            packets.push(packet("wan0", &text, inside, udp));
        }
        packets.into_iter().zip(1..).map(|(packet, id)| Packet { id, ..packet }).collect()
    }

    fn refused(lab: Lab) -> Vec<String> {
        let packets = probes();
        let outcomes = outcomes(lab, &packets);
        let forwarded = |(packet, outcome): &(&Packet, Outcome)| matches!(outcome, Outcome::Delivered(name) if *name != packet.ingress);
        let refused = packets.iter().zip(outcomes).filter(|pair| !forwarded(pair));
        let mut lines: Vec<String> = refused.map(|(packet, _)| show(packet)).collect();
        lines.sort();
        lines.dedup();
        lines
    }

    fn show(packet: &Packet) -> String {
        if packet.ingress == "wan0" {
            format!("from {}", packet.source)
        } else {
            format!("to {}", packet.destination)
        }
    }

    fn predicted() -> Vec<String> {
        let packets = probes();
        let refused =
            packets.iter().filter(|packet| unforwardable(packet.source, packet.destination).is_some());
        let mut lines: Vec<String> = refused.map(show).collect();
        lines.sort();
        lines.dedup();
        lines
    }

    #[test]
    fn the_kernel_refuses_just_these_addresses() {
        if !ready("the_kernel_refuses_just_these_addresses", &[]) {
            return;
        }
        assert_eq!(refused(Lab { interfaces: interfaces(), ..Lab::default() }), predicted());
    }

    #[test]
    fn addresses_of_the_router_add_a_few() {
        if !ready("addresses_of_the_router_add_a_few", &[]) {
            return;
        }
        let mut interfaces = interfaces();
        interfaces[0].addresses = ["10.40.40.1/25", "2001:db8:600:230::1/64"].map(str::to_owned).to_vec();
        let refused = refused(Lab { interfaces, ..Lab::default() });
        let more: Vec<String> = refused.into_iter().filter(|line| !predicted().contains(line)).collect();
        assert_eq!(
            more,
            [
                "from 10.40.40.1",
                "to 10.40.40.1",
                "to 10.40.40.127",
                "to 2001:db8:600:230::",
                "to 2001:db8:600:230::1"
            ]
        );
    }
}
