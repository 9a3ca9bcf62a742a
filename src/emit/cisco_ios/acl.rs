//! The model of an access list: what a line matches, and what the lines of a list admit together.
//!
//! Addresses of both families are integers of 128 bits here, so that one set of functions serves both. A line is a
//! product of services, sources and destinations; how many lines of text it takes is decided in `group`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::prefix::Prefix;
use super::service::Service;
use super::time::Moment;
use crate::ir::When;
use crate::set::{
    BoxOf, FlowsOf, ICMP, ICMPV6, Interval, IntervalMap, IntervalSet, PacketBox, PacketSet, Point, Set,
    Traffic, union_all,
};

/// A set of packets of one family, with its addresses as integers of 128 bits.
pub(super) type Flows = FlowsOf<u128>;

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Family {
    V4,
    V6,
}

/// Which way packets go through an interface, as the device sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Direction {
    In,
    Out,
}

/// What a line does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Action {
    Permit,
    Deny,
}

/// Every packet of one of `services` from one of `sources` to one of `destinations`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) action: Action,
    pub(super) services: Vec<Service>,
    pub(super) sources: Vec<Prefix>,
    pub(super) destinations: Vec<Prefix>,
    pub(super) ending: Ending,
}

/// What stands at the end of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ending {
    pub(super) log: bool,
    /// When the line holds.
    pub(super) when: When,
}

/// Lines that belong together, under a remark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Block {
    pub(super) remark: String,
    pub(super) lines: Vec<Line>,
    /// True if they are about packets to the device itself.
    pub(super) local: bool,
}

/// What an access list admits.
pub(super) struct Admitted {
    /// Packets that may be the first of a connection.
    pub(super) first: Flows,
    /// TCP packets that are admitted with ACK or RST only.
    pub(super) established: Flows,
}

impl Family {
    pub(super) const BOTH: [Family; 2] = [Family::V4, Family::V6];

    /// The number of bits of an address.
    pub(super) fn width(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }

    /// All addresses.
    pub(super) fn all(self) -> Interval<u128> {
        match self {
            Family::V4 => Interval::spanning(0, u128::from(u32::MAX)),
            Family::V6 => Interval::FULL,
        }
    }

    /// The protocol number of its ICMP.
    pub(super) fn icmp(self) -> u8 {
        match self {
            Family::V4 => ICMP,
            Family::V6 => ICMPV6,
        }
    }

    /// The word that stands for every protocol.
    pub(super) fn every_protocol(self) -> &'static str {
        match self {
            Family::V4 => "ip",
            Family::V6 => "ipv6",
        }
    }

    /// How its number ends a name.
    pub(super) fn digit(self) -> char {
        match self {
            Family::V4 => '4',
            Family::V6 => '6',
        }
    }

    pub(super) fn address(self, bits: u128) -> String {
        match self {
            Family::V4 => Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX)).to_string(),
            Family::V6 => Ipv6Addr::from_bits(bits).to_string(),
        }
    }

    /// The packets of this family in a set.
    pub(super) fn of(self, packets: &PacketSet) -> Flows {
        match self {
            Family::V4 => lift(&packets.v4, |to| lift(to, Clone::clone)),
            Family::V6 => packets.v6.clone(),
        }
    }

    /// The addresses of this family in a set.
    pub(super) fn addresses(self, set: &crate::set::AddressSet) -> IntervalSet<u128> {
        match self {
            Family::V4 => lift(&set.v4, |held| *held),
            Family::V6 => set.v6.clone(),
        }
    }

    /// A box with addresses of this family, for people to read.
    pub(super) fn packet_box(self, packets: &BoxOf<u128>) -> PacketBox {
        let narrow = |interval: Interval<u128>| {
            let bits = |value| u32::try_from(value).unwrap_or(u32::MAX);
            Interval::spanning(bits(interval.first()), bits(interval.last()))
        };
        match self {
            Family::V4 => PacketBox::V4(BoxOf {
                source: narrow(packets.source),
                destination: narrow(packets.destination),
                protocol: packets.protocol,
                source_port: packets.source_port,
                destination_port: packets.destination_port,
            }),
            Family::V6 => PacketBox::V6(*packets),
        }
    }
}

