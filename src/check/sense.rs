//! Whether rules do what their authors can have meant: rules that match nothing, and allows that a forbid takes away.

use std::collections::{BTreeMap, BTreeSet};

use super::acceptance::Ledger;
use super::error::CheckError;
use crate::diag::{Diagnostics, labels};
use crate::ir::{Conduits, Effect, Part, Policy, Rule, RuleIndex, ZoneIndex};
use crate::set::{PacketSet, Set};
use crate::source::Span;

/// Reports rules that match nothing, or nothing that any enforcement point could see.
pub(super) fn check_effect(
    policy: &Policy,
    conduits: &Conduits,
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    let seen: BTreeSet<RuleIndex> =
        conduits.iter().flat_map(|(_, parts)| parts).map(|part| part.rule).collect();
    let zones = ZoneIndex::new(policy);
    for index in policy.rule_indices().filter(|index| !seen.contains(index)) {
        let rule = &policy[index];
        let packets = rule.packets();
        let (name, span) = (rule.id.clone(), rule.span);
        let finding = match packets.sample().and_then(|packet| zones.zone_of(packet.source)) {
            Some(zone) => CheckError::InsideZone { name, span, zone: policy[zone].name.clone() },
            None => CheckError::EmptyRule { name, span, help: why_empty(rule) },
        };
        ledger.report(&rule.acceptances, finding, diagnostics);
    }
}

fn why_empty(rule: &Rule) -> String {
    let sides = [("from", &rule.from), ("to", &rule.to)];
    if let Some((clause, side)) = sides.iter().find(|(_, side)| side.addresses.is_empty()) {
        return format!("`{clause} {}` is empty", side.text);
    }
    let families = |v4: bool, v6: bool| match (v4, v6) {
        (true, true) => "IPv4 and IPv6",
        (true, false) => "IPv4 only",
        (false, true) => "IPv6 only",
        (false, false) => "nothing",
    };
    let [from, to] = [&rule.from, &rule.to]
        .map(|side| families(!side.addresses.v4.is_empty(), !side.addresses.v6.is_empty()));
    let over = families(!rule.services.v4.is_empty(), !rule.services.v6.is_empty());
    format!("`from` has {from}, `to` has {to}, and `via` has {over}")
}

/// What forbids take from one allow.
#[derive(Default)]
struct Loss {
    forbids: BTreeSet<RuleIndex>,
    lost: Vec<PacketSet>,
    something_remains: bool,
}

/// Reports each allow of which a forbid takes all or a part.
pub(super) fn check_forbids(
    policy: &Policy,
    conduits: &Conduits,
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    let mut losses: BTreeMap<RuleIndex, Loss> = BTreeMap::new();
    for (_, parts) in conduits.iter() {
        let (forbids, allows): (Vec<&Part>, Vec<&Part>) =
            parts.iter().partition(|part| policy[part.rule].effect == Effect::Forbid);
        for allow in allows {
            let loss = losses.entry(allow.rule).or_default();
            add_loss(policy, allow, &forbids, loss);
        }
    }
    for (index, loss) in losses.iter().filter(|(_, loss)| !loss.forbids.is_empty()) {
        let rule = &policy[*index];
        let places: Vec<Span> = loss.forbids.iter().map(|forbid| policy[*forbid].span).collect();
        let (name, span, forbids) = (rule.id.clone(), rule.span, labels(&places, "forbidden by this"));
        let finding = if loss.something_remains {
            let overlap = in_words(&loss.lost);
            CheckError::PartlyForbidden { name, overlap, span, forbids }
        } else {
            CheckError::WhollyForbidden { name, span, forbids }
        };
        ledger.report(&rule.acceptances, finding, diagnostics);
    }
}

fn add_loss(policy: &Policy, allow: &Part, forbids: &[&Part], loss: &mut Loss) {
    let services = &policy[allow.rule].services;
    let mut remaining: Option<PacketSet> = None;
    for forbid in forbids {
        let apart = allow.sources.is_disjoint(&forbid.sources)
            || allow.destinations.is_disjoint(&forbid.destinations)
            || services.is_disjoint(&policy[forbid.rule].services);
        if apart {
            continue;
        }
        let forbidden = forbid.packets(&policy[forbid.rule].services);
        let before = remaining.take().unwrap_or_else(|| allow.packets(services));
        let lost = before.intersection(&forbidden);
        if !lost.is_empty() {
            loss.forbids.insert(forbid.rule);
            loss.lost.push(lost);
        }
        remaining = Some(before.difference(&forbidden));
    }
    loss.something_remains |= remaining.is_none_or(|remaining| !remaining.is_empty());
}

/// The first few boxes of what is lost, and how many more there are.
fn in_words(lost: &[PacketSet]) -> String {
    const SHOWN: usize = 2;
    let boxes: Vec<_> = lost.iter().flat_map(PacketSet::boxes).collect();
    let mut shown: Vec<String> = boxes.iter().take(SHOWN).map(ToString::to_string).collect();
    if boxes.len() > SHOWN {
        shown.push(format!("and {} more like it", boxes.len() - SHOWN));
    }
    shown.join("; ")
}
