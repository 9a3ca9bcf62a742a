//! Which statement each name and line belongs to that cordon puts into the config of an enforcement point.
//!
//! In: the policy, and the files that it compiles to. Out: for each statement the parts of the config that have counters
//! of it, and for each counter that a device shows its statement. Names that are shortened on a platform are found by
//! shortening those of the policy as the emitter does; one that two statements could have stands for neither.

use std::collections::{BTreeMap, BTreeSet};

use super::{Counter, Dump, cisco_ios, iptables, nftables, pfsense};
use crate::emit::{OutputFile, name_in_description, name_in_log};
use crate::ir::{Device, Policy};

/// What one enforcement point is to have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Compiled {
    /// The parts of the config that have counters of each statement, by its id.
    expected: BTreeMap<String, BTreeSet<String>>,
    /// The statements that a name may stand for.
    names: BTreeMap<String, BTreeSet<String>>,
    /// What log lines of the platform call statements and guards, where they do not call them by their ids.
    logged: BTreeMap<String, BTreeSet<String>>,
    /// The lines of access lists, by the names of the lists.
    lists: BTreeMap<String, Vec<cisco_ios::Line>>,
    /// The names of rules by their trackers, in pfSense.
    trackers: BTreeMap<String, String>,
}

/// What a counter belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Owner {
    /// A statement, by its id.
    Statement(String),
    /// What cordon adds of itself.
    Own,
    /// A name that two statements could have.
    Ambiguous(String),
    /// Something that the policy does not compile to now.
    Unknown(String),
}

impl Compiled {
    /// Reads the files of a device.
    pub fn new(policy: &Policy, device: &Device, files: &[OutputFile]) -> Self {
        let mut compiled = Compiled::default();
        compiled.name_statements(policy, &device.target);
        for file in files {
            let Some((owner, name)) = file.path.split_once('/') else { continue };
            if owner == device.name {
                compiled.take(&device.target, name, &file.content);
            }
        }
        compiled
    }

    fn name_statements(&mut self, policy: &Policy, target: &str) {
        let rules = policy.rules.iter().map(|rule| (rule.id.as_str(), rule.effect.keyword()));
        let managements = policy.managements.iter().map(|management| (management.id.as_str(), "allow"));
        for (id, effect) in rules.chain(managements) {
            let name = if target == "pfsense" { name_in_description(id) } else { id.to_owned() };
            self.names.entry(name).or_default().insert(id.to_owned());
            let word = if effect == "allow" { "allow" } else { "deny" };
            let logged = if target == "iptables" { name_in_log(word, id) } else { id.to_owned() };
            self.logged.entry(logged).or_default().insert(id.to_owned());
        }
        for guard in &policy.guards {
            let name = if target == "iptables" { name_in_log("guard", &guard.id) } else { guard.id.clone() };
            self.logged.entry(name).or_default().insert(guard.id.clone());
        }
    }

    fn take(&mut self, target: &str, file: &str, content: &str) {
        let mut expect = |part: &str, names: Vec<String>| {
            for name in names {
                for id in self.names.get(&name).into_iter().flatten() {
                    self.expected.entry(id.clone()).or_default().insert(part.to_owned());
                }
            }
        };
        match (target, file) {
            ("nftables", "ruleset.nft") => expect(file, nftables::names(content)),
            ("iptables", "rules.v4" | "rules.v6") => expect(file, iptables::names_of_rules(content)),
            ("iptables", "sets.ipset") => expect(file, iptables::names_of_sets(content)),
            ("pfsense", "filter.xml" | "scheduled-rules.xml") => {
                let names = pfsense::names(content);
                expect("filter.xml", names.iter().map(|(name, _)| name.clone()).collect());
                self.trackers.extend(names.into_iter().map(|(name, tracker)| (tracker, name)));
            }
            ("cisco-ios", "acl.cfg") => {
                self.lists = cisco_ios::lists(content);
                for (list, lines) in &self.lists {
                    for rule in lines.iter().filter_map(|line| line.rule.clone()) {
                        self.expected.entry(rule).or_default().insert(list.clone());
                    }
                }
            }
            _ => {}
        }
    }

