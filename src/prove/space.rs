//! The variables that packets are told apart by, and sets of packets as diagrams over them.

use std::collections::BTreeMap;

use super::diagram::{Diagrams, Id, Key};
use crate::read::{Family, PacketBox};

/// The protocol number of TCP (RFC 9293).
pub(super) const TCP: u8 = 6;
/// The protocol number of ICMP for IPv4 (RFC 792).
pub(super) const ICMP: u8 = 1;
/// The protocol number of ICMP for IPv6 (RFC 4443).
pub(super) const ICMPV6: u8 = 58;

/// Addresses of IPv6 that mean something on one link only (RFC 4291, 2.5.6).
pub(super) const LINK_LOCAL: (u128, u128) = (0xfe80 << 112, (0xfec0 << 112) - 1);

/// The places of variables in the order in which diagrams read them.
///
/// Addresses come first: a policy is mostly a relation between hosts, which few services stand behind, so that equal
/// services below different hosts are the same nodes.
pub(super) mod variable {
    /// The source address.
    pub(crate) const SOURCE: u16 = 0;
    /// The destination address.
    pub(crate) const DESTINATION: u16 = 1;
    /// The protocol.
    pub(crate) const PROTOCOL: u16 = 2;
    /// The source port, or the type of an ICMP message.
    pub(crate) const SOURCE_PORT: u16 = 3;
    /// The destination port, or the code of an ICMP message.
    pub(crate) const DESTINATION_PORT: u16 = 4;
    /// The flags of TCP.
    pub(crate) const FLAGS: u16 = 5;
    /// The second of the week.
    pub(crate) const SECOND: u16 = 6;
    /// The second since the day as of which the policy holds.
    pub(crate) const MOMENT: u16 = 7;
    /// How many there are before those of opaque conditions.
    pub(crate) const COUNT: u16 = 8;
}

/// Sets of packets of one family.
pub(super) struct Space<K> {
    pub(super) family: Family,
    pub(super) diagrams: Diagrams<K>,
    /// The first second that is looked at, counted from 1970-01-01 00:00. A policy says nothing of what was before the day
    /// as of which it holds.
    pub(super) origin: u32,
    /// The variables of opaque conditions, by their text.
    opaque: BTreeMap<String, u16>,
}

impl<K: Key> Space<K> {
    /// The packets of a family from a second on, counted from 1970-01-01 00:00. `K` holds its addresses.
    pub(super) fn new(family: Family, origin: u32) -> Self {
        let everything = PacketBox::all(family);
        let lasts = intervals(&everything, origin).map(|intervals| intervals.map(|(_, last)| K::of(last)));
        let diagrams = Diagrams::new(lasts.map(Vec::from).unwrap_or_default());
        Space { family, diagrams, origin, opaque: BTreeMap::new() }
    }

    /// The packets that a box holds.
    pub(super) fn of_box(&mut self, packets: &PacketBox) -> Id {
        if packets.family != self.family {
            return Id::NONE;
        }
        let all = PacketBox::all(self.family);
        let Some((own, all)) = intervals(packets, self.origin).zip(intervals(&all, self.origin)) else {
            return Id::NONE;
        };
        let mut set = Id::ALL;
        for (place, (own, all)) in (0..variable::COUNT).zip(own.into_iter().zip(all)).rev() {
            if own != all {
                set = self.diagrams.choose(place, [(K::of(own.0), K::of(own.1))], set);
            }
        }
        set
    }

    /// The packets that some boxes hold.
    pub(super) fn of_boxes(&mut self, boxes: &[PacketBox]) -> Id {
        let sets = boxes.iter().map(|packets| self.of_box(packets)).collect();
        self.diagrams.union(sets)
    }

    /// How many packets a set holds at some moment, as nearly as a floating-point number can say.
    pub(super) fn count(&mut self, set: Id) -> f64 {
        let at_some_moment = self.diagrams.quantified(set, variable::MOMENT, false);
        self.diagrams.count(at_some_moment) / (f64::from(u32::MAX - self.origin) + 1.0)
    }

    /// The packets for which an opaque condition holds.
    pub(super) fn of_opaque(&mut self, text: &str) -> Id {
        let place = match self.opaque.get(text) {
            Some(place) => *place,
            None => {
                let place = self.diagrams.add_variable(K::of(1));
                self.opaque.insert(text.to_owned(), place);
                place
            }
        };
        self.diagrams.choose(place, [(K::of(1), K::of(1))], Id::ALL)
    }

    /// A set as it is if some opaque conditions, by what they begin with, hold or do not.
    pub(super) fn granting<T: AsRef<str>>(&mut self, set: Id, granted: &[(T, bool)]) -> Id {
        let known = self.opaque.iter().filter_map(|(text, place)| {
            let (_, holds) = granted.iter().find(|(start, _)| begins_with(text, start.as_ref()))?;
            Some((*place, K::of((*holds).into())))
        });
        let known: Vec<(u16, K)> = known.collect();
        known.into_iter().fold(set, |set, (place, value)| self.diagrams.fixed(set, place, value))
    }

    /// The packets that are in a set if opaque conditions turn out one way (`for_all` false), or whichever way they do.
    pub(super) fn without_opaque(&mut self, set: Id, for_all: bool) -> Id {
        let places: Vec<u16> = self.opaque.values().copied().collect();
        places.into_iter().fold(set, |set, place| self.diagrams.quantified(set, place, for_all))
    }
}

/// True if a text begins with another one, and does not go on in the midst of a number.
fn begins_with(text: &str, start: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    text.strip_prefix(start).is_some_and(|rest| !(start.ends_with(is_digit) && rest.starts_with(is_digit)))
}

/// The intervals of a box, in the order of variables. Types and codes of ICMP messages are bytes; the numbers above mean
/// what 255 means, so that all types are all numbers, as all ports are. `None` if the box lies before the first second.
fn intervals(packets: &PacketBox, origin: u32) -> Option<[(u128, u128); variable::COUNT as usize]> {
    let (first, last) = packets.moment;
    let last = last.checked_sub(origin)?;
    let messages = [(ICMP, ICMP), (ICMPV6, ICMPV6)].contains(&packets.protocol);
    let wide = |(first, last): (u16, u16)| {
        let last = if messages && last >= u8::MAX.into() { u16::MAX } else { last };
        (first.into(), last.into())
    };
    let byte = |(first, last): (u8, u8)| (first.into(), last.into());
    Some([
        packets.source,
        packets.destination,
        byte(packets.protocol),
        wide(packets.source_port),
        wide(packets.destination_port),
        byte(packets.flags),
        (packets.second.0.into(), packets.second.1.into()),
        (first.saturating_sub(origin).into(), last.into()),
    ])
}
