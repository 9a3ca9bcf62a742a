//! One packet through a model, rule by rule: which rules it met, and which one decided.
//!
//! This follows the model as a device would, without a diagram. It finds the lines behind a difference, and is a second
//! opinion on what the diagrams say.

use std::collections::BTreeMap;

use super::meaning::Circumstances;
use crate::read::{Action, ChainId, Condition, Family, Filter, Interfaces, Match, Model};

/// A packet with all that a config can look at, besides its circumstances.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Point {
    pub(super) family: Family,
    pub(super) source: u128,
    pub(super) destination: u128,
    pub(super) protocol: u8,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) flags: u8,
    pub(super) second: u32,
    pub(super) moment: u32,
}

/// What became of a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Walk {
    /// True if every filter let it pass.
    pub(super) passes: bool,
    /// The line that decided: the last filter's accepting one, or the one that stopped it. That of the filter where no
    /// rule decided.
    pub(super) line: Option<usize>,
    /// What the config says of that rule.
    pub(super) label: Option<String>,
}

/// How a chain was left.
#[derive(Clone, Copy)]
enum Left<'m> {
    Decided(bool, &'m crate::read::Rule),
    Undecided,
}

/// Follows a packet; opaque conditions all hold, or none does.
pub(super) fn walk(model: &Model, point: &Point, here: Circumstances, opaque: bool) -> Walk {
    let on_path = |filter: &&Filter| match here.leaves {
        Some(_) => filter.paths.through,
        None => filter.paths.to_device,
    };
    let mut walker = Walker { model, point, here, opaque, known: BTreeMap::new() };
    let mut last = Walk { passes: true, line: None, label: None };
    for filter in model.filters.iter().filter(on_path) {
        if !walker.matches(&filter.concerns) {
            continue;
        }
        last = match walker.chain(filter.chain, 0) {
            Left::Decided(passes, rule) => {
                Walk { passes, line: Some(rule.line), label: rule.label.as_deref().map(str::to_owned) }
            }
            Left::Undecided => Walk { passes: filter.otherwise_accept, line: Some(filter.line), label: None },
        };
        if !last.passes {
            return last;
        }
    }
    last
}

/// The deepest nesting of chains that a packet is followed into; the kernel's own limit is 16.
const DEEPEST: usize = 128;

struct Walker<'m, 'p> {
    model: &'m Model,
    point: &'p Point,
    here: Circumstances<'p>,
    opaque: bool,
    /// How chains were left: chains that call each other twice would be followed as often as there are ways to them.
    known: BTreeMap<ChainId, Left<'m>>,
}

impl<'m> Walker<'m, '_> {
    fn chain(&mut self, id: ChainId, depth: usize) -> Left<'m> {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let left = self.followed(id, depth);
        self.known.insert(id, left);
        left
    }

    fn followed(&mut self, id: ChainId, depth: usize) -> Left<'m> {
        let Some(chain) = self.model.chains.get(id.0).filter(|_| depth < DEEPEST) else {
            return Left::Undecided;
        };
        for rule in &chain.rules {
            if !self.matches(&rule.matches) {
                continue;
            }
            match rule.action {
                Action::Accept => return Left::Decided(true, rule),
                Action::Drop => return Left::Decided(false, rule),
                Action::Return => return Left::Undecided,
                Action::Continue => {}
                Action::Goto(target) => return self.chain(target, depth + 1),
                Action::Jump(target) => match self.chain(target, depth + 1) {
                    Left::Undecided => {}
                    decided @ Left::Decided(..) => return decided,
                },
            }
        }
        Left::Undecided
    }

    fn matches(&self, matches: &Match) -> bool {
        let leaves = match self.here.leaves {
            Some(name) => matches.leaves.contains(name),
            None => matches.leaves == Interfaces::Any,
        };
        leaves
            && matches.arrives.contains(self.here.arrives)
            && matches.states.contains(self.here.state)
            && matches.later_fragments.is_none_or(|later| later == self.here.later_fragment)
            && (matches.opaque.is_empty() || self.opaque)
            && matches.conditions.iter().all(|condition| self.holds(condition))
    }

    fn holds(&self, condition: &Condition) -> bool {
        let point = self.point;
        let within = |value: u128, (first, last): (u128, u128)| first <= value && value <= last;
        let port = |value: u16, (first, last): (u16, u16)| first <= value && value <= last;
        let inside = condition.boxes.iter().any(|packets| {
            packets.family == point.family
                && within(point.source, packets.source)
                && within(point.destination, packets.destination)
                && (packets.protocol.0..=packets.protocol.1).contains(&point.protocol)
                && port(point.source_port, packets.source_port)
                && port(point.destination_port, packets.destination_port)
                && (packets.flags.0..=packets.flags.1).contains(&point.flags)
                && (packets.second.0..=packets.second.1).contains(&point.second)
                && (packets.moment.0..=packets.moment.1).contains(&point.moment)
        });
        inside != condition.negated
    }
}
