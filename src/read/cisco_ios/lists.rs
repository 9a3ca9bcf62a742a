//! Access lists as they stand in the config: entries in the order of their sequence numbers.
//!
//! An entry without a number comes behind all others, ten above the last (Cisco, "IP Access List Entry Sequence
//! Numbering"). The same source: an entry that is there already is not added again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::model::Family;
use super::entry::{self, Body};
use super::words::{Fault, Words};

/// What the entries of a list may say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Sources of IPv4.
    Standard,
    /// All of IPv4.
    Extended,
    /// All of IPv6.
    V6,
}

impl Kind {
    /// The family that it is about.
    pub(super) fn family(self) -> Family {
        match self {
            Kind::Standard | Kind::Extended => Family::V4,
            Kind::V6 => Family::V6,
        }
    }

    /// What kind of list a number stands for, if it is one for IP.
    pub(super) fn of_number(name: &str) -> Option<Kind> {
        match name.parse::<u16>().ok().filter(|_| !name.starts_with(['0', '+']))? {
            1..=99 | 1300..=1999 => Some(Kind::Standard),
            100..=199 | 2000..=2699 => Some(Kind::Extended),
            _ => None,
        }
    }
}

/// An entry.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    /// The line that it stands in.
    pub(super) line: usize,
    sequence: u32,
    pub(super) permit: bool,
    pub(super) body: Body<'t>,
    /// The remarks before it.
    pub(super) label: Option<Arc<str>>,
    /// Its words, from `permit` or `deny` on.
    text: &'t str,
}

/// A list.
#[derive(Clone, Debug)]
pub(super) struct List<'t> {
    pub(super) kind: Kind,
    /// The line that it starts in.
    pub(super) line: usize,
    pub(super) entries: Vec<Entry<'t>>,
    /// True once a remark stands in it.
    pub(super) has_remarks: bool,
    sequences: BTreeSet<u32>,
    /// True once an entry came before one that was there.
    disordered: bool,
    remark: Option<Arc<str>>,
    /// True while further remarks belong to the one before.
    remark_is_open: bool,
}

/// All lists, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists<'t> {
    lists: BTreeMap<&'t str, List<'t>>,
}

impl<'t> Lists<'t> {
    /// Opens a list, new or known.
    pub(super) fn open(&mut self, name: &'t str, kind: Kind, line: usize) -> Result<(), Fault> {
        if kind != Kind::V6
            && name.bytes().all(|byte| byte.is_ascii_digit())
            && Kind::of_number(name) != Some(kind)
        {
            return Err(format!("`{name}` is no number of a list of this kind"));
        }
        let list = self.lists.entry(name).or_insert_with(|| List {
            kind,
            line,
            entries: Vec::new(),
            has_remarks: false,
            sequences: BTreeSet::new(),
            disordered: false,
            remark: None,
            remark_is_open: false,
        });
        if list.kind != kind {
            return Err(format!("access list `{name}` of line {} is of another kind", list.line));
        }
        Ok(())
    }

    /// Removes a list.
    pub(super) fn remove(&mut self, name: &str, kind: Kind) -> Result<(), Fault> {
        match self.lists.get(name) {
            Some(list) if list.kind != kind => {
                Err(format!("access list `{name}` of line {} is of another kind", list.line))
            }
            _ => {
                self.lists.remove(name);
                Ok(())
            }
        }
    }

    /// The list of a name.
    pub(super) fn get(&self, name: &str) -> Option<&List<'t>> {
        self.lists.get(name)
    }

    /// The list of a name, to be added to.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut List<'t>> {
        self.lists.get_mut(name)
    }

    /// Puts all entries in order and says which lines must not stand as they do.
    pub(super) fn finish(&mut self) -> Vec<(usize, Fault)> {
        self.lists.values_mut().flat_map(List::finish).collect()
    }

    /// All lists with their names, in the order of lines.
    pub(super) fn in_order(&self) -> Vec<(&'t str, &List<'t>)> {
        let mut all: Vec<_> = self.lists.iter().map(|(name, list)| (*name, list)).collect();
        all.sort_by_key(|(_, list)| list.line);
        all
    }
}

impl<'t> List<'t> {
    /// Reads a line of the list, from its number or action on. `text` is the line as it stands there.
    pub(super) fn read(
        &mut self,
        line: usize,
        words: &mut Words<'_, 't>,
        text: &'t str,
    ) -> Result<(), Fault> {
        let sequence = match self.kind {
            Kind::V6 if words.take("sequence") => Some(words.number().ok_or("`sequence` needs a number")?),
            Kind::V6 => None,
            Kind::Standard | Kind::Extended => words.number(),
        };
        let action = words.required("`permit` or `deny`")?;
        if action == "remark" {
            self.add_remark(behind(text, "remark"));
            return Ok(());
        }
        let permit = match action {
            "permit" => true,
            "deny" => false,
            "evaluate" | "dynamic" => {
                return Err(format!(
                    "`{action}` stands for entries that come while packets pass; they are not here"
                ));
            }
            "no" => return Err("an entry is taken out of a list; write the list without it".to_owned()),
            _ => return Err(format!("`{action}` is not understood here; an entry is `permit` or `deny`")),
        };
        self.remark_is_open = false;
        let sequence = self.place(sequence)?;
        let body = match self.kind {
            Kind::Standard => entry::standard(words)?,
            Kind::Extended | Kind::V6 => entry::extended(words, self.kind.family())?,
        };
        let text = if permit { behind(text, "permit") } else { behind(text, "deny") };
        self.entries.push(Entry { line, sequence, permit, body, label: self.remark.clone(), text });
        Ok(())
    }

    fn add_remark(&mut self, text: &str) {
        self.has_remarks = true;
        let before = self.remark.take().filter(|_| self.remark_is_open);
        self.remark = Some(match before {
            Some(before) => format!("{before} {text}").into(),
            None => text.into(),
        });
        self.remark_is_open = true;
    }

    /// The place of an entry in the order, which is then taken.
    fn place(&mut self, sequence: Option<u32>) -> Result<u32, Fault> {
        let last = self.sequences.last().copied().unwrap_or(0);
        let place = match sequence {
            Some(0) => return Err("sequence numbers start at 1".to_owned()),
            Some(sequence) => sequence,
            None => last.checked_add(10).ok_or("no sequence number is left for this entry")?,
        };
        if !self.sequences.insert(place) {
            return Err(format!("sequence number {place} stands in this list twice"));
        }
        self.disordered |= place < last;
        Ok(place)
    }

    fn finish(&mut self) -> Vec<(usize, Fault)> {
        if !self.disordered {
            return Vec::new();
        }
        let mut seen = BTreeMap::new();
        let mut faults = Vec::new();
        for entry in &self.entries {
            let words: Vec<&str> = entry.text.split_ascii_whitespace().collect();
            if let Some(line) = seen.insert((entry.permit, words), entry.line) {
                let what =
                    format!("the entry stands in line {line} already, and its place is that of the first");
                faults.push((entry.line, what));
            }
        }
        self.entries.sort_by_key(|entry| entry.sequence);
        faults
    }
}

/// What stands behind the first place of a word, without the space around it.
fn behind<'t>(text: &'t str, word: &str) -> &'t str {
    text.split_once(word).map_or("", |(_, behind)| behind.trim())
}
