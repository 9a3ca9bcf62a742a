//! The reader of iptables: what it makes of rules and sets, judged by packets.

mod dump;
mod files;
mod hostile;
mod mistakes;
mod rules;
mod sets;

use std::net::IpAddr;

use cordon::read::iptables::read;
use cordon::read::{Action, Condition, Family, Match, Model, PacketBox, Reading, States};

/// A packet, and the way that it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    path: Path,
    arrives: &'static str,
    leaves: &'static str,
    source: u128,
    destination: u128,
    protocol: u8,
    source_port: u16,
    destination_port: u16,
    flags: u8,
    second: u32,
    /// The second since 1970.
    moment: u32,
    state: States,
    later_fragment: bool,
}

/// A way through the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Path {
    Through,
    ToDevice,
    FromDevice,
}

fn number(text: &str) -> u128 {
    match text.parse().unwrap() {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Packet {
    /// A packet that opens a connection of TCP to port 80.
    pub(super) fn tcp(source: &str, destination: &str) -> Self {
        Packet {
            path: Path::Through,
            arrives: "eth0",
            leaves: "eth1",
            source: number(source),
            destination: number(destination),
            protocol: 6,
            source_port: 40_000,
            destination_port: 80,
            flags: 2,
            second: 0,
            moment: 1_793_491_200,
            state: States::NEW,
            later_fragment: false,
        }
    }

    fn port(self, destination_port: u16) -> Self {
        Packet { destination_port, ..self }
    }

    fn protocol(self, protocol: u8) -> Self {
        Packet { protocol, ..self }
    }
}

fn lies_in(packet: &Packet, found: &PacketBox) -> bool {
    fn within<N: Ord>(number: N, (first, last): (N, N)) -> bool {
        (first..=last).contains(&number)
    }
    let flags = if packet.protocol == 6 { packet.flags } else { 0 };
    within(packet.source, found.source)
        && within(packet.destination, found.destination)
        && within(packet.protocol, found.protocol)
        && within(packet.source_port, found.source_port)
        && within(packet.destination_port, found.destination_port)
        && within(flags, found.flags)
        && within(packet.second, found.second)
        && within(packet.moment, found.moment)
}

fn holds(condition: &Condition, packet: &Packet) -> bool {
    condition.boxes.iter().any(|found| lies_in(packet, found)) != condition.negated
}

fn fits(matches: &Match, packet: &Packet) -> bool {
    matches.arrives.contains(packet.arrives)
        && matches.leaves.contains(packet.leaves)
        && matches.states.contains(packet.state)
        && matches.later_fragments.is_none_or(|wanted| wanted == packet.later_fragment)
        && matches.conditions.iter().all(|condition| holds(condition, packet))
        && matches.opaque.is_empty()
}

/// The verdict of a chain, true for `Accept`; nothing if it leaves the packet undecided.
fn decide(model: &Model, chain: usize, packet: &Packet) -> Option<bool> {
    for rule in &model.chains[chain].rules {
        if !fits(&rule.matches, packet) {
            continue;
        }
        match rule.action {
            Action::Accept => return Some(true),
            Action::Drop => return Some(false),
            Action::Return => return None,
            Action::Continue => {}
            Action::Goto(target) => return decide(model, target.0, packet),
            Action::Jump(target) => {
                if let Some(verdict) = decide(model, target.0, packet) {
                    return Some(verdict);
                }
            }
        }
    }
    None
}

/// True if all filters let a packet pass. Conditions that are opaque do not hold.
pub(super) fn passes(model: &Model, packet: &Packet) -> bool {
    let concerned = model.filters.iter().filter(|filter| {
        let paths = filter.paths;
        let meets = match packet.path {
            Path::Through => paths.through,
            Path::ToDevice => paths.to_device,
            Path::FromDevice => paths.from_device,
        };
        meets && fits(&filter.concerns, packet)
    });
    let mut verdicts =
        concerned.map(|filter| decide(model, filter.chain.0, packet).unwrap_or(filter.otherwise_accept));
    verdicts.all(|accepted| accepted)
}

/// The rules of `FORWARD` in the table `filter`, which drops what they do not accept.
fn forward(rules: &str) -> String {
    format!("*filter\n:FORWARD DROP [0:0]\n{rules}\nCOMMIT\n")
}

/// Reads without a mistake.
fn model(rules: &str, sets: &str, family: Family) -> Model {
    let Reading { model, mistakes, .. } = read(rules, sets, family);
    assert!(mistakes.is_empty(), "{mistakes:?}\n{rules}\n{sets}");
    model
}

/// What is wrong with rules, each with its line.
fn mistakes(rules: &str, sets: &str, family: Family) -> Vec<(usize, String)> {
    let mistakes = read(rules, sets, family).mistakes;
    mistakes.into_iter().map(|mistake| (mistake.line, mistake.what)).collect()
}

/// Checks which packets rules of IPv4 in `FORWARD` let pass.
fn check(rules: &str, sets: &str, accepted: &[Packet], dropped: &[Packet]) {
    check_in(Family::V4, rules, sets, accepted, dropped);
}

fn check_in(family: Family, rules: &str, sets: &str, accepted: &[Packet], dropped: &[Packet]) {
    let model = model(&forward(rules), sets, family);
    assert!(!accepted.is_empty() || !dropped.is_empty());
    for (packets, wanted) in [(accepted, true), (dropped, false)] {
        for packet in packets {
            assert_eq!(passes(&model, packet), wanted, "{packet:?}\n{rules}\n{sets}");
        }
    }
}
