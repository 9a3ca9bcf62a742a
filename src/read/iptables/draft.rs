//! A rule, understood but for the sets that it looks into.

use std::sync::Arc;

use super::super::model::{Condition, Family, Interfaces, PacketBox, States};
use super::address::Range;
use super::modules::Fields;

/// A look into a named set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lookup {
    /// The set's name.
    pub(super) set: String,
    /// For each part of an element, whether it is compared with the packet's source.
    pub(super) from_source: Vec<bool>,
    pub(super) negated: bool,
}

/// Where a packet goes that a rule matches. Chains are places in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Destiny {
    Accept,
    Drop,
    Return,
    Continue,
    Jump(usize),
    Goto(usize),
}

/// A rule, understood but for the sets that it looks into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Draft {
    /// What is true of all packets that match; nothing if no packet can match.
    pub(super) within: Option<PacketBox>,
    /// What else has to hold.
    pub(super) conditions: Vec<Condition>,
    pub(super) lookups: Vec<Lookup>,
    pub(super) arrives: Interfaces,
    pub(super) leaves: Interfaces,
    pub(super) states: States,
    /// As in the model.
    pub(super) later_fragments: Option<bool>,
    pub(super) opaque: Vec<String>,
    pub(super) label: Option<Arc<str>>,
    pub(super) destiny: Destiny,
    /// What its matches look at.
    pub(super) reads: Fields,
    /// What its target changes.
    pub(super) writes: Fields,
    /// Sets that its target changes.
    pub(super) changes: Vec<String>,
    /// How many rules the kernel makes of it.
    pub(super) copies: usize,
}

impl Draft {
    /// A rule that matches all packets of a family.
    pub(super) fn new(family: Family) -> Self {
        Draft {
            within: Some(PacketBox::all(family)),
            conditions: Vec::new(),
            lookups: Vec::new(),
            arrives: Interfaces::Any,
            leaves: Interfaces::Any,
            states: States::ALL,
            later_fragments: None,
            opaque: Vec::new(),
            label: None,
            destiny: Destiny::Continue,
            reads: Fields::NONE,
            writes: Fields::NONE,
            changes: Vec::new(),
            copies: 1,
        }
    }

    /// Adds that packets lie in one of some boxes, or, negated, in none.
    pub(super) fn require(&mut self, mut boxes: Vec<PacketBox>, negated: bool) {
        if let ([one], false) = (boxes.as_slice(), negated) {
            self.within = self.within.and_then(|within| within.intersection(one));
        } else if !boxes.is_empty() {
            boxes.dedup();
            self.conditions.push(Condition { boxes: boxes.into(), negated });
        } else if !negated {
            self.within = None;
        }
    }

    /// Adds that the packet shows its ports: that it is not a later fragment.
    pub(super) fn require_ports(&mut self) {
        match self.later_fragments {
            None => self.later_fragments = Some(false),
            Some(true) => self.within = None,
            Some(false) => {}
        }
    }
}

/// The packets from some addresses, or to them.
pub(super) fn from_or_to(family: Family, range: Range, is_source: bool) -> PacketBox {
    let all = PacketBox::all(family);
    if is_source { PacketBox { source: range, ..all } } else { PacketBox { destination: range, ..all } }
}

/// The packets of a protocol.
pub(super) fn of_protocol(family: Family, protocol: u8) -> PacketBox {
    PacketBox { protocol: (protocol, protocol), ..PacketBox::all(family) }
}
