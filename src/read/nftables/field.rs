//! What a rule looks at: the left side of a match.
//!
//! Next to what it names, an expression of a header holds only for packets that have that header (nft(8), payload
//! expressions): nft puts the test of family and protocol in front of it. Measured with `nft --debug=netlink` 1.0.6.

use super::cursor::Cursor;
use super::matching::operator;
use super::scan::Piece;
use crate::read::Family;

/// What a rule looks at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Field {
    /// The name of the interface that the packet arrives on, or leaves by.
    Interface {
        /// The one that it arrives on.
        arrives: bool,
        /// Looked at by its number, which belongs to a name when the rule is loaded.
        by_number: bool,
    },
    /// The state of the connection.
    State,
    /// The family, by the network stack.
    StackFamily,
    /// The family, by the protocol of the frame.
    FrameFamily,
    /// The transport protocol.
    Protocol,
    /// The protocol in the header of IPv4.
    HeaderProtocol,
    /// The protocol in the first header of IPv6, which is that of an extension header if there is one.
    NextHeader,
    /// An address.
    Address {
        /// Its family.
        family: Family,
        /// The source.
        source: bool,
    },
    /// A port of a protocol, or of whatever protocol the packet has.
    Port {
        /// The protocol.
        protocol: Option<u8>,
        /// The source.
        source: bool,
    },
    /// The type of a message of ICMP or ICMPv6.
    IcmpType(Family),
    /// Its code.
    IcmpCode(Family),
    /// The flags of a TCP header.
    TcpFlags,
    /// The second of the day, in UTC.
    Hour,
    /// The day of the week, 0 being Sunday.
    Day,
    /// The second since 1970, where a rule asks whether it comes before another one or not.
    Time,
    /// Something that the model has no field for.
    Other {
        /// In words.
        text: String,
        /// Only packets of this family have it.
        family: Option<Family>,
        /// Only packets of this protocol have it.
        protocol: Option<u8>,
    },
}

/// What values of a field, and elements of a set, look like.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// IPv4 addresses.
    V4,
    /// IPv6 addresses.
    V6,
    /// Ports.
    Port,
    /// Transport protocols.
    Protocol,
    /// Names of interfaces.
    Name,
    /// Numbers of interfaces, written as names.
    Number,
    /// States of connections.
    State,
    /// Families of the network stack.
    StackFamily,
    /// Protocols of frames.
    FrameFamily,
    /// Types of ICMP.
    IcmpType,
    /// Codes of ICMP.
    IcmpCode,
    /// Types of ICMPv6.
    Icmpv6Type,
    /// Codes of ICMPv6.
    Icmpv6Code,
    /// Flags of TCP.
    TcpFlags,
    /// Seconds of the day.
    Hour,
    /// Days of the week.
    Day,
    /// Seconds since 1970.
    Time,
    /// Anything else.
    Other,
}

impl Kind {
    /// The type that a word names behind `type`; types without a field in the model are all the same here.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "ipv4_addr" => Kind::V4,
            "ipv6_addr" => Kind::V6,
            "inet_service" => Kind::Port,
            "inet_proto" => Kind::Protocol,
            "ifname" => Kind::Name,
            "iface_index" => Kind::Number,
            "ct_state" => Kind::State,
            "nf_proto" => Kind::StackFamily,
            "ether_type" => Kind::FrameFamily,
            "icmp_type" => Kind::IcmpType,
            "icmp_code" => Kind::IcmpCode,
            "icmpv6_type" => Kind::Icmpv6Type,
            "icmpv6_code" => Kind::Icmpv6Code,
            "tcp_flag" => Kind::TcpFlags,
            "hour" => Kind::Hour,
            "day" => Kind::Day,
            _ => Kind::Other,
        }
    }
}

