//! What a config does with one packet, by going through the rules that a reader found in it.

use std::net::IpAddr;

use cordon::read::{Action, ChainId, Condition, Family, Interfaces, Match, Model, States};

use super::packets::Packet;

/// A packet on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight<'f> {
    pub(crate) packet: Packet,
    /// The interface that it arrives on.
    pub(crate) arrives: &'f str,
    /// The interface that it leaves by; none if it is for the device itself.
    pub(crate) leaves: Option<&'f str>,
    /// The second of the week, by the clock that the config goes by.
    pub(crate) second: u32,
    /// The second since 1970, by the same clock.
    pub(crate) moment: u32,
}

/// SYN, which opens a connection of TCP.
const SYN: u8 = 2;

/// True if a packet that opens a connection passes all filters, if conditions that the model has no field for all hold, or
/// if none does.
pub(crate) fn passes(models: &[Model], flight: Flight, opaque: bool) -> bool {
    let walk = Walk { flight, opaque };
    let family = walk.family();
    let mut models = models.iter().filter(|model| model.families.contains(&family));
    let Some(model) = models.next() else { return true };
    let mut filters = model.filters.iter().filter(|filter| match flight.leaves {
        Some(_) => filter.paths.through,
        None => filter.paths.to_device,
    });
    filters.all(|filter| {
        let concerned = walk.is_met(&filter.concerns);
        !concerned || walk.chain(model, filter.chain).unwrap_or(filter.otherwise_accept)
    })
}

struct Walk<'f> {
    flight: Flight<'f>,
    opaque: bool,
}

impl Walk<'_> {
    fn family(&self) -> Family {
        if self.flight.packet.source.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// Whether a chain accepts, if it decides.
    fn chain(&self, model: &Model, id: ChainId) -> Option<bool> {
        for rule in &model.chains[id.0].rules {
            if !self.is_met(&rule.matches) {
                continue;
            }
            match rule.action {
                Action::Accept => return Some(true),
                Action::Drop => return Some(false),
                Action::Return => return None,
                Action::Goto(target) => return self.chain(model, target),
                Action::Jump(target) => {
                    let decided = self.chain(model, target);
                    if decided.is_some() {
                        return decided;
                    }
                }
                Action::Continue => {}
            }
        }
        None
    }

    fn is_met(&self, matches: &Match) -> bool {
        let leaves = match self.flight.leaves {
            Some(name) => matches.leaves.contains(name),
            None => matches!(matches.leaves, Interfaces::Any),
        };
        leaves
            && matches.arrives.contains(self.flight.arrives)
            && matches.states.contains(States::NEW)
            && matches.later_fragments != Some(true)
            && (self.opaque || matches.opaque.is_empty())
            && matches.conditions.iter().all(|condition| self.holds(condition))
    }

    fn holds(&self, condition: &Condition) -> bool {
        let Packet { source, destination, protocol, source_port, destination_port } = self.flight.packet;
        let flags = if protocol == 6 { SYN } else { 0 };
        let values = [
            number(source),
            number(destination),
            protocol.into(),
            source_port.into(),
            destination_port.into(),
            flags.into(),
            self.flight.second.into(),
            self.flight.moment.into(),
        ];
        let boxed = condition.boxes.iter().any(|b| {
            let sides: [(u128, u128); 8] = [
                b.source,
                b.destination,
                (b.protocol.0.into(), b.protocol.1.into()),
                (b.source_port.0.into(), b.source_port.1.into()),
                (b.destination_port.0.into(), b.destination_port.1.into()),
                (b.flags.0.into(), b.flags.1.into()),
                (b.second.0.into(), b.second.1.into()),
                (b.moment.0.into(), b.moment.1.into()),
            ];
            let inside = |(value, (first, last)): (&u128, &(u128, u128))| first <= value && value <= last;
            b.family == self.family() && values.iter().zip(&sides).all(inside)
        });
        boxed != condition.negated
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}
