//! Flows as rectangles: any of these sources to any of these destinations over this traffic.
//!
//! What a rule says is mostly one rectangle, or a few where another rule decides on a part of it.

use super::address::Family;
use crate::set::{self, AddressRange, FlowsOf, Interval, IntervalSet, PacketSet, Point, Traffic};

/// Disjoint from all other rectangles of the same flows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rectangle {
    pub(super) sources: Vec<AddressRange>,
    pub(super) destinations: Vec<AddressRange>,
    pub(super) traffic: Traffic,
}

/// The rectangles of one family that together are a set of packets.
pub(super) fn rectangles(packets: &PacketSet, family: Family) -> Vec<Rectangle> {
    match family {
        Family::V4 => rectangles_of(&packets.v4, AddressRange::V4),
        Family::V6 => rectangles_of(&packets.v6, AddressRange::V6),
    }
}

fn rectangles_of<A: Point>(flows: &FlowsOf<A>, range: fn(Interval<A>) -> AddressRange) -> Vec<Rectangle> {
    let ranges = |set: &IntervalSet<A>| set.intervals().map(range).collect();
    set::rectangles(flows)
        .into_iter()
        .map(|found| Rectangle {
            sources: ranges(&found.sources),
            destinations: ranges(&found.destinations),
            traffic: found.traffic,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::{AddressSet, ServiceSet, Set};

    fn addresses(texts: &[&str]) -> AddressSet {
        texts.iter().map(|text| AddressRange::from(text.parse::<ipnet::IpNet>().unwrap())).collect()
    }

    #[test]
    fn a_product_is_one_rectangle_and_a_cut_one_a_few_that_are_the_same_set() {
        let port = |number| IntervalSet::from_interval(Interval::single(number), true);
        let https = ServiceSet::ports(6, &IntervalSet::full(), &port(443));
        let sources = addresses(&["10.1.0.0/24", "10.3.0.0/24"]);
        let whole = PacketSet::product(&sources, &addresses(&["10.2.0.0/24", "10.4.0.0/24"]), &https);
        assert_eq!(rectangles(&whole, Family::V4).len(), 1);
        assert_eq!(rectangles(&whole, Family::V6), []);
        let part = PacketSet::product(&addresses(&["10.1.0.7/32"]), &addresses(&["10.2.0.0/24"]), &https);
        let cut = rectangles(&whole.difference(&part), Family::V4);
        assert_eq!(cut.len(), 2);
        let again = cut.into_iter().map(|rectangle| {
            let [sources, destinations] = [rectangle.sources, rectangle.destinations]
                .map(|ranges| ranges.into_iter().collect::<AddressSet>());
            PacketSet::product(&sources, &destinations, &https)
        });
        assert_eq!(crate::set::union_all(again), whole.difference(&part));
    }
}
