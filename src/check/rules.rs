//! Rules, manage statements and assertions: from words to sets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::acceptance::{self, Ends};
use super::attributes;
use super::error::CheckError;
use super::names::{Declared, Scope, text_of};
use super::schedules::Schedules;
use super::services::{self, Services};
use crate::diag::Diagnostics;
use crate::ir::{About, Assertion, Effect, Management, Rule, ScheduleId, Side};
use crate::set::{AddressSet, Set};
use crate::source::Span;
use crate::syntax::ast::{self, Attribute, Direction, Flow, Key, Names, Word};

/// What the names of rules are shared with, for messages.
const RULE_KINDS: &str = "allow, forbid, manage and assert statements";

/// The keyword of statements whose `to` names enforcement points.
const MANAGE: &str = "manage";

/// What lowering a statement needs to know and to remember.
pub(super) struct Lowering<'a> {
    pub(super) scope: &'a Scope,
    pub(super) services: &'a mut Services,
    pub(super) schedules: &'a mut Schedules,
    pub(super) declared: Declared,
    /// The ids of unnamed statements, with what they say.
    pub(super) derived: BTreeMap<String, String>,
    /// The ids of allows whose last day is over. Whoever names one means nothing any more, and makes no mistake.
    pub(super) ended: BTreeSet<String>,
    pub(super) as_of: Date,
}

/// A statement as written, as far as allow, forbid, manage and assert are alike.
#[derive(Clone, Copy)]
struct Words<'a> {
    keyword: &'static str,
    name: Option<&'a Word>,
    flow: &'a Flow,
    during: Option<&'a Word>,
    attributes: &'a [Attribute],
    span: Span,
}

/// A statement with both sides resolved.
struct Resolved {
    id: String,
    from: Side,
    to: Side,
    via: services::Resolved,
    during: Option<ScheduleId>,
    about: About,
    span: Span,
}

