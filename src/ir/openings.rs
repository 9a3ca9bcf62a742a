//! What is really allowed between zones: each allow, cut down to what no forbid takes away.
//!
//! In: a policy. Out: for each pair of zones the allows that open anything between them, with exactly the packets that are
//! left to each. What this says of a packet is what [`super::Decider`] says of it. What forbids leave of a part of an allow is
//! worked out here for everybody ([`Part::left`]); the checks ask for it where they have conduits already.

use std::collections::BTreeMap;

use super::{Conduits, Effect, Part, Policy, RuleIndex, ZoneId};
use crate::set::{
    AddressSet, FlowsOf, IntervalSet, PacketSet, PerFamily, Point, ServiceSet, Set, Traffic, union_all,
};

/// What a rule opens between two zones.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The allow.
    pub rule: RuleIndex,
    /// Who may open connections.
    pub sources: AddressSet,
    /// Who accepts them.
    pub destinations: AddressSet,
    /// Over what.
    pub services: ServiceSet,
    /// The forbids that take part of the rule away. Then not every source may reach every destination.
    pub cut_by: Vec<RuleIndex>,
    /// Exactly what is left, where something was taken away; else it is the product of the three above.
    left: Option<PacketSet>,
}

impl Opening {
    /// Exactly the packets that it opens.
    pub fn packets(&self) -> PacketSet {
        let all = || PacketSet::product(&self.sources, &self.destinations, &self.services);
        self.left.clone().unwrap_or_else(all)
    }

    /// The part of it from some addresses to others, if there is one.
    pub fn between(&self, from: &AddressSet, to: &AddressSet) -> Option<Opening> {
        let (sources, destinations) = (self.sources.intersection(from), self.destinations.intersection(to));
        let part = Part { rule: self.rule, sources, destinations };
        let reach = part.packets(&self.services);
        match &self.left {
            None => (!reach.is_empty()).then(|| Opening {
                sources: part.sources,
                destinations: part.destinations,
                ..self.clone()
            }),
            Some(left) => exactly(self.rule, left.intersection(&reach), self.cut_by.clone()),
        }
    }
}

/// What is allowed between zones.
#[derive(Clone, Debug)]
pub struct Openings {
    between: BTreeMap<(ZoneId, ZoneId), Vec<Opening>>,
}

impl Openings {
    /// Works out what a policy allows.
    pub fn new(policy: &Policy) -> Self {
        let mut between = BTreeMap::new();
        for (zones, parts) in Conduits::new(policy).iter() {
            let openings: Vec<Opening> =
                parts.iter().filter_map(|part| opening(policy, part, parts)).collect();
            if !openings.is_empty() {
                between.insert(zones, openings);
            }
        }
        Openings { between }
    }

    /// All pairs of zones between which something is allowed, with what.
    pub fn iter(&self) -> impl Iterator<Item = ((ZoneId, ZoneId), &[Opening])> {
        self.between.iter().map(|(zones, openings)| (*zones, openings.as_slice()))
    }

    /// What is allowed from one zone to another, in the order in which rules decide.
    pub fn of(&self, from: ZoneId, to: ZoneId) -> &[Opening] {
        self.between.get(&(from, to)).map_or(&[], Vec::as_slice)
    }

    /// What may leave a zone, by the zone that it enters.
    pub fn leaving(&self, from: ZoneId) -> impl Iterator<Item = (ZoneId, &[Opening])> {
        self.iter().filter(move |((source, _), _)| *source == from).map(|((_, to), list)| (to, list))
    }

    /// What may enter a zone, by the zone that it leaves.
    pub fn entering(&self, to: ZoneId) -> impl Iterator<Item = (ZoneId, &[Opening])> {
        self.iter().filter(move |((_, goal), _)| *goal == to).map(|((from, _), list)| (from, list))
    }

    /// The number of pairs of zones between which something is allowed.
    pub fn count(&self) -> usize {
        self.between.len()
    }
}

/// What forbids leave of a part of an allow.
#[derive(Clone, Debug)]
pub struct Left {
    /// Exactly the packets that they leave; there may be none.
    pub packets: PacketSet,
    /// Those that match packets of it, also those whose packets others take away before.
    pub cut_by: Vec<RuleIndex>,
}

impl Part {
    /// What the forbids of its conduit leave of a part of an allow; `None` if none of them touches it, so that nothing is
    /// put together for the many of which that is true.
    pub fn left(&self, policy: &Policy, conduit: &[Part]) -> Option<Left> {
        let services = &policy[self.rule].services;
        let mut left: Option<Left> = None;
        // Forbids stand first.
        for forbid in conduit.iter().take_while(|part| policy[part.rule].effect == Effect::Forbid) {
            let forbidden = &policy[forbid.rule].services;
            let apart = self.sources.is_disjoint(&forbid.sources)
                || self.destinations.is_disjoint(&forbid.destinations)
                || services.is_disjoint(forbidden);
            if apart {
                continue;
            }
            let taken = PacketSet::product(
                &self.sources.intersection(&forbid.sources),
                &self.destinations.intersection(&forbid.destinations),
                &services.intersection(forbidden),
            );
            // Each side may meet in another family, and then no packet is in both.
            if taken.is_empty() {
                continue;
            }
            let left =
                left.get_or_insert_with(|| Left { packets: self.packets(services), cut_by: Vec::new() });
            left.packets = left.packets.difference(&taken);
            left.cut_by.push(forbid.rule);
        }
        left
    }
}

/// What a part of a rule opens, if it is an allow of which something is left.
fn opening(policy: &Policy, part: &Part, conduit: &[Part]) -> Option<Opening> {
    let rule = &policy[part.rule];
    if rule.effect == Effect::Forbid {
        return None;
    }
    match part.left(policy, conduit) {
        None => Some(Opening {
            rule: part.rule,
            sources: part.sources.clone(),
            destinations: part.destinations.clone(),
            services: rule.services.clone(),
            cut_by: Vec::new(),
            left: None,
        }),
        Some(left) => exactly(part.rule, left.packets, left.cut_by),
    }
}

/// An opening of exactly some packets, if there are any.
fn exactly(rule: RuleIndex, left: PacketSet, cut_by: Vec<RuleIndex>) -> Option<Opening> {
    if left.is_empty() {
        return None;
    }
    let (v4, v6) = (sides(&left.v4), sides(&left.v6));
    Some(Opening {
        rule,
        sources: PerFamily { v4: v4.0, v6: v6.0 },
        destinations: PerFamily { v4: v4.1, v6: v6.1 },
        services: PerFamily { v4: v4.2, v6: v6.2 },
        cut_by,
        left: Some(left),
    })
}

/// The sources, destinations and traffic of some flows.
fn sides<A: Point>(flows: &FlowsOf<A>) -> (IntervalSet<A>, IntervalSet<A>, Traffic) {
    let members = || flows.entries().iter().map(|(_, members)| members);
    let destinations = union_all(members().map(|members| members.keys()));
    let traffic = members().flat_map(|members| members.entries().iter().map(|(_, traffic)| traffic.clone()));
    (flows.keys(), destinations, union_all(traffic))
}
