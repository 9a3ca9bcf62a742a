//! Flows as rectangles: any of these sources to any of these destinations over this traffic.
//!
//! What a rule says is mostly one rectangle, or a few where another rule decides on a part of it.

use super::address::Family;
use crate::set::{AddressRange, FlowsOf, Interval, PacketSet, Point, Traffic};

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
    let ranges = |intervals: Vec<Interval<A>>| intervals.into_iter().map(range).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (sources, destinations) in grouped(flows.entries()) {
        let sources = ranges(sources);
        for (destinations, traffic) in grouped(destinations.entries()) {
            found.push(Rectangle {
                sources: sources.clone(),
                destinations: ranges(destinations),
                traffic: traffic.clone(),
            });
        }
    }
    found
}

/// Intervals with equal members together, in the order of the first interval of each group.
fn grouped<A: Point, S: PartialEq>(entries: &[(Interval<A>, S)]) -> Vec<(Vec<Interval<A>>, &S)> {
    let mut groups: Vec<(Vec<Interval<A>>, &S)> = Vec::new();
    for (interval, members) in entries {
        match groups.iter_mut().find(|(_, known)| *known == members) {
            Some((intervals, _)) => intervals.push(*interval),
            None => groups.push((vec![*interval], members)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::{AddressSet, IntervalSet, ServiceSet, Set};

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
