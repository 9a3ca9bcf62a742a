//! Guards: thresholds and actions as written, turned into rates that a firewall can count.

use std::collections::BTreeMap;

use super::attributes;
use super::error::CheckError;
use super::names::Scope;
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{
    Action, Criticality, Effect, Endpoint, Guard, Rate, RateUnit, Rule, RuleIndex, Subject, Zone,
};
use crate::set::{AddressSet, Set};
use crate::syntax::ast::{self, Key, Word};

/// The only metric that is compiled.
const NEW_CONNECTIONS: &str = "new-connections";

/// What a rate may be counted for, besides all together.
const SOURCE: &str = "source";

/// Units of a quarantine, in seconds.
const DURATIONS: [(&str, u32); 8] = [
    ("second", 1),
    ("seconds", 1),
    ("minute", 60),
    ("minutes", 60),
    ("hour", 3_600),
    ("hours", 3_600),
    ("day", 86_400),
    ("days", 86_400),
];

/// What guards can speak of.
pub(super) struct Subjects<'a> {
    pub(super) scope: &'a Scope,
    pub(super) rules: &'a [Rule],
    pub(super) zones: &'a [Zone],
    pub(super) endpoints: &'a [Endpoint],
}

/// Reads all guard statements: guards by name.
pub(super) fn guards(
    statements: &[&ast::Guard],
    subjects: &Subjects,
    diagnostics: &mut Diagnostics,
) -> Vec<Guard> {
    let mut guards: BTreeMap<String, Guard> = BTreeMap::new();
    for statement in statements {
        let Some(guard) = guard(statement, subjects, diagnostics) else { continue };
        if let Some(Guard { span: other, .. }) = guards.get(&guard.id) {
            // Which of the two is "first" follows their places, not the order in which files were read.
            let (first, span) = (guard.span.min(*other), guard.span.max(*other));
            let (name, action) = (statement.subject.node.clone(), guard.action.word());
            diagnostics.push(CheckError::GuardTwice { name, action, span, first });
            continue;
        }
        guards.insert(guard.id.clone(), guard);
    }
    guards.into_values().collect()
}

/// Reads one guard; `None` if it has an error, which is reported.
fn guard(statement: &ast::Guard, subjects: &Subjects, diagnostics: &mut Diagnostics) -> Option<Guard> {
    let errors = diagnostics.errors();
    let (name, span) = (statement.subject.node.clone(), statement.subject.span);
    let ([threshold], [action]) = (&statement.thresholds[..], &statement.actions[..]) else {
        if !statement.broken {
            diagnostics.push(CheckError::GuardParts { name, span });
        }
        return None;
    };
    let subject = subjects.find(&statement.subject, diagnostics);
    let rate = rate(threshold, diagnostics);
    let per_source = per_source(threshold, diagnostics);
    let action = self::action(action, diagnostics);
    let about = attributes::about(&statement.attributes, diagnostics);
    let approval = statement.attributes.iter().find(|attribute| attribute.key == Key::Approval);
    if diagnostics.errors() > errors || statement.broken {
        return None;
    }
    let (subject, rate, action) = (subject?, rate?, action?);
    if matches!(action, Action::Quarantine { .. }) && !per_source {
        diagnostics.push(CheckError::QuarantineOfAll { name, span });
        return None;
    }
    if action.cuts()
        && let Some(life) = subjects.life_within(&subject)
    {
        diagnostics.push(CheckError::CutsLife { name, action: action.word(), life, span });
        return None;
    }
    let id = format!("{name}-{}", action.word());
    let approval = approval.map(|attribute| attribute.value.node.clone());
    Some(Guard { id, subject, rate, per_source, action, approval, about, span })
}

