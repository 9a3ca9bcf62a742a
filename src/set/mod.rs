//! Exact sets of addresses, ports and packets.
//!
//! In: prefixes, ranges, ports and protocols. Out: sets under union, intersection and difference, tests for
//! emptiness and inclusion, and their decomposition into disjoint boxes. Everything here is exact and canonical:
//! two values are equal if and only if they hold the same members, so `==` compares meaning.
//!
//! One structure carries all of it. An [`IntervalMap`] assigns a set to each of a list of disjoint intervals; nested,
//! it is a set of tuples: sources to destinations to protocols to source ports to destination ports. This is the
//! interval form of a firewall decision diagram (Gouda and Liu, "Structured firewall design", 2007), kept as a tree.

mod address;
mod family;
mod interval;
mod interval_map;
mod overlap;
mod packet;
mod product;
mod service;
#[cfg(test)]
mod tests;
mod text;

pub use address::{AddressRange, AddressSet};
pub use family::PerFamily;
pub use interval::{Interval, Point};
pub use interval_map::{IntervalMap, IntervalSet};
pub use overlap::Overlaps;
pub use packet::{BoxOf, FlowsOf, Packet, PacketBox, PacketSet, Rectangle, rectangles, traffic_boxes};
pub use product::{ProductOverlaps, Sides, service_numbers};
pub use service::{
    ICMP, ICMPV6, Ports, ServiceSet, Traffic, has_ports, icmp_types, protocol_name, protocol_number,
};

/// A set with the operations of set algebra, canonical under `==`.
pub trait Set: Clone + Eq + std::hash::Hash + std::fmt::Debug {
    /// The set without members.
    fn empty() -> Self;
    /// The set of all members.
    fn full() -> Self;
    /// True if the set has no member.
    fn is_empty(&self) -> bool;
    /// The members of either.
    fn union(&self, other: &Self) -> Self;
    /// The members of both.
    fn intersection(&self, other: &Self) -> Self;
    /// The members of `self` that are not in `other`.
    fn difference(&self, other: &Self) -> Self;

    /// True if every member of `self` is in `other`.
    fn is_subset(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }

    /// True if no member is in both.
    fn is_disjoint(&self, other: &Self) -> bool {
        self.intersection(other).is_empty()
    }
}

/// The set over nothing left to choose: `true` holds the empty tuple, `false` holds none.
impl Set for bool {
    fn empty() -> Self {
        false
    }
    fn full() -> Self {
        true
    }
    fn is_empty(&self) -> bool {
        !self
    }
    fn union(&self, other: &Self) -> Self {
        *self || *other
    }
    fn intersection(&self, other: &Self) -> Self {
        *self && *other
    }
    fn difference(&self, other: &Self) -> Self {
        *self && !*other
    }
}

/// The union of many sets, joined in a balanced tree so that the cost stays near `n log n`.
pub fn union_all<S: Set>(sets: impl IntoIterator<Item = S>) -> S {
    let mut layer: Vec<S> = sets.into_iter().collect();
    while layer.len() > 1 {
        layer = layer
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => left.union(right),
                rest => rest.first().cloned().unwrap_or_else(S::empty),
            })
            .collect();
    }
    layer.pop().unwrap_or_else(S::empty)
}
