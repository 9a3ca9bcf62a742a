//! Flows added up as they come: nothing is kept of one that is judged, but its part in a sum.

use std::net::IpAddr;

// INVARIANT: said at each map below.
use hashbrown::HashMap;

use super::judge::{Judge, Verdict};
use super::pair::Pairs;
use super::report::{Replies, Report};
use super::suggest::{Seen, Suggestion};
use super::write::Placeholders;
use crate::flows::{Flow, Moment, Opener};
use crate::ir::{Policy, RuleIndex};
use crate::set::Packet;
use crate::source::Sources;

/// How many flows there were, and when.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Total {
    pub(super) flows: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) first: Option<Moment>,
    pub(super) last: Option<Moment>,
}

/// Adds to a sum.
pub(super) fn add(sum: &mut Total, more: &Total) {
    sum.flows = sum.flows.saturating_add(more.flows);
    sum.rows = sum.rows.saturating_add(more.rows);
    sum.bytes = sum.bytes.saturating_add(more.bytes);
    sum.first = sum.first.into_iter().chain(more.first).min();
    sum.last = sum.last.max(more.last);
}

/// What flows have in common that are shown in one row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Key {
    pub(super) verdict: Verdict,
    /// True if it may be a reply.
    pub(super) unclear: bool,
    /// Who opened it, by the numbers of [`super::cells::Cells::party`].
    pub(super) from: Option<usize>,
    pub(super) to: Option<usize>,
    pub(super) protocol: u8,
    /// The destination port, or `type * 256 + code` of ICMP.
    pub(super) port: u16,
}

/// Flows in one row, and the smallest packet among them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) total: Total,
    pub(super) example: Packet,
}

/// A policy that flows are replayed against.
pub struct Simulation<'p> {
    judge: Judge<'p>,
    sums: Sums,
    pairs: Pairs,
    used: Vec<bool>,
}

/// What was added up.
#[derive(Default)]
struct Sums {
    // INVARIANT: walked once, to make a list that is sorted.
    groups: HashMap<Key, Group>,
    /// What is denied since no rule speaks of it, packet by packet but for the source port; only if it is asked for.
    // INVARIANT: walked once, to make an ordered map.
    seen: Option<HashMap<(IpAddr, IpAddr, u8, u16), Total>>,
}

impl Sums {
    fn add(&mut self, judge: &Judge, packet: Packet, verdict: Verdict, total: Total, unclear: bool) {
        let party = |address| judge.cells.of(address).map(|cell| cell.party);
        let Packet { source, destination, protocol, destination_port: port, .. } = packet;
        let key = Key { verdict, unclear, from: party(source), to: party(destination), protocol, port };
        let group = self.groups.entry(key).or_insert(Group { total: Total::default(), example: packet });
        group.example = group.example.min(packet);
        add(&mut group.total, &total);
        if let (Some(seen), Verdict::Unmentioned, false) = (&mut self.seen, verdict, unclear) {
            add(seen.entry((source, destination, protocol, port)).or_default(), &total);
        }
    }
}

impl<'p> Simulation<'p> {
    /// Prepares a policy. `before` is the same policy without the postures that were put on it, if it is judged under some;
    /// `suggests` says that [`Simulation::finish`] is to make a suggestion.
    pub fn new(policy: &'p Policy, before: Option<&'p Policy>, suggests: bool) -> Self {
        Simulation {
            judge: Judge::new(policy, before),
            sums: Sums { seen: suggests.then(Default::default), ..Sums::default() },
            pairs: Pairs::default(),
            used: vec![false; policy.rules.len()],
        }
    }

    /// Replays a flow.
    pub fn take(&mut self, flow: &Flow) {
        let Flow { packet, flows, bytes, first, last, opener } = *flow;
        let total = Total { flows, rows: 1, bytes, first, last: last.max(first) };
        let used = &mut self.used;
        let verdict = match opener {
            Opener::Source => self.judge.judge(&packet, first, &mut |rule| mark(used, rule)),
            Opener::Unknown => {
                let mut rules = Vec::new();
                let verdict = self.judge.judge(&packet, first, &mut |rule| rules.push(rule));
                if !verdict.passes() {
                    self.pairs.is_blocked(packet, verdict, total);
                    return;
                }
                rules.into_iter().for_each(|rule| mark(used, rule));
                self.pairs.passes(packet, first);
                verdict
            }
        };
        self.sums.add(&self.judge, packet, verdict, total, false);
    }

    /// Ends the replay: what it came to, and statements that would allow what no rule speaks of, if they were asked for.
    pub fn finish(self, sources: &Sources, placeholders: &Placeholders) -> (Report, Option<Suggestion>) {
        let Simulation { judge, mut sums, pairs, mut used } = self;
        let mut replies = Replies::default();
        let mut opened = Vec::new();
        pairs.settle(
            &judge,
            &mut replies,
            &mut |rule| mark(&mut used, rule),
            &mut |packet, verdict, total, unclear| opened.push((packet, verdict, total, unclear)),
        );
        for (packet, verdict, total, unclear) in opened {
            if let Some(rule) = verdict.rule().filter(|_| matches!(verdict, Verdict::Forbidden(_))) {
                mark(&mut used, rule);
            }
            sums.add(&judge, packet, verdict, total, unclear);
        }
        let Sums { groups, seen } = sums;
        let report = Report::new(&judge, sources, groups.into_iter().collect(), replies, &used);
        let suggestion = seen.map(|seen| {
            let seen: Vec<Seen> = seen.into_iter().map(Seen::from).collect();
            Suggestion::new(judge.policy, seen, &report, placeholders)
        });
        (report, suggestion)
    }
}

fn mark(used: &mut [bool], rule: RuleIndex) {
    if let Some(used) = used.get_mut(rule.0) {
        *used = true;
    }
}
