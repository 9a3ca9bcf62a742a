//! Matches: which there are, and which options each takes.
//!
//! What the model has a field for is interpreted in `matching`. All others stand here as opaque: whatever they look at,
//! they can do nothing but make a rule match or not (iptables-extensions(8)). Their options are known by name, so that a
//! word that fits nowhere is a mistake.

/// Parts of a packet, or of what the kernel notes about it, that a target can change and a match can look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Fields(u8);

impl Fields {
    pub(super) const NONE: Fields = Fields(0);
    pub(super) const MARK: Fields = Fields(1);
    /// Type of service: differentiated services and explicit congestion notification.
    pub(super) const SERVICE: Fields = Fields(2);
    pub(super) const HOPS: Fields = Fields(4);
    pub(super) const TCP_OPTIONS: Fields = Fields(8);
    /// The state of connection tracking.
    pub(super) const STATE: Fields = Fields(16);
    /// All that stands in the packet itself.
    const PACKET: Fields = Fields(2 | 4 | 8);

    /// The single fields, each with what it is called.
    pub(super) const NAMES: [(Fields, &'static str); 5] = [
        (Fields::MARK, "a mark"),
        (Fields::SERVICE, "the type of service"),
        (Fields::HOPS, "the hop limit"),
        (Fields::TCP_OPTIONS, "options of TCP"),
        (Fields::STATE, "the state of connection tracking"),
    ];

    pub(super) const fn union(self, other: Fields) -> Fields {
        Fields(self.0 | other.0)
    }

    pub(super) const fn meets(self, other: Fields) -> bool {
        self.0 & other.0 != 0
    }
}

/// How a match is interpreted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Ports of a protocol, and the flags of TCP.
    Ports,
    Icmp,
    Multiport,
    State,
    Set,
    Comment,
    IpRange,
    Time,
    Opaque,
}

/// A match: its name, how it is interpreted, what it looks at, and its options with the number of their values.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) reads: Fields,
    pub(super) options: &'static [(&'static str, usize)],
}

