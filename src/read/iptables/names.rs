//! Names that iptables and ipset take for numbers.
//!
//! Protocols are those that the tools know themselves (`xtables_chain_protos`, libxtables) and those of /etc/protocols as
//! Debian ships it, which follows IANA's protocol numbers. Of services, those that stand for one port in IANA's registry
//! and in every /etc/services; a machine may know more, but a file does not say which. Messages of ICMP are those that
//! `iptables -p icmp -h`, `ip6tables -p icmpv6 -h` and `ipset help` list, with the numbers that the tools show for them.

use super::super::model::Family;

/// TCP.
pub(super) const TCP: u8 = 6;
/// UDP.
pub(super) const UDP: u8 = 17;
/// DCCP.
pub(super) const DCCP: u8 = 33;
/// SCTP.
pub(super) const SCTP: u8 = 132;
/// UDP-Lite.
pub(super) const UDPLITE: u8 = 136;
/// ICMP.
pub(super) const ICMP: u8 = 1;
/// ICMPv6.
pub(super) const ICMPV6: u8 = 58;

/// Headers of IPv6 that stand before a protocol: hop-by-hop options, routing, fragment, authentication, destination
/// options. The protocol is looked for behind them (`ip6_packet_match`, net/ipv6/netfilter/ip6_tables.c).
pub(super) const EXTENSION_HEADERS: [u8; 5] = [0, 43, 44, 51, 60];

const PROTOCOLS: [(&str, u8); 46] = [
    ("ah", 51),
    ("ax.25", 93),
    ("dccp", DCCP),
    ("ddp", 37),
    ("egp", 8),
    ("eigrp", 88),
    ("encap", 98),
    ("esp", 50),
    ("etherip", 97),
    ("fc", 133),
    ("ggp", 3),
    ("gre", 47),
    ("hip", 139),
    ("hmp", 20),
    ("icmp", ICMP),
    ("icmpv6", ICMPV6),
    ("igmp", 2),
    ("igp", 9),
    ("ipcomp", 108),
    ("ipencap", 4),
    ("ipip", 94),
    ("ipv6", 41),
    ("ipv6-frag", 44),
    ("ipv6-icmp", ICMPV6),
    ("ipv6-mh", 135),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("ipv6-route", 43),
    ("isis", 124),
    ("l2tp", 115),
    ("manet", 138),
    ("mh", 135),
    ("mobility-header", 135),
    ("mpls-in-ip", 137),
    ("ospf", 89),
    ("pim", 103),
    ("rdp", 27),
    ("rohc", 142),
    ("rsvp", 46),
    ("sctp", SCTP),
    ("shim6", 140),
    ("tcp", TCP),
    ("udp", UDP),
    ("udplite", UDPLITE),
    ("vrrp", 112),
    ("wesp", 141),
];

const SERVICES: [(&str, u16); 36] = [
    ("bgp", 179),
    ("bootpc", 68),
    ("bootps", 67),
    ("domain", 53),
    ("finger", 79),
    ("ftp", 21),
    ("ftp-data", 20),
    ("gopher", 70),
    ("http", 80),
    ("https", 443),
    ("imap2", 143),
    ("imaps", 993),
    ("ipp", 631),
    ("kerberos", 88),
    ("ldap", 389),
    ("ldaps", 636),
    ("microsoft-ds", 445),
    ("mysql", 3306),
    ("netbios-dgm", 138),
    ("netbios-ns", 137),
    ("netbios-ssn", 139),
    ("nntp", 119),
    ("ntp", 123),
    ("pop3", 110),
    ("pop3s", 995),
    ("postgresql", 5432),
    ("rsync", 873),
    ("sip", 5060),
    ("smtp", 25),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("ssh", 22),
    ("sunrpc", 111),
    ("syslog", 514),
    ("telnet", 23),
    ("tftp", 69),
];

