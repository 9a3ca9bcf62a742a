//! The verdict of a policy on a first packet.

use super::conduit::ZoneIndex;
use super::{Conduits, Effect, Policy, RuleIndex, ZoneId};
use crate::set::Packet;

/// What a policy says of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Both ends lie in one zone: no enforcement point sees it.
    Local(ZoneId),
    /// A rule allows it, and none forbids it.
    Allowed(RuleIndex),
    /// A rule allows it during a schedule, none at all times, and none forbids it.
    Scheduled(RuleIndex),
    /// A rule forbids it.
    Forbidden(RuleIndex),
    /// No rule speaks of it, so it is denied.
    Unmentioned,
    /// One of the addresses lies in no zone, so it is denied.
    Unzoned,
}

impl Decision {
    /// The rule that decides, if one does.
    pub fn rule(self) -> Option<RuleIndex> {
        match self {
            Decision::Allowed(rule) | Decision::Scheduled(rule) | Decision::Forbidden(rule) => Some(rule),
            Decision::Local(_) | Decision::Unmentioned | Decision::Unzoned => None,
        }
    }

    /// `allow`, `scheduled`, `deny` or `local`.
    pub fn verdict(self) -> &'static str {
        match self {
            Decision::Local(_) => "local",
            Decision::Allowed(_) => "allow",
            Decision::Scheduled(_) => "scheduled",
            Decision::Forbidden(_) | Decision::Unmentioned | Decision::Unzoned => "deny",
        }
    }
}

/// A policy made ready to decide on many packets.
#[derive(Clone, Debug)]
pub struct Decider<'p> {
    policy: &'p Policy,
    conduits: Conduits,
    zones: ZoneIndex,
}

impl<'p> Decider<'p> {
    /// Prepares a policy.
    pub fn new(policy: &'p Policy) -> Self {
        Decider { policy, conduits: Conduits::new(policy), zones: ZoneIndex::new(policy) }
    }

    /// The zone that holds an address.
    pub fn zone_of(&self, address: std::net::IpAddr) -> Option<ZoneId> {
        self.zones.zone_of(address)
    }

    /// What the policy says of a packet.
    pub fn decide(&self, packet: &Packet) -> Decision {
        if packet.source.is_ipv4() != packet.destination.is_ipv4() {
            return Decision::Unzoned;
        }
        let (Some(from), Some(to)) = (self.zone_of(packet.source), self.zone_of(packet.destination)) else {
            return Decision::Unzoned;
        };
        if from == to {
            return Decision::Local(from);
        }
        match self.matching(from, to, packet).next() {
            None => Decision::Unmentioned,
            Some(rule) => match (self.policy[rule].effect, self.policy[rule].during) {
                (Effect::Allow, None) => Decision::Allowed(rule),
                (Effect::Allow, Some(_)) => Decision::Scheduled(rule),
                (Effect::Forbid, _) => Decision::Forbidden(rule),
            },
        }
    }

    /// All rules that match a packet between two zones, in the order in which they decide.
    fn matching(&self, from: ZoneId, to: ZoneId, packet: &Packet) -> impl Iterator<Item = RuleIndex> {
        let parts = self.conduits.between(from, to).iter();
        let matching = parts.filter(|part| {
            part.sources.contains(packet.source)
                && part.destinations.contains(packet.destination)
                && self.policy[part.rule].services.contains(packet)
        });
        matching.map(|part| part.rule)
    }

    /// The rules that have a say in the verdict on a packet: each that forbids it or, where none does, each that allows
    /// it. None if it stays inside one zone, or if no rule speaks of it.
    pub fn deciding(&self, packet: &Packet) -> Vec<RuleIndex> {
        let zones = self.zone_of(packet.source).zip(self.zone_of(packet.destination));
        let Some((from, to)) = zones.filter(|(from, to)| from != to) else { return Vec::new() };
        let mut rules: Vec<RuleIndex> = self.matching(from, to, packet).collect();
        let is_forbid = |rule: &RuleIndex| self.policy[*rule].effect == Effect::Forbid;
        if rules.first().is_some_and(is_forbid) {
            rules.retain(is_forbid);
        }
        rules
    }
}
