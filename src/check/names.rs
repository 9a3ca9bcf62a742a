//! Who is called what: one table of zones, classes, peers and groups, with the addresses of each.

use std::collections::{BTreeMap, BTreeSet};

use super::addresses::meets;
use super::error::CheckError;
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{self, Side};
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
    /// Groups of which not all names have been added yet.
    open: BTreeSet<String>,
    /// All groups, each after those that it names.
    groups: Vec<String>,
}

impl Default for Scope {
    fn default() -> Self {
        Scope {
            addresses: BTreeMap::new(),
            any: Some(AddressSet::empty()),
            open: BTreeSet::new(),
            groups: Vec::new(),
        }
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

    /// True if a name was added.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.addresses.contains_key(name)
    }

    /// All names that were added.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.addresses.keys().map(String::as_str)
    }

    /// The names of all groups, each after those that it names.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }

    /// The addresses of one name; `None` if it is declared with an error, or not at all.
    pub(super) fn addresses_of(&self, name: &str) -> Option<&AddressSet> {
        self.addresses.get(name)?.as_ref()
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
        let set = union_all(listed.into_iter().collect::<Option<Vec<_>>>()?);
        let removed = removed.into_iter().collect::<Option<Vec<_>>>()?;
        for (word, removed) in names.except.iter().zip(&removed) {
            if !removed.is_empty() && !removed.ranges().any(|range| meets(&set, range)) {
                diagnostics.push(CheckError::IdleExcept { text: word.node.clone(), span: word.span });
            }
        }
        Some(set.difference(&union_all(removed)))
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

    /// Some groups with their addresses, without those whose declaration has an error.
    pub(super) fn resolved<'n>(&self, names: impl Iterator<Item = &'n String>) -> Vec<ir::Group> {
        let known = names.filter_map(|name| Some((name, self.addresses.get(name)?.as_ref()?)));
        known
            .map(|(name, addresses)| ir::Group { name: name.clone(), addresses: addresses.clone() })
            .collect()
    }

    /// Adds all groups, in an order in which each comes after those that it names. Groups that form a circle are
    /// reported where the circle closes, and have no addresses.
    pub(super) fn add_groups(&mut self, groups: &BTreeMap<String, &Group>, diagnostics: &mut Diagnostics) {
        for group in groups.values() {
            // The way from this group to the one at hand: each group on it, and the words of it that are still to be
            // followed. Kept here and not on the stack, so that no chain of groups is too long.
            let mut way = self.enter(group);
            while let Some((at, words)) = way.last_mut() {
                let at = *at;
                match words.next() {
                    None => {
                        way.pop();
                        self.add_group(at, diagnostics);
                    }
                    Some(word) => {
                        let Some(inner) = groups.get(&word.node) else { continue };
                        if self.open.contains(&word.node) {
                            if self.addresses.contains_key(&word.node) {
                                continue;
                            }
                            let (name, declared) = (word.node.clone(), inner.name.span);
                            diagnostics.push(CheckError::GroupCycle { name, span: word.span, declared });
                            self.add(&word.node, None);
                        } else {
                            way.extend(self.enter(inner));
                        }
                    }
                }
            }
        }
    }

    /// The words of a group, to be followed, unless the group was added already.
    fn enter<'g>(&mut self, group: &'g Group) -> Vec<(&'g Group, GroupWords<'g>)> {
        if self.addresses.contains_key(&group.name.node) {
            return Vec::new();
        }
        self.open.insert(group.name.node.clone());
        let words = group.members.iter().flat_map(|names| names.list.iter().chain(&names.except));
        vec![(group, Box::new(words))]
    }

    /// Adds a group of which all names were added before.
    fn add_group(&mut self, group: &Group, diagnostics: &mut Diagnostics) {
        let name = &group.name.node;
        self.open.remove(name);
        self.groups.push(name.clone());
        let in_circle = self.addresses.contains_key(name);
        let addresses = self.resolve(&group.members, diagnostics).filter(|_| !group.broken && !in_circle);
        if addresses.as_ref().is_some_and(AddressSet::is_empty) && !self.all_empty(group) {
            let (name, span) = (name.clone(), group.name.span);
            diagnostics.push(CheckError::Empty { kind: "group", name, span });
        }
        self.add(name, addresses.as_ref());
    }

    /// True if a group lists something, and all of it is empty, which was reported.
    fn all_empty(&self, group: &Group) -> bool {
        let mut words = group.members.iter().flat_map(|names| &names.list).peekable();
        let is_empty = |word: &Word| {
            self.addresses.get(&word.node).and_then(Option::as_ref).is_some_and(AddressSet::is_empty)
        };
        words.peek().is_some() && words.all(is_empty)
    }
}

/// The names in a group that are still to be followed.
type GroupWords<'g> = Box<dyn Iterator<Item = &'g Word> + 'g>;

/// Lists as a policy would write them, sorted, so that two ways to write one list give one text. An exception belongs
/// to its own list only, so lists with exceptions are set apart by `;`: different lists never give one text.
pub(super) fn text_of(lists: &[Names]) -> String {
    let words = |words: &mut dyn Iterator<Item = &Word>| -> String {
        let sorted: BTreeSet<&str> = words.map(|word| word.node.as_str()).collect();
        sorted.into_iter().collect::<Vec<_>>().join(", ")
    };
    let (whole, reduced): (Vec<&Names>, Vec<&Names>) =
        lists.iter().partition(|names| names.except.is_empty());
    let with_exceptions = reduced
        .iter()
        .map(|names| format!("{} except {}", words(&mut names.list.iter()), words(&mut names.except.iter())));
    let mut texts: BTreeSet<String> = with_exceptions.collect();
    if !whole.is_empty() {
        texts.insert(words(&mut whole.iter().flat_map(|names| &names.list)));
    }
    texts.into_iter().collect::<Vec<_>>().join("; ")
}
