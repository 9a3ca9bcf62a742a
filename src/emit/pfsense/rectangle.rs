//! Sets of packets as rectangles: some sources, some destinations, and the traffic between any two of them.
//!
//! A rule of pfSense names one alias on each side, so the rectangles of an entry are as few as its shape allows: one,
//! unless another rule cuts into it.

use crate::set::{self, AddressSet, IntervalSet, PacketSet, ServiceSet, Set, Traffic};

/// The family of a rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    /// As pfSense names it in a rule.
    pub(super) fn name(self) -> &'static str {
        match self {
            Family::V4 => "inet",
            Family::V6 => "inet6",
        }
    }

    /// As people name it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }

    /// What the name of an alias of its addresses ends in.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Family::V4 => "_v4",
            Family::V6 => "_v6",
        }
    }

    /// The addresses of a set that are of this family.
    pub(super) fn of(self, set: &AddressSet) -> AddressSet {
        match self {
            Family::V4 => AddressSet { v4: set.v4.clone(), v6: IntervalSet::empty() },
            Family::V6 => AddressSet { v4: IntervalSet::empty(), v6: set.v6.clone() },
        }
    }
}

/// All packets of one family from one set to another over the same traffic.
#[derive(Clone, Debug)]
pub(super) struct Rectangle {
    pub(super) family: Family,
    pub(super) sources: AddressSet,
    pub(super) destinations: AddressSet,
    pub(super) traffic: Traffic,
}

impl Rectangle {
    /// Its packets.
    pub(super) fn packets(&self) -> PacketSet {
        let services = match self.family {
            Family::V4 => ServiceSet { v4: self.traffic.clone(), v6: Traffic::empty() },
            Family::V6 => ServiceSet { v4: Traffic::empty(), v6: self.traffic.clone() },
        };
        PacketSet::product(&self.sources, &self.destinations, &services)
    }

    /// All other traffic between the same addresses.
    pub(super) fn complement(&self) -> Rectangle {
        Rectangle { traffic: Traffic::full().difference(&self.traffic), ..self.clone() }
    }
}

/// Disjoint rectangles that together are the set, IPv4 first.
pub(super) fn rectangles(packets: &PacketSet) -> Vec<Rectangle> {
    let v4 = |set| AddressSet { v4: set, v6: IntervalSet::empty() };
    let v6 = |set| AddressSet { v4: IntervalSet::empty(), v6: set };
    let inet = set::rectangles(&packets.v4).into_iter().map(|found| Rectangle {
        family: Family::V4,
        sources: v4(found.sources),
        destinations: v4(found.destinations),
        traffic: found.traffic,
    });
    let inet6 = set::rectangles(&packets.v6).into_iter().map(|found| Rectangle {
        family: Family::V6,
        sources: v6(found.sources),
        destinations: v6(found.destinations),
        traffic: found.traffic,
    });
    inet.chain(inet6).collect()
}
