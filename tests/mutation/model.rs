//! What the model of a reader does with a packet, followed rule by rule and box by box.

use cordon::read::{Action, ChainId, Condition, Family, Match, Model, PacketBox, States};

use super::packet::Packet;

/// True if a packet passes; opaque conditions all hold, or none does.
pub(super) fn passes(models: &[Model], packet: &Packet, opaque: bool) -> bool {
    let family = if packet.source.is_ipv4() { Family::V4 } else { Family::V6 };
    let Some(model) = models.iter().find(|model| model.families.contains(&family)) else { return true };
    let mut verdict = true;
    for filter in &model.filters {
        let on_path = if packet.leaves.is_some() { filter.paths.through } else { filter.paths.to_device };
        if on_path && matches(&filter.concerns, packet, opaque) {
            verdict &= follow(model, filter.chain, packet, opaque, 0).unwrap_or(filter.otherwise_accept);
        }
    }
    verdict
}

fn follow(model: &Model, chain: ChainId, packet: &Packet, opaque: bool, depth: usize) -> Option<bool> {
    assert!(depth < 64, "chains in a circle");
    for rule in &model.chains[chain.0].rules {
        if !matches(&rule.matches, packet, opaque) {
            continue;
        }
        match rule.action {
            Action::Accept => return Some(true),
            Action::Drop => return Some(false),
            Action::Return => return None,
            Action::Continue => {}
            Action::Goto(target) => return follow(model, target, packet, opaque, depth + 1),
            Action::Jump(target) => {
                let decided = follow(model, target, packet, opaque, depth + 1);
                if decided.is_some() {
                    return decided;
                }
            }
        }
    }
    None
}

fn matches(wanted: &Match, packet: &Packet, opaque: bool) -> bool {
    let state = match packet.state {
        "new" | "any" => States::NEW,
        "established" => States::ESTABLISHED,
        "related" => States::RELATED,
        "invalid" => States::INVALID,
        "untracked" => States::UNTRACKED,
        other => panic!("{other}"),
    };
    let leaves = match &packet.leaves {
        Some(name) => wanted.leaves.contains(name),
        // Nothing that is for the device leaves by an interface, so only who does not ask for one can match.
        None => wanted.leaves == cordon::read::Interfaces::Any,
    };
    wanted.states.contains(state)
        && wanted.arrives.contains(&packet.arrives)
        && leaves
        && wanted.later_fragments != Some(true)
        && (opaque || wanted.opaque.is_empty())
        && wanted.conditions.iter().all(|condition| holds(condition, packet))
}

fn holds(condition: &Condition, packet: &Packet) -> bool {
    condition.boxes.iter().any(|packets| inside(packets, packet)) != condition.negated
}

fn inside(packets: &PacketBox, packet: &Packet) -> bool {
    let number = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(address) => (Family::V4, u128::from(address.to_bits())),
        std::net::IpAddr::V6(address) => (Family::V6, address.to_bits()),
    };
    let ((family, source), (_, destination)) = (number(packet.source), number(packet.destination));
    let (source_port, destination_port) = match packet.message() {
        Some(kind) => (u16::from(kind), u16::from(packet.destination_port.to_be_bytes()[1])),
        None => (packet.source_port, packet.destination_port),
    };
    let held = |value: u128, (first, last): (u128, u128)| first <= value && value <= last;
    let wide = |(first, last): (u16, u16)| (u128::from(first), u128::from(last));
    let byte = |(first, last): (u8, u8)| (u128::from(first), u128::from(last));
    packets.family == family
        && held(source, packets.source)
        && held(destination, packets.destination)
        && held(packet.protocol.into(), byte(packets.protocol))
        && held(source_port.into(), wide(packets.source_port))
        && held(destination_port.into(), wide(packets.destination_port))
        && held(packet.flags.into(), byte(packets.flags))
        && (packets.second.0..=packets.second.1).contains(&packet.second)
        && (packets.moment.0..=packets.moment.1).contains(&packet.moment)
}

/// A model without what says nothing about packets: lines and labels.
pub(super) fn plain(mut models: Vec<Model>) -> Vec<Model> {
    for model in &mut models {
        for rule in model.chains.iter_mut().flat_map(|chain| &mut chain.rules) {
            (rule.line, rule.label) = (0, None);
        }
        for filter in &mut model.filters {
            filter.line = 0;
        }
    }
    models
}
