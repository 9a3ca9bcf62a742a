//! What allows really open: their packets less those that forbids take away.
//!
//! In: the policy and its conduits. Out: for each part of an allow, rectangles of packets that are open. A part that no
//! forbid touches is one rectangle as it stands, so nothing is put together for it; of all others the sets are made once.
//!
//! What forbids leave is asked of [`Part::left`], as for [`crate::ir::Openings`]. Those hold the sides of what is open, and
//! leave out an allow of which nothing is; the checks cut each opening many times along what the policy says of its
//! sources and destinations, so they borrow the sides as the conduit has them and keep what is left as rectangles.

use crate::ir::{Conduits, Effect, Part, Policy, Rule, RuleIndex, ZoneId};
use crate::set::{
    AddressSet, IntervalSet, Point, Rectangle, ServiceSet, Set, Traffic, rectangles, union_all,
};

/// The sources, destinations and services of some packets, each for itself.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) sources: AddressSet,
    pub(super) destinations: AddressSet,
    pub(super) services: ServiceSet,
}

impl Opened {
    /// What all of some open.
    pub(super) fn join(parts: &[Opened]) -> Self {
        Opened {
            sources: union_all(parts.iter().map(|part| part.sources.clone())),
            destinations: union_all(parts.iter().map(|part| part.destinations.clone())),
            services: union_all(parts.iter().map(|part| part.services.clone())),
        }
    }
}

/// A part of an allow, and what is open of it.
pub(super) struct Opening<'a> {
    pub(super) index: RuleIndex,
    pub(super) rule: &'a Rule,
    /// The zone that packets leave.
    pub(super) from: ZoneId,
    /// Its sources and destinations, also those of which nothing is open.
    pub(super) sources: &'a AddressSet,
    pub(super) destinations: &'a AddressSet,
    /// What forbids leave of it; nothing if none of them touches it.
    left: Option<Rectangles>,
}

struct Rectangles {
    v4: Vec<Rectangle<u32>>,
    v6: Vec<Rectangle<u128>>,
}

/// All parts of allows.
pub(super) fn openings<'a>(policy: &'a Policy, conduits: &'a Conduits) -> Vec<Opening<'a>> {
    let parts = conduits.iter().flat_map(|((from, _), parts)| {
        let is_allow = |part: &&Part| policy[part.rule].effect == Effect::Allow;
        parts.iter().filter(is_allow).map(move |part| opening(policy, from, parts, part))
    });
    parts.collect()
}

fn opening<'a>(policy: &'a Policy, from: ZoneId, parts: &[Part], part: &'a Part) -> Opening<'a> {
    let rule = &policy[part.rule];
    let left = part.left(policy, parts).map(|left| left.packets);
    let left = left.map(|packets| Rectangles { v4: rectangles(&packets.v4), v6: rectangles(&packets.v6) });
    let (sources, destinations) = (&part.sources, &part.destinations);
    Opening { index: part.rule, rule, from, sources, destinations, left }
}

impl Opening<'_> {
    /// What is open from some of its sources to some of its destinations over some of its services; `None` if nothing is.
    pub(super) fn within(
        &self,
        sources: &AddressSet,
        destinations: &AddressSet,
        services: &ServiceSet,
    ) -> Option<Opened> {
        let left = self.left.as_ref();
        let v4 = left.map(|left| left.v4.as_slice());
        let v6 = left.map(|left| left.v6.as_slice());
        let v4 = cut(v4, &sources.v4, &destinations.v4, &services.v4);
        let v6 = cut(v6, &sources.v6, &destinations.v6, &services.v6);
        let is_open = !(v4.sources.is_empty() && v6.sources.is_empty());
        is_open.then_some(Opened {
            sources: AddressSet { v4: v4.sources, v6: v6.sources },
            destinations: AddressSet { v4: v4.destinations, v6: v6.destinations },
            services: ServiceSet { v4: v4.traffic, v6: v6.traffic },
        })
    }

    /// The destinations that are open among some, by the sources that they are open from.
    pub(super) fn by_source(&self, destinations: &AddressSet) -> Vec<(AddressSet, AddressSet)> {
        let Some(left) = &self.left else {
            let opened = self.within(self.sources, destinations, &self.rule.services);
            return opened.map(|opened| (opened.sources, opened.destinations)).into_iter().collect();
        };
        let v4 = left.v4.iter().map(|r| (only_v4(r.sources.clone()), only_v4(r.destinations.clone())));
        let v6 = left.v6.iter().map(|r| (only_v6(r.sources.clone()), only_v6(r.destinations.clone())));
        v4.chain(v6).map(|(sources, open)| (sources, open.intersection(destinations))).collect()
    }

    /// True if something is open of it over traffic for which `holds` is true.
    pub(super) fn is_open_over(&self, holds: impl Fn(&Traffic) -> bool) -> bool {
        match &self.left {
            None => [&self.rule.services.v4, &self.rule.services.v6].into_iter().any(holds),
            Some(left) => {
                let v4 = left.v4.iter().map(|rectangle| &rectangle.traffic);
                v4.chain(left.v6.iter().map(|rectangle| &rectangle.traffic)).any(holds)
            }
        }
    }
}

/// The shadow of some rectangles, or of everything, within a product.
fn cut<A: Point>(
    left: Option<&[Rectangle<A>]>,
    sources: &IntervalSet<A>,
    destinations: &IntervalSet<A>,
    traffic: &Traffic,
) -> Rectangle<A> {
    let whole = || Rectangle {
        sources: sources.clone(),
        destinations: destinations.clone(),
        traffic: traffic.clone(),
    };
    let pieces: Vec<Rectangle<A>> = match left {
        None => vec![whole()],
        Some(left) => left
            .iter()
            .map(|open| Rectangle {
                sources: open.sources.intersection(sources),
                destinations: open.destinations.intersection(destinations),
                traffic: open.traffic.intersection(traffic),
            })
            .collect(),
    };
    let is_open =
        |r: &&Rectangle<A>| !(r.sources.is_empty() || r.destinations.is_empty() || r.traffic.is_empty());
    let open: Vec<&Rectangle<A>> = pieces.iter().filter(is_open).collect();
    Rectangle {
        sources: union_all(open.iter().map(|r| r.sources.clone())),
        destinations: union_all(open.iter().map(|r| r.destinations.clone())),
        traffic: union_all(open.iter().map(|r| r.traffic.clone())),
    }
}

fn only_v4(v4: IntervalSet<u32>) -> AddressSet {
    AddressSet { v4, v6: IntervalSet::empty() }
}

fn only_v6(v6: IntervalSet<u128>) -> AddressSet {
    AddressSet { v4: IntervalSet::empty(), v6 }
}
