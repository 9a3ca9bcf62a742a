//! The names that IOS has for protocols, ports and ICMP messages.
//!
//! From the help of the command line and the Cisco IOS Security Command Reference (`permit (IP)`, `permit (IPv6)`); the
//! numbers are IANA's, except where IOS has its own: `hostname` 101, `cmd` 514, `login` 513, `nos` 94.

/// Protocols of IPv4. `ip`, which is all of them, is not among them.
const PROTOCOLS: [(&str, u8); 14] = [
    ("ahp", 51),
    ("eigrp", 88),
    ("esp", 50),
    ("gre", 47),
    ("icmp", 1),
    ("igmp", 2),
    ("igrp", 9),
    ("ipinip", 4),
    ("nos", 94),
    ("ospf", 89),
    ("pcp", 108),
    ("pim", 103),
    ("tcp", 6),
    ("udp", 17),
];

/// Protocols of IPv6. `ipv6` is all of them; `ahp` and `hbh` are headers that stand before a protocol.
const PROTOCOLS_V6: [(&str, u8); 6] =
    [("esp", 50), ("icmp", 58), ("pcp", 108), ("sctp", 132), ("tcp", 6), ("udp", 17)];

const TCP_PORTS: [(&str, u16); 39] = [
    ("bgp", 179),
    ("chargen", 19),
    ("cmd", 514),
    ("connectedapps-plain", 15001),
    ("connectedapps-tls", 15002),
    ("daytime", 13),
    ("discard", 9),
    ("domain", 53),
    ("drip", 3949),
    ("echo", 7),
    ("exec", 512),
    ("finger", 79),
    ("ftp", 21),
    ("ftp-data", 20),
    ("gopher", 70),
    ("hostname", 101),
    ("ident", 113),
    ("irc", 194),
    ("klogin", 543),
    ("kshell", 544),
    ("login", 513),
    ("lpd", 515),
    ("msrpc", 135),
    ("nntp", 119),
    ("onep-plain", 15001),
    ("onep-tls", 15002),
    ("pim-auto-rp", 496),
    ("pop2", 109),
    ("pop3", 110),
    ("smtp", 25),
    ("sunrpc", 111),
    ("syslog", 514),
    ("tacacs", 49),
    ("talk", 517),
    ("telnet", 23),
    ("time", 37),
    ("uucp", 540),
    ("whois", 43),
    ("www", 80),
];

const UDP_PORTS: [(&str, u16); 28] = [
    ("biff", 512),
    ("bootpc", 68),
    ("bootps", 67),
    ("discard", 9),
    ("dnsix", 195),
    ("domain", 53),
    ("echo", 7),
    ("isakmp", 500),
    ("mobile-ip", 434),
    ("nameserver", 42),
    ("netbios-dgm", 138),
    ("netbios-ns", 137),
    ("netbios-ss", 139),
    ("non500-isakmp", 4500),
    ("ntp", 123),
    ("pim-auto-rp", 496),
    ("rip", 520),
    ("ripv6", 521),
    ("snmp", 161),
    ("snmptrap", 162),
    ("sunrpc", 111),
    ("syslog", 514),
    ("tacacs", 49),
    ("talk", 517),
    ("tftp", 69),
    ("time", 37),
    ("who", 513),
    ("xdmcp", 177),
];

