//! Statements as far as one can stand in for another, and where each of them holds.
//!
//! In: the policy and its conduits, with what its names hold. Out: a claim for each rule and each manage statement, and the
//! pieces of all claims by place: a conduit, or an enforcement point. Two claims can only have packets in common in one
//! place, so nothing is ever compared across places.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::growth::{Extent, Extents};
use crate::ir::{Action, Conduits, Effect, Guard, Policy, RuleIndex, Schedule, ZoneId, ZoneIndex};
use crate::ir::{Management, Rule, Subject};
use crate::set::{AddressSet, Packet, PacketSet, ServiceSet, Set};
use crate::source::Span;

/// What a claim does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Allow,
    Forbid,
    Manage,
}

/// A rule, or a manage statement.
pub(super) struct Claim<'a> {
    pub(super) kind: Kind,
    pub(super) id: &'a str,
    pub(super) span: Span,
    pub(super) services: &'a ServiceSet,
    during: Option<&'a Schedule>,
    until: Option<Date>,
    log: bool,
    leave_out: bool,
    /// True if a guard or a posture names it, so that it means more than its packets.
    pub(super) is_named: bool,
}

impl<'a> Claim<'a> {
    fn of_rule(policy: &'a Policy, rule: &'a Rule, is_named: bool) -> Self {
        let kind = match rule.effect {
            Effect::Allow => Kind::Allow,
            Effect::Forbid => Kind::Forbid,
        };
        Claim {
            kind,
            id: &rule.id,
            span: rule.span,
            services: &rule.services,
            during: policy.schedule_of(rule),
            until: rule.about.until,
            log: rule.log,
            leave_out: rule.leave_out,
            is_named,
        }
    }

    fn of_management(management: &'a Management) -> Self {
        Claim {
            kind: Kind::Manage,
            id: &management.id,
            span: management.span,
            services: &management.services,
            during: None,
            until: management.about.until,
            log: management.log,
            leave_out: false,
            is_named: false,
        }
    }

    /// True if each packet that both match may be left to this one alone: it does the same, whenever the other does, on
    /// every device that can express the other, and with the same lines in the log.
    pub(super) fn stands_for(&self, other: &Claim) -> bool {
        let lasts = self.until.is_none_or(|until| other.until.is_some_and(|other| until >= other));
        let in_time = match (self.during, other.during) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(its)) if own.name == its.name => true,
            // Which of two schedules is looked at first on a device is no matter of who logs, so both have to.
            (Some(own), Some(its)) => {
                own.clock == its.clock && its.week.is_within(&own.week) && self.log == other.log
            }
        };
        self.kind == other.kind
            && lasts
            && in_time
            && (self.log || !other.log)
            && (!self.leave_out || other.leave_out)
    }
}

/// Where pieces can have packets in common. Sources or destinations that grow are stand-ins, not addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Place {
    Conduit { from: ZoneId, to: ZoneId, sources_grow: bool, destinations_grow: bool },
    Device { number: usize, sources_grow: bool },
}

/// The part of a claim in one place.
#[derive(Clone)]
pub(super) struct Piece<'a> {
    pub(super) claim: usize,
    pub(super) sources: Cow<'a, AddressSet>,
    pub(super) destinations: Cow<'a, AddressSet>,
    /// False if the claim may hold this, but not certainly.
    pub(super) is_certain: bool,
}

impl Piece<'_> {
    /// Its packets over some services.
    pub(super) fn packets(&self, services: &ServiceSet) -> PacketSet {
        PacketSet::product(&self.sources, &self.destinations, services)
    }

    /// True if it holds a packet over some services.
    pub(super) fn contains(&self, packet: &Packet, services: &ServiceSet) -> bool {
        self.sources.contains(packet.source)
            && self.destinations.contains(packet.destination)
            && services.contains(packet)
    }
}

/// All claims: rules in the order in which they decide, then manage statements.
pub(super) fn claims(policy: &Policy) -> Vec<Claim<'_>> {
    let named = named(policy);
    let rules =
        policy.rule_indices().map(|index| Claim::of_rule(policy, &policy[index], named.contains(&index)));
    rules.chain(policy.managements.iter().map(Claim::of_management)).collect()
}

/// The rules that guards and postures name.
fn named(policy: &Policy) -> BTreeSet<RuleIndex> {
    let of_guard = |guard: &Guard| {
        let subject = match guard.subject {
            Subject::Rule(rule) => Some(rule),
            Subject::Sources(_) => None,
        };
        let kept = match &guard.action {
            Action::Isolate { except, .. } => except.clone(),
            Action::Alert | Action::Limit | Action::Quarantine { .. } => Vec::new(),
        };
        kept.into_iter().chain(subject)
    };
    let cuts = policy.postures.iter().flat_map(|posture| &posture.cuts);
    let kept = cuts.flat_map(|cut| cut.except.iter().copied());
    policy.guards.iter().flat_map(of_guard).chain(kept).collect()
}

/// Both sides of a claim, as what their names hold.
pub(super) struct Sides {
    pub(super) from: Extent,
    pub(super) to: Extent,
}

