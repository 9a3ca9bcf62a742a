//! From tables to the model.
//!
//! In: tables and sets. Out: the model's chains and filters. What can be said only once the whole text is known is judged
//! here: loops, interfaces that packets do not have, parts of packets that are changed and looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::model::{Action, Chain, ChainId, Condition, Family, Filter, Match, Model, PacketBox, Rule};
use super::draft::{Destiny, Draft};
use super::modules::Fields;
use super::report::Report;
use super::sets::{Found, Lookups, Sets};
use super::table::{Placed, Table, unseen_interface};

/// Makes the model.
pub(super) fn lower(tables: &[Table], sets: &Sets, family: Family, report: &mut Report) -> Model {
    report_changes(tables, report);
    let mut lookups = Lookups::new(sets, family, changing(tables));
    let mut model = Model { families: vec![family], ..Model::default() };
    for table in tables {
        report_loops(table, report);
        report_interfaces(table, report);
        // No rule of `nat` decides on a packet: what it does is reported where the rule stands.
        if table.name == "nat" {
            check_lookups(table, &mut lookups, report);
        } else {
            add(table, &mut model, &mut lookups, family, report);
        }
    }
    model
}

/// The rules of the chains that there are, in the order of their chains.
fn rules(table: &Table) -> impl Iterator<Item = (usize, &Placed)> {
    table.live().flat_map(move |(place, chain)| {
        chain.rules.iter().filter_map(move |number| Some((place, table.rules.get(*number)?)))
    })
}

fn all_rules(tables: &[Table]) -> impl Iterator<Item = &Placed> {
    tables.iter().flat_map(|table| rules(table).map(|(_, placed)| placed))
}

/// The sets that rules change.
fn changing(tables: &[Table]) -> BTreeSet<String> {
    all_rules(tables).flat_map(|placed| placed.draft.changes.iter().cloned()).collect()
}

/// Reports rules that change what a match looks at.
fn report_changes(tables: &[Table], report: &mut Report) {
    for (field, name) in Fields::NAMES {
        let reader = all_rules(tables).find(|placed| placed.draft.reads.meets(field));
        let Some(reader) = reader.map(|placed| placed.line) else { continue };
        for writer in all_rules(tables).filter(|placed| placed.draft.writes.meets(field)) {
            report.mistake(
                writer.line,
                format!("the rule changes {name}, which the rule in line {reader} looks at"),
            );
        }
    }
}

/// The place that a rule goes to.
fn target(draft: &Draft) -> Option<usize> {
    match draft.destiny {
        Destiny::Jump(place) | Destiny::Goto(place) => Some(place),
        Destiny::Accept | Destiny::Drop | Destiny::Return | Destiny::Continue => None,
    }
}

/// Reports rules through which a packet would come to a chain that it is in.
fn report_loops(table: &Table, report: &mut Report) {
    // For each chain: not seen, being followed, done.
    let mut seen = vec![0_u8; table.chains.len()];
    for (start, _) in table.live() {
        let mut path = vec![(start, 0_usize)];
        while let Some((place, next)) = path.last_mut() {
            let place = *place;
            if let Some(state) = seen.get_mut(place) {
                if *state == 2 {
                    path.pop();
                    continue;
                }
                *state = 1;
            }
            let rule = table.chains.get(place).and_then(|chain| chain.rules.get(*next));
            let Some(placed) = rule.and_then(|number| table.rules.get(*number)) else {
                if let Some(state) = seen.get_mut(place) {
                    *state = 2;
                }
                path.pop();
                continue;
            };
            *next += 1;
            let Some(target) = target(&placed.draft) else { continue };
            match seen.get(target) {
                Some(0) => path.push((target, 0)),
                Some(1) => report.mistake(placed.line, "the rule leads back to its own chain, in a loop"),
                _ => {}
            }
        }
    }
}

/// Reports rules that ask for an interface which packets from some hook do not have.
fn report_interfaces(table: &Table, report: &mut Report) {
    for (start, chain) in table.live() {
        let Some(hook) = chain.hook else { continue };
        let mut reached = vec![false; table.chains.len()];
        let mut open = vec![start];
        while let Some(place) = open.pop() {
            match reached.get_mut(place) {
                Some(known) if !*known => *known = true,
                _ => continue,
            }
            let Some(chain) = table.chains.get(place) else { continue };
            for placed in chain.rules.iter().filter_map(|number| table.rules.get(*number)) {
                if let Err(what) = unseen_interface(&placed.draft, hook) {
                    report.mistake(placed.line, what);
                }
                open.extend(target(&placed.draft));
            }
        }
    }
}

