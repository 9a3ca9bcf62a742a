//! What is really allowed between zones: each allow, cut down to what no forbid takes away.
//!
//! In: a policy. Out: for each pair of zones the allows that open anything between them, with exactly the packets that are
//! left to each. What this says of a packet is what `ir::Decider` says of it.

use std::collections::BTreeMap;

use crate::ir::{Conduits, Effect, Part, Policy, RuleIndex, ZoneId};
use crate::set::{
    AddressSet, FlowsOf, IntervalSet, PacketSet, PerFamily, Point, ServiceSet, Set, Traffic, union_all,
};

/// What a rule opens between two zones.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    /// The allow.
    pub(super) rule: RuleIndex,
    /// Who may open connections.
    pub(super) sources: AddressSet,
    /// Who accepts them.
    pub(super) destinations: AddressSet,
    /// Over what.
    pub(super) services: ServiceSet,
    /// The forbids that take part of the rule away. Then not every source may reach every destination.
    pub(super) cut_by: Vec<RuleIndex>,
    /// Exactly what is left, where something was taken away; else it is the product of the three above.
    left: Option<PacketSet>,
}

impl Opening {
    /// Exactly the packets that it opens.
    pub(super) fn packets(&self) -> PacketSet {
        let all = || PacketSet::product(&self.sources, &self.destinations, &self.services);
        self.left.clone().unwrap_or_else(all)
    }

