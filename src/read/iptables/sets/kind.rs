//! Types of sets: what an element consists of.

/// A part of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// An address; over IPv4, several as a range or a prefix, each of which is an element.
    Addresses,
    /// One address.
    Address,
    /// A prefix, or over IPv4 a range of addresses, which falls into prefixes.
    Network,
    /// A protocol with ports, or the type and code of a message.
    Ports,
    /// Ports of TCP and UDP.
    BarePorts,
}

/// A type of sets.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The parts of an element, in order; none for a list of sets.
    pub(super) parts: &'static [Part],
    /// True if a prefix may have length 0.
    pub(super) zero_prefix: bool,
    /// True if the set has a range that its elements lie in.
    pub(super) ranged: bool,
}

impl Kind {
    /// True if elements can be excepted.
    pub(super) fn has_nomatch(&self) -> bool {
        self.parts.contains(&Part::Network)
    }

    /// True if an element holds ports.
    pub(super) fn has_ports(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Ports | Part::BarePorts))
    }

    /// True if it holds sets.
    pub(super) fn is_list(&self) -> bool {
        self.parts.is_empty()
    }

    /// True if it knows no addresses, and serves both families.
    pub(super) fn is_of_no_family(&self) -> bool {
        self.parts.iter().all(|part| *part == Part::BarePorts)
    }
}

const fn hash(name: &'static str, parts: &'static [Part]) -> Kind {
    Kind { name, parts, zero_prefix: false, ranged: false }
}

static KINDS: [Kind; 11] = [
    hash("hash:ip", &[Part::Addresses]),
    hash("hash:net", &[Part::Network]),
    hash("hash:ip,port", &[Part::Addresses, Part::Ports]),
    hash("hash:net,port", &[Part::Network, Part::Ports]),
    hash("hash:ip,port,ip", &[Part::Addresses, Part::Ports, Part::Address]),
    hash("hash:ip,port,net", &[Part::Addresses, Part::Ports, Part::Network]),
    // The kernel takes length 0 here (`hash_netnet4_uadt`, `hash_netportnet4_uadt`, net/netfilter/ipset).
    Kind { zero_prefix: true, ..hash("hash:net,net", &[Part::Network, Part::Network]) },
    Kind { zero_prefix: true, ..hash("hash:net,port,net", &[Part::Network, Part::Ports, Part::Network]) },
    Kind { ranged: true, ..hash("bitmap:ip", &[Part::Addresses]) },
    Kind { ranged: true, ..hash("bitmap:port", &[Part::BarePorts]) },
    hash("list:set", &[]),
];

/// Stands for a type that is not understood.
static UNKNOWN: Kind = hash("unknown", &[]);

/// What stands for a type that is not understood.
pub(super) fn unknown() -> &'static Kind {
    &UNKNOWN
}

/// The type of a name.
///
/// # Errors
/// It is not understood.
pub(super) fn kind(name: &str) -> Result<&'static Kind, String> {
    KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<String> = KINDS.iter().map(|kind| format!("`{}`", kind.name)).collect();
        format!("sets of the type `{name}` are not understood; {} are", names.join(", "))
    })
}
