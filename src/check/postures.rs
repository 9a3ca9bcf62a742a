//! Postures: what they cut off, and which rules stay.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes;
use super::error::CheckError;
use super::names::{Declared, Scope, text_of};
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{Cut, Effect, Posture, Rule, RuleIndex};
use crate::set::{AddressSet, Set};
use crate::syntax::ast::{self, Names, Word};

/// Reads all posture statements: postures by name. Of rules whose last day is over, which come second, nothing stays.
pub(super) fn postures(
    statements: &[&ast::Posture],
    scope: &Scope,
    (rules, ended): (&[Rule], &BTreeSet<String>),
    diagnostics: &mut Diagnostics,
) -> Vec<Posture> {
    let (mut postures, mut declared) = (BTreeMap::new(), Declared::default());
    for statement in statements {
        let (name, span) = (statement.name.node.clone(), statement.name.span);
        if statement.isolate.is_empty() && !statement.broken {
            diagnostics.push(CheckError::EmptyPosture { name: name.clone(), span });
        }
        let cuts =
            statement.isolate.iter().filter_map(|names| cut(names, scope, (rules, ended), diagnostics));
        let cuts = cuts.collect();
        let about = attributes::about(&statement.attributes, diagnostics);
        if declared.enter(&statement.name, "postures", diagnostics) {
            postures.insert(name.clone(), Posture { name, cuts, about, span });
        }
    }
    postures.into_values().collect()
}

fn cut(
    names: &Names,
    scope: &Scope,
    (rules, ended): (&[Rule], &BTreeSet<String>),
    diagnostics: &mut Diagnostics,
) -> Option<Cut> {
    let isolated = Names { list: names.list.clone(), except: Vec::new() };
    let lists = [isolated];
    let addresses = scope.resolve(&lists, diagnostics)?;
    let mut except = Vec::new();
    for word in names.except.iter().filter(|word| !ended.contains(&word.node)) {
        let index = kept(word, rules, diagnostics)?;
        warn_if_idle(word, index, rules, &addresses, diagnostics);
        except.push(index);
    }
    Some(Cut { text: text_of(&lists), addresses, except })
}

/// Warns of a rule that stays although it would lose nothing.
pub(super) fn warn_if_idle(
    word: &Word,
    index: RuleIndex,
    rules: &[Rule],
    isolated: &AddressSet,
    diagnostics: &mut Diagnostics,
) {
    let touches = rules.get(index.0).is_some_and(|rule| {
        let sides = [&rule.from.addresses, &rule.to.addresses];
        sides.into_iter().any(|side| !side.is_disjoint(isolated))
    });
    if !touches {
        diagnostics.push(CheckError::IdleExcept { text: word.node.clone(), span: word.span });
    }
}

/// A rule that stays.
pub(super) fn kept(word: &Word, rules: &[Rule], diagnostics: &mut Diagnostics) -> Option<RuleIndex> {
    let allows = || rules.iter().filter(|rule| rule.effect == Effect::Allow);
    let found = rules.iter().position(|rule| rule.effect == Effect::Allow && rule.id == word.node);
    if found.is_none() {
        let help = suggestion(&word.node, allows().map(|rule| rule.id.as_str()));
        let help =
            help.unwrap_or_else(|| "what stays behind `except` is the name of an `allow` rule".to_owned());
        let (kind, name, span) = ("allow rule", word.node.clone(), word.span);
        diagnostics.push(CheckError::UnknownName { kind, name, span, help: Some(help) });
    }
    found.map(RuleIndex)
}
