//! Allows that say the same but for one clause, and of which one statement would say all.
//!
//! What differs in one clause only can always be joined: `A to T via S` and `B to T via S` are `A, B to T via S`, packet for
//! packet. So only that the other clauses are the same has to be looked at, as sets. Whether statements belong together no
//! set can tell; that they give the same reason, or the same ticket, does.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, Sides};
use super::finding::{Surplus, in_words};
use crate::check::names::text_of;
use crate::check::services;
use crate::diag::{Diagnostics, labels};
use crate::ir::{Effect, Policy, Rule};
use crate::set::{AddressSet, ServiceSet, Set};
use crate::source::Span;
use crate::syntax::ast::{self, Direction, Names};

/// A rule as it was written.
pub(super) struct Written<'a> {
    pub(super) rule: Cow<'a, ast::Rule>,
    /// The class that it stands in, and which clause of it that is.
    pub(super) within: Option<(&'a str, Direction)>,
}

/// The one clause in which statements differ.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Clause {
    From,
    To,
    Via,
}

/// One side of a rule. Where a class of it can grow, its words count, not only its addresses.
type SideKey<'a> = (&'a AddressSet, Option<&'a str>);

/// What has to be the same.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    differs: Clause,
    from: Option<SideKey<'a>>,
    to: Option<SideKey<'a>>,
    via: Option<[&'a ServiceSet; 3]>,
    /// The class that it stands in, and whether the class opens the connection.
    within: Option<(&'a str, bool)>,
    about: &'a crate::ir::About,
    during: Option<usize>,
    log: bool,
    leave_out: bool,
    acceptances: Vec<(&'a str, &'a str, Option<jiff::civil::Date>)>,
}

/// Reports statements that could be one, each in one finding at the most. `rules` are the claims of rules that are needed.
pub(super) fn check(
    policy: &Policy,
    claims: &[Claim],
    sides: &BTreeMap<Span, Sides>,
    written: &BTreeMap<Span, Written>,
    out: &BTreeSet<usize>,
    diagnostics: &mut Diagnostics,
) {
    let mut joined: BTreeSet<&str> = BTreeSet::new();
    for differs in [Clause::From, Clause::To, Clause::Via] {
        // INVARIANT: only looked up, never walked, so its order reaches nothing.
        let mut places = std::collections::HashMap::<Key, usize>::new();
        let mut groups: Vec<Vec<&Rule>> = Vec::new();
        for (number, (rule, claim)) in policy.rules.iter().zip(claims).enumerate() {
            let is_left = !out.contains(&number) && !claim.is_named && !joined.contains(rule.id.as_str());
            let Some(key) = key(rule, differs, sides, written).filter(|_| is_left) else { continue };
            let place = *places.entry(key).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(rule),
                None => groups.push(vec![rule]),
            }
        }
        for group in groups.iter_mut().filter(|group| group.len() > 1) {
            group.sort_by_key(|rule| rule.span);
            joined.extend(group.iter().map(|rule| rule.id.as_str()));
            diagnostics.extend(finding(group, differs, written));
        }
    }
}

/// The code of what is reported here.
const MERGEABLE: &str = "C0664";

fn key<'a>(
    rule: &'a Rule,
    differs: Clause,
    sides: &BTreeMap<Span, Sides>,
    written: &BTreeMap<Span, Written<'a>>,
) -> Option<Key<'a>> {
    let statement = written.get(&rule.span)?;
    let belongs = rule.about.reason.is_some() || rule.about.ticket.is_some();
    if rule.effect == Effect::Forbid || !belongs {
        return None;
    }
    let own = sides.get(&rule.span);
    let grows = |side: fn(&Sides) -> &AddressSet| own.is_some_and(|own| !side(own).is_empty());
    let from = (&rule.from.addresses, grows(|own| &own.from.may).then_some(rule.from.text.as_str()));
    let to = (&rule.to.addresses, grows(|own| &own.to.may).then_some(rule.to.text.as_str()));
    let via = [&rule.services, &rule.encrypted, &rule.without_phi];
    let within = statement.within.map(|(class, direction)| (class, direction == Direction::Outward));
    // A clause of a class has one list of others, which cannot hold two lists with exceptions of their own.
    let excepts = |lists: &[Names]| lists.iter().any(|names| !names.except.is_empty());
    let flow = &statement.rule.flow;
    if within.is_some() && (excepts(&flow.from) || excepts(&flow.to)) {
        return None;
    }
    // That two statements stay apart may be accepted in one of them.
    let acceptances = rule.acceptances.iter().filter(|one| one.code != MERGEABLE);
    let mut acceptances: Vec<_> = acceptances.map(|one| (one.code, one.reason.as_str(), one.until)).collect();
    acceptances.sort_unstable();
    Some(Key {
        differs,
        from: (differs != Clause::From).then_some(from),
        to: (differs != Clause::To).then_some(to),
        via: (differs != Clause::Via).then_some(via),
        within,
        about: &rule.about,
        during: rule.during.map(|schedule| schedule.0),
        log: rule.log,
        leave_out: rule.leave_out,
        acceptances,
    })
}

/// What is said of a group, sorted by place.
fn finding(group: &[&Rule], differs: Clause, written: &BTreeMap<Span, Written>) -> Option<Surplus> {
    let [first, others @ ..] = group else { return None };
    let statements: Vec<&Written> = group.iter().filter_map(|rule| written.get(&rule.span)).collect();
    let within = statements.first()?.within;
    let flows = statements.iter().map(|statement| &statement.rule.flow);
    let (clause, merged) = match differs {
        Clause::From => ("from", sided("from", flows.flat_map(|flow| &flow.from))),
        Clause::To => ("to", sided("to", flows.flat_map(|flow| &flow.to))),
        Clause::Via => {
            let entries: BTreeSet<String> =
                flows.flat_map(|flow| &flow.via).map(services::text_of_entry).collect();
            ("via", format!("via {}", entries.into_iter().collect::<Vec<_>>().join(", ")))
        }
    };
    // A clause of a class says all of it at once.
    let (clause, merged) = match (within, differs) {
        (None, _) => (clause, merged),
        (Some((_, direction)), Clause::From | Clause::To) => {
            let word = match direction {
                Direction::Outward => "reaches",
                Direction::Inward => "reached by",
            };
            let names = merged.strip_prefix(clause).unwrap_or(&merged).to_owned();
            (word, format!("{word}{names}"))
        }
        (Some(_), Clause::Via) => (clause, merged),
    };
    let places: Vec<Span> = others.iter().map(|rule| rule.span).collect();
    Some(Surplus::Mergeable {
        names: in_words(group.iter().map(|rule| rule.id.as_str())),
        clause,
        merged,
        span: first.span,
        others: labels(&places, "and this"),
    })
}

/// All lists of one side as one clause, or as one for each list with exceptions.
fn sided<'n>(word: &str, lists: impl Iterator<Item = &'n Names>) -> String {
    let lists: Vec<Names> = lists.cloned().collect();
    let text = text_of(&lists).replace("; ", &format!(" {word} "));
    format!("{word} {text}")
}