/// Pieces by place, those of each place in the order of their claims.
pub(super) type Pieces<'a> = BTreeMap<Place, Vec<Piece<'a>>>;

/// The pieces of all claims. `sides` gives what the names of a claim hold, where some of them can grow.
pub(super) fn pieces<'a>(
    policy: &Policy,
    conduits: &'a Conduits,
    extents: &Extents,
    sides: &BTreeMap<Span, Sides>,
    claims: &[Claim],
) -> Pieces<'a> {
    let mut pieces = Pieces::new();
    for ((from, to), parts) in conduits.iter() {
        let place = Place::Conduit { from, to, sources_grow: false, destinations_grow: false };
        let of_part = parts.iter().map(|part| Piece {
            claim: part.rule.0,
            sources: Cow::Borrowed(&part.sources),
            destinations: Cow::Borrowed(&part.destinations),
            is_certain: true,
        });
        pieces.insert(place, of_part.collect());
    }
    let zones = ZoneIndex::new(policy);
    for (number, claim) in claims.iter().enumerate() {
        let Some(sides) = sides.get(&claim.span) else { continue };
        let grown = match claim.kind {
            Kind::Allow | Kind::Forbid => grown(number, sides, extents, &zones),
            Kind::Manage => continue,
        };
        for (place, piece) in grown {
            pieces.entry(place).or_default().push(piece);
        }
    }
    add_managements(policy, sides, &mut pieces);
    pieces
}

/// The pieces of one claim of which a side is stand-ins.
fn grown(claim: usize, sides: &Sides, extents: &Extents, zones: &ZoneIndex) -> Vec<(Place, Piece<'static>)> {
    if sides.from.may.is_empty() && sides.to.may.is_empty() {
        return Vec::new();
    }
    let all = placed(claim, sides, extents, zones);
    let grows = |place: &Place| match place {
        Place::Conduit { sources_grow, destinations_grow, .. } => *sources_grow || *destinations_grow,
        Place::Device { sources_grow, .. } => *sources_grow,
    };
    all.into_iter().filter(|(place, _)| grows(place)).collect()
}

/// A run of one side within a zone.
struct Run {
    zone: ZoneId,
    set: AddressSet,
    grows: bool,
    is_certain: bool,
}

/// All pieces of a claim with these sides, also those of addresses.
pub(super) fn placed(
    claim: usize,
    sides: &Sides,
    extents: &Extents,
    zones: &ZoneIndex,
) -> Vec<(Place, Piece<'static>)> {
    let (sources, destinations) = (runs(&sides.from, extents, zones), runs(&sides.to, extents, zones));
    let mut all = Vec::new();
    for source in &sources {
        for destination in destinations.iter().filter(|destination| destination.zone != source.zone) {
            let place = Place::Conduit {
                from: source.zone,
                to: destination.zone,
                sources_grow: source.grows,
                destinations_grow: destination.grows,
            };
            let piece = Piece {
                claim,
                sources: Cow::Owned(source.set.clone()),
                destinations: Cow::Owned(destination.set.clone()),
                is_certain: source.is_certain && destination.is_certain,
            };
            all.push((place, piece));
        }
    }
    all
}

fn runs(side: &Extent, extents: &Extents, zones: &ZoneIndex) -> Vec<Run> {
    let today = zones.split(&side.addresses).into_iter();
    let mut runs: Vec<Run> =
        today.map(|(zone, set)| Run { zone, set, grows: false, is_certain: true }).collect();
    if side.may.is_empty() {
        return runs;
    }
    let unclear = side.may.difference(&side.must);
    for (zone, growing) in extents.growing() {
        for (of_side, is_certain) in [(&side.must, true), (&unclear, false)] {
            let set = of_side.intersection(growing);
            if !set.is_empty() {
                runs.push(Run { zone: *zone, set, grows: true, is_certain });
            }
        }
    }
    runs
}

/// Manage statements: from whom to which enforcement points, over what.
fn add_managements(policy: &Policy, sides: &BTreeMap<Span, Sides>, pieces: &mut Pieces) {
    for (claim, management) in (policy.rules.len()..).zip(&policy.managements) {
        let from = sides.get(&management.span).map(|sides| &sides.from);
        let unclear = from.map_or_else(AddressSet::empty, |from| from.may.difference(&from.must));
        let certain = from.map_or_else(AddressSet::empty, |from| from.must.clone());
        let sources =
            [(&management.from.addresses, false, true), (&certain, true, true), (&unclear, true, false)];
        for (number, _) in
            policy.devices.iter().enumerate().filter(|(_, device)| management.applies_to(device))
        {
            for (set, sources_grow, is_certain) in sources {
                let piece = Piece {
                    claim,
                    sources: Cow::Owned(set.clone()),
                    destinations: Cow::Owned(AddressSet::full()),
                    is_certain,
                };
                if !piece.packets(&management.services).is_empty() {
                    pieces.entry(Place::Device { number, sources_grow }).or_default().push(piece);
                }
            }
        }
    }
}
