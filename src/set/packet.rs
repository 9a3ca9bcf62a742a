//! Sets of packets: sources to destinations to protocols to ports, in both families.

use std::net::IpAddr;

use super::service::holds;
use super::{
    AddressRange, AddressSet, Interval, IntervalMap, IntervalSet, PerFamily, Point, ServiceSet, Traffic,
    has_ports,
};

/// A first packet, as far as a policy can tell one from another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Packet {
    /// The source address.
    pub source: IpAddr,
    /// The destination address, of the same family.
    pub destination: IpAddr,
    /// The IP protocol number.
    pub protocol: u8,
    /// The source port; 0 where the protocol has no ports.
    pub source_port: u16,
    /// The destination port; `type * 256 + code` for ICMP; 0 where the protocol has neither.
    pub destination_port: u16,
}

/// A set of flows within one family: source to destination to protocol and ports.
pub type FlowsOf<A> = IntervalMap<A, IntervalMap<A, Traffic>>;

/// A set of packets of both families.
pub type PacketSet = PerFamily<FlowsOf<u32>, FlowsOf<u128>>;

/// All packets of one family from any of some sources to any of some destinations over the same traffic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rectangle<A> {
    /// The sources.
    pub sources: IntervalSet<A>,
    /// The destinations.
    pub destinations: IntervalSet<A>,
    /// What passes between any two of them.
    pub traffic: Traffic,
}

/// Disjoint rectangles that together are some flows. What a rule says is mostly one, or a few where another rule decides
/// on a part of it.
pub fn rectangles<A: Point>(flows: &FlowsOf<A>) -> Vec<Rectangle<A>> {
    let mut found = Vec::new();
    for (sources, members) in flows.grouped() {
        for (destinations, traffic) in members.grouped() {
            let (sources, traffic) = (sources.clone(), traffic.clone());
            found.push(Rectangle { sources, destinations, traffic });
        }
    }
    found
}

impl<A: Point> Rectangle<A> {
    /// Its packets.
    pub fn flows(&self) -> FlowsOf<A> {
        FlowsOf::product(&self.sources, &IntervalMap::product(&self.destinations, &self.traffic))
    }
}

/// An interval in each dimension of one family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BoxOf<A> {
    /// Source addresses.
    pub source: Interval<A>,
    /// Destination addresses.
    pub destination: Interval<A>,
    /// IP protocol numbers.
    pub protocol: Interval<u8>,
    /// Source ports; full where the protocol has none.
    pub source_port: Interval<u16>,
    /// Destination ports, or `type * 256 + code` for ICMP; full where the protocol has neither.
    pub destination_port: Interval<u16>,
}

/// A box of packets of one family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PacketBox {
    /// IPv4 packets.
    V4(BoxOf<u32>),
    /// IPv6 packets.
    V6(BoxOf<u128>),
}

impl PacketBox {
    /// The source addresses.
    pub fn sources(&self) -> AddressRange {
        match self {
            PacketBox::V4(b) => AddressRange::V4(b.source),
            PacketBox::V6(b) => AddressRange::V6(b.source),
        }
    }

    /// The destination addresses.
    pub fn destinations(&self) -> AddressRange {
        match self {
            PacketBox::V4(b) => AddressRange::V4(b.destination),
            PacketBox::V6(b) => AddressRange::V6(b.destination),
        }
    }

    /// The protocols, source ports and destination ports.
    pub fn traffic(&self) -> (Interval<u8>, Interval<u16>, Interval<u16>) {
        match self {
            PacketBox::V4(b) => (b.protocol, b.source_port, b.destination_port),
            PacketBox::V6(b) => (b.protocol, b.source_port, b.destination_port),
        }
    }

    /// The packet at the lower corner, with an ephemeral source port where any will do.
    pub fn sample(&self) -> Packet {
        let (protocol, source_port, destination_port) = self.traffic();
        let ports = has_ports(protocol.first());
        let ephemeral = ports && source_port.contains(49152);
        Packet {
            source: self.sources().first(),
            destination: self.destinations().first(),
            protocol: protocol.first(),
            source_port: if ephemeral { 49152 } else { source_port.first() },
            destination_port: destination_port.first(),
        }
    }
}

impl PacketSet {
    /// The packets from any of `sources` to any of `destinations` over any of `services`.
    pub fn product(sources: &AddressSet, destinations: &AddressSet, services: &ServiceSet) -> Self {
        PacketSet {
            v4: FlowsOf::product(&sources.v4, &IntervalMap::product(&destinations.v4, &services.v4)),
            v6: FlowsOf::product(&sources.v6, &IntervalMap::product(&destinations.v6, &services.v6)),
        }
    }

    /// True if it holds `packet`; never if its two addresses are of different families.
    pub fn contains(&self, packet: &Packet) -> bool {
        let traffic = match (packet.source, packet.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.v4.get(source.to_bits()).and_then(|to| to.get(destination.to_bits()))
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                self.v6.get(source.to_bits()).and_then(|to| to.get(destination.to_bits()))
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
        };
        traffic.is_some_and(|traffic| holds(traffic, packet))
    }

    /// Disjoint boxes that together are the set, in ascending order, IPv4 first.
    pub fn boxes(&self) -> Vec<PacketBox> {
        let v4 = boxes_of(&self.v4).map(PacketBox::V4);
        v4.chain(boxes_of(&self.v6).map(PacketBox::V6)).collect()
    }

    /// A packet of the set, if it has one: the lower corner of the first box.
    pub fn sample(&self) -> Option<Packet> {
        let v4 = boxes_of(&self.v4).map(PacketBox::V4);
        v4.chain(boxes_of(&self.v6).map(PacketBox::V6)).next().map(|b| b.sample())
    }
}

/// The disjoint boxes of one family, in ascending order.
fn boxes_of<A: Point>(flows: &FlowsOf<A>) -> impl Iterator<Item = BoxOf<A>> + '_ {
    flows.entries().iter().flat_map(|(source, destinations)| {
        destinations.entries().iter().flat_map(|(destination, traffic)| {
            traffic_boxes(traffic).map(|(protocol, source_port, destination_port)| BoxOf {
                source: *source,
                destination: *destination,
                protocol,
                source_port,
                destination_port,
            })
        })
    })
}

/// The disjoint boxes of some traffic, in ascending order: protocols, source ports and destination ports.
pub fn traffic_boxes(
    traffic: &Traffic,
) -> impl Iterator<Item = (Interval<u8>, Interval<u16>, Interval<u16>)> + '_ {
    traffic.entries().iter().flat_map(|(protocol, ports)| {
        ports.entries().iter().flat_map(|(source_port, destination_ports)| {
            destination_ports.intervals().map(|destination_port| (*protocol, *source_port, destination_port))
        })
    })
}
