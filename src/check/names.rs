//! Who is called what: one table of zones, classes, peers and groups, with the addresses of each.

use std::collections::{BTreeMap, BTreeSet};

use super::error::CheckError;
use crate::diag::{Diagnostics, suggestion};
use crate::ir::Side;
use crate::set::{AddressSet, Set, union_all};
use crate::source::Span;
use crate::syntax::ast::{Group, Names, Word};

/// The word for every zone, and for every service.
pub(super) const ANY: &str = "any";

/// Declarations of one namespace: each name with the place of its declaration.
#[derive(Default)]
pub(super) struct Declared {
    places: BTreeMap<String, Span>,
    broken: BTreeSet<String>,
}

impl Declared {
    /// Notes that the declaration of `name` has an error.
    pub(super) fn mark_broken(&mut self, name: &str) {
        self.broken.insert(name.to_owned());
    }

    /// The names whose declaration has an error.
    pub(super) fn broken(&self) -> impl Iterator<Item = &str> {
        self.broken.iter().map(String::as_str)
    }

    /// True if the declaration of `name` has an error.
    pub(super) fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name)
    }

    /// Enters a declaration; a second one of the same name, and a name that has a meaning, is reported.
    pub(super) fn enter(&mut self, name: &Word, kinds: &'static str, diagnostics: &mut Diagnostics) -> bool {
        if name.node.is_empty() {
            return false;
        }
        if name.node == ANY {
            diagnostics.push(CheckError::ReservedName { name: name.node.clone(), span: name.span });
            return false;
        }
        match self.places.get(&name.node) {
            Some(first) => {
                // Which of the two is "first" follows their places, not the order in which files were read.
                let (first, span) = (*first.min(&name.span), name.span.max(*first));
                diagnostics.push(CheckError::Duplicate { name: name.node.clone(), kinds, span, first });
                false
            }
            None => {
                self.places.insert(name.node.clone(), name.span);
                true
            }
        }
    }
}

/// All names that can stand in a `from` or `to`, with their addresses. A name whose declaration has an error has none:
/// what names it cannot be judged, and is left out without a second report.
pub(super) struct Scope {
    addresses: BTreeMap<String, Option<AddressSet>>,
    any: Option<AddressSet>,
}

impl Default for Scope {
    fn default() -> Self {
        Scope { addresses: BTreeMap::new(), any: Some(AddressSet::empty()) }
    }
}

impl Scope {
    /// Adds a zone.
    pub(super) fn add_zone(&mut self, name: &str, addresses: Option<&AddressSet>) {
        self.any = self.any.as_ref().and_then(|any| Some(any.union(addresses?)));
        self.add(name, addresses);
    }

    /// Adds a class, a peer or a group.
    pub(super) fn add(&mut self, name: &str, addresses: Option<&AddressSet>) {
        self.addresses.insert(name.to_owned(), addresses.cloned());
    }

    /// The addresses of a list, less its exceptions; `None` if one of its names is unknown, which is reported, or is
    /// declared with an error.
    pub(super) fn resolve(&self, lists: &[Names], diagnostics: &mut Diagnostics) -> Option<AddressSet> {
        let sets: Vec<_> = lists.iter().map(|list| self.resolve_list(list, diagnostics)).collect();
        Some(union_all(sets.into_iter().collect::<Option<Vec<_>>>()?))
    }

    fn resolve_list(&self, names: &Names, diagnostics: &mut Diagnostics) -> Option<AddressSet> {
        let listed: Vec<_> = names.list.iter().map(|word| self.lookup(word, diagnostics)).collect();
        let removed: Vec<_> = names.except.iter().map(|word| self.lookup(word, diagnostics)).collect();
        let mut set = union_all(listed.into_iter().collect::<Option<Vec<_>>>()?);
        for (word, removed) in names.except.iter().zip(removed) {
            let removed = removed?;
            if removed.is_disjoint(&set) && !removed.is_empty() {
                diagnostics.push(CheckError::IdleExcept { text: word.node.clone(), span: word.span });
            }
            set = set.difference(&removed);
        }
        Some(set)
    }

    fn lookup(&self, word: &Word, diagnostics: &mut Diagnostics) -> Option<AddressSet> {
        if word.node == ANY {
            return self.any.clone();
        }
        if let Some(found) = self.addresses.get(&word.node) {
            return found.clone();
        }
        let known = self.addresses.keys().map(String::as_str).chain([ANY]);
        let help = if word.node.contains(['.', ':', '/']) {
            Some("rules speak of names; declare the address as a `peer` or a `class`".to_owned())
        } else {
            suggestion(&word.node, known)
        };
        let kind = "zone, class, peer or group";
        diagnostics.push(CheckError::UnknownName { kind, name: word.node.clone(), span: word.span, help });
        None
    }

    /// One side of a rule.
    pub(super) fn side(&self, lists: &[Names], diagnostics: &mut Diagnostics) -> Option<Side> {
        Some(Side { text: text_of(lists), addresses: self.resolve(lists, diagnostics)? })
    }

    /// Adds all groups, in an order in which each comes after those that it names.
    pub(super) fn add_groups(&mut self, groups: &BTreeMap<String, &Group>, diagnostics: &mut Diagnostics) {
        for group in groups.values() {
            self.add_group(group, groups, &mut Vec::new(), diagnostics);
        }
    }

    /// Adds one group after those that it names. `path` holds the groups on the way here; its length is bounded by the
    /// number of groups, and [`MAX_GROUP_DEPTH`] keeps the descent from exhausting the stack.
    fn add_group(
        &mut self,
        group: &Group,
        groups: &BTreeMap<String, &Group>,
        path: &mut Vec<String>,
        diagnostics: &mut Diagnostics,
    ) {
        let name = &group.name.node;
        if self.addresses.contains_key(name) {
            return;
        }
        path.push(name.clone());
        for word in group.members.iter().flat_map(|names| names.list.iter().chain(&names.except)) {
            let Some(inner) = groups.get(&word.node) else { continue };
            if path.contains(&word.node) || path.len() > MAX_GROUP_DEPTH {
                diagnostics.push(CheckError::GroupCycle { name: word.node.clone(), span: word.span });
                self.add(&word.node, None);
            } else {
                self.add_group(inner, groups, path, diagnostics);
            }
        }
        path.pop();
        let addresses = self.resolve(&group.members, diagnostics).filter(|_| !group.broken);
        if addresses.as_ref().is_some_and(AddressSet::is_empty) {
            let (name, span) = (name.clone(), group.name.span);
            diagnostics.push(CheckError::Empty { kind: "group", name, span });
        }
        self.add(&group.name.node, addresses.as_ref());
    }
}

/// How deep groups may name groups.
const MAX_GROUP_DEPTH: usize = 64;

/// Lists as a policy would write them, sorted, so that two ways to write one list give one text.
pub(super) fn text_of(lists: &[Names]) -> String {
    let sorted = |words: &mut Vec<&str>| {
        words.sort_unstable();
        words.dedup();
        words.join(", ")
    };
    let mut texts: Vec<String> = lists
        .iter()
        .map(|names| {
            let mut list: Vec<&str> = names.list.iter().map(|word| word.node.as_str()).collect();
            let mut except: Vec<&str> = names.except.iter().map(|word| word.node.as_str()).collect();
            if except.is_empty() {
                sorted(&mut list)
            } else {
                format!("{} except {}", sorted(&mut list), sorted(&mut except))
            }
        })
        .collect();
    texts.sort_unstable();
    texts.join(", ")
}