/// The same map with wider keys.
fn lift<S: Set, T: Set>(map: &IntervalMap<u32, S>, member: impl Fn(&S) -> T) -> IntervalMap<u128, T> {
    let wide = |interval: Interval<u32>| Interval::spanning(interval.first().into(), interval.last().into());
    let entries = map.entries().iter();
    union_all(entries.map(|(interval, members)| IntervalMap::from_interval(wide(*interval), member(members))))
}

/// All pairs with their sides exchanged.
pub(super) fn transposed<A: Point, S: Set>(
    map: &IntervalMap<A, IntervalMap<A, S>>,
) -> IntervalMap<A, IntervalMap<A, S>> {
    let pairs = map.entries().iter().flat_map(|(one, others)| {
        others.entries().iter().map(|(other, members)| {
            IntervalMap::from_interval(*other, IntervalMap::from_interval(*one, members.clone()))
        })
    });
    union_all(pairs)
}

/// All destinations.
pub(super) fn destinations(flows: &Flows) -> IntervalSet<u128> {
    flows.entries().iter().flat_map(|(_, to)| to.entries()).map(|(interval, _)| *interval).collect()
}

/// The disjoint boxes of a set, in ascending order.
pub(super) fn boxes(flows: &Flows) -> Vec<BoxOf<u128>> {
    PacketSet { v4: FlowsOf::empty(), v6: flows.clone() }
        .boxes()
        .into_iter()
        .filter_map(|packets| match packets {
            PacketBox::V6(packets) => Some(packets),
            PacketBox::V4(_) => None,
        })
        .collect()
}

impl Ending {
    /// The same without a message for each packet.
    pub(super) fn silent(self) -> Self {
        Ending { log: false, ..self }
    }
}

impl Line {
    /// The packets that it matches.
    pub(super) fn flows(&self) -> Flows {
        let set = |prefixes: &[Prefix]| prefixes.iter().map(|prefix| prefix.range()).collect();
        let traffic: Traffic = union_all(self.services.iter().map(Service::traffic));
        let (sources, destinations): (IntervalSet<u128>, IntervalSet<u128>) =
            (set(&self.sources), set(&self.destinations));
        Flows::product(&sources, &IntervalMap::product(&destinations, &traffic))
    }

    fn is_established(&self) -> bool {
        self.services.iter().any(|service| service.established)
    }

    /// How many single entries it stands for.
    pub(super) fn entries(&self) -> usize {
        self.services.len() * self.sources.len() * self.destinations.len()
    }
}

/// What a list admits at a moment. The first matching line decides of those that hold, and the end denies.
pub(super) fn admitted(blocks: &[Block], moment: &Moment) -> Admitted {
    let lines = || {
        let lines = blocks.iter().flat_map(|block| &block.lines);
        lines.filter(|line| moment.holds(line.ending.when))
    };
    let first = decided(lines().filter(|line| !line.is_established()));
    let established = decided(lines()).difference(&first);
    Admitted { first, established }
}

/// Works from the last line to the first, so that each line overrules those behind it. Neighbours that do the same are
/// joined before, in a balanced tree.
fn decided<'l>(lines: impl Iterator<Item = &'l Line>) -> Flows {
    let mut runs: Vec<(Action, Vec<Flows>)> = Vec::new();
    for line in lines {
        match runs.last_mut() {
            Some((action, flows)) if *action == line.action => flows.push(line.flows()),
            _ => runs.push((line.action, vec![line.flows()])),
        }
    }
    runs.into_iter().rev().fold(Flows::empty(), |behind, (action, flows)| match action {
        Action::Permit => behind.union(&union_all(flows)),
        Action::Deny => behind.difference(&union_all(flows)),
    })
}
