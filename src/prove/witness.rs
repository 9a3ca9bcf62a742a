//! Packets that show a difference, as small and as readable as they can be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::civil::Date;

use super::diagram::{Id, Key};
use super::meaning::Circumstances;
use super::space::{Space, variable};
use super::walk::{Point, walk};
use crate::ir::{Decider, Policy, When};
use crate::read::{Family, Model};
use crate::set::{ICMP, ICMPV6, Packet, has_ports};

/// The first ephemeral port (RFC 6335, 6).
const EPHEMERAL: u128 = 49152;

/// A packet on which a config and its policy disagree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Witness {
    /// The packet, as a policy sees it.
    pub packet: Packet,
    /// Who sends it: the classes and peers that hold its source, or else the zone.
    pub from: String,
    /// Whom it is for.
    pub to: String,
    /// The flags of its TCP header, if it is one of TCP.
    pub flags: Option<u8>,
    /// The second of the week, where the difference depends on it; counted from Monday 00:00 by the config's clock.
    pub second: Option<u32>,
    /// The second since 1970-01-01 00:00, where the difference depends on it; by the config's clock.
    pub moment: Option<u32>,
    /// The line of the config that decides on it.
    pub line: Option<usize>,
    /// What the config says of that line.
    pub label: Option<String>,
    /// The statement of the policy that decides on it.
    pub statement: Option<String>,
    /// The last day of that statement, if it has ended by then.
    pub ended: Option<Date>,
}

/// Addresses that a reader knows: the first of each class and peer, ascending.
pub(super) struct Landmarks {
    v4: Vec<u128>,
    v6: Vec<u128>,
}

impl Landmarks {
    pub(super) fn new(policy: &Policy) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for endpoint in &policy.endpoints {
            v4.extend(endpoint.addresses.v4.intervals().map(|interval| u128::from(interval.first())));
            v6.extend(endpoint.addresses.v6.intervals().map(|interval| interval.first()));
        }
        v4.sort_unstable();
        v6.sort_unstable();
        Landmarks { v4, v6 }
    }

    fn within(&self, family: Family, first: u128, last: u128) -> Option<u128> {
        let known = match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        };
        let place = known.partition_point(|address| *address < first);
        known.get(place).copied().filter(|address| *address <= last)
    }
}

/// The most readable value of a variable within an interval, and how readable it is: less is better.
fn preferred(landmarks: &Landmarks, family: Family, place: u16, first: u128, last: u128) -> (usize, u128) {
    let listed = |wanted: &[u128]| {
        let found = wanted.iter().position(|value| (first..=last).contains(value));
        found.map_or((wanted.len(), first), |rank| (rank, wanted.get(rank).copied().unwrap_or(first)))
    };
    match place {
        variable::SOURCE | variable::DESTINATION => {
            landmarks.within(family, first, last).map_or((1, first), |address| (0, address))
        }
        variable::PROTOCOL => listed(&[6, 17, 1, 58]),
        variable::SOURCE_PORT => listed(&[EPHEMERAL]),
        variable::FLAGS => listed(&[2, 16]),
        _ => (0, first),
    }
}

/// Takes a packet out of a set, with all packets that differ from it as little as the set allows; `None` if it is empty.
pub(super) fn take<K: Key>(space: &mut Space<K>, landmarks: &Landmarks, set: Id) -> Option<(Point, Id)> {
    let family = space.family;
    let rank = |place: u16, (first, last): &(K, K)| {
        preferred(landmarks, family, place, first.number(), last.number()).0
    };
    let best = |place: u16, open: &[(K, K)]| {
        let ranked = open.iter().enumerate().min_by_key(|(index, interval)| (rank(place, interval), *index));
        ranked.map_or(0, |(index, _)| index)
    };
    let found = space.diagrams.pick(set, best)?;
    let value = |place: u16| {
        let (first, last) = found.get(usize::from(place)).map_or((0, 0), |(f, l)| (f.number(), l.number()));
        preferred(landmarks, family, place, first, last).1
    };
    let byte = |place| u8::try_from(value(place)).unwrap_or(u8::MAX);
    let port = |place| u16::try_from(value(place)).unwrap_or(u16::MAX);
    let point = Point {
        family,
        source: value(variable::SOURCE),
        destination: value(variable::DESTINATION),
        protocol: byte(variable::PROTOCOL),
        source_port: port(variable::SOURCE_PORT),
        destination_port: port(variable::DESTINATION_PORT),
        flags: byte(variable::FLAGS),
        second: u32::try_from(value(variable::SECOND)).unwrap_or(0),
        moment: space.origin.saturating_add(u32::try_from(value(variable::MOMENT)).unwrap_or(u32::MAX)),
    };
    let mut taken = Id::ALL;
    for (place, interval) in (0..variable::COUNT).zip(&found).rev() {
        taken = space.diagrams.choose(place, [*interval], taken);
    }
    Some((point, space.diagrams.without(set, taken)))
}

/// What a difference depends on, so that a packet that shows it is told with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Depends {
    pub(super) on_week: bool,
    pub(super) on_dates: bool,
}

/// Says of a packet what is known of it.
pub(super) fn describe(
    policy: &Policy,
    decider: &Decider,
    model: &Model,
    point: &Point,
    here: Circumstances,
    depends: Depends,
) -> Witness {
    let packet = packet(point);
    let walked = [true, false].map(|opaque| walk(model, point, here, opaque));
    let [with, without] = walked;
    let walked = if with.passes { with } else { without };
    let rule = decider.decide(&packet).rule().map(|rule| &policy[rule]);
    let end = rule.map(|rule| When::new(None, rule.about.until));
    let ended = end.filter(|end| end.last_second().is_some_and(|last| last < point.moment));
    Witness {
        from: named(policy, decider, packet.source),
        to: named(policy, decider, packet.destination),
        packet,
        flags: (point.protocol == 6).then_some(point.flags),
        second: depends.on_week.then_some(point.second),
        moment: depends.on_dates.then_some(point.moment),
        line: walked.line,
        label: walked.label,
        statement: rule.map(|rule| rule.id.clone()),
        ended: ended.and_then(When::end).filter(|_| depends.on_dates),
    }
}

/// The classes and peers that hold an address, or else its zone.
fn named(policy: &Policy, decider: &Decider, address: IpAddr) -> String {
    let holders = policy.endpoints.iter().filter(|endpoint| endpoint.addresses.contains(address));
    let names: Vec<&str> = holders.map(|endpoint| endpoint.name.as_str()).collect();
    match (names.is_empty(), decider.zone_of(address)) {
        (false, _) => names.join(", "),
        (true, Some(zone)) => format!("zone {}", policy[zone].name),
        (true, None) => "no zone".to_owned(),
    }
}

/// A packet as the policy sees it: the type and code of an ICMP message stand in its destination port.
fn packet(point: &Point) -> Packet {
    let address = |number: u128| match point.family {
        Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX))),
        Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(number)),
    };
    let (source_port, destination_port) = if has_ports(point.protocol) {
        (point.source_port, point.destination_port)
    } else if [ICMP, ICMPV6].contains(&point.protocol) {
        let byte = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
        let message = [byte(point.source_port), byte(point.destination_port)];
        (0, u16::from_be_bytes(message))
    } else {
        (0, 0)
    };
    Packet {
        source: address(point.source),
        destination: address(point.destination),
        protocol: point.protocol,
        source_port,
        destination_port,
    }
}
