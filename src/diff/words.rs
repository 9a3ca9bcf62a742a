//! What all renderings say in the same words.

use super::party::Party;
use super::row::few;
use super::{Change, Other, Row};

/// One line on what changes.
pub(super) fn summary(change: &Change) -> String {
    let access = &change.access;
    let administration = change.others.iter().filter(|other| other.administers).count();
    if access.is_empty() && administration == 0 {
        return "no change in access: the same connections are open at the same times".to_owned();
    }
    if access.is_empty() {
        return "access changes: only who may administer enforcement points".to_owned();
    }
    let marked = access.opened.iter().filter(|row| !row.marks.is_empty()).count();
    let marked = if marked == 0 { String::new() } else { format!(" ({marked} to look at first)") };
    let mut text =
        format!("access changes: {} opened{marked}, {} closed", access.opened.len(), access.closed.len());
    if administration > 0 {
        text.push_str(", and who may administer enforcement points");
    }
    text
}

/// One side of a row, zone by zone; where it is many zones, as the rule says it.
pub(super) fn side(parties: &[Party], written: Option<&String>) -> Vec<String> {
    let party = |one: &Party| {
        if one.whole {
            format!("zone {}", one.zone)
        } else {
            format!("{} in {}", few(&one.members), one.zone)
        }
    };
    match written {
        Some(written) if parties.len() > 1 => {
            let zones: Vec<&str> = parties.iter().map(|one| one.zone.as_str()).collect();
            vec![format!("{written} (zones {})", zones.join(", "))]
        }
        Some(_) | None => parties.iter().map(party).collect(),
    }
}

/// The services by name, and what they are where that says more.
pub(super) fn over(row: &Row) -> String {
    let family = row.family.map(|family| format!(", {family} only")).unwrap_or_default();
    match &row.services {
        Some(services) if *services != row.ports => format!("{services} ({}){family}", row.ports),
        Some(_) | None => format!("{}{family}", row.ports),
    }
}

/// What a row touches.
pub(super) fn touches(row: &Row) -> Option<String> {
    let facts = [("phi", row.phi), ("criticality", row.criticality), ("risk", row.risk)];
    let facts = facts.iter().filter_map(|(what, value)| value.map(|value| format!("{what} {value}")));
    let facts: Vec<String> = facts.collect();
    (!facts.is_empty()).then(|| facts.join(", "))
}

/// A statement besides access.
pub(super) fn other(other: &Other) -> (String, String) {
    let clauses =
        if other.clauses.is_empty() { String::new() } else { format!(": {}", other.clauses.join(", ")) };
    let who = if other.administers { ", and with it who may administer" } else { "" };
    (format!("{} {}", other.kind, other.name), format!("{}{clauses}{who}", other.what))
}

/// A number of lines.
pub(super) fn lines(number: usize) -> String {
    if number == 1 { "1 line".to_owned() } else { format!("{number} lines") }
}
