//! Boxes of packets as elements of maps.
//!
//! A map has one key, so packets that are told apart by different fields go into different maps: by ports, by source
//! and destination ports, by ICMP type and code, or by protocol alone. The boxes are disjoint, so a packet is found in
//! one map at most, and the order of lookups does not matter.

use serde::Serialize;

use crate::set::{ICMP, ICMPV6, Interval, PacketBox, has_ports, icmp_types};

/// The family of a map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Family {
    V4,
    V6,
}

/// What a map tells packets apart by, next to their addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Shape {
    /// Protocol and destination port.
    Ports,
    /// Protocol, source port and destination port.
    SourcePorts,
    /// ICMP type and code.
    Messages,
    /// Protocol.
    Protocols,
}

/// Which map a box goes into, and its key there.
pub(super) struct Placed {
    pub(super) family: Family,
    pub(super) shape: Shape,
    pub(super) key: String,
}

/// One element of a map.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Element {
    /// The key, as nftables writes it.
    pub(super) key: String,
    /// The name of the rule.
    pub(super) rule: String,
    /// What happens to a packet that matches.
    pub(super) verdict: String,
}

/// A box whose ports say something that no protocol in it could mean.
pub(super) const IMPOSSIBLE_BOX: &str = "a box has ports for a protocol that has none";

/// Finds the map and the keys of a box. Keys of one box are disjoint.
pub(super) fn place(packets: &PacketBox, with_destination: bool) -> Result<Vec<Placed>, &'static str> {
    let (protocols, source_ports, destination_ports) = packets.traffic();
    let (family, icmp) = match packets {
        PacketBox::V4(_) => (Family::V4, ICMP),
        PacketBox::V6(_) => (Family::V6, ICMPV6),
    };
    let addresses = if with_destination {
        format!("{} . {}", packets.sources(), packets.destinations())
    } else {
        packets.sources().to_string()
    };
    let keys = keys(protocols, source_ports, destination_ports, icmp)?.into_iter();
    Ok(keys.map(|(shape, rest)| Placed { family, shape, key: format!("{addresses} . {rest}") }).collect())
}

/// Finds the map and the keys, without addresses, of one box of traffic. Keys of one box are disjoint.
pub(super) fn keys(
    protocols: Interval<u8>,
    source_ports: Interval<u16>,
    destination_ports: Interval<u16>,
    icmp: u8,
) -> Result<Vec<(Shape, String)>, &'static str> {
    if source_ports.is_full() && destination_ports.is_full() {
        return Ok(vec![(Shape::Protocols, protocol_range(protocols))]);
    }
    let protocol = protocols.first();
    if !protocols.is_single() {
        return Err(IMPOSSIBLE_BOX);
    }
    if has_ports(protocol) {
        let (name, ports) = (protocol_name(protocol), port_range(destination_ports));
        return Ok(vec![if source_ports.is_full() {
            (Shape::Ports, format!("{name} . {ports}"))
        } else {
            (Shape::SourcePorts, format!("{name} . {} . {ports}", port_range(source_ports)))
        }]);
    }
    if protocol == icmp && source_ports.is_full() {
        let keys = messages(protocol, destination_ports).into_iter();
        return Ok(keys.map(|key| (Shape::Messages, key)).collect());
    }
    Err(IMPOSSIBLE_BOX)
}

impl Shape {
    /// What a map's name ends in.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Shape::Ports => "ports",
            Shape::SourcePorts => "source-ports",
            Shape::Messages => "messages",
            Shape::Protocols => "protocols",
        }
    }

    /// The fields behind the addresses, as nftables writes them.
    pub(super) fn fields(self, family: Family) -> &'static str {
        match (self, family) {
            (Shape::Ports, _) => "meta l4proto . th dport",
            (Shape::SourcePorts, _) => "meta l4proto . th sport . th dport",
            (Shape::Messages, Family::V4) => "icmp type . icmp code",
            (Shape::Messages, Family::V6) => "icmpv6 type . icmpv6 code",
            (Shape::Protocols, _) => "meta l4proto",
        }
    }
}

