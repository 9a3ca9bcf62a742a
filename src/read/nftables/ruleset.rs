//! What a text declares: tables with their chains, sets and maps. The rules and elements in them are not looked into.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::scan::{Element, Statement, Token};

/// The family of a table (nft(8), address families).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum TableFamily {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// Both.
    Inet,
    /// ARP.
    Arp,
    /// What a bridge passes on.
    Bridge,
    /// What a network device takes in or gives out.
    Netdev,
}

impl TableFamily {
    /// The family that a word names.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let known = [Self::Ip, Self::Ip6, Self::Inet, Self::Arp, Self::Bridge, Self::Netdev];
        known.into_iter().find(|family| family.word() == word)
    }

    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Inet => "inet",
            Self::Arp => "arp",
            Self::Bridge => "bridge",
            Self::Netdev => "netdev",
        }
    }
}

/// Family and name of a table.
pub(super) type TableKey = (TableFamily, String);

/// A text's declarations.
#[derive(Default)]
pub(super) struct Ruleset<'t> {
    /// The tables.
    pub(super) tables: BTreeMap<TableKey, Table<'t>>,
}

/// A table.
#[derive(Default)]
pub(super) struct Table<'t> {
    /// Its chains.
    pub(super) chains: BTreeMap<String, Chain<'t>>,
    /// Its sets and maps.
    pub(super) sets: BTreeMap<String, Set<'t>>,
    /// Its counters, quotas, limits and so on: kind and name.
    pub(super) objects: BTreeSet<(String, String)>,
    /// True if its chains are not evaluated.
    pub(super) dormant: bool,
}

impl<'t> Table<'t> {
    /// A chain, which is declared if it is new.
    pub(super) fn chain(&mut self, name: &str, line: usize) -> &mut Chain<'t> {
        let new = || Chain { line, base: None, policy_drop: false, rules: Vec::new() };
        self.chains.entry(name.to_owned()).or_insert_with(new)
    }
}

/// A chain.
pub(super) struct Chain<'t> {
    /// The line of its declaration, or of its hook if it has one.
    pub(super) line: usize,
    /// What makes it a base chain.
    pub(super) base: Option<Base>,
    /// True if its policy is to drop. Without a policy, it accepts (nft(8), chains).
    pub(super) policy_drop: bool,
    /// Its rules.
    pub(super) rules: Vec<Rc<Statement<'t>>>,
}

/// The place at which packets enter a base chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Base {
    /// `filter`, `nat` or `route`.
    pub(super) kind: String,
    /// The hook, such as `forward`.
    pub(super) hook: String,
    /// The priority: chains with lower ones come first.
    pub(super) priority: i64,
    /// True if it holds for some devices only.
    pub(super) devices: bool,
}

/// A set or a map.
pub(super) struct Set<'t> {
    /// The line of its declaration.
    pub(super) line: usize,
    /// What its keys and values are: `type` or `typeof` with what follows.
    pub(super) kind: Option<Vec<Token<'t>>>,
    /// True if it is a map.
    pub(super) is_map: bool,
    /// True if what it holds changes while it is in use, by rules or by time.
    pub(super) is_dynamic: bool,
    /// True if an element does not match at times, since a limit or a quota belongs to it.
    pub(super) is_limited: bool,
    /// Its elements.
    pub(super) elements: Vec<Element<'t>>,
}

impl Set<'_> {
    /// One without a type and without elements.
    pub(super) fn new(line: usize, is_map: bool) -> Self {
        Set { line, kind: None, is_map, is_dynamic: false, is_limited: false, elements: Vec::new() }
    }
}
