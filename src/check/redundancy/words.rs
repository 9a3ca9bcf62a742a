//! Words that add nothing to the list that they stand in: names, services, protocols and ports.

use super::finding::{Surplus, in_words};
use super::growth::{Extent, Extents};
use super::list::idle;
use crate::check::Statements;
use crate::check::services::{self, Meaning};
use crate::diag::Diagnostics;
use crate::ir::Policy;
use crate::set::{AddressSet, IntervalSet, PerFamily, Set, service_numbers, union_all};
use crate::source::Span;
use crate::syntax::ast::{Names, ProtocolPorts, Via, Word};

/// Reports each word that the rest of its list holds.
pub(super) fn check(
    policy: &Policy,
    statements: &Statements,
    extents: &Extents,
    diagnostics: &mut Diagnostics,
) {
    let rules = statements.rules.iter().flat_map(|rule| [&rule.flow.from[..], &rule.flow.to]);
    let reaches = || statements.classes.iter().flat_map(|class| &class.reaches);
    let others = reaches().map(|reach| std::slice::from_ref(&reach.others));
    let managements = statements.managements.iter().map(|manage| &manage.flow.from[..]);
    let assertions = statements.assertions.iter().flat_map(|one| [&one.flow.from[..], &one.flow.to]);
    let groups = statements.groups.iter().map(|group| &group.members[..]);
    // What is isolated stands before `except` in a list of its own, and what stays behind it are rules.
    let isolated = statements.postures.iter().flat_map(|posture| &posture.isolate);
    let isolated: Vec<[Names; 1]> =
        isolated.map(|names| [Names { list: names.list.clone(), except: Vec::new() }]).collect();
    let lists = rules.chain(others).chain(managements).chain(assertions).chain(groups);
    for lists in lists.chain(isolated.iter().map(|names| &names[..])) {
        check_names(lists, extents, diagnostics);
    }
    let rules = statements.rules.iter().map(|rule| &rule.flow.via);
    let managements = statements.managements.iter().map(|manage| &manage.flow.via);
    let assertions = statements.assertions.iter().map(|one| &one.flow.via);
    for via in rules.chain(reaches().map(|reach| &reach.via)).chain(managements).chain(assertions) {
        check_via(via, policy, diagnostics);
    }
    for service in &statements.services {
        check_specs(&service.protocols, diagnostics);
    }
}

fn check_names(lists: &[Names], extents: &Extents, diagnostics: &mut Diagnostics) {
    let words: Vec<&Word> = lists.iter().flat_map(|names| &names.list).collect();
    for (place, by) in idle_names(lists, extents) {
        if let Some(word) = words.get(place) {
            report((word.node.clone(), word.span), &texts(&by, &words), diagnostics);
        }
    }
}

/// The names of some lists that the rest of them holds, by their places.
pub(super) fn idle_names(lists: &[Names], extents: &Extents) -> Vec<(usize, Vec<usize>)> {
    if lists.iter().map(|names| names.list.len()).sum::<usize>() < 2 {
        return Vec::new();
    }
    let entries: Vec<Extent> =
        lists.iter().flat_map(|names| extents.entries(names)).map(|(_, extent)| extent).collect();
    let keys: Vec<AddressSet> = entries.iter().map(|extent| extent.addresses.clone()).collect();
    idle(&keys, &|place, by| {
        let by = Extent::join(by.iter().filter_map(|place| entries.get(*place)));
        entries.get(place).is_some_and(|extent| extent.beyond(&by).is_empty())
    })
}

fn check_via(via: &[Via], policy: &Policy, diagnostics: &mut Diagnostics) {
    for (place, by) in idle_services(via, policy) {
        if let Some(entry) = via.get(place) {
            let texts: Vec<String> =
                by.iter().filter_map(|place| via.get(*place)).map(services::text_of_entry).collect();
            report((services::text_of_entry(entry), span_of(entry)), &texts, diagnostics);
        }
    }
    let inline = via.iter().filter_map(|entry| match entry {
        Via::Inline(spec) => Some(spec),
        Via::Service(_) => None,
    });
    inline.for_each(|spec| check_ports(spec, diagnostics));
}

/// Where an entry of a `via` list stands.
pub(super) fn span_of(entry: &Via) -> Span {
    match entry {
        Via::Service(word) => word.span,
        Via::Inline(spec) => spec.span,
    }
}

/// The entries of a `via` list that the rest of it holds, by their places: their packets, and what is said of these.
pub(super) fn idle_services(via: &[Via], policy: &Policy) -> Vec<(usize, Vec<usize>)> {
    if via.len() < 2 {
        return Vec::new();
    }
    let entries: Vec<Meaning> = via.iter().map(|entry| services::meaning(entry, &policy.services)).collect();
    let keys: Vec<AddressSet> = entries.iter().map(|entry| service_numbers(&entry.set)).collect();
    idle(&keys, &|place, by| {
        let by: Vec<&Meaning> = by.iter().filter_map(|place| entries.get(*place)).collect();
        let Some(entry) = entries.get(place) else { return false };
        let sides: [fn(&Meaning) -> &crate::set::ServiceSet; 3] =
            [|one| &one.set, |one| &one.encrypted, |one| &one.without_phi];
        sides.iter().all(|side| side(entry).is_subset(&union_all(by.iter().map(|one| side(one).clone()))))
    })
}

/// Protocols with their ports, each of which may be held by the others.
fn check_specs(specs: &[ProtocolPorts], diagnostics: &mut Diagnostics) {
    let sets: Vec<_> = specs.iter().map(services::set_of).collect();
    let keys: Vec<AddressSet> = sets.iter().map(service_numbers).collect();
    let found = idle(&keys, &|place, by| {
        let by = union_all(by.iter().filter_map(|place| sets.get(*place).cloned()));
        sets.get(place).is_some_and(|set| set.is_subset(&by))
    });
    for (place, by) in found {
        if let Some(spec) = specs.get(place) {
            let texts: Vec<String> =
                by.iter().filter_map(|place| specs.get(*place)).map(services::text_of).collect();
            report((services::text_of(spec), spec.span), &texts, diagnostics);
        }
    }
    specs.iter().for_each(|spec| check_ports(spec, diagnostics));
}

fn check_ports(spec: &ProtocolPorts, diagnostics: &mut Diagnostics) {
    for words in [&spec.ports, &spec.source_ports] {
        let words: Vec<&Word> = words.iter().collect();
        let sets: Vec<IntervalSet<u16>> = words.iter().map(|word| services::ports_of(word)).collect();
        let wide = |set: &IntervalSet<u16>| PerFamily {
            v4: set
                .intervals()
                .map(|run| crate::set::Interval::spanning(u32::from(run.first()), u32::from(run.last())))
                .collect(),
            v6: IntervalSet::empty(),
        };
        let keys: Vec<AddressSet> = sets.iter().map(wide).collect();
        let found = idle(&keys, &|place, by| {
            let by = union_all(by.iter().filter_map(|place| sets.get(*place).cloned()));
            sets.get(place).is_some_and(|set| set.is_subset(&by))
        });
        for (place, by) in found {
            if let Some(word) = words.get(place) {
                report((word.node.clone(), word.span), &texts(&by, &words), diagnostics);
            }
        }
    }
}

fn texts(by: &[usize], words: &[&Word]) -> Vec<String> {
    by.iter().filter_map(|place| words.get(*place)).map(|word| word.node.clone()).collect()
}

fn report((word, span): (String, Span), by: &[String], diagnostics: &mut Diagnostics) {
    let by = in_words(by.iter().map(String::as_str));
    diagnostics.push(Surplus::IdleWord { word, by, span });
}
