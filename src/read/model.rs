//! What a config does with packets, in one form for all platforms.
//!
//! A [`Model`] holds lists of rules ([`Chain`]) and the places at which packets enter them ([`Filter`]). A packet passes
//! if every filter that concerns it accepts it. In a chain the first rule that matches and decides gives the verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// IPv4. Addresses are numbers below 2^32.
    V4,
    /// IPv6. Addresses are numbers below 2^128.
    V6,
}

impl Family {
    /// The largest address, as a number.
    pub fn last_address(self) -> u128 {
        match self {
            Family::V4 => u32::MAX as u128,
            Family::V6 => u128::MAX,
        }
    }
}

/// Packets of one family whose fields lie in intervals, both ends included. It cannot be empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PacketBox {
    /// The family.
    pub family: Family,
    /// Source addresses, as numbers.
    pub source: (u128, u128),
    /// Destination addresses, as numbers.
    pub destination: (u128, u128),
    /// The transport protocol: IPv4's `protocol`, IPv6's last `next header`.
    pub protocol: (u8, u8),
    /// Source ports; for ICMP and ICMPv6, types. All numbers for protocols that have neither.
    ///
    /// INVARIANT: narrower than all numbers only if `protocol` holds nothing but protocols with ports (TCP 6, UDP 17,
    /// DCCP 33, SCTP 132, UDP-Lite 136), or nothing but ICMP (1) or ICMPv6 (58).
    pub source_port: (u16, u16),
    /// Destination ports; for ICMP and ICMPv6, codes.
    pub destination_port: (u16, u16),
    /// The flags of a TCP header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128 (RFC 9293, 3.1). All
    /// numbers for other protocols.
    pub flags: (u8, u8),
    /// Seconds since Monday 00:00, by the clock that the platform uses: UTC on Linux, the device's own elsewhere.
    pub second: (u32, u32),
    /// Seconds since 1970-01-01 00:00 by the same clock. The last one, in 2106, stands for all that come later.
    pub moment: (u32, u32),
}

impl PacketBox {
    /// The last second of a week.
    pub const LAST_SECOND: u32 = 7 * 24 * 60 * 60 - 1;

    /// Every packet of a family.
    pub fn all(family: Family) -> Self {
        let addresses = (0, family.last_address());
        PacketBox {
            family,
            source: addresses,
            destination: addresses,
            protocol: (0, u8::MAX),
            source_port: (0, u16::MAX),
            destination_port: (0, u16::MAX),
            flags: (0, u8::MAX),
            second: (0, PacketBox::LAST_SECOND),
            moment: (0, u32::MAX),
        }
    }
}

impl PacketBox {
    /// The packets in both; `None` if there are none.
    pub fn intersection(&self, other: &PacketBox) -> Option<PacketBox> {
        (self.family == other.family).then_some(())?;
        Some(PacketBox {
            family: self.family,
            source: overlap(self.source, other.source)?,
            destination: overlap(self.destination, other.destination)?,
            protocol: overlap(self.protocol, other.protocol)?,
            source_port: overlap(self.source_port, other.source_port)?,
            destination_port: overlap(self.destination_port, other.destination_port)?,
            flags: overlap(self.flags, other.flags)?,
            second: overlap(self.second, other.second)?,
            moment: overlap(self.moment, other.moment)?,
        })
    }
}

/// What lies in both of two intervals, ends included.
pub(super) fn overlap<N: Ord + Copy>(one: (N, N), other: (N, N)) -> Option<(N, N)> {
    let both = (one.0.max(other.0), one.1.min(other.1));
    (both.0 <= both.1).then_some(both)
}

/// A set of packets: the union of boxes, which may overlap, or all packets but those.
///
/// Without boxes and not negated it holds no packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// The boxes. Conditions that look into the same named set share them, so that it is worked out once.
    pub boxes: Arc<[PacketBox]>,
    /// True for the packets, of both families, that lie in none of the boxes.
    pub negated: bool,
}

impl Condition {
    /// The packets in some boxes.
    pub fn any_of(boxes: impl Into<Arc<[PacketBox]>>) -> Self {
        Condition { boxes: boxes.into(), negated: false }
    }

    /// The packets of one family.
    pub fn family(family: Family) -> Self {
        Condition::any_of([PacketBox::all(family)])
    }
}

/// Interfaces by name; a name that ends in `*` stands for all that start with what comes before it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Interfaces {
    /// All.
    #[default]
    Any,
    /// Those named. No name means none.
    Only(Arc<[String]>),
    /// All but those named.
    Except(Arc<[String]>),
}

impl Interfaces {
    /// True if they hold an interface.
    pub fn contains(&self, name: &str) -> bool {
        let among = |names: &[String]| {
            names.iter().any(|known| match known.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => known == name,
            })
        };
        match self {
            Interfaces::Any => true,
            Interfaces::Only(names) => among(names),
            Interfaces::Except(names) => !among(names),
        }
    }
}

/// A set of states of connection tracking. A stateless platform does not look at them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct States(u8);

