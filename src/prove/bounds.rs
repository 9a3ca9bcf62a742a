//! What a firewall has to accept at least, and may accept at most, under each circumstance.
//!
//! A policy speaks of first packets, so for those the two bounds are the same but for what cannot open a connection. Of
//! packets that belong to a connection a firewall with state has to accept all that the connection needs, and of those
//! that fit none it may accept nothing but what the policy allows anyway.

use std::collections::BTreeSet;

use super::diagram::{Id, Key};
use super::platform::Platform;
use super::space::{ICMP, ICMPV6, LINK_LOCAL, Space, TCP};
use crate::read::{Family, PacketBox, States};

/// FIN, SYN, RST and ACK in the flags of a TCP header (RFC 9293, 3.1).
const OPENING_MASK: u8 = 0b0001_0111;
/// Of these, a packet that opens a connection has SYN only (RFC 9293, 3.5).
const OPENING: u8 = 0b0000_0010;

/// ICMP errors that belong to a connection, by type (RFC 1812, 4.3.2 and 5.2.7): unreachable, time exceeded, parameter
/// problem.
const ERRORS_V4: [u16; 3] = [3, 11, 12];
/// The same for ICMPv6, with packet too big (RFC 4890, 4.3.1).
const ERRORS_V6: [u16; 4] = [1, 2, 3, 4];

/// Messages of neighbour discovery that a router on a link has to see: solicitations for itself, and advertisements
/// (RFC 4861, 4; RFC 4890, 4.4.1).
const DISCOVERY_NEEDED: [u16; 2] = [135, 136];
/// All messages of the link itself, which no router forwards: neighbour discovery and multicast listeners (RFC 4890,
/// 4.4.1).
const LINK_MESSAGES: [u16; 9] = [130, 131, 132, 133, 134, 135, 136, 137, 143];

/// What must and what may be accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bounds {
    /// Accepted whichever way opaque conditions turn out.
    pub(super) at_least: Id,
    /// Accepted if they turn out one way.
    pub(super) possible: Id,
    pub(super) at_most: Id,
}

impl Bounds {
    pub(super) fn exact(at_least: Id, at_most: Id) -> Self {
        Bounds { at_least, possible: Id::NONE, at_most }
    }
}

/// What bounds of a device without state are made of, see [`Constants::stateless`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Stateless {
    pub(super) allowed: Id,
    pub(super) promised: Id,
    pub(super) replies: Id,
    pub(super) promised_replies: Id,
    pub(super) connected: Id,
    pub(super) goals: Id,
    pub(super) link: Id,
}

/// The sets that bounds are made of, once for each family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constants {
    /// Packets that can open a connection: all but those of TCP with other flags.
    pub(super) opening: Id,
    /// ICMP errors.
    pub(super) errors: Id,
    discovery: Id,
    /// Messages of the link itself, which no router forwards.
    pub(super) link: Id,
    /// Packets for many hosts: multicast and broadcast.
    for_many: Id,
    /// Packets from addresses that mean something on one link only (RFC 4291, 2.5.6).
    link_local: Id,
    /// What the platform accepts whatever its config says, and what it never does.
    pub(super) always: Id,
    never: Id,
    relates_errors_only: bool,
}

impl Constants {
    pub(super) fn new<K: Key>(space: &mut Space<K>, platform: &Platform) -> Self {
        let family = space.family;
        let (errors, discovery, link): (&[u16], &[u16], &[u16]) = match family {
            Family::V4 => (&ERRORS_V4, &[], &[]),
            Family::V6 => (&ERRORS_V6, &DISCOVERY_NEEDED, &LINK_MESSAGES),
        };
        let [errors, discovery, link] = [errors, discovery, link].map(|types| messages(space, types));
        let tcp = space.of_box(&PacketBox { protocol: (TCP, TCP), ..PacketBox::all(family) });
        let flags: Vec<PacketBox> = (0..=u8::MAX)
            .filter(|flags| flags & OPENING_MASK == OPENING)
            .map(|flags| PacketBox { protocol: (TCP, TCP), flags: (flags, flags), ..PacketBox::all(family) })
            .collect();
        let opening = space.of_boxes(&flags);
        let others = space.diagrams.without(Id::ALL, tcp);
        let opening = space.diagrams.otherwise(opening, others);
        let for_many = space.of_boxes(&for_many(family));
        let link_local = match family {
            Family::V4 => Id::NONE,
            Family::V6 => space.of_box(&PacketBox { source: LINK_LOCAL, ..PacketBox::all(family) }),
        };
        let always = space.of_boxes(&(platform.always)(family));
        let never = space.of_boxes(&(platform.never)(family));
        let relates_errors_only = platform.relates_errors_only;
        Constants {
            opening,
            errors,
            discovery,
            link,
            for_many,
            link_local,
            always,
            never,
            relates_errors_only,
        }
    }

