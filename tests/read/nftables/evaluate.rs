//! What a model does with one packet, by its own words.

use cordon::read::{Action, ChainId, Family, Interfaces, Match, Model, PacketBox, States};

/// A packet on its way.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) arrives: &'static str,
    pub(super) leaves: &'static str,
    pub(super) state: States,
    pub(super) fields: PacketBox,
    /// The conditions without a field in the model that hold.
    pub(super) holds: Vec<&'static str>,
}

/// A way through the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Through,
    ToDevice,
    FromDevice,
}

/// A TCP packet over IPv4 from 10.0.0.1 port 50000 to 10.0.0.2 port 22, on a Monday at midnight.
pub(super) fn packet() -> Packet {
    let mut fields = PacketBox::all(Family::V4);
    fields.source = (0x0a00_0001, 0x0a00_0001);
    fields.destination = (0x0a00_0002, 0x0a00_0002);
    fields.protocol = (6, 6);
    fields.source_port = (50_000, 50_000);
    fields.destination_port = (22, 22);
    fields.flags = (2, 2);
    fields.second = (0, 0);
    fields.moment = (0, 0);
    Packet { arrives: "a", leaves: "b", state: States::NEW, fields, holds: Vec::new() }
}

/// The same over IPv6, from ::1 to ::2.
pub(super) fn packet6() -> Packet {
    let mut packet = packet();
    packet.fields.family = Family::V6;
    packet.fields.source = (1, 1);
    packet.fields.destination = (2, 2);
    packet
}

impl Packet {
    pub(super) fn protocol(mut self, protocol: u8) -> Self {
        self.fields.protocol = (protocol, protocol);
        self.fields.flags = (0, if protocol == 6 { 2 } else { 0 });
        self
    }

    pub(super) fn port(mut self, port: u16) -> Self {
        self.fields.destination_port = (port, port);
        self
    }

    /// A message of ICMP or ICMPv6.
    pub(super) fn message(self, kind: u16, code: u16) -> Self {
        let protocol = if self.fields.family == Family::V4 { 1 } else { 58 };
        let mut packet = self.protocol(protocol).port(code);
        packet.fields.source_port = (kind, kind);
        packet
    }

    pub(super) fn from(mut self, address: u128) -> Self {
        self.fields.source = (address, address);
        self
    }

    pub(super) fn to(mut self, address: u128) -> Self {
        self.fields.destination = (address, address);
        self
    }

    pub(super) fn flags(mut self, flags: u8) -> Self {
        self.fields.flags = (flags, flags);
        self
    }

    /// At a second since 1970.
    pub(super) fn moment(mut self, second: u32) -> Self {
        self.fields.moment = (second, second);
        self
    }

    pub(super) fn at(mut self, day: u32, hour: u32, minute: u32, second: u32) -> Self {
        let second = ((day * 24 + hour) * 60 + minute) * 60 + second;
        self.fields.second = (second, second);
        self
    }

    pub(super) fn state(mut self, state: States) -> Self {
        self.state = state;
        self
    }

    pub(super) fn way(mut self, arrives: &'static str, leaves: &'static str) -> Self {
        (self.arrives, self.leaves) = (arrives, leaves);
        self
    }

    pub(super) fn holding(mut self, text: &'static str) -> Self {
        self.holds.push(text);
        self
    }
}

/// True if a packet that is routed passes all filters.
pub(super) fn passes(model: &Model, packet: &Packet) -> bool {
    passes_on(model, packet, Way::Through)
}

/// True if a packet passes all filters on its way.
pub(super) fn passes_on(model: &Model, packet: &Packet, way: Way) -> bool {
    model.filters.iter().all(|filter| {
        let concerned = match way {
            Way::Through => filter.paths.through,
            Way::ToDevice => filter.paths.to_device,
            Way::FromDevice => filter.paths.from_device,
        };
        let matched = concerned && holds(&filter.concerns, packet);
        !matched || chain(model, filter.chain, packet).unwrap_or(filter.otherwise_accept)
    })
}

/// What a chain decides; `Err` holds nothing but that it leaves the packet to the caller.
fn chain(model: &Model, ChainId(place): ChainId, packet: &Packet) -> Option<bool> {
    for rule in &model.chains[place].rules {
        if !holds(&rule.matches, packet) {
            continue;
        }
        match rule.action {
            Action::Accept => return Some(true),
            Action::Drop => return Some(false),
            Action::Return => return None,
            Action::Continue => {}
            Action::Goto(target) => return chain(model, target, packet),
            Action::Jump(target) => {
                if let Some(verdict) = chain(model, target, packet) {
                    return Some(verdict);
                }
            }
        }
    }
    None
}

fn holds(matches: &Match, packet: &Packet) -> bool {
    let interface = |interfaces: &Interfaces, name: &str| interfaces.contains(name);
    interface(&matches.arrives, packet.arrives)
        && interface(&matches.leaves, packet.leaves)
        && matches.states.contains(packet.state)
        && matches.later_fragments != Some(true)
        && matches.opaque.iter().all(|text| packet.holds.contains(&text.as_str()))
        && matches.conditions.iter().all(|condition| {
            condition.boxes.iter().any(|outer| lies_in(&packet.fields, outer)) != condition.negated
        })
}

fn lies_in(packet: &PacketBox, outer: &PacketBox) -> bool {
    let within = |inner: (u128, u128), outer: (u128, u128)| outer.0 <= inner.0 && inner.0 <= outer.1;
    let wide = |range: (u16, u16)| (u128::from(range.0), u128::from(range.1));
    let bytes = |range: (u8, u8)| (u128::from(range.0), u128::from(range.1));
    let long = |range: (u32, u32)| (u128::from(range.0), u128::from(range.1));
    packet.family == outer.family
        && within(packet.source, outer.source)
        && within(packet.destination, outer.destination)
        && within(bytes(packet.protocol), bytes(outer.protocol))
        && within(wide(packet.source_port), wide(outer.source_port))
        && within(wide(packet.destination_port), wide(outer.destination_port))
        && within(bytes(packet.flags), bytes(outer.flags))
        && within(long(packet.second), long(outer.second))
        && within(long(packet.moment), long(outer.moment))
}