impl Field {
    /// What its values look like.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Field::Interface { by_number: false, .. } => Kind::Name,
            Field::Interface { by_number: true, .. } => Kind::Number,
            Field::State => Kind::State,
            Field::StackFamily => Kind::StackFamily,
            Field::FrameFamily => Kind::FrameFamily,
            Field::Protocol | Field::HeaderProtocol | Field::NextHeader => Kind::Protocol,
            Field::Address { family: Family::V4, .. } => Kind::V4,
            Field::Address { family: Family::V6, .. } => Kind::V6,
            Field::Port { .. } => Kind::Port,
            Field::IcmpType(Family::V4) => Kind::IcmpType,
            Field::IcmpType(Family::V6) => Kind::Icmpv6Type,
            Field::IcmpCode(Family::V4) => Kind::IcmpCode,
            Field::IcmpCode(Family::V6) => Kind::Icmpv6Code,
            Field::TcpFlags => Kind::TcpFlags,
            Field::Hour => Kind::Hour,
            Field::Day => Kind::Day,
            Field::Time => Kind::Time,
            Field::Other { .. } => Kind::Other,
        }
    }

    /// The family of the packets that have it, if only those of one do.
    pub(super) fn family(&self) -> Option<Family> {
        match self {
            Field::Address { family, .. } | Field::IcmpType(family) | Field::IcmpCode(family) => {
                Some(*family)
            }
            Field::HeaderProtocol => Some(Family::V4),
            Field::NextHeader => Some(Family::V6),
            Field::Other { family, .. } => *family,
            Field::Interface { .. }
            | Field::State
            | Field::StackFamily
            | Field::FrameFamily
            | Field::Protocol
            | Field::Port { .. }
            | Field::TcpFlags
            | Field::Hour
            | Field::Day
            | Field::Time => None,
        }
    }

    /// The protocol of the packets that have it, if only those of one do.
    pub(super) fn protocol(&self) -> Option<u8> {
        match self {
            Field::Port { protocol, .. } | Field::Other { protocol, .. } => *protocol,
            Field::IcmpType(Family::V4) | Field::IcmpCode(Family::V4) => Some(1),
            Field::IcmpType(Family::V6) | Field::IcmpCode(Family::V6) => Some(58),
            Field::TcpFlags => Some(6),
            Field::Interface { .. }
            | Field::State
            | Field::StackFamily
            | Field::FrameFamily
            | Field::Protocol
            | Field::HeaderProtocol
            | Field::NextHeader
            | Field::Address { .. }
            | Field::Hour
            | Field::Day
            | Field::Time => None,
        }
    }

    /// True if it stands in the transport header, which later fragments do not have.
    pub(super) fn in_transport_header(&self) -> bool {
        match self {
            Field::Port { .. } | Field::IcmpType(_) | Field::IcmpCode(_) | Field::TcpFlags => true,
            Field::Other { protocol, .. } => protocol.is_some(),
            Field::Interface { .. }
            | Field::State
            | Field::StackFamily
            | Field::FrameFamily
            | Field::Protocol
            | Field::HeaderProtocol
            | Field::NextHeader
            | Field::Address { .. }
            | Field::Hour
            | Field::Day
            | Field::Time => false,
        }
    }
}

/// Takes what a match looks at; `None` if the next word begins no match.
pub(super) fn field(cursor: &mut Cursor) -> Result<Option<Field>, String> {
    let Some(first) = cursor.peek_word() else { return Ok(None) };
    let second = cursor.word_at(1).unwrap_or_default();
    if (first, second) == ("meta", "time") && compares_moments(cursor) {
        cursor.skip_all(2);
        return Ok(Some(Field::Time));
    }
    if let Some(field) = known(first, second) {
        let one_word = matches!(first, "iifname" | "oifname" | "iif" | "oif");
        cursor.skip_all(if one_word { 1 } else { 2 });
        return Ok(Some(field));
    }
    if let Some((words, family, protocol)) = others(first, second) {
        let text = if words == 1 { first.to_owned() } else { format!("{first} {second}") };
        cursor.skip_all(words);
        return Ok(Some(Field::Other { text, family, protocol }));
    }
    match first {
        "ct" => conntrack(cursor).map(Some),
        "fib" => fib(cursor).map(Some),
        "exthdr" => {
            cursor.skip_all(2);
            Ok(Some(Field::Other {
                text: format!("{first} {second}"),
                family: Some(Family::V6),
                protocol: None,
            }))
        }
        "meta" => Err(format!("`meta {second}` is not understood")),
        _ => Ok(None),
    }
}

