//! Tables and sentences of what is allowed, as several pages show them.

use std::collections::BTreeMap;

use crate::ir::Opening;
use crate::ir::{RuleIndex, ZoneId};
use crate::report::site::document::{Inline, Inlines, Row, Style, code, joined, line_end, plain, small};
use crate::report::site::view::{Encryption, Site};
use crate::report::site::words;

/// The columns of a table of what is allowed between two zones.
pub(super) const COLUMNS: [&str; 8] =
    ["Rule", "From", "To", "Over", "On the way", "PHI", "Who answers, and why", "Where"];

/// The row of what a rule opens between two zones.
pub(super) fn row(site: &Site, zones: (ZoneId, ZoneId), opening: &Opening) -> Row {
    let rule = &site.policy[opening.rule];
    Row::new([
        name(site, opening),
        words::members(site, zones.0, &opening.sources),
        words::members(site, zones.1, &opening.destinations),
        words::services(site, opening),
        words::encryption(site, opening),
        words::carries(site, zones, opening),
        words::about(site, &rule.about, site.policy.schedule_of(rule)),
        vec![code(site.place(rule.span))],
    ])
}

/// The name of a rule, and what takes part of it away.
fn name(site: &Site, opening: &Opening) -> Inlines {
    let mut parts = vec![words::rule(site, opening.rule)];
    if !opening.cut_by.is_empty() {
        parts.extend([line_end(), small("in part, for ")]);
        parts.extend(joined(opening.cut_by.iter().map(|rule| vec![words::rule(site, *rule)]), &plain(", ")));
    }
    if site.policy[opening.rule].log {
        parts.extend([line_end(), small("logged")]);
    }
    parts
}

/// What rules open from or to some addresses, a group for each rule: the zones at the other end, with what is open to each.
pub(super) fn by_rule(openings: Vec<(ZoneId, Opening)>) -> Vec<(RuleIndex, Vec<(ZoneId, Opening)>)> {
    let mut rules: BTreeMap<RuleIndex, Vec<(ZoneId, Opening)>> = BTreeMap::new();
    for (zone, opening) in openings {
        rules.entry(opening.rule).or_default().push((zone, opening));
    }
    rules.into_iter().collect()
}

/// Which end of a connection is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Who opens it.
    Source,
    /// Who accepts it.
    Destination,
}

impl End {
    /// The addresses at this end of an opening.
    pub(super) fn of(self, opening: &Opening) -> &crate::set::AddressSet {
        match self {
            End::Source => &opening.sources,
            End::Destination => &opening.destinations,
        }
    }
}

/// The members at one end of several openings.
pub(super) fn ends(site: &Site, end: End, openings: &[(ZoneId, Opening)]) -> Inlines {
    let each = openings.iter().map(|(zone, opening)| words::members(site, *zone, end.of(opening)));
    joined(each, &plain(", "))
}

/// What a rule opens to or from a class, in a sentence.
pub(super) fn sentence(site: &Site, end: End, openings: &[(ZoneId, Opening)]) -> Inlines {
    let Some((_, first)) = openings.first() else { return Inlines::new() };
    let rule = &site.policy[first.rule];
    let mut parts = match end {
        End::Destination => vec![plain("It may open connections to ")],
        End::Source => vec![plain("It accepts connections from ")],
    };
    parts.extend(ends(site, end, openings));
    parts.extend([plain(" over "), code(&rule.via)]);
    let meant = first.services.to_string();
    if meant != rule.via {
        parts.push(plain(format!(" ({meant})")));
    }
    parts.push(plain(match site.encryption(first) {
        Encryption::Whole => ", encrypted",
        Encryption::Partial => ", encrypted in part",
        Encryption::Absent => "",
    }));
    if let Some(schedule) = site.policy.schedule_of(rule) {
        parts.extend([plain(", only during "), code(&schedule.name)]);
    }
    parts.push(plain(". "));
    match (&rule.about.reason, &rule.about.owner) {
        (Some(reason), Some(owner)) => parts.push(small(format!("Why: {reason}. Who answers: {owner}. "))),
        (Some(reason), None) => parts.push(small(format!("Why: {reason}. "))),
        (None, Some(owner)) => parts.push(small(format!("Who answers: {owner}. "))),
        (None, None) => {}
    }
    if let Some(until) = rule.about.until {
        parts.extend([words::until_tag(site, until), plain(" ")]);
    }
    parts.extend([small("Rule "), words::rule(site, first.rule)]);
    parts
}

/// The columns of a table of ports to verify.
pub(super) const PORT_COLUMNS: [&str; 5] = ["Ports", "Direction", "Other end", "On the way", "Rule"];

/// A row for what a rule opens: ports first.
pub(super) fn port_row(site: &Site, end: End, openings: &[(ZoneId, Opening)]) -> Option<Row> {
    let (_, first) = openings.first()?;
    let direction = match end {
        End::Destination => "the device opens",
        End::Source => "the device accepts",
    };
    let cut = openings.iter().any(|(_, opening)| !opening.cut_by.is_empty());
    let mut rule = vec![words::rule(site, first.rule)];
    if cut {
        rule.extend([line_end(), Inline::new(Style::Small, "in part")]);
    }
    Some(Row::new([
        vec![code(first.services.to_string())],
        vec![plain(direction)],
        ends(site, end, openings),
        words::encryption(site, first),
        rule,
    ]))
}
