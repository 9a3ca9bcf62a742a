//! One packet through a model, rule by rule: which rules it met, and which one decided.
//!
//! This follows the model as a device would, without a diagram. It finds the lines behind a difference, and is a second
//! opinion on what the diagrams say.

use std::collections::BTreeMap;

use super::meaning::Circumstances;
use crate::read::{Action, ChainId, Condition, Family, Filter, Interfaces, Match, Model, PacketBox, Rule};

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

/// What a filter did with a packet.
#[derive(Clone, Debug)]
pub(super) struct Passed<'m> {
    pub(super) filter: &'m Filter,
    pub(super) passes: bool,
    /// The rule that decided, if one did.
    pub(super) rule: Option<&'m Rule>,
    /// The rules that led to its chain, the first of them first.
    pub(super) jumps: Vec<&'m Rule>,
}

/// How a chain was left.
#[derive(Clone, Copy)]
enum Left<'m> {
    Decided(bool, &'m Rule),
    Undecided,
}

/// Follows a packet; opaque conditions all hold, or none does.
pub(super) fn walk(model: &Model, point: &Point, here: Circumstances, opaque: bool) -> Walk {
    let Some(last) = filters_passed(model, point, here, &|_| opaque).pop() else {
        return Walk { passes: true, line: None, label: None };
    };
    Walk {
        passes: last.passes,
        line: Some(last.rule.map_or(last.filter.line, |rule| rule.line)),
        label: last.rule.and_then(|rule| rule.label.as_deref()).map(str::to_owned),
    }
}

/// Follows a packet through each filter that concerns it, up to the one that stops it; `holds` says which opaque conditions
/// do.
pub(super) fn filters_passed<'m>(
    model: &'m Model,
    point: &Point,
    here: Circumstances,
    holds: &dyn Fn(&str) -> bool,
) -> Vec<Passed<'m>> {
    let on_path = |filter: &&Filter| match here.leaves {
        Some(_) => filter.paths.through,
        None => filter.paths.to_device,
    };
    let mut walker = Walker { model, point, here, opaque: holds, known: BTreeMap::new(), jumps: Vec::new() };
    let mut met = Vec::new();
    for filter in model.filters.iter().filter(on_path) {
        if !walker.matches(&filter.concerns) {
            continue;
        }
        let (passes, rule) = match walker.chain(filter.chain, 0) {
            Left::Decided(passes, rule) => (passes, Some(rule)),
            Left::Undecided => (filter.otherwise_accept, None),
        };
        let jumps = walker.jumps.drain(..).rev().collect();
        // What a chain decided is known with the rules that led to it only within one filter.
        walker.known.retain(|_, left| matches!(left, Left::Undecided));
        met.push(Passed { filter, passes, rule, jumps });
        if !passes {
            break;
        }
    }
    met
}

/// The deepest nesting of chains that a packet is followed into; the kernel's own limit is 16.
const DEEPEST: usize = 128;

struct Walker<'m, 'p> {
    model: &'m Model,
    point: &'p Point,
    here: Circumstances<'p>,
    opaque: &'p dyn Fn(&str) -> bool,
    /// How chains were left: chains that call each other twice would be followed as often as there are ways to them.
    known: BTreeMap<ChainId, Left<'m>>,
    /// The rules that led to the chain that decided, the last of them first.
    jumps: Vec<&'m Rule>,
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
                Action::Goto(target) | Action::Jump(target) => match self.chain(target, depth + 1) {
                    Left::Undecided if matches!(rule.action, Action::Jump(_)) => {}
                    Left::Undecided => return Left::Undecided,
                    decided @ Left::Decided(..) => {
                        self.jumps.push(rule);
                        return decided;
                    }
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
            && matches.opaque.iter().all(|text| (self.opaque)(text))
            && matches.conditions.iter().all(|condition| self.holds(condition))
    }

    fn holds(&self, condition: &Condition) -> bool {
        let inside = condition.boxes.iter().any(|packets| holds(packets, self.point));
        inside != condition.negated
    }
}

/// True if a box of packets holds a packet.
pub(super) fn holds(packets: &PacketBox, point: &Point) -> bool {
    let within = |value: u128, (first, last): (u128, u128)| first <= value && value <= last;
    let port = |value: u16, (first, last): (u16, u16)| first <= value && value <= last;
    packets.family == point.family
        && within(point.source, packets.source)
        && within(point.destination, packets.destination)
        && (packets.protocol.0..=packets.protocol.1).contains(&point.protocol)
        && port(point.source_port, packets.source_port)
        && port(point.destination_port, packets.destination_port)
        && (packets.flags.0..=packets.flags.1).contains(&point.flags)
        && (packets.second.0..=packets.second.1).contains(&point.second)
        && (packets.moment.0..=packets.moment.1).contains(&point.moment)
}
