//! Sets of protocols with their ports or ICMP types.

use super::{Interval, IntervalMap, IntervalSet, Packet, PerFamily, Set};

/// A set of pairs of source port and destination port. For ICMP the destination port stands for the message:
/// `type * 256 + code`, as in NetFlow; for a protocol without ports both are full.
pub type Ports = IntervalMap<u16, IntervalSet<u16>>;

/// A set of (protocol, source port, destination port) within one address family.
pub type Traffic = IntervalMap<u8, Ports>;

/// The protocol number of ICMP for IPv4 (RFC 792).
pub const ICMP: u8 = 1;
/// The protocol number of ICMP for IPv6 (RFC 4443).
pub const ICMPV6: u8 = 58;

/// IP protocols by the names that a policy may use, from the IANA registry of protocol numbers.
const PROTOCOLS: [(&str, u8); 16] = [
    ("icmp", ICMP),
    ("igmp", 2),
    ("ipip", 4),
    ("tcp", 6),
    ("egp", 8),
    ("udp", 17),
    ("dccp", 33),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", ICMPV6),
    ("eigrp", 88),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("sctp", 132),
];

/// ICMP types that a policy may name, from the IANA registry "ICMP Type Numbers".
const ICMP_TYPES: [(&str, u8); 11] = [
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("redirect", 5),
    ("echo-request", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("address-mask-request", 17),
];

/// ICMPv6 types that a policy may name, from the IANA registry "ICMPv6 type Numbers".
const ICMPV6_TYPES: [(&str, u8); 14] = [
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("echo-reply", 129),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
];

/// The names and numbers of the message types of `protocol`, which is [`ICMP`] or [`ICMPV6`]; none for others.
pub fn icmp_types(protocol: u8) -> &'static [(&'static str, u8)] {
    match protocol {
        ICMP => &ICMP_TYPES,
        ICMPV6 => &ICMPV6_TYPES,
        _ => &[],
    }
}

/// The number of the protocol that a policy calls `name`.
pub fn protocol_number(name: &str) -> Option<u8> {
    PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// The name of a protocol as a policy writes it, or its number.
pub fn protocol_name(protocol: u8) -> String {
    let known = PROTOCOLS.iter().find(|(_, number)| *number == protocol);
    known.map_or_else(|| protocol.to_string(), |(name, _)| (*name).to_owned())
}

/// True for the protocols whose header starts with two 16-bit ports: TCP, UDP, DCCP and SCTP.
pub fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 33 | 132)
}

/// What a service is in each family: ICMP exists in IPv4 only, ICMPv6 in IPv6 only, all else in both.
pub type ServiceSet = PerFamily<Traffic, Traffic>;

impl ServiceSet {
    /// One protocol from any of `source` ports to any of `destination` ports.
    pub fn ports(protocol: u8, source: &IntervalSet<u16>, destination: &IntervalSet<u16>) -> Self {
        let ports = Ports::product(source, destination);
        let traffic = Traffic::from_interval(Interval::single(protocol), ports);
        ServiceSet {
            v4: if protocol == ICMPV6 { Traffic::empty() } else { traffic.clone() },
            v6: if protocol == ICMP { Traffic::empty() } else { traffic },
        }
    }

    /// All of one protocol.
    pub fn protocol(protocol: u8) -> Self {
        Self::ports(protocol, &IntervalSet::full(), &IntervalSet::full())
    }

    /// The messages of an ICMP protocol with a type and, if given, a code.
    pub fn icmp(protocol: u8, message_type: u8, code: Option<u8>) -> Self {
        let [first, last] = match code {
            Some(code) => [code, code],
            None => [u8::MIN, u8::MAX],
        };
        let messages = Interval::spanning(
            u16::from_be_bytes([message_type, first]),
            u16::from_be_bytes([message_type, last]),
        );
        Self::ports(protocol, &IntervalSet::full(), &IntervalSet::from_interval(messages, true))
    }

    /// True if it holds the protocol and ports of `packet`, in the family of its addresses.
    pub fn contains(&self, packet: &Packet) -> bool {
        let traffic = if packet.source.is_ipv4() { &self.v4 } else { &self.v6 };
        holds(traffic, packet)
    }
}

/// True if `traffic` holds the protocol and ports of `packet`.
pub(super) fn holds(traffic: &Traffic, packet: &Packet) -> bool {
    let ports = traffic.get(packet.protocol).and_then(|ports| ports.get(packet.source_port));
    ports.is_some_and(|ports| ports.contains(packet.destination_port))
}
