//! The verdict on one packet at one time.

use std::collections::BTreeSet;

use super::cells::{Cell, Cells};
use super::clock::Clocks;
use crate::flows::Moment;
use crate::ir::{Effect, Policy, RuleIndex, Topology, ZoneId};
use crate::set::Packet;

/// What would become of a flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// A rule allows it, at its time if the rule has a schedule.
    Allowed(RuleIndex),
    /// A rule allows it at times, and the flow has no time.
    AtTimes(RuleIndex),
    /// Both ends lie in one zone: no firewall sees it.
    Local,
    /// A forbid takes it away.
    Forbidden(RuleIndex),
    /// A posture cuts it off; without the posture the rule would allow it.
    Cut(RuleIndex),
    /// A rule allows it at other times.
    OtherTimes(RuleIndex),
    /// No rule speaks of it.
    Unmentioned,
    /// The policy denies it, but no enforcement point lies between the two zones.
    Unseen,
    /// An address lies in no zone.
    Unzoned,
}

impl Verdict {
    /// True if it would pass.
    pub fn passes(self) -> bool {
        matches!(self, Verdict::Allowed(_) | Verdict::AtTimes(_) | Verdict::Local)
    }

    /// True if a firewall would stop it.
    pub fn is_blocked(self) -> bool {
        matches!(
            self,
            Verdict::Forbidden(_) | Verdict::Cut(_) | Verdict::OtherTimes(_) | Verdict::Unmentioned
        )
    }

    /// The rule behind it.
    pub fn rule(self) -> Option<RuleIndex> {
        match self {
            Verdict::Allowed(rule)
            | Verdict::AtTimes(rule)
            | Verdict::Forbidden(rule)
            | Verdict::Cut(rule)
            | Verdict::OtherTimes(rule) => Some(rule),
            Verdict::Local | Verdict::Unmentioned | Verdict::Unseen | Verdict::Unzoned => None,
        }
    }

    /// The word for it in answers for programs.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Allowed(_) => "allow",
            Verdict::AtTimes(_) => "scheduled",
            Verdict::Local => "local",
            Verdict::Forbidden(_) | Verdict::Cut(_) | Verdict::OtherTimes(_) | Verdict::Unmentioned => "deny",
            Verdict::Unseen => "unseen",
            Verdict::Unzoned => "unzoned",
        }
    }
}

/// A policy made ready to judge many flows.
pub(super) struct Judge<'p> {
    pub(super) policy: &'p Policy,
    pub(super) cells: Cells,
    clocks: Clocks<'p>,
    /// Pairs of zones between which no enforcement point lies; none where the policy has no enforcement point at all.
    unseen: BTreeSet<(ZoneId, ZoneId)>,
    /// The policy without its postures, if it is judged under some.
    before: Option<Box<Judge<'p>>>,
}

impl<'p> Judge<'p> {
    /// Prepares a policy; `before` is the same without the postures that were put on it.
    pub(super) fn new(policy: &'p Policy, before: Option<&'p Policy>) -> Self {
        Judge {
            policy,
            cells: Cells::new(policy),
            clocks: Clocks::new(policy),
            unseen: unseen(policy),
            before: before.map(|before| Box::new(Judge::new(before, None))),
        }
    }

    /// The verdict on a packet, and the rules that have a say in it handed to `note`.
    pub(super) fn judge(
        &self,
        packet: &Packet,
        at: Option<Moment>,
        note: &mut dyn FnMut(RuleIndex),
    ) -> Verdict {
        let cells = (self.cells.of(packet.source), self.cells.of(packet.destination));
        let (Some(from), Some(to)) = cells else { return Verdict::Unzoned };
        let (Some(source), Some(destination)) = (from.zone, to.zone) else { return Verdict::Unzoned };
        if packet.source.is_ipv4() != packet.destination.is_ipv4() {
            return Verdict::Unzoned;
        }
        if source == destination {
            return Verdict::Local;
        }
        let verdict = self.by_rules(from, to, packet, at, note);
        if verdict.passes() {
            return verdict;
        }
        if self.unseen.contains(&(source, destination)) {
            return Verdict::Unseen;
        }
        let before = self.before.as_ref().map(|before| before.judge(packet, at, &mut |_| {}));
        let without = before.filter(|before| before.passes()).and_then(Verdict::rule);
        without.map_or(verdict, Verdict::Cut)
    }

    /// The first rule that matches decides; of allows with a schedule, only at its times.
    fn by_rules(
        &self,
        from: &Cell,
        to: &Cell,
        packet: &Packet,
        at: Option<Moment>,
        note: &mut dyn FnMut(RuleIndex),
    ) -> Verdict {
        let mut verdict = Verdict::Unmentioned;
        for index in from.rules_to(to) {
            let rule = &self.policy[index];
            if !rule.services.contains(packet) {
                continue;
            }
            let own = match (rule.effect, rule.during, at) {
                (Effect::Forbid, ..) => Verdict::Forbidden(index),
                (Effect::Allow, None, _) => Verdict::Allowed(index),
                (Effect::Allow, Some(_), None) => Verdict::AtTimes(index),
                (Effect::Allow, Some(schedule), Some(at)) if self.clocks.holds(schedule, at) => {
                    Verdict::Allowed(index)
                }
                (Effect::Allow, Some(_), Some(_)) => Verdict::OtherTimes(index),
            };
            let is_forbidden = matches!(verdict, Verdict::Forbidden(_));
            if is_forbidden && rule.effect == Effect::Allow {
                break;
            }
            if !matches!(own, Verdict::OtherTimes(_)) {
                note(index);
            }
            // A rule that holds at the time of the flow comes before one that does not.
            let is_late = matches!(verdict, Verdict::OtherTimes(_)) && own.passes();
            if verdict == Verdict::Unmentioned || is_late {
                verdict = own;
            }
        }
        verdict
    }
}

fn unseen(policy: &Policy) -> BTreeSet<(ZoneId, ZoneId)> {
    if policy.devices.is_empty() {
        return BTreeSet::new();
    }
    let topology = Topology::new(policy);
    let all = policy.zone_ids().flat_map(|from| policy.zone_ids().map(move |to| (from, to)));
    all.filter(|(from, to)| from != to && topology.crossings(*from, *to).is_empty()).collect()
}
