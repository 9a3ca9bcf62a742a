//! Words of a rule of which other statements hold all that they add to it.
//!
//! A rule that was used to cover a word does not lose one itself, so all words that are found can be removed at once. Nor is
//! one that lost a word used, so that those that are named still say what they are named for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, Kind, Piece, Place};
use super::cover::Covers;
use super::growth::{Extent, Extents};
use super::merge::Written;
use super::statements::{Own, serves, takes_from};
use super::words::{idle_names, idle_services, span_of};
use crate::check::services;
use crate::ir::Policy;
use crate::set::{AddressSet, Overlaps, ServiceSet, Set, service_numbers, union_all};
use crate::source::Span;
use crate::syntax::ast::{Flow, Names, Via};

/// A word that adds nothing to its rule.
pub(super) struct Covered {
    /// The claim of the rule.
    pub(super) claim: usize,
    pub(super) word: String,
    pub(super) span: Span,
    /// The claims that hold what it adds.
    pub(super) by: BTreeSet<usize>,
}

/// What an entry of a clause adds to its rule.
enum Added {
    From(Extent),
    To(Extent),
    Via(ServiceSet),
}

/// One clause of a rule.
#[derive(Clone, Copy)]
enum Clause {
    From,
    To,
}

/// What is known of the policy here.
pub(super) struct Context<'c, 'a> {
    pub(super) policy: &'c Policy,
    pub(super) extents: &'c Extents<'a>,
    pub(super) covers: &'c Covers<'c>,
    pub(super) own: &'c Own<'c>,
    /// Claims that are redundant as a whole.
    pub(super) out: &'c BTreeSet<usize>,
}

/// The words that add nothing, in rules as they were written, by the places of these.
pub(super) fn covered(context: &Context, written: &BTreeMap<Span, Written>) -> Vec<Covered> {
    let (mut used, mut reduced) = (BTreeSet::new(), BTreeSet::new());
    let mut found = Vec::new();
    let claims = context.covers.claims.iter().enumerate().rev();
    for (number, claim) in claims.filter(|(number, claim)| is_judged(context, *number, claim)) {
        let Some(rule) = written.get(&claim.span).filter(|_| !used.contains(&number)) else { continue };
        let may = |other: usize| {
            other != number
                && !context.out.contains(&other)
                && !reduced.contains(&other)
                && serves(context.covers, other, claim)
        };
        let of_rule = of_rule(context, number, &rule.rule.flow, &may);
        if !of_rule.is_empty() {
            reduced.insert(number);
            used.extend(of_rule.iter().flat_map(|covered| &covered.by).copied());
            found.extend(of_rule);
        }
    }
    found
}

fn is_judged(context: &Context, number: usize, claim: &Claim) -> bool {
    claim.kind != Kind::Manage && !claim.is_named && !context.out.contains(&number)
}

fn of_rule(context: &Context, number: usize, flow: &Flow, may: &dyn Fn(usize) -> bool) -> Vec<Covered> {
    let mut found = Vec::new();
    for (clause, lists) in [(Clause::From, &flow.from), (Clause::To, &flow.to)] {
        names(context, number, clause, lists, may, &mut found);
    }
    via(context, number, &flow.via, may, &mut found);
    found
}