    /// The part of it from some addresses to others, if there is one.
    pub(super) fn between(&self, from: &AddressSet, to: &AddressSet) -> Option<Opening> {
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
pub(super) struct Openings {
    between: BTreeMap<(ZoneId, ZoneId), Vec<Opening>>,
}

impl Openings {
    /// Works out what a policy allows.
    pub(super) fn new(policy: &Policy) -> Self {
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
    pub(super) fn iter(&self) -> impl Iterator<Item = ((ZoneId, ZoneId), &[Opening])> {
        self.between.iter().map(|(zones, openings)| (*zones, openings.as_slice()))
    }

    /// What is allowed from one zone to another, in the order in which rules decide.
    pub(super) fn of(&self, from: ZoneId, to: ZoneId) -> &[Opening] {
        self.between.get(&(from, to)).map_or(&[], Vec::as_slice)
    }

    /// What may leave a zone, by the zone that it enters.
    pub(super) fn leaving(&self, from: ZoneId) -> impl Iterator<Item = (ZoneId, &[Opening])> {
        self.iter().filter(move |((source, _), _)| *source == from).map(|((_, to), list)| (to, list))
    }

    /// What may enter a zone, by the zone that it leaves.
    pub(super) fn entering(&self, to: ZoneId) -> impl Iterator<Item = (ZoneId, &[Opening])> {
        self.iter().filter(move |((_, goal), _)| *goal == to).map(|((from, _), list)| (from, list))
    }

    /// The number of pairs of zones between which something is allowed.
    pub(super) fn count(&self) -> usize {
        self.between.len()
    }
}

/// What a part of a rule opens, if it is an allow of which something is left.
fn opening(policy: &Policy, part: &Part, all: &[Part]) -> Option<Opening> {
    let rule = &policy[part.rule];
    if rule.effect == Effect::Forbid {
        return None;
    }
    let meets = |other: &&Part| {
        let forbid = &policy[other.rule];
        forbid.effect == Effect::Forbid
            && !forbid.services.is_disjoint(&rule.services)
            && !other.packets(&forbid.services).is_disjoint(&part.packets(&rule.services))
    };
    let cuts: Vec<&Part> = all.iter().filter(meets).collect();
    if cuts.is_empty() {
        let (sources, destinations) = (part.sources.clone(), part.destinations.clone());
        let services = rule.services.clone();
        return Some(Opening {
            rule: part.rule,
            sources,
            destinations,
            services,
            cut_by: Vec::new(),
            left: None,
        });
    }
    let taken = union_all(cuts.iter().map(|cut| cut.packets(&policy[cut.rule].services)));
    let left = part.packets(&rule.services).difference(&taken);
    exactly(part.rule, left, cuts.iter().map(|cut| cut.rule).collect())
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::check::check;
    use crate::diag::Diagnostics;
    use crate::inventory::Inventories;
    use crate::ir::{Decider, Decision};
    use crate::set::Packet;
    use crate::source::Sources;
    use crate::syntax::parse;

    const POLICY: &str = "
zone a { net 10.1.0.0/28, 2001:db8:1::/124 }
zone b { net 10.2.0.0/28, 2001:db8:2::/124 }
zone c { rest }
class low in a { hosts 10.1.0.0/29, 2001:db8:1::/125 }
peer srv in b { host 10.2.0.10, 2001:db8:2::a }
allow wide { from a  to any except a  via tcp 1-1000 }
allow both { from any  to srv  via tcp 80, udp 53-70, icmp, icmpv6 }
allow back { from b, c  to low  via any }
forbid one { from any except b  to srv  via tcp 20-30, 80 }
forbid two { from low  to any except a  via udp 50-60 }
forbid six { from srv  to low  via tcp 443   log }
";

    fn policy() -> Policy {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let source = sources.add("a.cordon".to_owned(), POLICY.to_owned()).unwrap().clone();
        let files = [parse(&source, &mut diagnostics)];
        let policy = check(&files, Inventories::default(), "2026-11-01".parse().unwrap(), &mut diagnostics);
        assert_eq!(diagnostics.errors(), 0, "{diagnostics:?}");
        policy
    }

    /// Packets at and beside every edge that the policy names.
    fn packets() -> Vec<Packet> {
        let hosts = [
            ["10.1.0.0", "2001:db8:1::"],
            ["10.1.0.7", "2001:db8:1::7"],
            ["10.1.0.8", "2001:db8:1::8"],
            ["10.2.0.9", "2001:db8:2::9"],
            ["10.2.0.10", "2001:db8:2::a"],
            ["10.3.0.1", "2001:db8:3::1"],
        ];
        let ports = [0, 1, 19, 20, 30, 31, 49, 50, 53, 60, 61, 70, 71, 79, 80, 81, 443, 1000, 1001, 2048];
        let mut found = Vec::new();
        for family in 0..2 {
            let addresses: Vec<IpAddr> = hosts.iter().map(|host| host[family].parse().unwrap()).collect();
            for (source, destination) in
                addresses.iter().flat_map(|one| addresses.iter().map(move |other| (*one, *other)))
            {
                for protocol in [1, 6, 17, 47, 58] {
                    found.extend(ports.iter().map(|port| Packet {
                        source,
                        destination,
                        protocol,
                        source_port: 49152,
                        destination_port: *port,
                    }));
                }
            }
        }
        found
    }

    #[test]
    fn what_is_open_is_what_the_policy_allows_packet_by_packet() {
        let policy = policy();
        let (openings, decider) = (Openings::new(&policy), Decider::new(&policy));
        let mut seen = [0, 0];
        for packet in packets() {
            let zones = [packet.source, packet.destination].map(|address| decider.zone_of(address).unwrap());
            let open: Vec<RuleIndex> = openings
                .of(zones[0], zones[1])
                .iter()
                .filter(|one| one.packets().contains(&packet))
                .map(|one| one.rule)
                .collect();
            if let Decision::Allowed(rule) = decider.decide(&packet) {
                assert!(open.contains(&rule), "{packet}");
            } else {
                assert!(open.is_empty(), "{packet}");
            }
            seen[usize::from(open.is_empty())] += 1;
        }
        assert!(seen.iter().all(|count| *count > 300), "{seen:?}");
    }

    #[test]
    fn a_part_of_an_opening_holds_just_what_lies_between_the_two() {
        let policy = policy();
        let openings = Openings::new(&policy);
        let mut parts = 0;
        for ((_, opening), endpoint) in openings
            .iter()
            .flat_map(|(zones, list)| list.iter().map(move |one| (zones, one)))
            .flat_map(|pair| policy.endpoints.iter().map(move |endpoint| (pair, endpoint)))
        {
            let own = &endpoint.addresses;
            let full = AddressSet::full();
            for (from, to) in [(own, &full), (&full, own), (own, own)] {
                let reach = PacketSet::product(from, to, &ServiceSet::full());
                let expected = opening.packets().intersection(&reach);
                let part = opening.between(from, to);
                assert_eq!(part.as_ref().map_or_else(PacketSet::empty, Opening::packets), expected);
                parts += usize::from(part.is_some_and(|part| !part.cut_by.is_empty()));
            }
        }
        assert!(parts > 3, "{parts} parts of what a forbid cuts");
    }
}