impl States {
    /// The packet opens a connection.
    pub const NEW: States = States(1);
    /// It belongs to a known connection.
    pub const ESTABLISHED: States = States(2);
    /// It is an error about a known connection, or of a connection that a helper expects.
    pub const RELATED: States = States(4);
    /// It fits no connection and cannot open one.
    pub const INVALID: States = States(8);
    /// It was exempted from tracking.
    pub const UNTRACKED: States = States(16);
    /// All of them.
    pub const ALL: States = States(31);
    /// None: what asks for it matches nothing.
    pub const NONE: States = States(0);

    /// Those in either.
    pub const fn union(self, other: States) -> States {
        States(self.0 | other.0)
    }

    /// Those in both.
    pub const fn intersection(self, other: States) -> States {
        States(self.0 & other.0)
    }

    /// All that it does not hold.
    pub const fn complement(self) -> States {
        States(States::ALL.0 & !self.0)
    }

    /// True if it holds all of another.
    pub const fn contains(self, other: States) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a rule matches: packets for which all of this holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// The interface that the packet arrives on.
    pub arrives: Interfaces,
    /// The interface that it leaves by.
    pub leaves: Interfaces,
    /// Its state.
    pub states: States,
    /// `Some(true)` for fragments other than the first, which show no ports; `Some(false)` for all other packets.
    pub later_fragments: Option<bool>,
    /// Sets that all hold the packet. Without any, every packet matches.
    pub conditions: Vec<Condition>,
    /// Conditions that the model has no field for (a hop limit, a rate), word for word as the config writes them in its
    /// canonical form: each holds or does not, whatever else is true of the packet.
    pub opaque: Vec<String>,
}

impl Default for Match {
    fn default() -> Self {
        Match {
            arrives: Interfaces::Any,
            leaves: Interfaces::Any,
            states: States::ALL,
            later_fragments: None,
            conditions: Vec::new(),
            opaque: Vec::new(),
        }
    }
}

/// The place of a chain in [`Model::chains`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChainId(pub usize);

/// What happens to a packet that a rule matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It passes this filter.
    Accept,
    /// It does not, whether or not its sender is told.
    Drop,
    /// It goes through a chain and comes back here if that does not decide.
    Jump(ChainId),
    /// It goes through a chain, and from there to where the caller of this chain goes on.
    Goto(ChainId),
    /// It leaves this chain undecided.
    Return,
    /// It goes on to the next rule: the rule counts or logs.
    Continue,
}

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The line of the text that it stands in, counted from one.
    pub line: usize,
    /// What it matches.
    pub matches: Match,
    /// What happens then.
    pub action: Action,
    /// What the config says of it: its comment, remark or description.
    pub label: Option<Arc<str>>,
}

/// A list of rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// What the config calls it.
    pub name: String,
    /// Its rules, in the order in which they are tried. A packet that none decides on leaves the chain undecided.
    pub rules: Vec<Rule>,
}

/// Ways that a packet can take through a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paths {
    /// From one interface to another.
    pub through: bool,
    /// To the device itself.
    pub to_device: bool,
    /// From the device itself.
    pub from_device: bool,
}

/// A place at which packets enter a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// What the config calls it: `forward`, `interface Vlan210 in`.
    pub name: String,
    /// The line of the text that it stands in, counted from one.
    pub line: usize,
    /// The ways on which packets meet it.
    pub paths: Paths,
    /// The packets that it concerns; all others pass it.
    pub concerns: Match,
    /// Where they enter.
    pub chain: ChainId,
    /// True if a packet that the chain leaves undecided passes.
    pub otherwise_accept: bool,
}

/// What a port of a switch does with frames of a kind of which many come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StormLevel {
    /// How many frames a second may come in before they are dropped; none if the config counts in another way.
    pub packets_per_second: Option<u64>,
    /// The level word for word.
    pub text: String,
    /// The line of the text that it stands in, counted from one.
    pub line: usize,
}

/// What a port of a switch does in storms. It drops frames by how many there are, not by what they hold, so it is no filter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StormControl {
    /// Levels by kind: `broadcast`, `multicast`, `unicast`.
    pub levels: BTreeMap<String, StormLevel>,
    /// The line by which the port is shut in a storm, if there is one.
    pub shutdown: Option<usize>,
    /// The line by which a storm is told, if there is one.
    pub trap: Option<usize>,
}

/// What a config does with packets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Model {
    /// The families that the config speaks of. It says nothing of packets of others.
    pub families: Vec<Family>,
    /// Lists of rules.
    pub chains: Vec<Chain>,
    /// What a packet has to pass: all that concern it, each on its own.
    pub filters: Vec<Filter>,
    /// What ports of a switch do in storms, by their names. It is empty for platforms that have no words for it.
    pub storms: BTreeMap<String, StormControl>,
}

/// Something in a config that was not understood.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mistake {
    /// The line of the text, counted from one.
    pub line: usize,
    /// What is wrong with it, in words.
    pub what: String,
}

/// How many lines of a config were understood; blank lines and comments are not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lines {
    /// Lines that are part of the model.
    pub understood: usize,
    /// Lines that cannot affect filtering.
    pub ignored: usize,
    /// Lines with a mistake.
    pub mistaken: usize,
}

/// What a reader makes of a config.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// What the config means. It must not be used if there are mistakes.
    pub model: Model,
    /// What was not understood, in the order of lines.
    pub mistakes: Vec<Mistake>,
    /// How much was.
    pub lines: Lines,
}