/// The names of one clause. What a word adds is what no other word that stays holds.
fn names(
    context: &Context,
    claim: usize,
    clause: Clause,
    lists: &[Names],
    may: &dyn Fn(usize) -> bool,
    found: &mut Vec<Covered>,
) {
    if lists.iter().map(|names| names.list.len()).sum::<usize>() < 2 {
        return;
    }
    let entries: Vec<_> = lists.iter().flat_map(|names| context.extents.entries(names)).collect();
    let overlaps = Overlaps::new(entries.iter().map(|(_, extent)| &extent.addresses));
    let mut gone: BTreeSet<usize> =
        idle_names(lists, context.extents).into_iter().map(|(place, _)| place).collect();
    for (place, (word, extent)) in entries.iter().enumerate().rev() {
        if gone.contains(&place) || gone.len() + 1 == entries.len() {
            continue;
        }
        // Stand-ins of others do not overlap in addresses, so they are not taken away here, which only finds less.
        let near = overlaps.with(&extent.addresses, usize::MAX).unwrap_or_default();
        let near = near.into_iter().filter(|other| *other != place && !gone.contains(other));
        let others: Vec<&Extent> =
            near.filter_map(|other| entries.get(other)).map(|(_, extent)| extent).collect();
        let adds = extent.beyond(&Extent::join(others.into_iter()));
        let adds = match clause {
            Clause::From => Added::From(adds),
            Clause::To => Added::To(adds),
        };
        if let Some(by) = holders(context, claim, &adds, may) {
            gone.insert(place);
            found.push(Covered { claim, word: word.node.clone(), span: word.span, by });
        }
    }
}

/// The services of a rule.
fn via(context: &Context, claim: usize, via: &[Via], may: &dyn Fn(usize) -> bool, found: &mut Vec<Covered>) {
    if via.len() < 2 {
        return;
    }
    let services = &context.policy.services;
    let sets: Vec<ServiceSet> = via.iter().map(|entry| services::meaning(entry, services).set).collect();
    let keys: Vec<AddressSet> = sets.iter().map(service_numbers).collect();
    let overlaps = Overlaps::new(keys.iter());
    let mut gone: BTreeSet<usize> =
        idle_services(via, context.policy).into_iter().map(|(place, _)| place).collect();
    for (place, ((entry, set), key)) in via.iter().zip(&sets).zip(&keys).enumerate().rev() {
        if gone.contains(&place) || gone.len() + 1 == sets.len() {
            continue;
        }
        let near = overlaps.with(key, usize::MAX).unwrap_or_default();
        let near = near.into_iter().filter(|other| *other != place && !gone.contains(other));
        let others = union_all(near.filter_map(|other| sets.get(other).cloned()));
        if let Some(by) = holders(context, claim, &Added::Via(set.difference(&others)), may) {
            gone.insert(place);
            let (word, span) = (services::text_of_entry(entry), span_of(entry));
            found.push(Covered { claim, word, span, by });
        }
    }
}

/// The claims that hold all that an entry adds to a claim, if it adds something between two zones and they do.
fn holders(
    context: &Context,
    number: usize,
    adds: &Added,
    may: &dyn Fn(usize) -> bool,
) -> Option<BTreeSet<usize>> {
    let claim = context.covers.claims.get(number)?;
    let mut used = BTreeSet::new();
    for (place, piece) in context.own.get(number)? {
        let (piece, services) = cut(*place, piece, claim.services, adds);
        used.extend(context.covers.cover(*place, &piece, &services, may).ok()?);
    }
    used.retain(|other| !takes_from(context.covers, *other, claim));
    (!used.is_empty()).then_some(used)
}

/// What an entry adds to one piece of its rule.
fn cut<'a>(place: Place, piece: &Piece<'a>, services: &ServiceSet, adds: &Added) -> (Piece<'a>, ServiceSet) {
    let (sources_grow, destinations_grow) = match place {
        Place::Conduit { sources_grow, destinations_grow, .. } => (sources_grow, destinations_grow),
        Place::Device { sources_grow, .. } => (sources_grow, false),
    };
    let of = |extent: &Extent, grows: bool, side: &AddressSet| {
        let own = if grows { &extent.may } else { &extent.addresses };
        Cow::Owned(side.intersection(own))
    };
    let mut piece = piece.clone();
    match adds {
        Added::From(extent) => piece.sources = of(extent, sources_grow, &piece.sources),
        Added::To(extent) => piece.destinations = of(extent, destinations_grow, &piece.destinations),
        Added::Via(set) => return (piece, services.intersection(set)),
    }
    (piece, services.clone())
}
