//! Assertions: what the rules together must allow or deny, decided exactly and shown by a packet where it fails.

use super::error::CheckError;
use crate::diag::{Diagnostics, labels};
use crate::ir::{Assertion, Conduits, Effect, Expectation, Part, Policy, RuleIndex, ZoneIndex};
use crate::set::{PacketSet, Set};

/// Reports each assertion that does not hold, with a packet that shows it.
pub(super) fn check(policy: &Policy, conduits: &Conduits, diagnostics: &mut Diagnostics) {
    let zones = ZoneIndex::new(policy);
    for assertion in &policy.assertions {
        let failure = match assertion.expectation {
            Expectation::Denied => first_failure(policy, conduits, &zones, assertion, allowed_in),
            Expectation::Allowed => first_failure(policy, conduits, &zones, assertion, denied_in),
        };
        diagnostics.extend(failure);
    }
}

/// What a conduit shows against an assertion on `packets`, if anything.
type Finder = fn(&Policy, &Assertion, &[Part], &PacketSet) -> Option<CheckError>;

/// Tries an assertion on each pair of zones that it speaks of, and gives the first failure.
fn first_failure(
    policy: &Policy,
    conduits: &Conduits,
    zones: &ZoneIndex,
    assertion: &Assertion,
    find: Finder,
) -> Option<CheckError> {
    let sources = zones.split(&assertion.from.addresses);
    let destinations = zones.split(&assertion.to.addresses);
    let mut visible = false;
    for (from, sources) in &sources {
        for (to, destinations) in destinations.iter().filter(|(to, _)| *to != from) {
            let packets = PacketSet::product(sources, destinations, &assertion.services);
            visible |= !packets.is_empty();
            if let Some(failure) = find(policy, assertion, conduits.between(*from, *to), &packets) {
                return Some(failure);
            }
        }
    }
    if visible {
        return None;
    }
    let help = "it says nothing about any packet between two zones, so it cannot fail".to_owned();
    Some(CheckError::EmptyRule { name: assertion.id.clone(), span: assertion.span, help })
}

/// The packets of `part` among `packets`.
fn meet(policy: &Policy, part: &Part, packets: &PacketSet) -> PacketSet {
    packets.intersection(&part.packets(&policy[part.rule].services))
}

fn with_effect(policy: &Policy, effect: Effect) -> impl Fn(&&Part) -> bool {
    move |part: &&Part| policy[part.rule].effect == effect
}

/// An allowed packet where all should be denied.
fn allowed_in(
    policy: &Policy,
    assertion: &Assertion,
    parts: &[Part],
    packets: &PacketSet,
) -> Option<CheckError> {
    let mut open = packets.clone();
    for forbid in parts.iter().filter(with_effect(policy, Effect::Forbid)) {
        open = open.difference(&forbid.packets(&policy[forbid.rule].services));
    }
    let mut allows = parts.iter().filter(with_effect(policy, Effect::Allow));
    let (rule, packet): (RuleIndex, _) =
        allows.find_map(|allow| Some((allow.rule, meet(policy, allow, &open).sample()?)))?;
    Some(CheckError::AssertedDenied {
        packet: packet.to_string(),
        span: assertion.span,
        allowed_by: policy[rule].span,
        rule: policy[rule].id.clone(),
    })
}

/// A packet that is denied, if only at times, where all should be allowed.
fn denied_in(
    policy: &Policy,
    assertion: &Assertion,
    parts: &[Part],
    packets: &PacketSet,
) -> Option<CheckError> {
    for forbid in parts.iter().filter(with_effect(policy, Effect::Forbid)) {
        if let Some(packet) = meet(policy, forbid, packets).sample() {
            let rule = &policy[forbid.rule];
            return Some(CheckError::AssertedAllowed {
                packet: packet.to_string(),
                span: assertion.span,
                forbid: labels(&[rule.span], "forbidden by this"),
                why: format!("narrow `{}`, or correct the assertion", rule.id),
            });
        }
    }
    let mut denied = packets.clone();
    let always = |part: &&Part| policy[part.rule].during.is_none();
    for allow in parts.iter().filter(with_effect(policy, Effect::Allow)).filter(always) {
        denied = denied.difference(&allow.packets(&policy[allow.rule].services));
    }
    Some(CheckError::AssertedAllowed {
        packet: denied.sample()?.to_string(),
        span: assertion.span,
        forbid: Vec::new(),
        why: "no rule allows it at all times; allow it, or correct the assertion".to_owned(),
    })
}