impl Family {
    /// What a map's name ends in.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Family::V4 => "v4",
            Family::V6 => "v6",
        }
    }

    /// The address fields, as nftables writes them.
    pub(super) fn fields(self, with_destination: bool) -> &'static str {
        match (self, with_destination) {
            (Family::V4, true) => "ip saddr . ip daddr",
            (Family::V4, false) => "ip saddr",
            (Family::V6, true) => "ip6 saddr . ip6 daddr",
            (Family::V6, false) => "ip6 saddr",
        }
    }
}

/// Protocols by the names that nftables has for them (`nft describe meta l4proto`), others by number.
fn protocol_name(protocol: u8) -> String {
    let name = match protocol {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "ipv6-icmp",
        132 => "sctp",
        number => return number.to_string(),
    };
    name.to_owned()
}

fn protocol_range(protocols: Interval<u8>) -> String {
    if protocols.is_single() {
        return protocol_name(protocols.first());
    }
    format!("{}-{}", protocols.first(), protocols.last())
}

fn port_range(ports: Interval<u16>) -> String {
    if ports.is_single() {
        return ports.first().to_string();
    }
    format!("{}-{}", ports.first(), ports.last())
}

/// Splits an interval of `type * 256 + code` into rectangles of types and codes.
fn messages(protocol: u8, interval: Interval<u16>) -> Vec<String> {
    let [first_type, first_code] = interval.first().to_be_bytes();
    let [last_type, last_code] = interval.last().to_be_bytes();
    let key = |types: Interval<u8>, codes: Interval<u8>| {
        format!("{} . {}", message_types(protocol, types), number_range(codes))
    };
    if first_type == last_type {
        return vec![key(Interval::single(first_type), Interval::spanning(first_code, last_code))];
    }
    let mut keys = Vec::new();
    let (mut low, mut high) = (u16::from(first_type), u16::from(last_type));
    if first_code != u8::MIN {
        keys.push(key(Interval::single(first_type), Interval::spanning(first_code, u8::MAX)));
        low += 1;
    }
    let tail = (last_code != u8::MAX)
        .then(|| key(Interval::single(last_type), Interval::spanning(u8::MIN, last_code)));
    high -= u16::from(tail.is_some());
    if let (Ok(low), Ok(high)) = (u8::try_from(low), u8::try_from(high))
        && let Some(whole) = Interval::new(low, high)
    {
        keys.push(key(whole, Interval::FULL));
    }
    keys.extend(tail);
    keys
}

fn message_types(protocol: u8, types: Interval<u8>) -> String {
    let named = icmp_types(protocol).iter().find(|(_, number)| types == Interval::single(*number));
    named.map_or_else(|| number_range(types), |(name, _)| (*name).to_owned())
}

fn number_range(interval: Interval<u8>) -> String {
    if interval.is_single() {
        return interval.first().to_string();
    }
    format!("{}-{}", interval.first(), interval.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(first: [u8; 2], last: [u8; 2]) -> Vec<String> {
        messages(ICMP, Interval::spanning(u16::from_be_bytes(first), u16::from_be_bytes(last)))
    }

    #[test]
    fn types_and_codes_are_cut_into_rectangles_that_cover_the_interval_exactly() {
        assert_eq!(split([8, 0], [8, 255]), ["echo-request . 0-255"]);
        assert_eq!(split([3, 4], [3, 4]), ["destination-unreachable . 4"]);
        assert_eq!(split([3, 4], [4, 7]), ["destination-unreachable . 4-255", "4 . 0-7"]);
        assert_eq!(
            split([3, 4], [9, 7]),
            ["destination-unreachable . 4-255", "4-8 . 0-255", "router-advertisement . 0-7"]
        );
        assert_eq!(split([0, 0], [7, 255]), ["0-7 . 0-255"]);
        assert_eq!(split([254, 1], [255, 255]), ["254 . 1-255", "255 . 0-255"]);
    }
}
