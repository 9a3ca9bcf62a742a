//! What a policy requires its statements to say: who answers for them, and why they stand.

use super::error::CheckError;
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{About, Effect, Policy};
use crate::source::Span;
use crate::syntax::ast::{Require, Word};

/// Attributes that can be required.
const ATTRIBUTES: [&str; 5] = ["owner", "reason", "ticket", "note", "until"];

/// Kinds of statements that can have attributes, with those that they can have.
const KINDS: [(&str, &[&str]); 9] = [
    ("allow", &ATTRIBUTES),
    ("forbid", &["owner", "reason", "ticket", "note"]),
    ("manage", &ATTRIBUTES),
    ("assert", &["owner", "reason", "ticket", "note"]),
    ("guard", &["reason", "note"]),
    ("posture", &["owner", "reason", "note"]),
    ("zone", &["owner", "note"]),
    ("class", &["owner", "note"]),
    ("peer", &["owner", "note"]),
];

/// A statement that may lack something.
struct Subject<'p> {
    kind: &'static str,
    name: &'p str,
    about: &'p About,
    span: Span,
}

/// Reports each statement that lacks what is required of its kind.
pub(super) fn check(statements: &[&Require], policy: &Policy, diagnostics: &mut Diagnostics) {
    let subjects = if statements.is_empty() { Vec::new() } else { subjects(policy) };
    for statement in statements {
        for kind in &statement.kinds {
            let Some((kind, possible)) = known(kind, diagnostics) else { continue };
            let attributes = statement.attributes.iter();
            let required: Vec<&Word> =
                attributes.filter(|word| can_have(word, kind, possible, diagnostics)).collect();
            for subject in subjects.iter().filter(|subject| subject.kind == kind) {
                let lacking: Vec<&str> = required
                    .iter()
                    .map(|word| word.node.as_str())
                    .filter(|attribute| !has(subject.about, attribute))
                    .collect();
                if !lacking.is_empty() {
                    let (name, span) = (subject.name.to_owned(), subject.span);
                    let (lacking, required) =
                        (lacking.join(", "), required.first().map_or(span, |word| word.span));
                    diagnostics.push(CheckError::Lacks { kind, name, lacking, span, required });
                }
            }
        }
    }
}

fn known(word: &Word, diagnostics: &mut Diagnostics) -> Option<(&'static str, &'static [&'static str])> {
    let found = KINDS.into_iter().find(|(kind, _)| *kind == word.node);
    if found.is_none() {
        let names: Vec<String> = KINDS.iter().map(|(kind, _)| format!("`{kind}`")).collect();
        let (value, span, known) = (word.node.clone(), word.span, format!("one of {}", names.join(", ")));
        let help = suggestion(&word.node, KINDS.iter().map(|(kind, _)| *kind));
        diagnostics.push(CheckError::UnknownValue { attribute: "require ... on", value, span, known, help });
    }
    found
}

/// True if a kind of statement can have an attribute; if not, that is reported, since nothing could ever meet it.
fn can_have(word: &Word, kind: &str, possible: &[&str], diagnostics: &mut Diagnostics) -> bool {
    let can = possible.contains(&word.node.as_str());
    if !can {
        let names: Vec<String> = possible.iter().map(|name| format!("`{name}`")).collect();
        let (value, span) = (word.node.clone(), word.span);
        let known = format!("`{kind}` takes {}", names.join(", "));
        let help = suggestion(&word.node, possible.iter().copied());
        diagnostics.push(CheckError::UnknownValue { attribute: "require", value, span, known, help });
    }
    can
}

fn has(about: &About, attribute: &str) -> bool {
    match attribute {
        "owner" => about.owner.is_some(),
        "reason" => about.reason.is_some(),
        "ticket" => about.ticket.is_some(),
        "note" => about.note.is_some(),
        _ => about.until.is_some(),
    }
}

fn subjects(policy: &Policy) -> Vec<Subject<'_>> {
    let rules = policy.rules.iter().map(|rule| {
        let kind = if rule.effect == Effect::Allow { "allow" } else { "forbid" };
        subject(kind, &rule.id, &rule.about, rule.span)
    });
    let endpoints = policy.endpoints.iter().map(|one| {
        let kind = if one.is_class { "class" } else { "peer" };
        subject(kind, &one.name, &one.about, one.span)
    });
    let managements = policy.managements.iter().map(|one| subject("manage", &one.id, &one.about, one.span));
    let assertions = policy.assertions.iter().map(|one| subject("assert", &one.id, &one.about, one.span));
    let guards = policy.guards.iter().map(|one| subject("guard", &one.id, &one.about, one.span));
    let postures = policy.postures.iter().map(|one| subject("posture", &one.name, &one.about, one.span));
    let zones = policy.zones.iter().map(|one| subject("zone", &one.name, &one.about, one.span));
    let others = managements.chain(assertions).chain(guards).chain(postures).chain(zones);
    rules.chain(endpoints).chain(others).collect()
}

fn subject<'p>(kind: &'static str, name: &'p str, about: &'p About, span: Span) -> Subject<'p> {
    Subject { kind, name, about, span }
}