impl Subjects<'_> {
    /// What a guard's name stands for.
    fn find(&self, word: &Word, diagnostics: &mut Diagnostics) -> Option<Subject> {
        if word.node.is_empty() {
            return None;
        }
        let rule = self.rules.iter().position(|rule| rule.id == word.node);
        let place = self.scope.knows(&word.node);
        let (name, span) = (word.node.clone(), word.span);
        match rule {
            Some(_) if place => {
                diagnostics.push(CheckError::GuardOfTwo { name, span });
                None
            }
            Some(index) => self.rule(RuleIndex(index), word, diagnostics),
            None if place => self.scope.addresses_of(&word.node).cloned().map(Subject::Sources),
            None => {
                let rules = self.rules.iter().map(|rule| rule.id.as_str());
                let help = suggestion(&name, self.scope.names().chain(rules));
                let kind = "zone, class, peer, group or rule";
                diagnostics.push(CheckError::UnknownName { kind, name, span, help });
                None
            }
        }
    }

    /// A rule that can be guarded: it allows, and no other rule allows the same packets, which would go uncounted.
    fn rule(&self, index: RuleIndex, word: &Word, diagnostics: &mut Diagnostics) -> Option<Subject> {
        let rule = self.rules.get(index.0)?;
        let (name, span) = (word.node.clone(), word.span);
        if rule.effect == Effect::Forbid {
            diagnostics.push(CheckError::GuardOfForbid { name, span });
            return None;
        }
        let packets = rule.packets();
        let shares = |other: &&Rule| {
            other.effect == Effect::Allow && other.id != rule.id && !other.packets().is_disjoint(&packets)
        };
        if let Some(other) = self.rules.iter().find(shares) {
            let (other, place) = (other.id.clone(), other.span);
            diagnostics.push(CheckError::GuardMisses { name, other, span, place });
            return None;
        }
        Some(Subject::Rule(index))
    }

    /// A zone or class with `criticality life` that a guard would cut off.
    fn life_within(&self, subject: &Subject) -> Option<String> {
        let touched: Vec<&AddressSet> = match subject {
            Subject::Sources(addresses) => vec![addresses],
            Subject::Rule(index) => {
                let rule = self.rules.get(index.0)?;
                vec![&rule.from.addresses, &rule.to.addresses]
            }
        };
        let zones = self.zones.iter().map(|zone| (zone.criticality, &zone.addresses, &zone.name));
        let endpoints = self.endpoints.iter().map(|one| (one.criticality, &one.addresses, &one.name));
        zones.chain(endpoints).find_map(|(criticality, addresses, name)| {
            let life = criticality == Some(Criticality::Life)
                && touched.iter().any(|touched| !touched.is_disjoint(addresses));
            life.then(|| name.clone())
        })
    }
}

fn rate(threshold: &ast::Threshold, diagnostics: &mut Diagnostics) -> Option<Rate> {
    if threshold.metric.node != NEW_CONNECTIONS {
        let what = format!("`{}` in a guard", threshold.metric.node);
        diagnostics.push(CheckError::NotCompiled { what, span: threshold.metric.span });
        return None;
    }
    let (count, unit) = threshold.rate.node.split_once('/').unwrap_or((&threshold.rate.node, ""));
    let units = RateUnit::ALL.into_iter().find(|(word, _)| *word == unit);
    let Some((count, (_, unit))) = number(count, Rate::MOST).zip(units) else {
        let known = format!(
            "a number from 1 to {}, `/`, and `second`, `minute` or `hour`, such as `20/second`",
            Rate::MOST
        );
        unknown("new-connections", &threshold.rate, known, diagnostics);
        return None;
    };
    let burst = match &threshold.burst {
        None => Some(count),
        Some(word) => {
            let burst = number(&word.node, Rate::MOST);
            if burst.is_none() {
                unknown("burst", word, format!("a number from 1 to {}", Rate::MOST), diagnostics);
            }
            burst
        }
    };
    Some(Rate { count, unit, burst: burst? })
}

fn per_source(threshold: &ast::Threshold, diagnostics: &mut Diagnostics) -> bool {
    let Some(per) = &threshold.per else { return false };
    if per.node != SOURCE {
        unknown("per", per, "only `source` is known here".to_owned(), diagnostics);
    }
    true
}

fn action(action: &ast::Action, diagnostics: &mut Diagnostics) -> Option<Action> {
    if let Some(except) = action.except.first() {
        let what = "`except` in a guard".to_owned();
        diagnostics.push(CheckError::NotCompiled { what, span: except.span });
        return None;
    }
    let verb = &action.verb;
    let duration = action.duration.as_ref();
    let known = match (verb.node.as_str(), duration) {
        ("isolate", _) => {
            let what = "`then isolate` in a guard".to_owned();
            diagnostics.push(CheckError::NotCompiled { what, span: verb.span });
            return None;
        }
        ("alert", None) => Some(Action::Alert),
        ("limit", None) => Some(Action::Limit),
        ("quarantine", Some((number, unit))) => {
            let seconds = seconds(number, unit);
            if seconds.is_none() {
                let known = "a whole number of seconds, minutes, hours or days, a week at most".to_owned();
                unknown("quarantine", number, known, diagnostics);
            }
            return Some(Action::Quarantine { seconds: seconds? });
        }
        _ => None,
    };
    if known.is_none() {
        let known = "`alert`, `limit`, or `quarantine` and for how long, such as `quarantine 10 minutes`";
        unknown("then", verb, known.to_owned(), diagnostics);
    }
    known
}

fn seconds(number: &Word, unit: &Word) -> Option<u32> {
    let (_, unit) = DURATIONS.into_iter().find(|(word, _)| *word == unit.node)?;
    self::number(&number.node, Action::LONGEST / unit).map(|number| number * unit)
}

/// A plain number from 1 to a largest one.
fn number(text: &str, most: u32) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && (1..=most).contains(number))
}

fn unknown(attribute: &'static str, word: &Word, known: String, diagnostics: &mut Diagnostics) {
    let (value, span) = (word.node.clone(), word.span);
    diagnostics.push(CheckError::UnknownValue { attribute, value, span, known, help: None });
}