/// ICMP messages (RFC 792, RFC 1812, RFC 1393, RFC 1475): type, and code where the name says one.
const ICMP: [(&str, u8, Option<u8>); 44] = [
    ("administratively-prohibited", 3, Some(13)),
    ("alternate-address", 6, None),
    ("conversion-error", 31, None),
    ("dod-host-prohibited", 3, Some(10)),
    ("dod-net-prohibited", 3, Some(9)),
    ("echo", 8, None),
    ("echo-reply", 0, None),
    ("general-parameter-problem", 12, Some(0)),
    ("host-isolated", 3, Some(8)),
    ("host-precedence-unreachable", 3, Some(14)),
    ("host-redirect", 5, Some(1)),
    ("host-tos-redirect", 5, Some(3)),
    ("host-tos-unreachable", 3, Some(12)),
    ("host-unknown", 3, Some(7)),
    ("host-unreachable", 3, Some(1)),
    ("information-reply", 16, None),
    ("information-request", 15, None),
    ("mask-reply", 18, None),
    ("mask-request", 17, None),
    ("mobile-redirect", 32, None),
    ("net-redirect", 5, Some(0)),
    ("net-tos-redirect", 5, Some(2)),
    ("net-tos-unreachable", 3, Some(11)),
    ("net-unreachable", 3, Some(0)),
    ("network-unknown", 3, Some(6)),
    ("no-room-for-option", 12, Some(2)),
    ("option-missing", 12, Some(1)),
    ("packet-too-big", 3, Some(4)),
    ("parameter-problem", 12, None),
    ("port-unreachable", 3, Some(3)),
    ("precedence-unreachable", 3, Some(15)),
    ("protocol-unreachable", 3, Some(2)),
    ("reassembly-timeout", 11, Some(1)),
    ("redirect", 5, None),
    ("router-advertisement", 9, None),
    ("router-solicitation", 10, None),
    ("source-quench", 4, None),
    ("source-route-failed", 3, Some(5)),
    ("time-exceeded", 11, None),
    ("timestamp-reply", 14, None),
    ("timestamp-request", 13, None),
    ("traceroute", 30, None),
    ("ttl-exceeded", 11, Some(0)),
    ("unreachable", 3, None),
];

/// ICMPv6 messages (RFC 4443, RFC 2710, RFC 4861, RFC 2894, RFC 6275).
const ICMP_V6: [(&str, u8, Option<u8>); 32] = [
    ("beyond-scope", 1, Some(2)),
    ("destination-unreachable", 1, Some(3)),
    ("dhaad-reply", 145, None),
    ("dhaad-request", 144, None),
    ("echo-reply", 129, None),
    ("echo-request", 128, None),
    ("header", 4, Some(0)),
    ("hop-limit", 3, Some(0)),
    ("mld-query", 130, None),
    ("mld-reduction", 132, None),
    ("mld-report", 131, None),
    ("mpd-advertisement", 147, None),
    ("mpd-solicitation", 146, None),
    ("nd-na", 136, None),
    ("nd-ns", 135, None),
    ("next-header", 4, Some(1)),
    ("no-admin", 1, Some(1)),
    ("no-route", 1, Some(0)),
    ("packet-too-big", 2, None),
    ("parameter-option", 4, Some(2)),
    ("parameter-problem", 4, None),
    ("port-unreachable", 1, Some(4)),
    ("reassembly-timeout", 3, Some(1)),
    ("redirect", 137, None),
    ("renum-command", 138, Some(0)),
    ("renum-result", 138, Some(1)),
    ("renum-seq-number", 138, Some(255)),
    ("router-advertisement", 134, None),
    ("router-renumbering", 138, None),
    ("router-solicitation", 133, None),
    ("time-exceeded", 3, None),
    ("unreachable", 1, None),
];

/// Names of IGMP messages. The model has no field for them, so their numbers do not matter.
pub(super) const IGMP: [&str; 8] =
    ["dvmrp", "host-query", "host-report", "pim", "trace", "v2leave", "v2report", "v3report"];

fn find<V: Copy>(table: &[(&str, V)], name: &str) -> Option<V> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// The number of a protocol of IPv4.
pub(super) fn protocol(name: &str) -> Option<u8> {
    find(&PROTOCOLS, name)
}

/// The number of a protocol of IPv6.
pub(super) fn protocol_v6(name: &str) -> Option<u8> {
    find(&PROTOCOLS_V6, name)
}

/// The number of a port of TCP (6) or UDP (17); other protocols have no names for theirs.
pub(super) fn port(protocol: u8, name: &str) -> Option<u16> {
    match protocol {
        6 => find(&TCP_PORTS, name),
        17 => find(&UDP_PORTS, name),
        _ => None,
    }
}

/// Type and code of an ICMP message.
pub(super) fn icmp(name: &str) -> Option<(u8, Option<u8>)> {
    let found = ICMP.iter().find(|(known, ..)| *known == name);
    found.map(|(_, kind, code)| (*kind, *code))
}

/// Type and code of an ICMPv6 message.
pub(super) fn icmp_v6(name: &str) -> Option<(u8, Option<u8>)> {
    let found = ICMP_V6.iter().find(|(known, ..)| *known == name);
    found.map(|(_, kind, code)| (*kind, *code))
}
