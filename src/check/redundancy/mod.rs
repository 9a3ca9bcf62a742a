//! What a policy says without need: statements and words that others cover, statements that could be one, and groups that
//! nothing names.
//!
//! In: a policy without errors, its statements as they were written, and its conduits. Out: warnings. All that they speak of
//! can be removed at once, and the same packets pass at the same times, with as many lines in the log.
//!
//! That some rules of a list can be left out is old (Gouda and Liu, "Structured firewall design", 2007; Liu and Gouda,
//! "Complete redundancy detection in firewalls", 2005). There the order of rules decides, and one that is never reached is
//! called shadowed. Here no order does: what forbids take is judged in `sense`, and what remains is redundancy.

mod claim;
mod cover;
mod finding;
mod growth;
mod list;
mod merge;
mod parts;
mod statements;
mod unused;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use self::claim::{Claim, Sides};
use self::cover::Covers;
use self::finding::{Surplus, in_words};
use self::growth::Extents;
use self::merge::Written;
use self::parts::Context;
use super::Statements;
use super::names::Scope;
use super::rules::reach_as_rule;
use crate::diag::{Diagnostics, labels};
use crate::ir::{Conduits, Policy};
use crate::source::Span;
use crate::syntax::ast;

/// Reports what is said without need, where nothing is wrong so far: a statement with an error may be the one that needs it.
pub(super) fn check(
    policy: &Policy,
    written: &Statements,
    scope: &Scope,
    conduits: &Conduits,
    diagnostics: &mut Diagnostics,
) {
    if diagnostics.has_errors() {
        return;
    }
    unused::check(policy, written, diagnostics);
    let extents = Extents::new(policy, scope, &written.classes, &written.groups);
    words::check(policy, written, &extents, diagnostics);
    let rules = by_place(written);
    let sides = sides(written, &rules, &extents);
    let claims = claim::claims(policy);
    let pieces = claim::pieces(policy, conduits, &extents, &sides, &claims);
    let covers = Covers::new(&claims, &pieces);
    let own = statements::own(&covers);
    let redundant = statements::redundant(&covers, &own);
    let out: BTreeSet<usize> = redundant.iter().map(|(number, _)| *number).collect();
    for (number, by) in &redundant {
        let Some(claim) = claims.get(*number) else { continue };
        let (by, covers) = named(&claims, by);
        let (name, span) = (claim.id.to_owned(), claim.span);
        diagnostics.push(Surplus::Redundant { name, by, span, covers });
    }
    let context = Context { policy, extents: &extents, covers: &covers, own: &own, out: &out };
    for found in parts::covered(&context, &rules) {
        let Some(claim) = claims.get(found.claim) else { continue };
        let (by, covers) = named(&claims, &found.by);
        let (word, name, span) = (found.word, claim.id.to_owned(), found.span);
        diagnostics.push(Surplus::CoveredWord { word, name, by, span, covers });
    }
    merge::check(policy, &claims, &sides, &rules, &out, diagnostics);
}

/// The names of some claims, and a label at each.
fn named(claims: &[Claim], numbers: &BTreeSet<usize>) -> (String, Vec<miette::LabeledSpan>) {
    let found: Vec<&Claim> = numbers.iter().filter_map(|number| claims.get(*number)).collect();
    let places: Vec<Span> = found.iter().map(|claim| claim.span).collect();
    let text = if found.len() == 1 { "by this" } else { "a part of it by this" };
    (in_words(found.iter().map(|claim| claim.id)), labels(&places, text))
}

/// Rules as they were written, those inside classes too, by the place that a diagnostic shows of them.
fn by_place<'a>(statements: &Statements<'a>) -> BTreeMap<Span, Written<'a>> {
    use std::borrow::Cow;
    let rules = statements.rules.iter().map(|rule| {
        let place = rule.name.as_ref().map_or(rule.effect.span, |name| name.span);
        (place, Written { rule: Cow::Borrowed(*rule), within: None })
    });
    let reaches = statements.classes.iter().flat_map(|class| {
        class.reaches.iter().map(move |reach| {
            let rule = Cow::Owned(reach_as_rule(class, reach));
            let within = Some((class.name.node.as_str(), reach.direction));
            (reach.span, Written { rule, within })
        })
    });
    rules.chain(reaches).collect()
}

/// What the names of rules and manage statements hold, by their places, where some of it can grow.
fn sides(
    statements: &Statements,
    rules: &BTreeMap<Span, Written>,
    extents: &Extents,
) -> BTreeMap<Span, Sides> {
    if extents.growing().is_empty() {
        return BTreeMap::new();
    }
    let of_flow = |flow: &ast::Flow| Sides { from: extents.of(&flow.from), to: extents.of(&flow.to) };
    let rules = rules.iter().map(|(place, written)| (*place, of_flow(&written.rule.flow)));
    let managements = statements.managements.iter().map(|manage| {
        let place = manage.name.as_ref().map_or(manage.span, |name| name.span);
        (place, Sides { from: extents.of(&manage.flow.from), to: extents.of(&[]) })
    });
    rules.chain(managements).collect()
}
