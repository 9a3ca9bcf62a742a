//! What one policy lets pass among some packets, and when.
//!
//! A packet passes where nothing filters it, which is inside a zone; or where an allow matches it and no forbid does. Only
//! the rules that meet the packets in question are looked at, so a policy is never joined into one set.

use super::time::{When, holds, normal, stretches};
use crate::ir::{Clock, Effect, Policy, Rule, RuleIndex, Week, ZoneIndex};
use crate::set::{AddressSet, Overlaps, PacketSet, ServiceSet, Set, union_all};

/// A policy made ready for many questions.
pub(super) struct Ready<'p> {
    pub(super) policy: &'p Policy,
    pub(super) zones: ZoneIndex,
    sources: Overlaps,
}

/// Some packets, and a product around them.
pub(super) struct Area {
    pub(super) sources: AddressSet,
    pub(super) destinations: AddressSet,
    pub(super) services: ServiceSet,
    pub(super) packets: PacketSet,
}

/// What passes among the packets of an area.
pub(super) struct Access {
    always: PacketSet,
    /// What passes at times and not always, by clock and week.
    at: Vec<(Clock, Week, PacketSet)>,
}

impl<'p> Ready<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        let sources = Overlaps::new(policy.rules.iter().map(|rule| &rule.from.addresses));
        Ready { policy, zones: ZoneIndex::new(policy), sources }
    }

    /// The packets of a rule that an enforcement point sees.
    pub(super) fn area(&self, rule: &Rule) -> Area {
        let (sources, destinations) = (rule.from.addresses.clone(), rule.to.addresses.clone());
        let mut area =
            Area { sources, destinations, services: rule.services.clone(), packets: rule.packets() };
        area.packets = area.packets.difference(&self.inside_zones(&area));
        area
    }

    /// The packets of an area that stay inside a zone.
    fn inside_zones(&self, area: &Area) -> PacketSet {
        let mut destinations = self.zones.split(&area.destinations);
        let sources = self.zones.split(&area.sources).into_iter();
        let inside = sources.filter_map(|(zone, sources)| {
            let destinations = destinations.remove(&zone)?;
            Some(PacketSet::product(&sources, &destinations, &area.services))
        });
        union_all(inside.collect::<Vec<_>>())
    }

    pub(super) fn access(&self, area: &Area) -> Access {
        let (mut forbidden, mut always) = (Vec::new(), Vec::new());
        let mut at: Vec<(Clock, Week, Vec<PacketSet>)> = Vec::new();
        for place in self.sources.with(&area.sources, usize::MAX).unwrap_or_default() {
            let Some(rule) = self.policy.rules.get(place) else { continue };
            let Some(packets) = common(rule, area) else { continue };
            match (rule.effect, self.policy.schedule_of(rule)) {
                (Effect::Forbid, _) => forbidden.push(packets),
                (Effect::Allow, None) => always.push(packets),
                (Effect::Allow, Some(schedule)) => {
                    let (clock, week) = normal(schedule);
                    match at.iter_mut().find(|(c, w, _)| *c == clock && *w == week) {
                        Some((_, _, held)) => held.push(packets),
                        None => at.push((clock, week, vec![packets])),
                    }
                }
            }
        }
        let forbidden = union_all(forbidden);
        let inside = self.inside_zones(area).intersection(&area.packets);
        let always = union_all(always).difference(&forbidden).union(&inside);
        let at = at.into_iter().filter_map(|(clock, week, held)| {
            let packets = union_all(held).difference(&forbidden).difference(&always);
            (!packets.is_empty()).then_some((clock, week, packets))
        });
        Access { at: at.collect(), always }
    }
}

/// The packets that a rule and an area have in common, if there are any.
fn common(rule: &Rule, area: &Area) -> Option<PacketSet> {
    let apart =
        rule.to.addresses.is_disjoint(&area.destinations) || rule.services.is_disjoint(&area.services);
    if apart {
        return None;
    }
    let packets = PacketSet::product(
        &rule.from.addresses.intersection(&area.sources),
        &rule.to.addresses.intersection(&area.destinations),
        &rule.services.intersection(&area.services),
    );
    let packets = packets.intersection(&area.packets);
    (!packets.is_empty()).then_some(packets)
}

/// What passes after and did not pass before, with when. Together exact wherever all hours are counted by one clock; where a
/// packet has hours by several, those by each clock are compared for themselves, which never misses a difference.
pub(super) fn gained(before: &Access, after: &Access) -> Vec<(When, PacketSet)> {
    let timed = union_all(before.at.iter().chain(&after.at).map(|(_, _, packets)| packets.clone()));
    let plain = after.always.difference(&before.always).difference(&timed);
    let mut found = vec![(When::Always, plain)];
    let mut clocks: Vec<&Clock> = before.at.iter().chain(&after.at).map(|(clock, ..)| clock).collect();
    clocks.sort_unstable();
    clocks.dedup();
    for clock in clocks {
        found.extend(gained_by(clock, before, after));
    }
    found.retain(|(_, packets)| !packets.is_empty());
    found
}

/// The same for the packets that have hours by a clock.
fn gained_by(clock: &Clock, before: &Access, after: &Access) -> Vec<(When, PacketSet)> {
    let all = || before.at.iter().chain(&after.at).filter(|(own, ..)| own == clock);
    let weeks: Vec<&Week> = all().map(|(_, week, _)| week).collect();
    let concerned = union_all(all().map(|(_, _, packets)| packets.clone()));
    let open = |access: &Access, stretch: &Week| {
        let held = access.at.iter().filter(|(own, week, _)| own == clock && holds(week, stretch));
        let held = held.map(|(_, _, packets)| packets.clone());
        union_all(held.chain([access.always.clone()])).intersection(&concerned)
    };
    let mut found: Vec<(Week, PacketSet)> = Vec::new();
    for stretch in stretches(&weeks) {
        let packets = open(after, &stretch).difference(&open(before, &stretch));
        match found.iter_mut().find(|(_, known)| *known == packets) {
            Some((week, _)) => *week = week.clone().union(stretch),
            None => found.push((stretch, packets)),
        }
    }
    found.into_iter().map(|(week, packets)| (When::During(clock.clone(), week), packets)).collect()
}

/// The index of each rule with its rule.
pub(super) fn indexed(policy: &Policy) -> impl Iterator<Item = (RuleIndex, &Rule)> {
    policy.rule_indices().zip(&policy.rules)
}
