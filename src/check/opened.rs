//! What a part of a rule really opens: its packets less those that forbids take away.
//!
//! In: a conduit, and some sources, destinations and services of one of its allows. Out: which of them some packet still
//! has. Whole packets are only put together where a forbid takes some away.

use crate::ir::{Conduits, Effect, Endpoint, Part, Policy};
use crate::set::{
    AddressSet, FlowsOf, IntervalSet, Overlaps, PacketSet, PerFamily, Point, ServiceSet, Set, Traffic,
    union_all,
};

/// The sources, destinations and services of some packets, each for itself.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) sources: AddressSet,
    pub(super) destinations: AddressSet,
    pub(super) services: ServiceSet,
}

impl Opened {
    /// What either opens.
    pub(super) fn union(&self, other: &Self) -> Self {
        Opened {
            sources: self.sources.union(&other.sources),
            destinations: self.destinations.union(&other.destinations),
            services: self.services.union(&other.services),
        }
    }
}

/// What is open from `sources` to `destinations` over `services` in a conduit, as far as the forbids of the conduit let it;
/// `None` if nothing is.
pub(super) fn opened(
    policy: &Policy,
    parts: &[Part],
    sources: &AddressSet,
    destinations: &AddressSet,
    services: &ServiceSet,
) -> Option<Opened> {
    if sources.is_empty() || destinations.is_empty() || services.is_empty() {
        return None;
    }
    let mut remaining: Option<PacketSet> = None;
    // Forbids stand first.
    for forbid in parts.iter().take_while(|part| policy[part.rule].effect == Effect::Forbid) {
        let forbidden = &policy[forbid.rule].services;
        let apart = sources.is_disjoint(&forbid.sources)
            || destinations.is_disjoint(&forbid.destinations)
            || services.is_disjoint(forbidden);
        if !apart {
            let before = remaining.unwrap_or_else(|| PacketSet::product(sources, destinations, services));
            remaining = Some(before.difference(&forbid.packets(forbidden)));
        }
    }
    match remaining {
        Some(packets) => shadows(&packets),
        None => whole(sources, destinations, services),
    }
}

/// For each of some classes, the addresses of `peers` that it may open something to. `index` holds the classes.
pub(super) fn reached(
    policy: &Policy,
    conduits: &Conduits,
    (classes, index): (&[&Endpoint], &Overlaps),
    peers: &AddressSet,
) -> Vec<AddressSet> {
    let mut reached: Vec<Vec<AddressSet>> = vec![Vec::new(); classes.len()];
    for (_, parts) in conduits.iter() {
        for part in parts.iter().filter(|part| policy[part.rule].effect == Effect::Allow) {
            let servers = part.destinations.intersection(peers);
            if servers.is_empty() {
                continue;
            }
            for place in index.with(&part.sources, usize::MAX).unwrap_or_default() {
                let (Some(class), Some(reached)) = (classes.get(place), reached.get_mut(place)) else {
                    continue;
                };
                let sources = part.sources.intersection(&class.addresses);
                let opened = opened(policy, parts, &sources, &servers, &policy[part.rule].services);
                reached.extend(opened.map(|opened| opened.destinations));
            }
        }
    }
    reached.into_iter().map(union_all).collect()
}

/// The addresses of all peers.
pub(super) fn peers(policy: &Policy) -> AddressSet {
    let peers = policy.endpoints.iter().filter(|endpoint| !endpoint.is_class);
    union_all(peers.map(|peer| peer.addresses.clone()).collect::<Vec<_>>())
}

/// All of a product, without what only the other family has.
fn whole(sources: &AddressSet, destinations: &AddressSet, services: &ServiceSet) -> Option<Opened> {
    let v4 = !(sources.v4.is_empty() || destinations.v4.is_empty() || services.v4.is_empty());
    let v6 = !(sources.v6.is_empty() || destinations.v6.is_empty() || services.v6.is_empty());
    (v4 || v6).then(|| Opened {
        sources: only(sources, v4, v6),
        destinations: only(destinations, v4, v6),
        services: only(services, v4, v6),
    })
}

fn only<A: Set, B: Set>(set: &PerFamily<A, B>, v4: bool, v6: bool) -> PerFamily<A, B> {
    PerFamily {
        v4: if v4 { set.v4.clone() } else { A::empty() },
        v6: if v6 { set.v6.clone() } else { B::empty() },
    }
}

/// What packets show in each dimension.
fn shadows(packets: &PacketSet) -> Option<Opened> {
    let (v4, v6) = (shadows_of(&packets.v4), shadows_of(&packets.v6));
    (!packets.is_empty()).then(|| Opened {
        sources: PerFamily { v4: v4.0, v6: v6.0 },
        destinations: PerFamily { v4: v4.1, v6: v6.1 },
        services: PerFamily { v4: v4.2, v6: v6.2 },
    })
}

fn shadows_of<A: Point>(flows: &FlowsOf<A>) -> (IntervalSet<A>, IntervalSet<A>, Traffic) {
    let groups = flows.grouped();
    let destinations = groups.iter().map(|(_, members)| members.keys());
    let traffic = groups
        .iter()
        .flat_map(|(_, members)| members.grouped().into_iter().map(|(_, traffic)| traffic.clone()));
    (flows.keys(), union_all(destinations), union_all(traffic))
}