/// True if `meta time` stands before an operator that parts seconds exactly. The kernel counts nanoseconds, so all other
/// ones ask for a part of a second.
fn compares_moments(cursor: &Cursor) -> bool {
    let mut ahead = *cursor;
    ahead.skip_all(2);
    matches!(operator(&mut ahead), Some("<" | ">="))
}

/// Expressions that the model has a field for.
fn known(first: &str, second: &str) -> Option<Field> {
    let interface = |word: &str| {
        let (arrives, by_number) = match word {
            "iifname" => (true, false),
            "oifname" => (false, false),
            "iif" => (true, true),
            "oif" => (false, true),
            _ => return None,
        };
        Some(Field::Interface { arrives, by_number })
    };
    let port = |protocol| match second {
        "sport" => Some(Field::Port { protocol, source: true }),
        "dport" => Some(Field::Port { protocol, source: false }),
        _ => None,
    };
    match (first, second) {
        ("iifname" | "oifname" | "iif" | "oif", _) => interface(first),
        ("meta", "iifname" | "oifname" | "iif" | "oif") => interface(second),
        ("meta", "l4proto") => Some(Field::Protocol),
        ("meta", "nfproto") => Some(Field::StackFamily),
        ("meta", "protocol") => Some(Field::FrameFamily),
        ("meta", "hour") => Some(Field::Hour),
        ("meta", "day") => Some(Field::Day),
        ("ip", "saddr") => Some(Field::Address { family: Family::V4, source: true }),
        ("ip", "daddr") => Some(Field::Address { family: Family::V4, source: false }),
        ("ip", "protocol") => Some(Field::HeaderProtocol),
        ("ip6", "saddr") => Some(Field::Address { family: Family::V6, source: true }),
        ("ip6", "daddr") => Some(Field::Address { family: Family::V6, source: false }),
        ("ip6", "nexthdr") => Some(Field::NextHeader),
        ("tcp", "flags") => Some(Field::TcpFlags),
        ("icmp", "type") => Some(Field::IcmpType(Family::V4)),
        ("icmp", "code") => Some(Field::IcmpCode(Family::V4)),
        ("icmpv6", "type") => Some(Field::IcmpType(Family::V6)),
        ("icmpv6", "code") => Some(Field::IcmpCode(Family::V6)),
        ("ct", "state") => Some(Field::State),
        ("tcp", _) => port(Some(6)),
        ("udp", _) => port(Some(17)),
        ("dccp", _) => port(Some(33)),
        ("sctp", _) => port(Some(132)),
        ("udplite", _) => port(Some(136)),
        ("th", _) => port(None),
        _ => None,
    }
}

/// Expressions that the model has no field for: how many words they have, and what packets have them.
fn others(first: &str, second: &str) -> Option<(usize, Option<Family>, Option<u8>)> {
    let listed = |words: &[&str]| words.contains(&second);
    let found = match first {
        "mark" | "iifgroup" | "oifgroup" | "iiftype" | "oiftype" | "skuid" | "skgid" | "pkttype" | "cpu"
        | "cgroup" | "rtclassid" | "ibrname" | "obrname" => return Some((1, None, None)),
        "meta" => (listed(&META), None, None),
        "ip" => (listed(&IP), Some(Family::V4), None),
        "ip6" => (listed(&IP6), Some(Family::V6), None),
        "tcp" => (listed(&["sequence", "ackseq", "doff", "window", "checksum", "urgptr"]), None, Some(6)),
        "udp" => (listed(&["length", "checksum"]), None, Some(17)),
        "udplite" => (listed(&["checksum"]), None, Some(136)),
        "sctp" => (listed(&["vtag", "checksum"]), None, Some(132)),
        "dccp" => (listed(&["type"]), None, Some(33)),
        "icmp" => (listed(&["checksum", "id", "sequence", "mtu", "gateway"]), Some(Family::V4), Some(1)),
        "icmpv6" => {
            let words =
                ["checksum", "parameter-problem", "packet-too-big", "id", "sequence", "max-delay", "mtu"];
            (listed(&words), Some(Family::V6), Some(58))
        }
        "ether" => (listed(&["saddr", "daddr", "type"]), None, None),
        "vlan" => (listed(&["id", "dei", "pcp", "type"]), None, None),
        "esp" => (listed(&["spi", "sequence"]), None, Some(50)),
        "ah" => (listed(&["nexthdr", "hdrlength", "reserved", "spi", "sequence"]), None, Some(51)),
        "frag" => {
            (listed(&["nexthdr", "reserved", "frag-off", "more-fragments", "id"]), Some(Family::V6), None)
        }
        "hbh" | "dst" | "mh" => (listed(&["nexthdr", "hdrlength"]), Some(Family::V6), None),
        "rt" if listed(&["classid", "mtu", "ipsec"]) => (true, None, None),
        "rt" => (listed(&["nexthdr", "hdrlength", "type", "seg-left"]), Some(Family::V6), None),
        "socket" => (listed(&["transparent", "mark", "wildcard"]), None, None),
        "osf" => (listed(&["name", "version"]), None, None),
        _ => return None,
    };
    let (known, family, protocol) = found;
    known.then_some((2, family, protocol))
}