    /// Of packets through a device that knows no connections: what is said of first packets, `replies` to them and errors
    /// about them all look the same to it. `errors` are those that go to where packets leave, `link` what stays on the
    /// link that they arrive on.
    pub(super) fn stateless<K: Key>(self, space: &mut Space<K>, sets: Stateless) -> Bounds {
        let Stateless { allowed, promised, replies, promised_replies, connected, goals, link } = sets;
        let diagrams = &mut space.diagrams;
        let owed = diagrams.within(connected, self.errors);
        let errors = diagrams.within(goals, self.errors);
        let at_most = diagrams.first_of(vec![allowed, replies, errors, self.always, link]);
        let promised = diagrams.otherwise(promised, promised_replies);
        Bounds::exact(diagrams.otherwise(promised, owed), at_most)
    }

    /// Of packets to such a device: its lists do not know its addresses, so whatever passes through it may be addressed to
    /// it, but for logins. Of what is `managed`, `owed` goes to addresses that may be its own.
    pub(super) fn to_stateless<K: Key>(self, space: &mut Space<K>, managed: Id, owed: Id) -> Bounds {
        let login =
            PacketBox { protocol: (TCP, TCP), destination_port: (22, 23), ..PacketBox::all(space.family) };
        let logins = space.of_box(&login);
        let diagrams = &mut space.diagrams;
        // Nobody logs in at a group address.
        let logins = diagrams.without(logins, self.for_many);
        let others = diagrams.without(Id::ALL, logins);
        let at_most = diagrams.otherwise(managed, others);
        let exempt = diagrams.otherwise(self.for_many, self.link_local);
        let owed = diagrams.without(owed, exempt);
        Bounds::exact(diagrams.within(self.opening, owed), at_most)
    }

    /// Of packets from one interface to another: `allowed` is what the policy allows there, `promised` the part of it that
    /// no target has left out, and `connected` all packets between the zones that the policy connects there.
    pub(super) fn through<K: Key>(
        self,
        space: &mut Space<K>,
        state: States,
        allowed: Id,
        promised: Id,
        connected: Id,
    ) -> Bounds {
        let diagrams = &mut space.diagrams;
        let promised = diagrams.without(promised, self.never);
        let connected = diagrams.without(connected, self.never);
        let allowed = diagrams.otherwise(allowed, self.always);
        match state {
            States::NEW => Bounds::exact(diagrams.within(self.opening, promised), allowed),
            States::ESTABLISHED => Bounds::exact(connected, Id::ALL),
            States::RELATED => {
                let errors = diagrams.within(connected, self.errors);
                let related = if self.relates_errors_only { Id::ALL } else { self.errors };
                Bounds::exact(errors, diagrams.otherwise(allowed, related))
            }
            _ => Bounds::exact(Id::NONE, allowed),
        }
    }

    /// Of packets to the device itself: `managed` is what manage statements let in there, `passable` what may pass on from
    /// there, of which packets for many hosts meet the device too. On an interface of its own it has to see neighbour
    /// discovery, without which it can reach nothing over IPv6.
    pub(super) fn to_device<K: Key>(
        self,
        space: &mut Space<K>,
        state: States,
        managed: Id,
        passable: Id,
        own_interface: bool,
    ) -> Bounds {
        let discovery = if own_interface { self.discovery } else { Id::NONE };
        let diagrams = &mut space.diagrams;
        let for_many = diagrams.within(self.for_many, passable);
        let known = diagrams.first_of(vec![managed, self.link, self.always, for_many]);
        let exempt = diagrams.otherwise(self.never, self.for_many);
        let managed = diagrams.without(managed, exempt);
        match state {
            States::NEW => {
                let opening = diagrams.within(self.opening, managed);
                Bounds { at_least: opening, possible: discovery, at_most: known }
            }
            States::ESTABLISHED => Bounds::exact(managed, Id::ALL),
            States::RELATED => {
                let related = if self.relates_errors_only { Id::ALL } else { self.errors };
                Bounds::exact(Id::NONE, diagrams.otherwise(known, related))
            }
            // The kernel does not track neighbour discovery (net/netfilter/nf_conntrack_proto_icmpv6.c).
            States::UNTRACKED => Bounds { at_least: Id::NONE, possible: discovery, at_most: known },
            _ => Bounds::exact(Id::NONE, known),
        }
    }
}

/// ICMP messages of some types, with any code.
fn messages<K: Key>(space: &mut Space<K>, types: &[u16]) -> Id {
    let protocol = match space.family {
        Family::V4 => ICMP,
        Family::V6 => ICMPV6,
    };
    let types: BTreeSet<u16> = types.iter().copied().collect();
    let boxes: Vec<PacketBox> = types
        .into_iter()
        .map(|kind| PacketBox {
            protocol: (protocol, protocol),
            source_port: (kind, kind),
            ..PacketBox::all(space.family)
        })
        .collect();
    space.of_boxes(&boxes)
}

/// Multicast and the broadcast to all (RFC 5771; RFC 919, 7; RFC 4291, 2.7).
fn for_many(family: Family) -> Vec<PacketBox> {
    let all = PacketBox::all(family);
    let destinations: &[(u128, u128)] = match family {
        Family::V4 => &[(0xe000_0000, 0xefff_ffff), (0xffff_ffff, 0xffff_ffff)],
        Family::V6 => &[(0xff << 120, u128::MAX)],
    };
    destinations.iter().map(|destination| PacketBox { destination: *destination, ..all }).collect()
}