/// A name of messages: their type, and the code where the name is of one.
type Message = (&'static str, u8, Option<u8>);

const MESSAGES_V4: [Message; 39] = [
    ("address-mask-reply", 18, None),
    ("address-mask-request", 17, None),
    ("communication-prohibited", 3, Some(13)),
    ("destination-unreachable", 3, None),
    ("echo-reply", 0, None),
    ("echo-request", 8, None),
    ("fragmentation-needed", 3, Some(4)),
    ("host-precedence-violation", 3, Some(14)),
    ("host-prohibited", 3, Some(10)),
    ("host-redirect", 5, Some(1)),
    ("host-unknown", 3, Some(7)),
    ("host-unreachable", 3, Some(1)),
    ("ip-header-bad", 12, Some(0)),
    ("network-prohibited", 3, Some(9)),
    ("network-redirect", 5, Some(0)),
    ("network-unknown", 3, Some(6)),
    ("network-unreachable", 3, Some(0)),
    ("parameter-problem", 12, None),
    ("ping", 8, None),
    ("pong", 0, None),
    ("port-unreachable", 3, Some(3)),
    ("precedence-cutoff", 3, Some(15)),
    ("protocol-unreachable", 3, Some(2)),
    ("redirect", 5, None),
    ("required-option-missing", 12, Some(1)),
    ("router-advertisement", 9, None),
    ("router-solicitation", 10, None),
    ("source-quench", 4, None),
    ("source-route-failed", 3, Some(5)),
    ("time-exceeded", 11, None),
    ("timestamp-reply", 14, None),
    ("timestamp-request", 13, None),
    ("tos-host-redirect", 5, Some(3)),
    ("tos-host-unreachable", 3, Some(12)),
    ("tos-network-redirect", 5, Some(2)),
    ("tos-network-unreachable", 3, Some(11)),
    ("ttl-exceeded", 11, None),
    ("ttl-zero-during-reassembly", 11, Some(1)),
    ("ttl-zero-during-transit", 11, Some(0)),
];

const MESSAGES_V6: [Message; 28] = [
    ("address-unreachable", 1, Some(3)),
    ("bad-header", 4, Some(0)),
    ("beyond-scope", 1, Some(2)),
    ("communication-prohibited", 1, Some(1)),
    ("destination-unreachable", 1, None),
    ("echo-reply", 129, None),
    ("echo-request", 128, None),
    ("failed-policy", 1, Some(5)),
    ("neighbor-advertisement", 136, None),
    ("neighbor-solicitation", 135, None),
    ("neighbour-advertisement", 136, None),
    ("neighbour-solicitation", 135, None),
    ("no-route", 1, Some(0)),
    ("packet-too-big", 2, None),
    ("parameter-problem", 4, None),
    ("ping", 128, None),
    ("pong", 129, None),
    ("port-unreachable", 1, Some(4)),
    ("redirect", 137, None),
    ("reject-route", 1, Some(6)),
    ("router-advertisement", 134, None),
    ("router-solicitation", 133, None),
    ("time-exceeded", 3, None),
    ("ttl-exceeded", 3, None),
    ("ttl-zero-during-reassembly", 3, Some(1)),
    ("ttl-zero-during-transit", 3, Some(0)),
    ("unknown-header-type", 4, Some(1)),
    ("unknown-option", 4, Some(2)),
];

/// The family as people write it.
pub(super) fn family_name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// True for protocols with ports.
pub(super) fn has_ports(protocol: u8) -> bool {
    matches!(protocol, TCP | UDP | DCCP | SCTP | UDPLITE)
}

/// A decimal number. The tools take `0x10` and, in some places, `010` for other bases, so these are none.
pub(super) fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// The number of a protocol, by name or number.
///
/// # Errors
/// It is none that is known here, or belongs to the other family.
pub(super) fn protocol(text: &str, family: Family) -> Result<u8, String> {
    if let Some(number) = number(text) {
        return Ok(number);
    }
    let name = text.to_ascii_lowercase();
    let known = PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    match (known, family) {
        (Some(ICMP), Family::V6) => Err(format!("`{text}` is a protocol of IPv4; IPv6 has `icmpv6`")),
        (Some(ICMPV6), Family::V4) => Err(format!("`{text}` is a protocol of IPv6; IPv4 has `icmp`")),
        (Some(number), _) => Ok(number),
        (None, _) => Err(format!("`{text}` is not the number of a protocol, nor a name that is known here")),
    }
}

/// The number of a port, by number or by the name of a service.
///
/// # Errors
/// It is none that is known here.
pub(super) fn port(text: &str) -> Result<u16, String> {
    let service = || SERVICES.iter().find(|(known, _)| *known == text).map(|(_, number)| *number);
    number(text)
        .or_else(service)
        .ok_or_else(|| format!("`{text}` is not a port from 0 to 65535, nor a service that is known here"))
}

/// The type and, if it is of one, the code of the messages of a name.
pub(super) fn message(name: &str, family: Family) -> Option<(u8, Option<u8>)> {
    let name = name.to_ascii_lowercase();
    let messages = match family {
        Family::V4 => MESSAGES_V4.as_slice(),
        Family::V6 => MESSAGES_V6.as_slice(),
    };
    messages.iter().find(|(known, _, _)| *known == name).map(|(_, kind, code)| (*kind, *code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_numbers() {
        assert_eq!(protocol("TCP", Family::V6), Ok(6));
        assert_eq!(protocol("1", Family::V6), Ok(1));
        assert_eq!(port("ssh"), Ok(22));
        assert_eq!(message("TOS-host-redirect", Family::V4), Some((5, Some(3))));
        assert_eq!(message("ttl-zero-during-reassembly", Family::V6), Some((3, Some(1))));
        assert!(protocol("icmp", Family::V6).is_err() && protocol("ipv6-icmp", Family::V4).is_err());
        for wrong in ["", "06", "0x6", "256", "-1", "+6", "nothing"] {
            assert!(protocol(wrong, Family::V4).is_err(), "{wrong}");
        }
        assert!(port("65536").is_err());
    }
}
