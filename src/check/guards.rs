//! Guards: whom they watch, and what happens where a threshold is passed.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes;
use super::error::CheckError;
use super::names::Scope;
use super::postures;
use super::thresholds::{self, Threshold, unknown};
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{Action, Criticality, Effect, Endpoint, Guard, Metric, Rule, RuleIndex, Subject, Zone};
use crate::set::{AddressSet, Set};
use crate::syntax::ast::{self, Key, Word};

/// The word for what cuts a whole subject off.
const ISOLATE: &str = "isolate";

/// Units of a quarantine or an isolation, in seconds.
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
    /// The ids of rules whose last day is over. A guard of one guards nothing any more.
    pub(super) ended: &'a BTreeSet<String>,
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
    let threshold = thresholds::threshold(threshold, diagnostics);
    let action = subjects.action(action, subject.as_ref(), diagnostics);
    let about = attributes::about(&statement.attributes, diagnostics);
    let approval = statement.attributes.iter().find(|attribute| attribute.key == Key::Approval);
    if diagnostics.errors() > errors || statement.broken {
        return None;
    }
    let (subject, Threshold { metric, rate, per_source }, action) = (subject?, threshold?, action?);
    if metric == Metric::SessionTime {
        if !matches!(subject, Subject::Rule(_)) {
            diagnostics.push(CheckError::SessionsOfAll { name, span });
            return None;
        }
        if !matches!(action, Action::Alert | Action::Limit) {
            diagnostics.push(CheckError::SessionAction { action: action.word(), name, span });
            return None;
        }
    }
    if matches!(action, Action::Quarantine { .. }) && !per_source {
        diagnostics.push(CheckError::QuarantineOfAll { name, span });
        return None;
    }
    if metric == Metric::Destinations && !per_source {
        diagnostics.push(CheckError::DestinationsOfAll { name, span });
        return None;
    }
    let of_rule = matches!(subject, Subject::Rule(_)) && metric != Metric::SessionTime;
    if of_rule && (metric != Metric::NewConnections || matches!(action, Action::Isolate { .. })) {
        let what = if metric == Metric::NewConnections { "isolate" } else { metric.word() };
        diagnostics.push(CheckError::BeyondRule { name, what, span });
        return None;
    }
    if action.cuts()
        && let Some(life) = subjects.life_within(&subject)
    {
        diagnostics.push(CheckError::CutsLife { name, action: action.word(), life, span });
        return None;
    }
    // A `.` stands in no name of a policy, so that no zone is called like a zone and what is counted of it.
    let id = match metric {
        Metric::NewConnections => format!("{name}-{}", action.word()),
        Metric::Packets | Metric::Bandwidth | Metric::Destinations | Metric::SessionTime => {
            format!("{name}.{}-{}", metric.word(), action.word())
        }
    };
    let approval = approval.map(|attribute| attribute.value.node.clone());
    Some(Guard { id, subject, metric, rate, per_source, action, approval, about, span })
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
            None if self.ended.contains(&word.node) => None,
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

    /// What a guard does.
    fn action(
        &self,
        action: &ast::Action,
        subject: Option<&Subject>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Action> {
        let verb = &action.verb;
        if let Some(except) = action.except.first().filter(|_| verb.node != ISOLATE) {
            let known = "it stands behind `isolate` only, and names the rules that stay".to_owned();
            unknown("except", except, known, diagnostics);
            return None;
        }
        let known = match (verb.node.as_str(), action.duration.as_ref()) {
            ("alert", None) => Some(Action::Alert),
            ("limit", None) => Some(Action::Limit),
            ("quarantine", Some(duration)) => {
                return Some(Action::Quarantine { seconds: seconds("quarantine", duration, diagnostics)? });
            }
            (ISOLATE, Some(duration)) => {
                let except = self.except(&action.except, subject, diagnostics);
                let seconds = seconds(ISOLATE, duration, diagnostics);
                return Some(Action::Isolate { seconds: seconds?, except: except? });
            }
            _ => None,
        };
        if known.is_none() {
            let known = "`alert`, `limit`, or `quarantine` or `isolate` and for how long, such as `quarantine 10 \
                         minutes`";
            unknown("then", verb, known.to_owned(), diagnostics);
        }
        known
    }

    /// The rules that an isolation leaves as they are.
    fn except(
        &self,
        words: &[Word],
        subject: Option<&Subject>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<RuleIndex>> {
        let mut except = Vec::new();
        for word in words.iter().filter(|word| !self.ended.contains(&word.node)) {
            let rule = postures::kept(word, self.rules, diagnostics)?;
            if let Some(Subject::Sources(isolated)) = subject {
                postures::warn_if_idle(word, rule, self.rules, isolated, diagnostics);
            }
            except.push(rule);
        }
        except.sort();
        except.dedup();
        Some(except)
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

fn seconds(
    action: &'static str,
    (number, unit): &(Word, Word),
    diagnostics: &mut Diagnostics,
) -> Option<u32> {
    let known = DURATIONS.into_iter().find(|(word, _)| *word == unit.node);
    let seconds = known.and_then(|(_, unit)| {
        thresholds::number(&number.node, Action::LONGEST / unit).map(|number| number * unit)
    });
    if seconds.is_none() {
        let known = "a whole number of seconds, minutes, hours or days, a week at most".to_owned();
        unknown(action, number, known, diagnostics);
    }
    seconds
}
