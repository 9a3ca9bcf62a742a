//! Rules, manage statements and assertions: from words to sets.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::attributes;
use super::error::CheckError;
use super::names::{Declared, Scope};
use super::services::Services;
use crate::diag::Diagnostics;
use crate::ir::{About, Assertion, Effect, Management, Rule, Side};
use crate::set::ServiceSet;
use crate::source::Span;
use crate::syntax::ast::{self, Attribute, Direction, Flow, Key, Names, Word};

/// What the names of rules are shared with, for messages.
const RULE_KINDS: &str = "allow, forbid, manage and assert statements";

/// What lowering a statement needs to know and to remember.
pub(super) struct Lowering<'a> {
    pub(super) scope: &'a Scope,
    pub(super) services: &'a mut Services,
    pub(super) declared: Declared,
    pub(super) as_of: Date,
}

/// A statement as written, as far as allow, forbid, manage and assert are alike.
#[derive(Clone, Copy)]
struct Words<'a> {
    keyword: &'static str,
    name: Option<&'a Word>,
    flow: &'a Flow,
    attributes: &'a [Attribute],
    span: Span,
}

/// A statement with both sides resolved.
struct Resolved {
    id: String,
    from: Side,
    to: Side,
    via: String,
    services: ServiceSet,
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
            match rules.entry(rule.id.clone()) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(rule);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    join_twins(entry.get_mut(), rule, diagnostics);
                }
            }
        }
        let mut rules: Vec<Rule> = rules.into_values().collect();
        rules.sort_by_key(|rule| (rule.effect != Effect::Forbid, !rule.log));
        rules
    }

    fn rule(&mut self, statement: &ast::Rule, diagnostics: &mut Diagnostics) -> Option<Rule> {
        let effect = statement.effect.node;
        let keyword = effect.keyword();
        let (attributes, span) = (&statement.attributes, statement.effect.span);
        let words = Words { keyword, name: statement.name.as_ref(), flow: &statement.flow, attributes, span };
        let resolved = self.resolve(&words, statement.broken, diagnostics)?;
        for schedule in &statement.during {
            let what = "a rule with `during`".to_owned();
            diagnostics.push(CheckError::NotCompiled { what, span: schedule.span });
        }
        if effect == Effect::Forbid {
            if let Some(until) = statement.attributes.iter().find(|attribute| attribute.key == Key::Until) {
                diagnostics.push(CheckError::ForbidUntil { span: until.span });
            }
        } else if self.has_expired(&resolved, attributes, diagnostics) {
            return None;
        }
        let Resolved { id, from, to, via, services, about, span } = resolved;
        Some(Rule { id, effect, from, to, via, services, log: statement.log.is_some(), about, span })
    }

    /// Reads all manage statements.
    pub(super) fn managements(
        &mut self,
        statements: &[&ast::Manage],
        device_names: &[&str],
        diagnostics: &mut Diagnostics,
    ) -> Vec<Management> {
        let mut managements = BTreeMap::new();
        for statement in statements {
            let devices = super::topology::device_list(&statement.flow.to, device_names, diagnostics);
            let flow = Flow { to: Vec::new(), ..statement.flow.clone() };
            let (name, attributes) = (statement.name.as_ref(), &statement.attributes);
            let words = Words { keyword: "manage", name, flow: &flow, attributes, span: statement.span };
            let Some(resolved) = self.resolve(&words, statement.broken, diagnostics) else { continue };
            if self.has_expired(&resolved, attributes, diagnostics) {
                continue;
            }
            let Resolved { id, from, services, about, span, .. } = resolved;
            let log = statement.log.is_some();
            managements.insert(id.clone(), Management { id, from, devices, services, log, about, span });
        }
        managements.into_values().collect()
    }

    /// Reads all assertions.
    pub(super) fn assertions(
        &mut self,
        statements: &[&ast::Assertion],
        diagnostics: &mut Diagnostics,
    ) -> Vec<Assertion> {
        let mut assertions = BTreeMap::new();
        for statement in statements {
            let expectation = statement.expectation;
            let keyword = match expectation {
                ast::Expectation::Allowed => "assert-allowed",
                ast::Expectation::Denied => "assert-denied",
            };
            let (name, flow, attributes) = (statement.name.as_ref(), &statement.flow, &statement.attributes);
            let words = Words { keyword, name, flow, attributes, span: statement.span };
            let resolved = self.resolve(&words, statement.broken, diagnostics);
            let Some(Resolved { id, from, to, services, about, span, .. }) = resolved else { continue };
            assertions.insert(id.clone(), Assertion { id, expectation, from, to, services, about, span });
        }
        assertions.into_values().collect()
    }

    /// Resolves both sides and the services of a statement; `None` if something in it, or in what it names, has an
    /// error.
    fn resolve(&mut self, words: &Words, broken: bool, diagnostics: &mut Diagnostics) -> Option<Resolved> {
        let Words { keyword, name, flow, attributes, span } = *words;
        let errors = diagnostics.errors();
        let span = name.map_or(span, |name| name.span);
        if !broken {
            check_complete(keyword, span, flow, diagnostics);
        }
        let from = self.scope.side(&flow.from, diagnostics);
        let to = self.scope.side(&flow.to, diagnostics);
        let services = self.services.resolve(&flow.via, diagnostics);
        let about = attributes::about(attributes, diagnostics);
        let entered = name.is_none_or(|name| self.declared.enter(name, RULE_KINDS, diagnostics));
        if broken || !entered || diagnostics.errors() > errors {
            return None;
        }
        let (from, to, (services, via)) = (from?, to?, services?);
        let derived = || derived_id(keyword, &from.text, &to.text, &via);
        let id = name.map_or_else(derived, |name| name.node.clone());
        Some(Resolved { id, from, to, via, services, about, span })
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
    let to_devices = keyword == "manage";
    for (missing, what, clause) in [
        (flow.from.is_empty(), "who opens the connection", "from"),
        (flow.to.is_empty() && !to_devices, "who accepts it", "to"),
        (flow.via.is_empty(), "over which services", "via"),
    ] {
        if missing {
            diagnostics.push(CheckError::Incomplete { kind, what, clause, span });
        }
    }
}

/// A clause of a class, written out as the rule that it stands for.
fn reach_as_rule(class: &ast::Class, reach: &ast::Reach) -> ast::Rule {
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
        attributes: reach.attributes.iter().chain(owner).cloned().collect(),
        span: reach.span,
    }
}

/// Joins two unnamed rules that say the same. What is kept does not depend on which stood first.
fn join_twins(kept: &mut Rule, other: Rule, diagnostics: &mut Diagnostics) {
    let (first, span) = (kept.span.min(other.span), kept.span.max(other.span));
    diagnostics.push(CheckError::SaidTwice { span, first });
    kept.log |= other.log;
    kept.span = first;
    if other.about < kept.about {
        kept.about = other.about;
    }
}

/// Bytes of a name that a derived id shows of each side.
const SHOWN: usize = 18;

/// The id of an unnamed statement: readable, and stable as long as it says the same.
fn derived_id(keyword: &str, from: &str, to: &str, via: &str) -> String {
    let digest = Sha256::digest(format!("{keyword}\n{from}\n{to}\n{via}"));
    let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let shown = |text: &str| -> String {
        let first = text.split([',', ' ']).next().unwrap_or_default();
        first.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(SHOWN).collect()
    };
    let parts = [keyword.to_owned(), shown(from), shown(to), hash];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
