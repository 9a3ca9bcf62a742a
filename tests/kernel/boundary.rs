//! Packets at the edges of every rule: for each box of packets that a rule speaks of, each edge of each dimension, and
//! the value just outside it, with all other dimensions inside.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cordon::ir::Policy;
use cordon::set::{AddressRange, ICMP, ICMPV6, Interval, PacketBox, Point, has_ports};

/// The packets around all boxes of all rules, as a CSV table for `cordon query`. Where any source port will do, each
/// packet has its own, so that none is a reply to another.
pub(crate) fn table(policy: &Policy) -> String {
    let mut lines: BTreeSet<Probe> = BTreeSet::new();
    for index in policy.rule_indices() {
        for packets in policy[index].packets().boxes() {
            around(&packets, &mut lines);
        }
    }
    // Ports that no service of the example has as its own, so that a reversed packet is never a reply.
    let fresh = (20_000..45_000_u16).cycle();
    let mut table = "proto,src,dst,sport,dport\n".to_owned();
    for (probe, fresh) in lines.into_iter().zip(fresh) {
        let Probe { source, destination, protocol, source_port, destination_port } = probe;
        let source_port = source_port.unwrap_or(fresh);
        let proto = match protocol {
            6 => "tcp".to_owned(),
            17 => "udp".to_owned(),
            132 => "sctp".to_owned(),
            ICMP => "icmp".to_owned(),
            ICMPV6 => "icmpv6".to_owned(),
            number => number.to_string(),
        };
        table.push_str(&format!("{proto},{source},{destination},{source_port},{destination_port}\n"));
    }
    table
}

/// One packet to be tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Probe {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// `None` where any will do.
    source_port: Option<u16>,
    destination_port: u16,
}

fn around(packets: &PacketBox, probes: &mut BTreeSet<Probe>) {
    let (protocols, source_ports, destination_ports) = packets.traffic();
    for protocol in [6, 17, 132, 47, ICMP, ICMPV6].into_iter().filter(|number| protocols.contains(*number)) {
        let is_v4 = packets.sources().first().is_ipv4();
        if (protocol == ICMPV6 && is_v4) || (protocol == ICMP && !is_v4) {
            continue;
        }
        let ports = has_ports(protocol);
        let inside = Probe {
            source: middle(packets.sources()),
            destination: middle(packets.destinations()),
            protocol,
            source_port: (ports && !source_ports.is_full()).then_some(source_ports.first()),
            destination_port: if ports { destination_ports.first() } else { 0 },
        };
        probes.insert(inside);
        for source in edges(packets.sources()) {
            probes.insert(Probe { source, ..inside });
        }
        for destination in edges(packets.destinations()) {
            probes.insert(Probe { destination, ..inside });
        }
        if ports {
            for destination_port in edges_of(destination_ports) {
                probes.insert(Probe { destination_port, ..inside });
            }
            let other = if protocol == 6 { 17 } else { 6 };
            probes.insert(Probe { protocol: other, ..inside });
        }
        if let Some(port) = inside.source_port {
            let edges = edges_of(source_ports).into_iter().chain([port]);
            probes.extend(edges.map(|port| Probe { source_port: Some(port), ..inside }));
        }
    }
}

/// An address inside a range, away from its edges where it has an inside.
fn middle(range: AddressRange) -> IpAddr {
    match range {
        AddressRange::V4(interval) => {
            let offset = (interval.last() - interval.first()) / 2;
            IpAddr::V4((interval.first() + offset).into())
        }
        AddressRange::V6(interval) => {
            let offset = (interval.last() - interval.first()) / 2;
            IpAddr::V6((interval.first() + offset).into())
        }
    }
}

fn edges(range: AddressRange) -> Vec<IpAddr> {
    match range {
        AddressRange::V4(interval) => {
            edges_of(interval).into_iter().map(|bits| IpAddr::V4(bits.into())).collect()
        }
        AddressRange::V6(interval) => {
            edges_of(interval).into_iter().map(|bits| IpAddr::V6(bits.into())).collect()
        }
    }
}

/// Both edges of an interval, and the values just outside.
fn edges_of<T: Point>(interval: Interval<T>) -> Vec<T> {
    let (first, last) = (interval.first(), interval.last());
    [first.previous(), Some(first), Some(last), last.next()].into_iter().flatten().collect()
}
