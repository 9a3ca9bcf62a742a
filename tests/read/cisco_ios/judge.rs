//! What a model does with a packet, found by trying every box. It stands for what a reader of the model does.

use std::net::IpAddr;

use cordon::read::{Action, Chain, Condition, Family, Match, Model, PacketBox};

/// A packet, with all that a model can ask of it.
#[derive(Clone, Debug)]
pub(super) struct Packet<'p> {
    pub(super) source: &'p str,
    pub(super) destination: &'p str,
    pub(super) protocol: u8,
    /// Ports, or type and code.
    pub(super) ports: (u16, u16),
    pub(super) flags: u8,
    pub(super) second: u32,
    /// The second since 1970.
    pub(super) moment: u32,
    pub(super) later_fragment: bool,
    pub(super) arrives: &'p str,
    pub(super) leaves: &'p str,
    /// True if it is for the device itself.
    pub(super) to_device: bool,
    /// The conditions that hold of it, of those that the model cannot look at.
    pub(super) holds: &'p [&'p str],
}

/// TCP from 10.0.0.1 port 40000 to 10.9.9.9 port 80 that opens a connection, from Vlan1 to Vlan2.
pub(super) const TCP: Packet = Packet {
    source: "10.0.0.1",
    destination: "10.9.9.9",
    protocol: 6,
    ports: (40000, 80),
    flags: 2,
    second: 0,
    moment: 1_793_491_200,
    later_fragment: false,
    arrives: "Vlan1",
    leaves: "Vlan2",
    to_device: false,
    holds: &[],
};

/// The same from 2001:db8::1 to 2001:db8:9::9.
pub(super) const TCP_V6: Packet = Packet { source: "2001:db8::1", destination: "2001:db8:9::9", ..TCP };

fn number(address: &str) -> (Family, u128) {
    match address.parse().unwrap() {
        IpAddr::V4(v4) => (Family::V4, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (Family::V6, u128::from(v6)),
    }
}

impl Packet<'_> {
    fn lies_in(&self, packets: &PacketBox) -> bool {
        let (family, source) = number(self.source);
        let (_, destination) = number(self.destination);
        fn within<N: PartialOrd>(value: N, (first, last): (N, N)) -> bool {
            first <= value && value <= last
        }
        let whole = (0, u16::MAX);
        // A later fragment shows no ports, so no box that asks for some can hold it.
        let shows =
            !self.later_fragment || (packets.source_port == whole && packets.destination_port == whole);
        packets.family == family
            && shows
            && within(source, packets.source)
            && within(destination, packets.destination)
            && within(self.protocol, packets.protocol)
            && (self.later_fragment || within(self.ports.0, packets.source_port))
            && (self.later_fragment || within(self.ports.1, packets.destination_port))
            && within(self.flags, packets.flags)
            && within(self.second, packets.second)
            && within(self.moment, packets.moment)
    }

    fn meets(&self, condition: &Condition) -> bool {
        condition.boxes.iter().any(|packets| self.lies_in(packets)) != condition.negated
    }

    fn matches(&self, matches: &Match) -> bool {
        matches.arrives.contains(self.arrives)
            && matches.leaves.contains(self.leaves)
            && matches.later_fragments.is_none_or(|later| later == self.later_fragment)
            && matches.conditions.iter().all(|condition| self.meets(condition))
            && matches.opaque.iter().all(|condition| self.holds.contains(&condition.as_str()))
    }

    fn decision(&self, chain: &Chain) -> Option<bool> {
        let rule = chain.rules.iter().find(|rule| self.matches(&rule.matches))?;
        match rule.action {
            Action::Accept => Some(true),
            Action::Drop => Some(false),
            other => panic!("a list of IOS has no {other:?}"),
        }
    }

    /// True if it passes all filters that concern it.
    pub(super) fn passes(&self, model: &Model) -> bool {
        let meets = |filter: &&cordon::read::Filter| {
            let on_the_way = if self.to_device { filter.paths.to_device } else { filter.paths.through };
            on_the_way && self.matches(&filter.concerns)
        };
        let passes = |filter: &cordon::read::Filter| {
            self.decision(&model.chains[filter.chain.0]).unwrap_or(filter.otherwise_accept)
        };
        model.filters.iter().filter(meets).all(passes)
    }
}
