//! Conduits: the rules of a policy, split by the zone that packets leave and the zone that they enter.
//!
//! "Conduit" is the word of IEC 62443-3-2 for a path between two zones. Traffic inside one zone has none: no
//! enforcement point sees it.

use std::collections::BTreeMap;

use super::{Policy, RuleIndex, ZoneId};
use crate::set::{AddressSet, Interval, IntervalSet, PacketSet, PerFamily, Point, ServiceSet, Set};

/// The part of a rule that lies between two zones.
#[derive(Clone, Debug)]
pub struct Part {
    /// The rule.
    pub rule: RuleIndex,
    /// Its sources in the one zone.
    pub sources: AddressSet,
    /// Its destinations in the other.
    pub destinations: AddressSet,
}

impl Part {
    /// Its packets over `services`.
    pub fn packets(&self, services: &ServiceSet) -> PacketSet {
        PacketSet::product(&self.sources, &self.destinations, services)
    }
}

/// For each ordered pair of different zones that a rule speaks of, the parts of rules between them, in the order in
/// which they decide.
#[derive(Clone, Debug, Default)]
pub struct Conduits {
    parts: BTreeMap<(ZoneId, ZoneId), Vec<Part>>,
}

impl Conduits {
    /// Splits all rules of a policy.
    pub fn new(policy: &Policy) -> Self {
        let zones = ZoneIndex::new(policy);
        let mut parts: BTreeMap<_, Vec<Part>> = BTreeMap::new();
        for index in policy.rule_indices() {
            let rule = &policy[index];
            let sources = zones.split(&rule.from.addresses);
            let destinations = zones.split(&rule.to.addresses);
            for (source_zone, sources) in &sources {
                for (destination_zone, destinations) in &destinations {
                    let part =
                        Part { rule: index, sources: sources.clone(), destinations: destinations.clone() };
                    if source_zone != destination_zone && !part.packets(&rule.services).is_empty() {
                        parts.entry((*source_zone, *destination_zone)).or_default().push(part);
                    }
                }
            }
        }
        Conduits { parts }
    }

    /// All conduits, by zones, with their parts.
    pub fn iter(&self) -> impl Iterator<Item = ((ZoneId, ZoneId), &[Part])> {
        self.parts.iter().map(|(zones, parts)| (*zones, parts.as_slice()))
    }

    /// The parts between two zones.
    pub fn between(&self, from: ZoneId, to: ZoneId) -> &[Part] {
        self.parts.get(&(from, to)).map_or(&[], Vec::as_slice)
    }
}

/// Which zone holds which addresses: ascending disjoint intervals, each with its zone.
#[derive(Clone, Debug)]
pub struct ZoneIndex {
    v4: Vec<(Interval<u32>, ZoneId)>,
    v6: Vec<(Interval<u128>, ZoneId)>,
}

impl ZoneIndex {
    /// Prepares the zones of a policy.
    pub fn new(policy: &Policy) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for id in policy.zone_ids() {
            v4.extend(policy[id].addresses.v4.intervals().map(|interval| (interval, id)));
            v6.extend(policy[id].addresses.v6.intervals().map(|interval| (interval, id)));
        }
        v4.sort_unstable();
        v6.sort_unstable();
        ZoneIndex { v4, v6 }
    }

    /// The zone that holds an address.
    pub fn zone_of(&self, address: std::net::IpAddr) -> Option<ZoneId> {
        match address {
            std::net::IpAddr::V4(address) => find(&self.v4, address.to_bits()),
            std::net::IpAddr::V6(address) => find(&self.v6, address.to_bits()),
        }
    }

    /// The parts of a set that lie in each zone; what lies in none is left out.
    pub fn split(&self, set: &AddressSet) -> BTreeMap<ZoneId, AddressSet> {
        let mut v4 = split(&self.v4, &set.v4);
        let mut v6 = split(&self.v6, &set.v6);
        let zones: std::collections::BTreeSet<ZoneId> = v4.keys().chain(v6.keys()).copied().collect();
        let mut parts = BTreeMap::new();
        for zone in zones {
            let part = PerFamily {
                v4: v4.remove(&zone).unwrap_or_else(IntervalSet::empty),
                v6: v6.remove(&zone).unwrap_or_else(IntervalSet::empty),
            };
            parts.insert(zone, part);
        }
        parts
    }
}

fn find<T: Point>(index: &[(Interval<T>, ZoneId)], value: T) -> Option<ZoneId> {
    let place = index.partition_point(|(interval, _)| interval.last() < value);
    index.get(place).filter(|(interval, _)| interval.contains(value)).map(|(_, zone)| *zone)
}

/// Both are ascending, so each interval of the set meets a run of the index.
fn split<T: Point>(
    index: &[(Interval<T>, ZoneId)],
    set: &IntervalSet<T>,
) -> BTreeMap<ZoneId, IntervalSet<T>> {
    let mut pieces: BTreeMap<ZoneId, Vec<Interval<T>>> = BTreeMap::new();
    for interval in set.intervals() {
        let start = index.partition_point(|(held, _)| held.last() < interval.first());
        let run = index.iter().skip(start).take_while(|(held, _)| held.first() <= interval.last());
        for (held, zone) in run {
            let piece =
                Interval::spanning(held.first().max(interval.first()), held.last().min(interval.last()));
            pieces.entry(*zone).or_default().push(piece);
        }
    }
    pieces.into_iter().map(|(zone, pieces)| (zone, pieces.into_iter().collect())).collect()
}
