//! What a policy allows, as sets of packets: straight from its statements, before anything is planned or optimised.
//!
//! `union(allow) minus union(forbid)` is taken over all addresses at once, and only then cut to the zones between which
//! an enforcement point stands.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;

use super::bounds::Constants;
use super::diagram::{Id, Key};
use super::platform::Platform;
use super::space::{ICMP, ICMPV6, Space, TCP, variable};
use crate::ir::{Device, Effect, Policy, Rule, Week, ZoneId};
use crate::read::{Family, PacketBox};
use crate::set::{AddressSet, Interval, Point, ServiceSet, has_ports};

/// ACK and RST in the flags of a TCP header: one of them is set in every packet but the first (RFC 9293, 3.5).
const ANSWERING: u8 = 0b0001_0100;

/// How a platform tells the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Time {
    /// How the seconds of its configs are to be read.
    pub(super) seconds: Seconds,
    /// Its target, which has ends of rules that it can say.
    pub(super) target: &'static str,
}

/// How the seconds of a config are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seconds {
    /// As those of UTC.
    Utc,
    /// As those of the clock that the schedules of the policy are meant by.
    Own,
}

/// Which packets of a connection are meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Way {
    /// Those of who opens it.
    Forth,
    /// Replies, as they look to a platform that knows no connections: from the port that was asked, for TCP with ACK or
    /// RST set, for ICMP the reply to the request.
    Back,
    /// The same on a platform that knows which packets belong to a connection, so that flags say nothing.
    Known,
}

/// What a policy says of the packets of one family, whatever zones they lie between.
pub(super) struct Expected<K> {
    pub(super) space: Space<K>,
    pub(super) constants: Constants,
    /// All that the policy allows, and the part of it that no target may leave out.
    pub(super) everything: Id,
    pub(super) promised: Id,
    /// Replies to both, where they need a rule.
    pub(super) replies: Id,
    pub(super) promised_replies: Id,
    /// What manage statements let to the device.
    pub(super) managed: Id,
}

impl<K: Key> Expected<K> {
    /// Works out what one device of a platform is to do.
    pub(super) fn new(policy: &Policy, device: &Device, family: Family, platform: &Platform) -> Self {
        let mut space = Space::<K>::new(family, first_second(policy));
        let constants = Constants::new(&mut space, platform);
        let nothing = BTreeSet::new();
        let left_out: BTreeSet<String> =
            policy.rules.iter().filter(|rule| rule.leave_out).map(|rule| rule.id.clone()).collect();
        let [everything, replies] = [Way::Forth, Way::Back].map(|way| {
            if way == Way::Back && platform.stateful {
                return Id::NONE;
            }
            allowed(&mut space, policy, platform.time, way, &nothing)
        });
        let [promised, promised_replies] =
            [(Way::Forth, everything), (Way::Back, replies)].map(|(way, all)| {
                if left_out.is_empty() || way == Way::Back && platform.stateful {
                    return all;
                }
                allowed(&mut space, policy, platform.time, way, &left_out)
            });
        let managed = managed(&mut space, policy, device);
        space.diagrams.forget();
        Expected { space, constants, everything, promised, replies, promised_replies, managed }
    }
}

/// The first second of the day as of which a policy holds.
fn first_second(policy: &Policy) -> u32 {
    let days = (policy.as_of - date(1970, 1, 1)).get_days();
    u32::try_from(i64::from(days.max(0)) * 86_400).unwrap_or(u32::MAX)
}

/// The packets that a policy allows, whatever zones they lie between, without those of rules that are left out.
pub(super) fn allowed<K: Key>(
    space: &mut Space<K>,
    policy: &Policy,
    time: Time,
    way: Way,
    left_out: &BTreeSet<String>,
) -> Id {
    let (mut allowed, mut forbidden) = (Vec::new(), Vec::new());
    let mut known = Known::new();
    for rule in policy.rules.iter().filter(|rule| !left_out.contains(&rule.id)) {
        let packets = packets(space, &mut known, policy, rule, time, way);
        match rule.effect {
            Effect::Allow => allowed.push(packets),
            Effect::Forbid => forbidden.push(packets),
        }
    }
    let (allowed, forbidden) = (space.diagrams.union(allowed), space.diagrams.union(forbidden));
    space.diagrams.without(allowed, forbidden)
}

/// The packets that manage statements let to an enforcement point, whatever interface they arrive on.
fn managed<K: Key>(space: &mut Space<K>, policy: &Policy, device: &Device) -> Id {
    let statements = policy.managements.iter().filter(|statement| statement.applies_to(device));
    let mut known = Known::new();
    let sets = statements
        .map(|statement| {
            let services = services(space, &mut known, &statement.services, Way::Forth, Id::ALL);
            addresses(space, variable::SOURCE, &statement.from.addresses, services)
        })
        .collect();
    space.diagrams.first_of(sets)
}

