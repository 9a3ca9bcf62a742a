//! Large products of hosts, hosts and ports, as a line with a set for each side.
//!
//! A map has an element for each pair of hosts and each port, so a rule from forty hosts to forty others over forty ports
//! would take 64,000. Where a rule is such a product, it is one line that looks into three sets. It costs each new
//! connection that no map knows three lookups, so only what saves much becomes one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::behind::NamedSet;
use super::element::{Family, Shape, keys};
use crate::set::{
    AddressRange, FlowsOf, ICMP, ICMPV6, Interval, IntervalSet, PacketSet, Point, Rectangle, Set, rectangles,
    traffic_boxes,
};

/// A product of fewer elements stays in the maps.
const LEAST_ELEMENTS: usize = 1_000;

/// A product that has fewer elements for each of its members stays in the maps.
const LEAST_SAVED: usize = 8;

/// The lines of one rule that look into sets of their own.
#[derive(Debug, Default, Serialize)]
pub(super) struct Products {
    sets: Vec<NamedSet>,
    lines: Vec<String>,
}

impl Products {
    /// Takes the large products out of what a rule says of a chain, and gives the rest. `place` begins the names of sets.
    pub(super) fn take(
        &mut self,
        packets: PacketSet,
        place: &str,
        rule: &str,
        verdict: &str,
    ) -> Result<PacketSet, &'static str> {
        let (v4, large_v4) = split(packets.v4);
        let (v6, large_v6) = split(packets.v6);
        for (number, rectangle) in (1..).zip(&large_v4) {
            let name = format!("{place}/v4/{rule}/{number}");
            self.add(&name, Family::V4, rectangle, AddressRange::V4, rule, verdict)?;
        }
        for (number, rectangle) in (1..).zip(&large_v6) {
            let name = format!("{place}/v6/{rule}/{number}");
            self.add(&name, Family::V6, rectangle, AddressRange::V6, rule, verdict)?;
        }
        Ok(PacketSet { v4, v6 })
    }

    fn add<A: Point>(
        &mut self,
        name: &str,
        family: Family,
        rectangle: &Rectangle<A>,
        range: fn(Interval<A>) -> AddressRange,
        rule: &str,
        verdict: &str,
    ) -> Result<(), &'static str> {
        let (source, destination, icmp) = match family {
            Family::V4 => ("ip saddr", "ip daddr", ICMP),
            Family::V6 => ("ip6 saddr", "ip6 daddr", ICMPV6),
        };
        let mut tests = String::new();
        for (side, field, addresses) in
            [("from", source, &rectangle.sources), ("to", destination, &rectangle.destinations)]
        {
            let elements = addresses.intervals().map(|interval| range(interval).to_string());
            self.sets.push(NamedSet::new(format!("{name}/{side}"), field, elements.collect()));
            tests.push_str(&format!("{field} @{name}/{side} "));
        }
        let mut by_shape: BTreeMap<Shape, Vec<String>> = BTreeMap::new();
        for (protocols, source_ports, destination_ports) in traffic_boxes(&rectangle.traffic) {
            for (shape, key) in keys(protocols, source_ports, destination_ports, icmp)? {
                by_shape.entry(shape).or_default().push(key);
            }
        }
        for (shape, elements) in by_shape {
            let (fields, set) = (shape.fields(family), format!("{name}/{}", shape.suffix()));
            self.lines.push(format!("{tests}{fields} @{set} counter {verdict} comment \"{rule}\""));
            self.sets.push(NamedSet::new(set, fields, elements));
        }
        Ok(())
    }
}

/// What stays in the maps, and the products that are large enough for sets of their own.
fn split<A: Point>(flows: FlowsOf<A>) -> (FlowsOf<A>, Vec<Rectangle<A>>) {
    let traffic = flows.entries().iter().flat_map(|(_, to)| to.entries()).map(|(_, traffic)| traffic);
    if traffic.map(|traffic| traffic_boxes(traffic).count()).sum::<usize>() < LEAST_ELEMENTS {
        return (flows, Vec::new());
    }
    let large: Vec<Rectangle<A>> = rectangles(&flows).into_iter().filter(is_large).collect();
    let rest = large.iter().fold(flows, |rest, rectangle| rest.difference(&rectangle.flows()));
    (rest, large)
}

fn is_large<A: Point>(rectangle: &Rectangle<A>) -> bool {
    let count = |set: &IntervalSet<A>| set.intervals().len();
    let sides = [
        count(&rectangle.sources),
        count(&rectangle.destinations),
        traffic_boxes(&rectangle.traffic).count(),
    ];
    let elements = sides.iter().product::<usize>();
    elements >= LEAST_ELEMENTS && elements >= LEAST_SAVED * sides.iter().sum::<usize>()
}
