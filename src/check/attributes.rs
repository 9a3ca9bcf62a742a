//! Attributes: closed lists of values, dates, and texts.

use jiff::civil::Date;

use super::error::CheckError;
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{About, Criticality, Phi, Risk, Role, Trust};
use crate::syntax::ast::{Attribute, Key, Word};

const TRUST: [(&str, Trust); 4] = [
    ("internal", Trust::Internal),
    ("partner", Trust::Partner),
    ("guest", Trust::Guest),
    ("external", Trust::External),
];

const ROLE: [(&str, Role); 2] = [("admin", Role::Admin), ("infrastructure", Role::Infrastructure)];

/// The value of an attribute, if it stands.
fn value(attributes: &[Attribute], key: Key) -> Option<&Word> {
    attributes.iter().find(|attribute| attribute.key == key).map(|attribute| &attribute.value)
}

/// The value of an attribute that has a closed list of values.
fn one_of<T: Copy>(
    attributes: &[Attribute],
    key: Key,
    known: &[(&str, T)],
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let word = value(attributes, key)?;
    let found = known.iter().find(|(name, _)| *name == word.node);
    if found.is_none() {
        let names: Vec<String> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
        diagnostics.push(CheckError::UnknownValue {
            attribute: key.keyword(),
            value: word.node.clone(),
            span: word.span,
            known: format!("one of {}", names.join(", ")),
            help: suggestion(&word.node, known.iter().map(|(name, _)| *name)),
        });
    }
    found.map(|(_, value)| *value)
}

/// What it has of protected health information.
pub(super) fn phi(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Option<Phi> {
    one_of(attributes, Key::Phi, &Phi::ALL, diagnostics)
}

/// What its loss would touch.
pub(super) fn criticality(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Option<Criticality> {
    one_of(attributes, Key::Criticality, &Criticality::ALL, diagnostics)
}

/// How exposed it is.
pub(super) fn risk(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Option<Risk> {
    one_of(attributes, Key::Risk, &Risk::ALL, diagnostics)
}

/// How far the hosts of a zone are trusted.
pub(super) fn trust(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Option<Trust> {
    one_of(attributes, Key::Trust, &TRUST, diagnostics)
}

/// What it is there for.
pub(super) fn role(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Option<Role> {
    one_of(attributes, Key::Role, &ROLE, diagnostics)
}

/// True if a service says that it carries no protected health information; what it might have else is up to its ends.
pub(super) fn without_phi(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> bool {
    one_of(attributes, Key::Phi, &[("none", ())], diagnostics).is_some()
}

/// The date that an attribute holds.
pub(super) fn date(attributes: &[Attribute], key: Key, diagnostics: &mut Diagnostics) -> Option<Date> {
    day(value(attributes, key)?, diagnostics)
}

/// A word as a date.
pub(super) fn day(word: &Word, diagnostics: &mut Diagnostics) -> Option<Date> {
    let well_formed =
        word.node.len() == 10 && word.node.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let parsed = if well_formed { word.node.parse::<Date>().ok() } else { None };
    if parsed.is_none() {
        let problem = if well_formed { "no such day" } else { "expected YYYY-MM-DD" };
        let (value, span, problem) = (word.node.clone(), word.span, problem.to_owned());
        diagnostics.push(CheckError::BadDate { value, span, problem });
    }
    parsed
}

/// Owner, reason, ticket, note and end.
pub(super) fn about(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> About {
    let text = |key| value(attributes, key).map(|word| word.node.clone());
    About {
        owner: text(Key::Owner),
        reason: text(Key::Reason),
        ticket: text(Key::Ticket),
        note: text(Key::Note),
        until: date(attributes, Key::Until, diagnostics),
    }
}

/// The tier that a zone belongs to.
pub(super) fn tier(attributes: &[Attribute]) -> Option<String> {
    value(attributes, Key::Tier).map(|word| word.node.clone())
}

/// The number of a VLAN (IEEE 802.1Q: 0 to 4094).
pub(super) fn vlan(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Option<u16> {
    let word = value(attributes, Key::Vlan)?;
    let number = word.node.parse::<u16>().ok().filter(|number| *number <= 4094);
    if number.is_some() {
        return number;
    }
    diagnostics.push(CheckError::UnknownValue {
        attribute: Key::Vlan.keyword(),
        value: word.node.clone(),
        span: word.span,
        known: "a number from 0 to 4094".to_owned(),
        help: None,
    });
    None
}