impl Lowering<'_> {
    /// Reads all allow and forbid statements, and those written inside classes, in the order in which they decide.
    pub(super) fn rules(
        &mut self,
        statements: &[&ast::Rule],
        classes: &[&ast::Class],
        diagnostics: &mut Diagnostics,
    ) -> Vec<Rule> {
        let reaches: Vec<ast::Rule> = classes
            .iter()
            .flat_map(|class| class.reaches.iter().map(|reach| reach_as_rule(class, reach)))
            .collect();
        let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
        for statement in statements.iter().copied().chain(&reaches) {
            let Some(rule) = self.rule(statement, diagnostics) else { continue };
            if let Some(kept) = rules.get_mut(&rule.id) {
                kept.log |= rule.log;
                kept.acceptances.extend(rule.acceptances);
                join_twins((&mut kept.span, &mut kept.about), (rule.span, rule.about), diagnostics);
            } else {
                rules.insert(rule.id.clone(), rule);
            }
        }
        let mut rules: Vec<Rule> = rules.into_values().collect();
        rules.sort_by_key(|rule| {
            let end = rule.about.until.map(Reverse);
            (rule.effect != Effect::Forbid, rule.during.is_some(), end, rule.leave_out, !rule.log)
        });
        rules
    }

    fn rule(&mut self, statement: &ast::Rule, diagnostics: &mut Diagnostics) -> Option<Rule> {
        let effect = statement.effect.node;
        let keyword = effect.keyword();
        let (attributes, span) = (&statement.attributes, statement.effect.span);
        let (name, flow) = (statement.name.as_ref(), &statement.flow);
        let words = Words { keyword, name, flow, during: statement.during.as_ref(), attributes, span };
        let until = statement.attributes.iter().find(|attribute| attribute.key == Key::Until);
        if let (Effect::Forbid, Some(until)) = (effect, until) {
            diagnostics.push(CheckError::ForbidUntil { span: until.span });
        }
        if let (Effect::Forbid, Some(during)) = (effect, &statement.during) {
            diagnostics.push(CheckError::ForbidDuring { span: during.span });
        }
        let acceptances = acceptance::acceptances(&statement.acceptances, Ends::All, diagnostics);
        let resolved = self.resolve(&words, statement.broken, diagnostics)?;
        if effect == Effect::Allow && self.has_expired(&resolved, attributes, diagnostics) {
            self.ended.insert(resolved.id);
            return None;
        }
        let Resolved { id, from, to, via, during, about, span } = resolved;
        Some(Rule {
            id,
            effect,
            from,
            to,
            via: via.text,
            services: via.set,
            encrypted: via.encrypted,
            without_phi: via.without_phi,
            during,
            log: statement.log.is_some(),
            leave_out: statement.leave_out.is_some(),
            about,
            acceptances,
            span,
        })
    }

    /// Reads all manage statements.
    pub(super) fn managements(
        &mut self,
        statements: &[&ast::Manage],
        device_names: &[&str],
        diagnostics: &mut Diagnostics,
    ) -> Vec<Management> {
        let mut managements: BTreeMap<String, Management> = BTreeMap::new();
        for statement in statements {
            let errors = diagnostics.errors();
            let devices = super::devices::device_list(&statement.flow.to, device_names, diagnostics);
            let broken = statement.broken || diagnostics.errors() > errors;
            let (name, flow, attributes) = (statement.name.as_ref(), &statement.flow, &statement.attributes);
            let words = Words { keyword: MANAGE, name, flow, during: None, attributes, span: statement.span };
            let Some(resolved) = self.resolve(&words, broken, diagnostics) else { continue };
            if self.has_expired(&resolved, attributes, diagnostics) {
                continue;
            }
            let Resolved { id, from, to, via, about, span, .. } = resolved;
            let services = via.set;
            if devices.is_empty() && !flow.to.is_empty() {
                // No device in the model stands for all of them, so a list of which nothing is left must not get there.
                let help = format!("`to {}` is empty", to.text);
                diagnostics.push(CheckError::EmptyRule { name: id, span, help });
                continue;
            }
            let log = statement.log.is_some();
            if let Some(kept) = managements.get_mut(&id) {
                kept.log |= log;
                join_twins((&mut kept.span, &mut kept.about), (span, about), diagnostics);
            } else {
                managements.insert(id.clone(), Management { id, from, devices, services, log, about, span });
            }
        }
        managements.into_values().collect()
    }

    /// Reads all assertions.
    pub(super) fn assertions(
        &mut self,
        statements: &[&ast::Assertion],
        diagnostics: &mut Diagnostics,
    ) -> Vec<Assertion> {
        let mut assertions: BTreeMap<String, Assertion> = BTreeMap::new();
        for statement in statements {
            let expectation = statement.expectation;
            let keyword = match expectation {
                ast::Expectation::Allowed => "assert-allowed",
                ast::Expectation::Denied => "assert-denied",
            };
            let (name, flow, attributes) = (statement.name.as_ref(), &statement.flow, &statement.attributes);
            let words = Words { keyword, name, flow, during: None, attributes, span: statement.span };
            let resolved = self.resolve(&words, statement.broken, diagnostics);
            let Some(Resolved { id, from, to, via, about, span, .. }) = resolved else { continue };
            let services = via.set;
            if let Some(kept) = assertions.get_mut(&id) {
                join_twins((&mut kept.span, &mut kept.about), (span, about), diagnostics);
            } else {
                assertions.insert(id.clone(), Assertion { id, expectation, from, to, services, about, span });
            }
        }
        assertions.into_values().collect()
    }

    /// Resolves both sides and the services of a statement; `None` if something in it, or in what it names, has an
    /// error.
    fn resolve(&mut self, words: &Words, broken: bool, diagnostics: &mut Diagnostics) -> Option<Resolved> {
        let Words { keyword, name, flow, during, attributes, span } = *words;
        let errors = diagnostics.errors();
        let span = name.map_or(span, |name| name.span);
        if !broken {
            check_complete(keyword, span, flow, diagnostics);
        }
        let from = self.scope.side(&flow.from, diagnostics);
        let to = if keyword == MANAGE {
            Some(Side { text: text_of(&flow.to), addresses: AddressSet::empty() })
        } else {
            self.scope.side(&flow.to, diagnostics)
        };
        let via = self.services.resolve(&flow.via, diagnostics);
        let schedule = during.and_then(|word| self.schedules.resolve(word, diagnostics));
        let about = attributes::about(attributes, diagnostics);
        let entered = name.is_none_or(|name| self.declared.enter(name, RULE_KINDS, diagnostics));
        if broken || !entered || diagnostics.errors() > errors || schedule.is_none() != during.is_none() {
            return None;
        }
        let (from, to, via) = (from?, to?, via?);
        let id = match name {
            Some(name) => name.node.clone(),
            None => self.derive_id(
                Content { keyword, from: &from.text, to: &to.text, via: &via.text, during },
                span,
                diagnostics,
            )?,
        };
        Some(Resolved { id, from, to, via, during: schedule, about, span })
    }

    /// The id of an unnamed statement. Statements that say the same share it; that another has it, by its author's
    /// choice or by chance, is reported.
    fn derive_id(&mut self, content: Content, span: Span, diagnostics: &mut Diagnostics) -> Option<String> {
        let (id, text) = (content.id(), content.text());
        if self.derived.get(&id) == Some(&text) {
            return Some(id);
        }
        let entered = self.declared.enter(&Word { node: id.clone(), span }, RULE_KINDS, diagnostics);
        entered.then(|| {
            self.derived.insert(id.clone(), text);
            id
        })
    }

    fn has_expired(
        &self,
        resolved: &Resolved,
        attributes: &[Attribute],
        diagnostics: &mut Diagnostics,
    ) -> bool {
        let expired = resolved.about.until.is_some_and(|until| until < self.as_of);
        if expired {
            let until = attributes.iter().find(|attribute| attribute.key == Key::Until);
            diagnostics.push(CheckError::Expired {
                name: resolved.id.clone(),
                span: until.map_or(resolved.span, |until| until.span),
                as_of: self.as_of.to_string(),
            });
        }
        expired
    }
}

