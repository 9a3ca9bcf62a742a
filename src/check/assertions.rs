//! Assertions: what the rules together must allow or deny, decided exactly and shown by a packet where it fails.

use super::error::CheckError;
use crate::diag::{Diagnostics, labels};
use crate::ir::{Assertion, Conduits, Effect, Expectation, Part, Policy, RuleIndex, ZoneId, ZoneIndex};
use crate::set::{Packet, PacketSet, Set};

/// How an assertion fails: a packet that it speaks of, and what decides on it. Of all such packets it is the smallest one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// It should be denied, and this rule allows it, if only at times.
    Open(Packet, RuleIndex),
    /// It should be allowed, and this rule forbids it.
    Forbidden(Packet, RuleIndex),
    /// It should be allowed, and no rule allows it at all times.
    Unallowed(Packet),
}

impl Violation {
    /// The packet that shows it.
    pub fn packet(self) -> Packet {
        match self {
            Violation::Open(packet, _) | Violation::Forbidden(packet, _) | Violation::Unallowed(packet) => {
                packet
            }
        }
    }
}

/// Reports each assertion that speaks of no packet between two zones: it could not fail.
pub(super) fn check_visible(policy: &Policy, diagnostics: &mut Diagnostics) {
    let zones = ZoneIndex::new(policy);
    for assertion in &policy.assertions {
        if packets_of(&zones, assertion).next().is_none() {
            let help = "it says nothing about any packet between two zones, so it cannot fail".to_owned();
            let (name, span) = (assertion.id.clone(), assertion.span);
            diagnostics.push(CheckError::EmptyRule { name, span, help });
        }
    }
}

/// Reports each assertion that does not hold, with a packet that shows it.
pub(super) fn check(policy: &Policy, conduits: &Conduits, diagnostics: &mut Diagnostics) {
    let zones = ZoneIndex::new(policy);
    for assertion in &policy.assertions {
        let violation = violation(policy, conduits, &zones, assertion);
        diagnostics.extend(violation.map(|violation| error(policy, assertion, violation)));
    }
}

/// What shows that an assertion does not hold, if it does not.
pub fn violation(
    policy: &Policy,
    conduits: &Conduits,
    zones: &ZoneIndex,
    assertion: &Assertion,
) -> Option<Violation> {
    let found = packets_of(zones, assertion).flat_map(|((from, to), packets)| {
        let parts = conduits.between(from, to);
        match assertion.expectation {
            Expectation::Denied => vec![open_in(policy, parts, packets)],
            Expectation::Allowed => {
                vec![forbidden_in(policy, parts, &packets), unallowed_in(policy, parts, packets)]
            }
        }
    });
    found.flatten().min_by_key(|violation| violation.packet())
}

/// The packets that an assertion speaks of, between each two zones where there are any. Those that stay inside one zone
/// are left out, since no enforcement point sees them.
pub fn packets_of(
    zones: &ZoneIndex,
    assertion: &Assertion,
) -> impl Iterator<Item = ((ZoneId, ZoneId), PacketSet)> {
    let sources = zones.split(&assertion.from.addresses);
    let destinations = zones.split(&assertion.to.addresses);
    sources
        .into_iter()
        .flat_map(move |(from, sources)| {
            let others = destinations.clone().into_iter().filter(move |(to, _)| *to != from);
            others.map(move |(to, destinations)| ((from, to), sources.clone(), destinations))
        })
        .map(|(pair, sources, destinations)| {
            (pair, PacketSet::product(&sources, &destinations, &assertion.services))
        })
        .filter(|(_, packets)| !packets.is_empty())
}

/// The packets of `part` among `packets`.
fn meet(policy: &Policy, part: &Part, packets: &PacketSet) -> PacketSet {
    packets.intersection(&part.packets(&policy[part.rule].services))
}

fn with_effect(policy: &Policy, effect: Effect) -> impl Fn(&&Part) -> bool {
    move |part: &&Part| policy[part.rule].effect == effect
}

/// The smallest allowed packet where all should be denied.
fn open_in(policy: &Policy, parts: &[Part], packets: PacketSet) -> Option<Violation> {
    let forbids = parts.iter().filter(with_effect(policy, Effect::Forbid));
    let open =
        forbids.fold(packets, |open, forbid| open.difference(&forbid.packets(&policy[forbid.rule].services)));
    let allows = parts.iter().filter(with_effect(policy, Effect::Allow));
    let met = allows.filter_map(|allow| Some((meet(policy, allow, &open).sample()?, allow.rule)));
    // Of several rules that allow the packet, the one that decides stands first.
    met.min_by_key(|(packet, _)| *packet).map(|(packet, rule)| Violation::Open(packet, rule))
}

/// The smallest packet that is forbidden where all should be allowed.
fn forbidden_in(policy: &Policy, parts: &[Part], packets: &PacketSet) -> Option<Violation> {
    let forbids = parts.iter().filter(with_effect(policy, Effect::Forbid));
    let met = forbids.filter_map(|forbid| Some((meet(policy, forbid, packets).sample()?, forbid.rule)));
    met.min_by_key(|(packet, _)| *packet).map(|(packet, rule)| Violation::Forbidden(packet, rule))
}

/// The smallest packet that no rule allows at all times where all should be allowed.
fn unallowed_in(policy: &Policy, parts: &[Part], packets: PacketSet) -> Option<Violation> {
    let always = |part: &&Part| policy[part.rule].during.is_none();
    let allows = parts.iter().filter(with_effect(policy, Effect::Allow)).filter(always);
    let denied =
        allows.fold(packets, |denied, allow| denied.difference(&allow.packets(&policy[allow.rule].services)));
    denied.sample().map(Violation::Unallowed)
}

fn error(policy: &Policy, assertion: &Assertion, violation: Violation) -> CheckError {
    let (packet, span) = (violation.packet().to_string(), assertion.span);
    match violation {
        Violation::Open(_, rule) => CheckError::AssertedDenied {
            packet,
            span,
            allowed_by: policy[rule].span,
            rule: policy[rule].id.clone(),
        },
        Violation::Forbidden(_, rule) => CheckError::AssertedAllowed {
            packet,
            span,
            forbid: labels(&[policy[rule].span], "forbidden by this"),
            why: format!("narrow `{}`, or correct the assertion", policy[rule].id),
        },
        Violation::Unallowed(_) => CheckError::AssertedAllowed {
            packet,
            span,
            forbid: Vec::new(),
            why: "no rule allows it at all times; allow it, or correct the assertion".to_owned(),
        },
    }
}