    /// The parts of the config that have counters of a statement; none if it has no counter there.
    pub fn parts_of(&self, statement: &str) -> Option<&BTreeSet<String>> {
        self.expected.get(statement)
    }

    /// True if a part of a config that a device shows has the lines that it is to have, as far as it shows them. The name of
    /// an access list says so by its digest; this is for lists that somebody changed afterwards.
    pub fn agrees(&self, dump: &Dump, part: &str) -> bool {
        let Some(lines) = self.lists.get(part) else { return true };
        let shown = dump.counters.iter().filter(|counter| counter.part == part);
        let shown = shown.filter_map(|counter| counter.key.split_once(' ')).map(|(_, words)| words);
        shown.eq(lines.iter().map(|line| line.words.as_str()))
    }

    /// Says what a counter belongs to.
    pub fn owner(&self, counter: &Counter) -> Owner {
        match &counter.name {
            Some(name) => self.owner_of_name(name),
            None => self.owner_of_line(counter),
        }
    }

    fn owner_of_name(&self, name: &str) -> Owner {
        match self.names.get(name) {
            Some(ids) => one_of(name, ids),
            None if self.trackers.values().any(|own| own == name) => Owner::Own,
            None => Owner::Unknown(format!("a statement `{name}`")),
        }
    }

    fn owner_of_line(&self, counter: &Counter) -> Owner {
        let unknown = || Owner::Unknown(format!("the access list {}", counter.part));
        let Some(lines) = self.lists.get(&counter.part) else { return unknown() };
        let place = counter.key.split_once(' ').and_then(|(place, words)| Some((place.parse().ok()?, words)));
        let Some((place, words)) = place else { return unknown() };
        let line: Option<&cisco_ios::Line> = lines.get::<usize>(place);
        match line.filter(|line| line.words == words).map(|line| &line.rule) {
            Some(Some(rule)) => Owner::Statement(rule.clone()),
            Some(None) => Owner::Own,
            None => unknown(),
        }
    }

    /// The statement or guard that a log line calls by a name.
    pub fn logged(&self, name: &str) -> Owner {
        match self.logged.get(name) {
            Some(ids) => one_of(name, ids),
            None => Owner::Unknown(format!("a statement `{name}`")),
        }
    }

    /// The name that a rule of pfSense has in its description, by its tracker.
    pub fn tracked(&self, tracker: &str) -> Option<Owner> {
        self.trackers.get(tracker).map(|name| self.owner_of_name(name))
    }

    /// The name of what has a tracker, as its description has it.
    pub fn description(&self, tracker: &str) -> Option<&str> {
        self.trackers.get(tracker).map(String::as_str)
    }
}

fn one_of(name: &str, ids: &BTreeSet<String>) -> Owner {
    match (ids.first(), ids.len()) {
        (Some(id), 1) => Owner::Statement(id.clone()),
        _ => Owner::Ambiguous(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_two_could_have_stands_for_neither() {
        let mut compiled = Compiled::default();
        for id in ["one", "other"] {
            compiled.names.entry("short".to_owned()).or_default().insert(id.to_owned());
        }
        assert_eq!(compiled.owner_of_name("short"), Owner::Ambiguous("short".to_owned()));
        assert_eq!(compiled.owner_of_name("x"), Owner::Unknown("a statement `x`".to_owned()));
    }

    #[test]
    fn a_line_that_is_not_where_it_should_be_belongs_to_nothing() {
        let mut compiled = Compiled::default();
        let line = cisco_ios::Line { words: "permit tcp".to_owned(), rule: Some("data".to_owned()) };
        compiled.lists.insert("L".to_owned(), vec![line]);
        let counter = |key: &str| {
            let (part, key) = ("L".to_owned(), key.to_owned());
            compiled.owner(&Counter { part, key, name: None, packets: 1, bytes: None })
        };
        assert_eq!(counter("0 permit tcp"), Owner::Statement("data".to_owned()));
        for wrong in ["0 permit udp", "1 permit tcp", "x"] {
            assert!(matches!(counter(wrong), Owner::Unknown(_)), "{wrong}");
        }
    }
}
