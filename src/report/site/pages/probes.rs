//! Packets to try at a device: one for each rule, and one that must not pass.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::ir::Opening;
use crate::ir::{Decider, Decision, Endpoint, Phi, ZoneId};
use crate::report::site::view::Site;
use crate::set::{AddressRange, AddressSet, ICMP, ICMPV6, Packet, protocol_name};

/// A packet that an opening lets through. Its addresses are some that a device would have, where there are such.
pub(super) fn passing(opening: &Opening) -> Option<Packet> {
    let packets = opening.packets();
    let sample = packets.sample()?;
    let better = Packet {
        source: host_beside(sample.source, &opening.sources),
        destination: host_beside(sample.destination, &opening.destinations),
        ..sample
    };
    Some(if packets.contains(&better) { better } else { sample })
}

/// A packet from a class that nothing allows: to a server in a zone that it may not reach, where PHI is kept if there is one.
pub(super) fn denied(site: &Site, decider: &Decider, endpoint: &Endpoint) -> Option<Packet> {
    let source = host(&endpoint.addresses)?;
    let mut zones: Vec<(ZoneId, &crate::ir::Zone)> =
        site.zones().filter(|(id, zone)| *id != endpoint.zone && !zone.is_rest).collect();
    zones.sort_by_key(|(id, zone)| {
        let is_open = !site.openings.of(endpoint.zone, *id).is_empty();
        (is_open, zone.phi != Some(Phi::Store), *id)
    });
    zones.into_iter().find_map(|(id, zone)| {
        let server = site.held(id).iter().find(|one| !one.is_class).map(|one| &one.addresses);
        let of_family = |addresses: &AddressSet| {
            addresses.ranges().find(|range| range.first().is_ipv4() == source.is_ipv4()).map(usual_host)
        };
        let destination = server.and_then(of_family).or_else(|| of_family(&zone.addresses))?;
        let packet = Packet { source, destination, protocol: 6, source_port: 49152, destination_port: 443 };
        let decision = decider.decide(&packet);
        matches!(decision, Decision::Unmentioned | Decision::Forbidden(_)).then_some(packet)
    })
}

fn host(addresses: &AddressSet) -> Option<IpAddr> {
    addresses.ranges().next().map(usual_host)
}

/// An address near the start of the range that holds `first`, as a device might have.
fn host_beside(first: IpAddr, addresses: &AddressSet) -> IpAddr {
    addresses.ranges().find(|range| range.first() == first).map_or(first, usual_host)
}

/// The first address of a range and ten, which is neither its network nor a router, or else the first.
fn usual_host(range: AddressRange) -> IpAddr {
    const STEP: u8 = 10;
    match range {
        AddressRange::V4(interval) => {
            let wanted = interval.first().saturating_add(u32::from(STEP));
            let address = if wanted <= interval.last() { wanted } else { interval.first() };
            Ipv4Addr::from_bits(address).into()
        }
        AddressRange::V6(interval) => {
            let wanted = interval.first().saturating_add(u128::from(STEP));
            let address = if wanted <= interval.last() { wanted } else { interval.first() };
            Ipv6Addr::from_bits(address).into()
        }
    }
}

/// How cordon is asked about a packet, in the directory of the policy.
pub(super) fn explain(packet: &Packet) -> String {
    let protocol = protocol_name(packet.protocol);
    let (source, destination) = (packet.source, packet.destination);
    match packet.protocol {
        6 | 17 | 33 | 132 => {
            let sport = if packet.source_port == 49152 {
                String::new()
            } else {
                format!(" --sport {}", packet.source_port)
            };
            format!("cordon explain . {protocol} {source} {destination} {}{sport}", packet.destination_port)
        }
        ICMP | ICMPV6 => {
            let message = packet.destination_port / 256;
            format!("cordon explain . {protocol} {source} {destination} {message}")
        }
        _ => format!("cordon explain . {protocol} {source} {destination}"),
    }
}

/// How a packet is sent from the network of its source; nothing where no common tool sends it.
pub(super) fn send(packet: &Packet) -> Option<String> {
    let destination = packet.destination;
    match packet.protocol {
        6 => Some(format!("nc -vz -w 3 {destination} {}", packet.destination_port)),
        17 => Some(format!("nc -vzu -w 3 {destination} {}", packet.destination_port)),
        ICMP | ICMPV6 => Some(format!("ping -c 1 {destination}")),
        _ => None,
    }
}