/// The packets from some zones to others, each pair of different zones.
pub(super) fn between<K: Key>(
    space: &mut Space<K>,
    policy: &Policy,
    pairs: &BTreeSet<(ZoneId, ZoneId)>,
    allowed: Id,
) -> Id {
    let mut by_source: BTreeMap<ZoneId, Vec<Id>> = BTreeMap::new();
    for (from, to) in pairs {
        let inside = zone(space, policy, variable::DESTINATION, *to);
        by_source.entry(*from).or_default().push(inside);
    }
    let mut parts = Vec::new();
    for (from, destinations) in by_source {
        let source = zone(space, policy, variable::SOURCE, from);
        let destinations = space.diagrams.first_of(destinations);
        let part = space.diagrams.within(source, allowed);
        parts.push(space.diagrams.within(destinations, part));
    }
    space.diagrams.first_of(parts)
}

/// The packets with an address, source or destination, in a zone.
pub(super) fn zone<K: Key>(space: &mut Space<K>, policy: &Policy, side: u16, zone: ZoneId) -> Id {
    addresses(space, side, &policy[zone].addresses, Id::ALL)
}

/// The packets of one rule, as the platform tells the time.
pub(super) fn of_rule<K: Key>(space: &mut Space<K>, policy: &Policy, rule: &Rule, time: Time) -> Id {
    packets(space, &mut Known::new(), policy, rule, time, Way::Forth)
}

/// The packets of one rule in one direction, at whatever time.
pub(super) fn in_direction<K: Key>(space: &mut Space<K>, rule: &Rule, way: Way) -> Id {
    one_way(space, &mut Known::new(), rule, way, Id::ALL)
}

/// The packets of one rule at whatever time, and those that answer them in known connections.
pub(super) fn in_connections<K: Key>(space: &mut Space<K>, rule: &Rule) -> Id {
    let both = [Way::Forth, Way::Known].map(|way| in_direction(space, rule, way));
    space.diagrams.first_of(both.into())
}

/// The packets of one rule.
fn packets<K: Key>(
    space: &mut Space<K>,
    known: &mut Known,
    policy: &Policy,
    rule: &Rule,
    time: Time,
    way: Way,
) -> Id {
    let until = match policy.when(time.target, rule).last_second() {
        None => Id::ALL,
        Some(last) => space.of_box(&PacketBox { moment: (0, last), ..PacketBox::all(space.family) }),
    };
    let when = match policy.schedule_of(rule) {
        None => until,
        Some(schedule) => match time.seconds {
            Seconds::Own => week(space, &schedule.week, until),
            // A schedule that has no place in UTC is refused before anything is made for a platform that counts in it.
            Seconds::Utc => schedule.week_in_utc().map_or(Id::NONE, |utc| week(space, &utc, until)),
        },
    };
    one_way(space, known, rule, way, when)
}

/// The packets of one rule, for which `when` holds too.
fn one_way<K: Key>(space: &mut Space<K>, known: &mut Known, rule: &Rule, way: Way, when: Id) -> Id {
    let services = services(space, known, &rule.services, way, when);
    let (from, to) = match way {
        Way::Forth => (&rule.from.addresses, &rule.to.addresses),
        Way::Back | Way::Known => (&rule.to.addresses, &rule.from.addresses),
    };
    let destinations = addresses(space, variable::DESTINATION, to, services);
    addresses(space, variable::SOURCE, from, destinations)
}

fn week<K: Key>(space: &mut Space<K>, week: &Week, inside: Id) -> Id {
    let seconds = week.runs().map(|run| {
        let (first, last) = (u128::from(run.first()) * 60, u128::from(run.last()) * 60 + 59);
        (K::of(first), K::of(last))
    });
    let seconds: Vec<(K, K)> = seconds.collect();
    space.diagrams.choose(variable::SECOND, seconds, inside)
}

/// The packets with an address, source or destination, in a set, for which `inside` holds too.
pub(super) fn addresses<K: Key>(space: &mut Space<K>, side: u16, set: &AddressSet, inside: Id) -> Id {
    let intervals: Vec<(K, K)> = match space.family {
        Family::V4 => set.v4.intervals().map(keys).collect(),
        Family::V6 => set.v6.intervals().map(keys).collect(),
    };
    space.diagrams.choose(side, intervals, inside)
}

fn keys<T: Point + Into<u128>, K: Key>(interval: Interval<T>) -> (K, K) {
    (K::of(interval.first().into()), K::of(interval.last().into()))
}

