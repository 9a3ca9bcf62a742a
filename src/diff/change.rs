//! Which packets are opened and closed between two policies, each by one cause.
//!
//! In: two policies. Out: disjoint sets of packets, each with when it is open in one policy and not in the other, and the
//! rule or zone behind it. What passes can only change among the packets of rules that are not in both policies with the
//! same content, and of zones that are not in both; all else is never put together.

// INVARIANT: sets of this kind are only looked up here, never walked, so their order reaches nothing.
use std::collections::HashSet;

use super::access::{Access, Area, Ready, gained, indexed};
use super::time::{When, normal};
use crate::ir::{Clock, Effect, Policy, Rule, RuleIndex, Week, ZoneId};
use crate::set::{AddressSet, Overlaps, PacketSet, ServiceSet, Set, union_all};

/// What changes what passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// A rule of the policy in which the packets pass, which the other does not have.
    Allow(RuleIndex),
    /// A rule of the policy in which they do not pass.
    Forbid(RuleIndex),
    /// A zone of the policy in which they pass, since both ends lie in it.
    Zone(ZoneId),
}

/// Packets that pass in one policy and not in the other.
pub(super) struct Difference {
    pub(super) origin: Origin,
    pub(super) when: When,
    pub(super) packets: PacketSet,
}

/// What passes in `more` and does not in `less`.
pub(super) fn differences(more: &Ready, less: &Ready) -> Vec<Difference> {
    let mut causes: Vec<(Origin, Area)> = Vec::new();
    for (index, rule) in missing(more.policy, less.policy, Effect::Allow) {
        causes.push((Origin::Allow(index), more.area(rule)));
    }
    for (index, rule) in missing(less.policy, more.policy, Effect::Forbid) {
        causes.push((Origin::Forbid(index), less.area(rule)));
    }
    causes.extend(joined_zones(more.policy, less.policy));
    let before = Overlaps::new(causes.iter().map(|(_, area)| &area.sources));
    let mut found = Vec::new();
    for (place, (origin, area)) in causes.iter().enumerate() {
        let (open, closed): (Access, Access) = (more.access(area), less.access(area));
        let changed = gained(&closed, &open);
        if changed.is_empty() {
            continue;
        }
        // What an earlier cause changes is reported there.
        let earlier = before.with(&area.sources, usize::MAX).unwrap_or_default().into_iter();
        let earlier: Vec<&Area> = earlier
            .take_while(|other| *other < place)
            .filter_map(|other| causes.get(other))
            .map(|(_, other)| other)
            .filter(|other| !other.destinations.is_disjoint(&area.destinations))
            .filter(|other| !other.services.is_disjoint(&area.services))
            .collect();
        for (when, packets) in changed {
            let packets = earlier.iter().fold(packets, |packets, other| packets.difference(&other.packets));
            if !packets.is_empty() {
                found.push(Difference { origin: *origin, when, packets });
            }
        }
    }
    found
}

/// What a rule says of packets.
type Content<'p> = (&'p AddressSet, &'p AddressSet, &'p ServiceSet);

/// The rules of an effect in `one` of which `other` has none with the same content.
fn missing<'p>(one: &'p Policy, other: &'p Policy, effect: Effect) -> Vec<(RuleIndex, &'p Rule)> {
    // INVARIANT: only looked up, never walked, so its order reaches nothing.
    let mut known: HashSet<(Content<'p>, Option<String>)> = HashSet::new();
    for rule in other.rules.iter().filter(|rule| rule.effect == effect) {
        known.insert((content(rule), hours(other, rule)));
    }
    let own = indexed(one).filter(|(_, rule)| rule.effect == effect);
    own.filter(|(_, rule)| !known.contains(&(content(rule), hours(one, rule)))).collect()
}

fn content(rule: &Rule) -> Content<'_> {
    (&rule.from.addresses, &rule.to.addresses, &rule.services)
}

/// The hours of a rule in a form that is the same for the same hours.
fn hours(policy: &Policy, rule: &Rule) -> Option<String> {
    let (clock, week): (Clock, Week) = normal(policy.schedule_of(rule)?);
    Some(format!("{clock} {:?}", week.runs().collect::<Vec<_>>()))
}

/// Packets inside a zone of `more` that are between zones in `less`. What is in no zone there is passed over: nothing is
/// known of it, so that a new zone alone is no opening.
fn joined_zones(more: &Policy, less: &Policy) -> Vec<(Origin, Area)> {
    // INVARIANT: only looked up, never walked, so their order reaches nothing.
    let (own, others): (HashSet<&AddressSet>, HashSet<&AddressSet>) = (
        more.zones.iter().map(|zone| &zone.addresses).collect(),
        less.zones.iter().map(|zone| &zone.addresses).collect(),
    );
    let held = |zone: &&crate::ir::Zone| !own.contains(&zone.addresses);
    let before: Vec<&AddressSet> = less.zones.iter().filter(held).map(|zone| &zone.addresses).collect();
    let mut found = Vec::new();
    for id in more.zone_ids().filter(|id| !others.contains(&more[*id].addresses)) {
        let zone = &more[id].addresses;
        let parts: Vec<AddressSet> = before.iter().map(|other| other.intersection(zone)).collect();
        let nowhere = zone.difference(&union_all(parts.clone()));
        let services = ServiceSet::full();
        let square = |set: &AddressSet| PacketSet::product(set, set, &services);
        let inside = union_all(parts.iter().chain([&nowhere]).map(square).collect::<Vec<_>>());
        let packets = square(zone).difference(&inside);
        if !packets.is_empty() {
            let (sources, destinations) = (zone.clone(), zone.clone());
            found.push((Origin::Zone(id), Area { sources, destinations, services, packets }));
        }
    }
    found
}