/// Words behind `meta` (nft(8), meta expressions).
const META: [&str; 22] = [
    "length",
    "mark",
    "priority",
    "rtclassid",
    "skuid",
    "skgid",
    "iiftype",
    "oiftype",
    "iifgroup",
    "oifgroup",
    "iifkind",
    "oifkind",
    "cgroup",
    "cpu",
    "pkttype",
    "ipsec",
    "secpath",
    "random",
    "time",
    "ibrname",
    "obrname",
    "nftrace",
];

/// Words behind `ip` (nft(8), IPv4 header expression).
const IP: [&str; 9] = ["version", "hdrlength", "dscp", "ecn", "length", "id", "frag-off", "ttl", "checksum"];

/// Words behind `ip6` (nft(8), IPv6 header expression).
const IP6: [&str; 6] = ["version", "dscp", "ecn", "flowlabel", "length", "hoplimit"];

/// Words behind `ct` (nft(8), conntrack expressions), but for the state.
const CONNTRACK: [&str; 12] = [
    "direction",
    "status",
    "mark",
    "expiration",
    "helper",
    "label",
    "zone",
    "id",
    "bytes",
    "packets",
    "avgpkt",
    "protocol",
];

/// Words behind `ct original` and `ct reply`.
const DIRECTED: [&str; 10] =
    ["saddr", "daddr", "proto-src", "proto-dst", "protocol", "l3proto", "bytes", "packets", "avgpkt", "zone"];

fn conntrack(cursor: &mut Cursor) -> Result<Field, String> {
    let mut words = vec!["ct"];
    let mut place = 1;
    let directed = matches!(cursor.word_at(place), Some("original" | "reply"));
    if directed {
        words.extend(cursor.word_at(place));
        place += 1;
        if let Some(family @ ("ip" | "ip6")) = cursor.word_at(place) {
            words.push(family);
            place += 1;
        }
    }
    let key = cursor.word_at(place).unwrap_or_default();
    let known: &[&str] = if directed { &DIRECTED } else { &CONNTRACK };
    if !known.contains(&key) && key != "l3proto" {
        return Err(format!("`ct {key}` is not understood"));
    }
    words.push(key);
    cursor.skip_all(place + 1);
    Ok(Field::Other { text: words.join(" "), family: None, protocol: None })
}

/// A look-up of the routing table: what is looked up, joined by dots, and what is asked.
fn fib(cursor: &mut Cursor) -> Result<Field, String> {
    let mut words = vec!["fib"];
    cursor.skip();
    loop {
        match cursor.word() {
            Some(word @ ("saddr" | "daddr" | "mark" | "iif" | "oif")) => words.push(word),
            _ => return Err("`fib` looks up `saddr`, `daddr`, `mark`, `iif` or `oif`".to_owned()),
        }
        if !matches!(cursor.peek(), Some(Piece::Symbol("."))) {
            break;
        }
        words.push(".");
        cursor.skip();
    }
    match cursor.word() {
        Some(word @ ("oif" | "oifname" | "type")) => words.push(word),
        _ => return Err("`fib` asks for `oif`, `oifname` or `type`".to_owned()),
    }
    Ok(Field::Other { text: words.join(" "), family: None, protocol: None })
}
