//! Which of many products of sources, destinations and services may have a packet in common with one.
//!
//! In: the three sides of each product. Out: the places of those that may meet another one, among them all that do. They are
//! found in one dimension only, so the caller still has to compare the others.

use super::{AddressSet, Interval, IntervalSet, Overlaps, ServiceSet, Traffic, traffic_boxes};

/// Products that are looked through one by one.
const FEW: usize = 16;

/// How many overlaps in one dimension are tried before another dimension is asked.
const STEPS: [usize; 3] = [64, 1_024, usize::MAX];

/// The sources, destinations and services of packets.
pub type Sides<'s> = (&'s AddressSet, &'s AddressSet, &'s ServiceSet);

/// Products by what they overlap in each dimension. Where many are from the same sources, they may be to different
/// destinations; and where all are from any to any, over different services.
#[derive(Debug)]
pub struct ProductOverlaps {
    count: usize,
    /// By sources, destinations and services, if there are more than a few products.
    indices: Option<[Overlaps; 3]>,
}

impl ProductOverlaps {
    /// Prepares products; their places are those in the list.
    pub fn new<'s>(products: impl ExactSizeIterator<Item = Sides<'s>> + Clone) -> Self {
        let count = products.len();
        let index = || {
            let services: Vec<AddressSet> =
                products.clone().map(|(_, _, services)| service_numbers(services)).collect();
            [
                Overlaps::new(products.clone().map(|(sources, _, _)| sources)),
                Overlaps::new(products.clone().map(|(_, destinations, _)| destinations)),
                Overlaps::new(services.iter()),
            ]
        };
        ProductOverlaps { count, indices: (count > FEW).then(index) }
    }

    /// The places of products that may meet one, ascending, found in the dimension in which the fewest overlap it.
    pub fn near(&self, (sources, destinations, services): Sides) -> Vec<usize> {
        let Some([by_source, by_destination, by_service]) = &self.indices else {
            return (0..self.count).collect();
        };
        let numbers = service_numbers(services);
        let asked = [(by_source, sources), (by_destination, destinations), (by_service, &numbers)];
        let mut found = STEPS
            .iter()
            .flat_map(|most| asked.iter().filter_map(move |(overlaps, set)| overlaps.with(set, *most)));
        found.next().unwrap_or_default()
    }
}

/// Services as intervals of one number, protocol before destination port, in each family: as far as an index needs to
/// tell them apart.
pub fn service_numbers(services: &ServiceSet) -> AddressSet {
    AddressSet {
        v4: numbers_of(&services.v4),
        v6: numbers_of(&services.v6)
            .intervals()
            .map(|run| Interval::spanning(u128::from(run.first()), u128::from(run.last())))
            .collect(),
    }
}

fn numbers_of(traffic: &Traffic) -> IntervalSet<u32> {
    let number = |protocol: u8, port: u16| u32::from(protocol) << 16 | u32::from(port);
    let runs = traffic_boxes(traffic).flat_map(|(protocols, _, ports)| {
        let whole = ports.is_full();
        let each = (protocols.first()..=protocols.last()).filter(move |protocol| {
            // Protocols with all their ports follow one another without a gap.
            !whole || *protocol == protocols.first()
        });
        each.map(move |protocol| {
            let last = if whole { protocols.last() } else { protocol };
            Interval::spanning(number(protocol, ports.first()), number(last, ports.last()))
        })
    });
    runs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::{PacketSet, Set};

    fn addresses(first: u32, last: u32) -> AddressSet {
        let v4 = IntervalSet::from_interval(Interval::new(first, last).unwrap(), true);
        let v6 = Interval::new(u128::from(first), u128::from(last)).unwrap();
        AddressSet { v4, v6: IntervalSet::from_interval(v6, true) }
    }

    fn tcp(port: u16) -> ServiceSet {
        let port = IntervalSet::from_interval(Interval::single(port), true);
        ServiceSet::ports(6, &IntervalSet::full(), &port)
    }

    fn packets((sources, destinations, services): Sides) -> PacketSet {
        PacketSet::product(sources, destinations, services)
    }

    #[test]
    fn all_that_meet_are_near_in_whichever_dimension_they_differ() {
        let any = AddressSet::full();
        for count in [FEW, 200, 1_100] {
            for differs in 0..4 {
                let number = |place: usize| u32::try_from(place).unwrap();
                let owned: Vec<(AddressSet, AddressSet, ServiceSet)> = (0..count)
                    .map(|place| {
                        let own = addresses(number(place) * 10, number(place) * 10 + 12);
                        match differs {
                            0 => (own, any.clone(), tcp(80)),
                            1 => (any.clone(), own, tcp(80)),
                            2 => (any.clone(), any.clone(), tcp(u16::try_from(place).unwrap())),
                            _ => (any.clone(), any.clone(), tcp(80)),
                        }
                    })
                    .collect();
                let sides = || owned.iter().map(|(from, to, via)| (from, to, via));
                let overlaps = ProductOverlaps::new(sides());
                for wanted in sides().step_by(199).chain([(&any, &any, &ServiceSet::full())]) {
                    let near = overlaps.near(wanted);
                    let meets = |place: &usize| {
                        let sides = sides().nth(*place).unwrap();
                        !packets(sides).is_disjoint(&packets(wanted))
                    };
                    assert!((0..count).filter(meets).all(|place| near.binary_search(&place).is_ok()));
                    let is_narrow = differs < 3 && count > FEW && wanted.2 != &ServiceSet::full();
                    assert!(!is_narrow || near.len() <= 3, "{differs}: {} are near", near.len());
                }
            }
        }
    }
}
