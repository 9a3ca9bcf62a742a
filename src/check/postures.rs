//! Postures: what they cut off, and which rules stay.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes;
use super::error::CheckError;
use super::names::{Declared, Scope, text_of};
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{Cut, Effect, Posture, Rule, RuleIndex};
use crate::set::{AddressSet, Set};
use crate::syntax::ast::{self, Names, Word};

/// The rules that guards and postures can name.
#[derive(Clone, Copy)]
pub(super) struct NamedRules<'a> {
    pub(super) rules: &'a [Rule],
    /// The ids of rules whose last day is over. Nothing of them is left to be guarded or to stay.
    pub(super) ended: &'a BTreeSet<String>,
}

/// Reads all posture statements: postures by name.
pub(super) fn postures(
    statements: &[&ast::Posture],
    scope: &Scope,
    named: NamedRules,
    diagnostics: &mut Diagnostics,
) -> Vec<Posture> {
    let (mut postures, mut declared) = (BTreeMap::new(), Declared::default());
    for statement in statements {
        let (name, span) = (statement.name.node.clone(), statement.name.span);
        if statement.isolate.is_empty() && !statement.broken {
            diagnostics.push(CheckError::EmptyPosture { name: name.clone(), span });
        }
        let cuts = statement.isolate.iter().filter_map(|names| cut(names, scope, named, diagnostics));
        let cuts = cuts.collect();
        let about = attributes::about(&statement.attributes, diagnostics);
        if declared.enter(&statement.name, "postures", diagnostics) {
            postures.insert(name.clone(), Posture { name, cuts, about, span });
        }
    }
    postures.into_values().collect()
}

fn cut(names: &Names, scope: &Scope, named: NamedRules, diagnostics: &mut Diagnostics) -> Option<Cut> {
    let isolated = Names { list: names.list.clone(), except: Vec::new() };
    let lists = [isolated];
    let addresses = scope.resolve(&lists, diagnostics)?;
    let except = named.spared(&names.except, Some(&addresses), diagnostics)?;
    Some(Cut { text: text_of(&lists), addresses, except })
}

impl NamedRules<'_> {
    /// The rules that stay, by their words in the order of these. Warns of one that would lose nothing, where it is known
    /// what is isolated.
    pub(super) fn spared(
        &self,
        words: &[Word],
        isolated: Option<&AddressSet>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<RuleIndex>> {
        let mut spared = Vec::new();
        for word in words.iter().filter(|word| !self.ended.contains(&word.node)) {
            let index = self.allow(word, diagnostics)?;
            if isolated.is_some_and(|isolated| !self.touches(index, isolated)) {
                diagnostics.push(CheckError::IdleExcept { text: word.node.clone(), span: word.span });
            }
            spared.push(index);
        }
        Some(spared)
    }

    /// True if the isolation takes something of a rule away.
    fn touches(&self, index: RuleIndex, isolated: &AddressSet) -> bool {
        self.rules.get(index.0).is_some_and(|rule| {
            let sides = [&rule.from.addresses, &rule.to.addresses];
            sides.into_iter().any(|side| !side.is_disjoint(isolated))
        })
    }

    /// The `allow` rule of a name.
    fn allow(&self, word: &Word, diagnostics: &mut Diagnostics) -> Option<RuleIndex> {
        let allows = || self.rules.iter().filter(|rule| rule.effect == Effect::Allow);
        let found = self.rules.iter().position(|rule| rule.effect == Effect::Allow && rule.id == word.node);
        if found.is_none() {
            let help = suggestion(&word.node, allows().map(|rule| rule.id.as_str()));
            let help = help
                .unwrap_or_else(|| "what stays behind `except` is the name of an `allow` rule".to_owned());
            let (kind, name, span) = ("allow rule", word.node.clone(), word.span);
            diagnostics.push(CheckError::UnknownName { kind, name, span, help: Some(help) });
        }
        found.map(RuleIndex)
    }
}