/// Sets that were worked out before, by the boxes that they were asked for, the way, and what holds too: few services are
/// behind many rules.
type Known = BTreeMap<(Vec<PacketBox>, Way, Id), Id>;

/// The packets of some services, for which `inside` holds too.
fn services<K: Key>(
    space: &mut Space<K>,
    known: &mut Known,
    services: &ServiceSet,
    way: Way,
    inside: Id,
) -> Id {
    let traffic = match space.family {
        Family::V4 => &services.v4,
        Family::V6 => &services.v6,
    };
    let mut asked = Vec::new();
    for (protocols, ports) in traffic.entries() {
        for (sources, destinations) in ports.entries() {
            for destination in destinations.intervals() {
                asked.extend(boxes(space.family, *protocols, *sources, destination));
            }
        }
    }
    let key = (asked, way, inside);
    if let Some(set) = known.get(&key) {
        return *set;
    }
    let parts = key.0.iter().map(|packets| {
        let set = seen(space, packets, way);
        space.diagrams.within(set, inside)
    });
    let parts = parts.collect();
    let set = space.diagrams.first_of(parts);
    known.insert(key, set);
    set
}

/// Requests of ICMP and the types of their replies (RFC 792; RFC 950; RFC 4443, 4; RFC 4620).
pub(super) const REPLIES: [(u8, u16, u16); 6] =
    [(ICMP, 8, 0), (ICMP, 13, 14), (ICMP, 15, 16), (ICMP, 17, 18), (ICMPV6, 128, 129), (ICMPV6, 139, 140)];

/// The packets of some traffic, or the replies to them, which there are not for every message.
fn seen<K: Key>(space: &mut Space<K>, packets: &PacketBox, way: Way) -> Id {
    if way == Way::Forth {
        return space.of_box(packets);
    }
    let (first, last) = packets.protocol;
    let mut sets = Vec::new();
    for protocol in first..=last {
        let (types, ports) = (packets.source_port, packets.destination_port);
        let of_protocol = PacketBox { protocol: (protocol, protocol), ..*packets };
        let messages = match space.family {
            Family::V4 => ICMP,
            Family::V6 => ICMPV6,
        };
        if protocol == messages {
            let asked = REPLIES
                .iter()
                .filter(|(known, request, _)| *known == protocol && (types.0..=types.1).contains(request));
            sets.extend(
                asked.map(|(_, _, reply)| PacketBox { source_port: (*reply, *reply), ..of_protocol }),
            );
        } else {
            let back = PacketBox { source_port: ports, destination_port: types, ..of_protocol };
            let flags = (0..=u8::MAX).filter(|flags| flags & ANSWERING != 0);
            if protocol == TCP && way == Way::Back {
                sets.extend(flags.map(|flags| PacketBox { flags: (flags, flags), ..back }));
            } else {
                sets.push(back);
            }
        }
    }
    space.of_boxes(&sets)
}

/// One entry of a service as boxes. What a policy says of messages stands in the destination ports of ICMP, as
/// `type * 256 + code`.
fn boxes(
    family: Family,
    protocols: Interval<u8>,
    sources: Interval<u16>,
    destinations: Interval<u16>,
) -> Vec<PacketBox> {
    let all = PacketBox::all(family);
    let ends = |interval: Interval<u16>| (interval.first(), interval.last());
    if sources.is_full() && destinations.is_full() {
        return vec![PacketBox { protocol: (protocols.first(), protocols.last()), ..all }];
    }
    let mut boxes = Vec::new();
    for protocol in protocols.first()..=protocols.last() {
        let of_protocol = PacketBox { protocol: (protocol, protocol), ..all };
        if has_ports(protocol) {
            let (source_port, destination_port) = (ends(sources), ends(destinations));
            boxes.push(PacketBox { source_port, destination_port, ..of_protocol });
        } else if [ICMP, ICMPV6].contains(&protocol) {
            boxes.extend(messages(destinations).map(|(types, codes)| PacketBox {
                source_port: types,
                destination_port: codes,
                ..of_protocol
            }));
        } else {
            boxes.push(of_protocol);
        }
    }
    boxes
}

/// Types with codes, as rectangles, one for each type.
fn messages(interval: Interval<u16>) -> impl Iterator<Item = ((u16, u16), (u16, u16))> {
    let [first_type, first_code] = interval.first().to_be_bytes();
    let [last_type, last_code] = interval.last().to_be_bytes();
    (first_type..=last_type).map(move |kind| {
        let first = if kind == first_type { first_code } else { u8::MIN };
        let last = if kind == last_type { last_code } else { u8::MAX };
        ((kind.into(), kind.into()), (first.into(), last.into()))
    })
}
