//! What a model does with one packet: a plain interpreter, for tests.

use cordon::read::{Action, Condition, Family, Match, Model, PacketBox, States};

/// The way of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Through,
    ToDevice,
    FromDevice,
}

/// A packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) way: Way,
    pub(super) arrives: &'static str,
    pub(super) leaves: &'static str,
    pub(super) state: States,
    pub(super) fields: PacketBox,
    /// The conditions without a field that hold.
    pub(super) holds: &'static [&'static str],
}

/// A packet that opens a connection from `lan` to `wan`: `tcp 10.0.0.1:40000 10.1.0.2:80`, `icmp 10.0.0.1 10.1.0.2:8`.
pub(super) fn packet(text: &str) -> Packet {
    let words: Vec<&str> = text.split(' ').collect();
    let end = |word: &str, otherwise: u16| -> (std::net::IpAddr, u16) {
        if let Ok(address) = word.parse() {
            return (address, otherwise);
        }
        let (address, port) = word.rsplit_once(':').unwrap();
        (address.trim_matches(['[', ']']).parse().unwrap(), port.parse().unwrap())
    };
    let (source, source_port) = end(words[1], 40_000);
    let (destination, destination_port) = end(words[2], 9);
    let family = if source.is_ipv4() { Family::V4 } else { Family::V6 };
    let number = |address| match address {
        std::net::IpAddr::V4(address) => u128::from(u32::from(address)),
        std::net::IpAddr::V6(address) => u128::from(address),
    };
    let all = PacketBox::all(family);
    let mut fields = PacketBox {
        source: (number(source), number(source)),
        destination: (number(destination), number(destination)),
        flags: (0, 0),
        second: (0, 0),
        ..all
    };
    let ports = ((source_port, source_port), (destination_port, destination_port));
    let (protocol, source_ports, destination_ports) = match words[0] {
        "tcp" => (6, ports.0, ports.1),
        "udp" => (17, ports.0, ports.1),
        "sctp" => (132, ports.0, ports.1),
        "icmp" => (if family == Family::V4 { 1 } else { 58 }, ports.1, (0, 0)),
        other => (other.parse().unwrap(), (0, 0), (0, 0)),
    };
    fields.protocol = (protocol, protocol);
    fields.source_port = source_ports;
    fields.destination_port = destination_ports;
    if protocol == 6 {
        fields.flags = (2, 2);
    }
    Packet { way: Way::Through, arrives: "lan", leaves: "wan", state: States::NEW, fields, holds: &[] }
}

/// True if a packet passes all filters that concern it.
pub(super) fn passes(model: &Model, packet: Packet) -> bool {
    let concerned = model.filters.iter().filter(|filter| {
        let way = match packet.way {
            Way::Through => filter.paths.through,
            Way::ToDevice => filter.paths.to_device,
            Way::FromDevice => filter.paths.from_device,
        };
        // A packet has no side on which it does not cross an interface.
        let arrives = packet.way != Way::FromDevice || filter.concerns.arrives == Default::default();
        let leaves = packet.way != Way::ToDevice || filter.concerns.leaves == Default::default();
        way && arrives && leaves && matches(&filter.concerns, packet)
    });
    let verdicts: Vec<bool> = concerned
        .map(|filter| {
            let rules = &model.chains[filter.chain.0].rules;
            let decides = |rule: &&cordon::read::Rule| match rule.action {
                Action::Accept | Action::Drop => matches(&rule.matches, packet),
                Action::Continue => false,
                Action::Jump(_) | Action::Goto(_) | Action::Return => panic!("a chain of pfSense is flat"),
            };
            rules.iter().find(decides).map_or(filter.otherwise_accept, |rule| rule.action == Action::Accept)
        })
        .collect();
    assert!(!verdicts.is_empty(), "{packet:?} meets no filter");
    verdicts.iter().all(|passes| *passes)
}

fn matches(what: &Match, packet: Packet) -> bool {
    what.states.contains(packet.state)
        && what.arrives.contains(packet.arrives)
        && what.leaves.contains(packet.leaves)
        && what.later_fragments != Some(true)
        && what.opaque.iter().all(|text| packet.holds.contains(&text.as_str()))
        && what.conditions.iter().all(|condition| holds(condition, &packet.fields))
}

fn holds(condition: &Condition, packet: &PacketBox) -> bool {
    condition.boxes.iter().any(|set| covers(set, packet)) != condition.negated
}

fn covers(set: &PacketBox, packet: &PacketBox) -> bool {
    fn within<T: PartialOrd>(outer: (T, T), inner: (T, T)) -> bool {
        outer.0 <= inner.0 && inner.1 <= outer.1
    }
    set.family == packet.family
        && within(set.source, packet.source)
        && within(set.destination, packet.destination)
        && within(set.protocol, packet.protocol)
        && within(set.source_port, packet.source_port)
        && within(set.destination_port, packet.destination_port)
        && within(set.flags, packet.flags)
        && within(set.second, packet.second)
}