/// Reports what a statement leaves out.
fn check_complete(keyword: &'static str, span: Span, flow: &Flow, diagnostics: &mut Diagnostics) {
    let kind = if keyword.starts_with("assert") { "assert" } else { keyword };
    let to_devices = keyword == MANAGE;
    let clauses = [
        (flow.from.is_empty(), "who opens the connection", "`from`"),
        (flow.to.is_empty() && !to_devices, "who accepts it", "`to`"),
        (flow.via.is_empty(), "over which services", "`via`"),
    ];
    let missing = clauses.iter().filter(|(missing, _, _)| *missing);
    let (what, clauses): (Vec<&str>, Vec<&str>) = missing.map(|(_, what, clause)| (*what, *clause)).unzip();
    if !clauses.is_empty() {
        let (what, clauses) = (what.join(", "), clauses.join(", "));
        diagnostics.push(CheckError::Incomplete { kind, what, clauses, span });
    }
}

/// A clause of a class, written out as the rule that it stands for.
pub(super) fn reach_as_rule(class: &ast::Class, reach: &ast::Reach) -> ast::Rule {
    let own = vec![Names { list: vec![class.name.clone()], except: Vec::new() }];
    let others = vec![reach.others.clone()];
    let (from, to) = match reach.direction {
        Direction::Outward => (own, others),
        Direction::Inward => (others, own),
    };
    let owner = class.attributes.iter().filter(|attribute| attribute.key == Key::Owner);
    ast::Rule {
        broken: class.broken,
        effect: ast::Spanned { node: Effect::Allow, span: reach.span },
        name: None,
        flow: Flow { from, to, via: reach.via.clone() },
        log: reach.log,
        during: reach.during.clone(),
        leave_out: None,
        attributes: reach.attributes.iter().chain(owner).cloned().collect(),
        acceptances: reach.acceptances.clone(),
        span: reach.span,
    }
}

/// Joins two unnamed statements that say the same. What is kept does not depend on which stood first.
fn join_twins(kept: (&mut Span, &mut About), other: (Span, About), diagnostics: &mut Diagnostics) {
    let ((span, about), (other_span, other_about)) = (kept, other);
    let (first, again) = ((*span).min(other_span), (*span).max(other_span));
    diagnostics.push(CheckError::SaidTwice { span: again, first });
    *span = first;
    // Together they hold as long as one of them does.
    let until = about.until.zip(other_about.until).map(|(one, other)| one.max(other));
    if other_about < *about {
        *about = other_about;
    }
    about.until = until;
}

/// What an unnamed statement says, word for word.
#[derive(Clone, Copy)]
struct Content<'a> {
    keyword: &'a str,
    from: &'a str,
    to: &'a str,
    via: &'a str,
    during: Option<&'a Word>,
}

/// Bytes of a name that a derived id shows of each side.
const SHOWN: usize = 18;

impl Content<'_> {
    fn text(self) -> String {
        let clauses = [self.keyword, self.from, self.to, self.via].into_iter();
        clauses.chain(self.during.map(|word| word.node.as_str())).collect::<Vec<_>>().join("\n")
    }

    /// Readable, and stable as long as the statement says the same.
    fn id(self) -> String {
        let digest = Sha256::digest(self.text());
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let shown = |text: &str| -> String {
            let first = text.split([',', ';', ' ']).next().unwrap_or_default();
            first
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
                .take(SHOWN)
                .collect()
        };
        let parts = [self.keyword.to_owned(), shown(self.from), shown(self.to), hash];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    }
}