fn check_lookups(table: &Table, lookups: &mut Lookups, report: &mut Report) {
    for (_, placed) in rules(table) {
        for lookup in &placed.draft.lookups {
            if let Err(what) = lookups.find(lookup) {
                report.mistake(placed.line, what);
            }
        }
    }
}

/// Adds the chains of a table to the model, and a filter for each hook that the text speaks of.
fn add(table: &Table, model: &mut Model, lookups: &mut Lookups, family: Family, report: &mut Report) {
    let mut ids = vec![ChainId(0); table.chains.len()];
    for ((place, _), id) in table.live().zip(model.chains.len()..) {
        if let Some(slot) = ids.get_mut(place) {
            *slot = ChainId(id);
        }
    }
    for (place, chain) in table.live() {
        let mut lowered = Vec::with_capacity(chain.rules.len());
        for placed in chain.rules.iter().filter_map(|number| table.rules.get(*number)) {
            match lower_rule(placed, &ids, lookups) {
                Ok(rules) => lowered.extend(rules),
                Err(what) => report.mistake(placed.line, what),
            }
        }
        let first_line = lowered.first().map(|rule: &Rule| rule.line);
        if let (Some(hook), Some(line)) = (chain.hook, chain.line.or(first_line)) {
            model.filters.push(Filter {
                name: format!("{} {}", table.name, chain.name),
                line,
                paths: hook.paths,
                concerns: Match { conditions: vec![Condition::family(family)], ..Match::default() },
                chain: ids.get(place).copied().unwrap_or(ChainId(0)),
                otherwise_accept: chain.accepts,
            });
        }
        model.chains.push(Chain { name: chain.name.clone(), rules: lowered });
    }
}

/// The rules of the model that a rule comes to: two where it differs for later fragments and for other packets.
fn lower_rule(placed: &Placed, ids: &[ChainId], lookups: &mut Lookups) -> Result<Vec<Rule>, String> {
    let draft = &placed.draft;
    let id = |place: usize| ids.get(place).copied().ok_or_else(|| "no such chain".to_owned());
    let action = match draft.destiny {
        Destiny::Accept => Action::Accept,
        Destiny::Drop => Action::Drop,
        Destiny::Return => Action::Return,
        Destiny::Continue => Action::Continue,
        Destiny::Jump(place) => Action::Jump(id(place)?),
        Destiny::Goto(place) => Action::Goto(id(place)?),
    };
    let mut opaque = draft.opaque.clone();
    let mut looked_up = Vec::new();
    for lookup in &draft.lookups {
        match lookups.find(lookup)? {
            Found::Boxes { whole, fragment } => looked_up.push((whole, fragment, lookup.negated)),
            Found::Unknown => {
                let directions: Vec<&str> =
                    lookup.from_source.iter().map(|source| if *source { "src" } else { "dst" }).collect();
                let not = if lookup.negated { "! " } else { "" };
                opaque.push(format!("set {not}--match-set {} {}", lookup.set, directions.join(",")));
            }
            Found::Broken => return Ok(Vec::new()),
        }
    }
    let differs = looked_up.iter().any(|(whole, fragment, _)| !Arc::ptr_eq(whole, fragment));
    let fragments = match draft.later_fragments {
        None if differs => vec![Some(false), Some(true)],
        known => vec![known],
    };
    let mut rules = Vec::new();
    for later_fragments in fragments {
        let mut conditions: Vec<Condition> = within(draft).into_iter().collect();
        conditions.extend(draft.conditions.iter().cloned());
        for (whole, fragment, negated) in &looked_up {
            let boxes = if later_fragments == Some(true) { fragment } else { whole };
            conditions.push(Condition { boxes: Arc::clone(boxes), negated: *negated });
        }
        let is_never = |condition: &Condition| condition.boxes.is_empty() && !condition.negated;
        if differs && later_fragments == Some(true) && conditions.iter().any(is_never) {
            continue;
        }
        conditions.retain(|condition| !(condition.boxes.is_empty() && condition.negated));
        let matches = Match {
            arrives: draft.arrives.clone(),
            leaves: draft.leaves.clone(),
            states: draft.states,
            later_fragments,
            conditions,
            opaque: opaque.clone(),
        };
        rules.push(Rule { line: placed.line, matches, action, label: draft.label.clone() });
    }
    Ok(rules)
}

/// The condition that a draft's box is, unless it holds all packets.
fn within(draft: &Draft) -> Option<Condition> {
    match draft.within {
        Some(within) if within == PacketBox::all(within.family) => None,
        Some(within) => Some(Condition::any_of([within])),
        None => Some(Condition::any_of([])),
    }
}