const fn interpreted(name: &'static str, kind: Kind, options: &'static [(&'static str, usize)]) -> Module {
    let reads = if matches!(kind, Kind::State) { Fields::STATE } else { Fields::NONE };
    Module { name, kind, reads, options }
}

const fn opaque(name: &'static str, reads: Fields, options: &'static [(&'static str, usize)]) -> Module {
    Module { name, kind: Kind::Opaque, reads, options }
}

/// The match of a name. That of ICMPv6 has three (`xtables_find_match`, libxtables).
pub(super) fn module(name: &str) -> Option<&'static Module> {
    let name = if matches!(name, "icmpv6" | "ipv6-icmp") { "icmp6" } else { name };
    INTERPRETED.iter().chain(&OPAQUE).find(|module| module.name == name)
}

impl Module {
    /// How many values an option takes; nothing if it is not one of this match.
    pub(super) fn arity(&self, option: &str) -> Option<usize> {
        self.options.iter().find(|(known, _)| *known == option).map(|(_, arity)| *arity)
    }
}

static INTERPRETED: [Module; 13] = [
    interpreted(
        "tcp",
        Kind::Ports,
        &[
            ("--sport", 1),
            ("--source-port", 1),
            ("--dport", 1),
            ("--destination-port", 1),
            ("--tcp-flags", 2),
            ("--syn", 0),
            ("--tcp-option", 1),
        ],
    ),
    interpreted(
        "udp",
        Kind::Ports,
        &[("--sport", 1), ("--source-port", 1), ("--dport", 1), ("--destination-port", 1)],
    ),
    interpreted(
        "sctp",
        Kind::Ports,
        &[
            ("--sport", 1),
            ("--source-port", 1),
            ("--dport", 1),
            ("--destination-port", 1),
            ("--chunk-types", 2),
        ],
    ),
    interpreted(
        "dccp",
        Kind::Ports,
        &[
            ("--sport", 1),
            ("--source-port", 1),
            ("--dport", 1),
            ("--destination-port", 1),
            ("--dccp-types", 1),
            ("--dccp-option", 1),
        ],
    ),
    interpreted("icmp", Kind::Icmp, &[("--icmp-type", 1)]),
    interpreted("icmp6", Kind::Icmp, &[("--icmpv6-type", 1)]),
    interpreted(
        "multiport",
        Kind::Multiport,
        &[
            ("--sports", 1),
            ("--source-ports", 1),
            ("--dports", 1),
            ("--destination-ports", 1),
            ("--ports", 1),
        ],
    ),
    interpreted("state", Kind::State, &[("--state", 1)]),
    interpreted(
        "conntrack",
        Kind::State,
        &[
            ("--ctstate", 1),
            ("--ctproto", 1),
            ("--ctorigsrc", 1),
            ("--ctorigdst", 1),
            ("--ctreplsrc", 1),
            ("--ctrepldst", 1),
            ("--ctorigsrcport", 1),
            ("--ctorigdstport", 1),
            ("--ctreplsrcport", 1),
            ("--ctrepldstport", 1),
            ("--ctstatus", 1),
            ("--ctexpire", 1),
            ("--ctdir", 1),
        ],
    ),
    interpreted(
        "set",
        Kind::Set,
        &[("--match-set", 2), ("--set", 2), ("--update-counters", 0), ("--update-subcounters", 0)],
    ),
    interpreted("comment", Kind::Comment, &[("--comment", 1)]),
    interpreted("iprange", Kind::IpRange, &[("--src-range", 1), ("--dst-range", 1)]),
    interpreted(
        "time",
        Kind::Time,
        &[
            ("--timestart", 1),
            ("--timestop", 1),
            ("--weekdays", 1),
            ("--monthdays", 1),
            ("--datestart", 1),
            ("--datestop", 1),
            ("--contiguous", 0),
            ("--kerneltz", 0),
            ("--localtz", 0),
            ("--utc", 0),
        ],
    ),
];

const LIMITS: &[(&str, usize)] = &[
    ("--hashlimit", 1),
    ("--hashlimit-upto", 1),
    ("--hashlimit-above", 1),
    ("--hashlimit-burst", 1),
    ("--hashlimit-mode", 1),
    ("--hashlimit-name", 1),
    ("--hashlimit-srcmask", 1),
    ("--hashlimit-dstmask", 1),
    ("--hashlimit-htable-size", 1),
    ("--hashlimit-htable-max", 1),
    ("--hashlimit-htable-expire", 1),
    ("--hashlimit-htable-gcinterval", 1),
    ("--hashlimit-rate-match", 0),
    ("--hashlimit-rate-interval", 1),
];

static OPAQUE: [Module; 37] = [
    opaque(
        "addrtype",
        Fields::NONE,
        &[("--src-type", 1), ("--dst-type", 1), ("--limit-iface-in", 0), ("--limit-iface-out", 0)],
    ),
    opaque("ah", Fields::NONE, &[("--ahspi", 1), ("--ahlen", 1), ("--ahres", 0)]),
    opaque("bpf", Fields::MARK.union(Fields::PACKET), &[("--bytecode", 1), ("--object-pinned", 1)]),
    opaque("cgroup", Fields::NONE, &[("--cgroup", 1), ("--path", 1)]),
    opaque(
        "cluster",
        Fields::NONE,
        &[
            ("--cluster-total-nodes", 1),
            ("--cluster-local-node", 1),
            ("--cluster-local-nodemask", 1),
            ("--cluster-hash-seed", 1),
        ],
    ),
    opaque("connbytes", Fields::NONE, &[("--connbytes", 1), ("--connbytes-dir", 1), ("--connbytes-mode", 1)]),
    opaque(
        "connlimit",
        Fields::NONE,
        &[
            ("--connlimit-upto", 1),
            ("--connlimit-above", 1),
            ("--connlimit-mask", 1),
            ("--connlimit-saddr", 0),
            ("--connlimit-daddr", 0),
        ],
    ),
    opaque("connmark", Fields::MARK, &[("--mark", 1)]),
    opaque("cpu", Fields::NONE, &[("--cpu", 1)]),
    opaque("devgroup", Fields::NONE, &[("--src-group", 1), ("--dst-group", 1)]),
    opaque("dscp", Fields::SERVICE, &[("--dscp", 1), ("--dscp-class", 1)]),
    opaque("dst", Fields::NONE, &[("--dst-len", 1), ("--dst-opts", 1)]),
    opaque("ecn", Fields::SERVICE, &[("--ecn-tcp-cwr", 0), ("--ecn-tcp-ece", 0), ("--ecn-ip-ect", 1)]),
    opaque("esp", Fields::NONE, &[("--espspi", 1)]),
    opaque("eui64", Fields::NONE, &[]),
    opaque(
        "frag",
        Fields::NONE,
        &[
            ("--fragid", 1),
            ("--fraglen", 1),
            ("--fragres", 0),
            ("--fragfirst", 0),
            ("--fragmore", 0),
            ("--fraglast", 0),
        ],
    ),
    opaque("hashlimit", Fields::NONE, LIMITS),
    opaque("hbh", Fields::NONE, &[("--hbh-len", 1), ("--hbh-opts", 1)]),
    opaque("helper", Fields::NONE, &[("--helper", 1)]),
    opaque("hl", Fields::HOPS, &[("--hl-eq", 1), ("--hl-lt", 1), ("--hl-gt", 1)]),
    opaque("ipv6header", Fields::NONE, &[("--header", 1), ("--soft", 0)]),
    opaque("length", Fields::TCP_OPTIONS, &[("--length", 1)]),
    opaque("limit", Fields::NONE, &[("--limit", 1), ("--limit-burst", 1)]),
    opaque("mac", Fields::NONE, &[("--mac-source", 1)]),
    opaque("mark", Fields::MARK, &[("--mark", 1)]),
    opaque(
        "owner",
        Fields::NONE,
        &[("--uid-owner", 1), ("--gid-owner", 1), ("--socket-exists", 0), ("--suppl-groups", 0)],
    ),
    opaque(
        "physdev",
        Fields::NONE,
        &[
            ("--physdev-in", 1),
            ("--physdev-out", 1),
            ("--physdev-is-in", 0),
            ("--physdev-is-out", 0),
            ("--physdev-is-bridged", 0),
        ],
    ),
    opaque("pkttype", Fields::NONE, &[("--pkt-type", 1)]),
    opaque(
        "policy",
        Fields::NONE,
        &[
            ("--dir", 1),
            ("--pol", 1),
            ("--strict", 0),
            ("--reqid", 1),
            ("--spi", 1),
            ("--proto", 1),
            ("--mode", 1),
            ("--tunnel-src", 1),
            ("--tunnel-dst", 1),
            ("--next", 0),
        ],
    ),
    opaque(
        "recent",
        Fields::NONE,
        &[
            ("--name", 1),
            ("--set", 0),
            ("--rcheck", 0),
            ("--update", 0),
            ("--remove", 0),
            ("--rsource", 0),
            ("--rdest", 0),
            ("--mask", 1),
            ("--seconds", 1),
            ("--reap", 0),
            ("--hitcount", 1),
            ("--rttl", 0),
        ],
    ),
    opaque(
        "rpfilter",
        Fields::MARK,
        &[("--loose", 0), ("--validmark", 0), ("--accept-local", 0), ("--invert", 0)],
    ),
    opaque(
        "statistic",
        Fields::NONE,
        &[("--mode", 1), ("--probability", 1), ("--every", 1), ("--packet", 1)],
    ),
    opaque(
        "string",
        Fields::PACKET,
        &[("--algo", 1), ("--from", 1), ("--to", 1), ("--string", 1), ("--hex-string", 1), ("--icase", 0)],
    ),
    opaque("tcpmss", Fields::TCP_OPTIONS, &[("--mss", 1)]),
    opaque("tos", Fields::SERVICE, &[("--tos", 1)]),
    opaque("ttl", Fields::HOPS, &[("--ttl-eq", 1), ("--ttl-lt", 1), ("--ttl-gt", 1)]),
    opaque("u32", Fields::PACKET, &[("--u32", 1)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_knows_its_options() {
        assert_eq!(module("tcp").and_then(|module| module.arity("--tcp-flags")), Some(2));
        assert_eq!(module("limit").and_then(|module| module.arity("--dport")), None);
        assert!(module("quota").is_none());
    }

    #[test]
    fn what_looks_at_all_of_a_packet_meets_each_of_its_parts() {
        assert!(Fields::PACKET.meets(Fields::HOPS) && !Fields::PACKET.meets(Fields::MARK));
        assert!(!Fields::NONE.meets(Fields::PACKET));
    }
}
