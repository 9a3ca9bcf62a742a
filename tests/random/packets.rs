//! Packets to try a policy with: at the edges of all that it names, and one step beyond.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cordon::set;
use cordon::syntax::ast::{File, Members, Names, ProtocolPorts, Statement, Via};

use super::dice::Dice;
use super::naive::{Naive, ends, message, number, port_ends};

/// A first packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Packet {
    /// The source address.
    pub(crate) source: IpAddr,
    /// The destination address, of the same family.
    pub(crate) destination: IpAddr,
    /// The protocol number.
    pub(crate) protocol: u8,
    /// The source port, or the type of an ICMP message; 0 for protocols that have neither.
    pub(crate) source_port: u16,
    /// The destination port, or the code of an ICMP message.
    pub(crate) destination_port: u16,
}

impl Packet {
    /// The same as the stages behind the parser write it.
    pub(crate) fn as_set(&self) -> set::Packet {
        let (source_port, destination_port) = match self.protocol {
            1 | 58 => (0, self.source_port * 256 + self.destination_port),
            _ => (self.source_port, self.destination_port),
        };
        let Packet { source, destination, protocol, .. } = *self;
        set::Packet { source, destination, protocol, source_port, destination_port }
    }

    /// The packet that would be the answer, from the port that was asked.
    pub(crate) fn reversed(&self) -> Packet {
        let Packet { source, destination, protocol, source_port, destination_port } = *self;
        Packet {
            source: destination,
            destination: source,
            protocol,
            source_port: destination_port,
            destination_port: source_port,
        }
    }
}

/// Addresses that mean something of their own, and some that no policy made here names.
const FAR: [&str; 10] = [
    "0.0.0.0",
    "8.8.8.8",
    "127.0.0.1",
    "203.0.113.77",
    "224.0.0.5",
    "255.255.255.255",
    "::",
    "2001:db8:ffff::77",
    "fe80::1",
    "ff02::1",
];

/// Protocols that are tried where a policy says `any`, or by chance.
const PROTOCOLS: [u8; 14] = [0, 1, 2, 6, 6, 17, 17, 33, 47, 50, 58, 97, 132, 255];

/// Types of messages, of which some are requests.
const MESSAGES: [u16; 10] = [0, 1, 3, 8, 13, 128, 129, 130, 135, 255];

/// What packets are made of.
pub(crate) struct Sampler<'n, 't> {
    naive: &'n Naive<'t>,
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
    sides: Vec<[Vec<IpAddr>; 2]>,
}

impl<'n, 't> Sampler<'n, 't> {
    /// Collects the edges of a policy.
    pub(crate) fn new(naive: &'n Naive<'t>, files: &[File]) -> Self {
        let mut addresses: BTreeSet<IpAddr> = FAR.iter().map(|text| text.parse().unwrap()).collect();
        let mut ports = BTreeSet::from([0, 1, 1023, 1024, 49152, u16::MAX]);
        for statement in files.iter().flat_map(|file| &file.statements) {
            for names in spelled(statement) {
                names.list.iter().chain(&names.except).for_each(|word| around(&word.node, &mut addresses));
            }
            for spec in specs(statement) {
                for word in spec.ports.iter().chain(&spec.source_ports) {
                    let (first, last) = port_ends(&word.node);
                    ports.extend([first.saturating_sub(1), first, last, last.saturating_add(1)]);
                }
            }
        }
        let addresses: Vec<IpAddr> = addresses.into_iter().collect();
        let side = |lists: &[Names]| -> Vec<IpAddr> {
            let listed = |address: &&IpAddr| lists.iter().any(|names| naive.lists(names, **address));
            addresses.iter().filter(listed).copied().collect()
        };
        let sides = naive.said().iter().map(|said| [side(&said.flow.from), side(&said.flow.to)]).collect();
        Sampler { naive, ports: ports.into_iter().collect(), sides, addresses }
    }

    /// An address of each stretch between two edges, and more.
    pub(crate) fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// A port of each stretch between two edges, and more.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// A packet: most of them near a rule, many just beside it.
    pub(crate) fn packet(&self, files: &[File], dice: &mut Dice) -> Packet {
        let mut packet = self.anything(dice);
        if !self.sides.is_empty() && !dice.once_in(6) {
            let place = dice.below(self.sides.len());
            let [from, to] = &self.sides[place];
            let via = &self.naive.said()[place].flow.via;
            if !from.is_empty() {
                packet.source = *dice.pick(from);
            }
            let near: Vec<IpAddr> =
                to.iter().copied().filter(|a| a.is_ipv4() == packet.source.is_ipv4()).collect();
            packet.destination = self.same_family(packet.source, &near, dice);
            self.carry(&mut packet, via, files, dice);
        }
        match dice.below(8) {
            0 => packet.source = self.same_family(packet.destination, &self.addresses, dice),
            1 => packet.destination = self.same_family(packet.source, &self.addresses, dice),
            2 if has_ports(packet.protocol) => packet.destination_port = *dice.pick(&self.ports),
            3 if has_ports(packet.protocol) => packet.source_port = *dice.pick(&self.ports),
            4 if has_ports(packet.protocol) => packet.protocol = *dice.pick(&[6, 17, 33, 132]),
            _ => {}
        }
        packet
    }

    fn same_family(&self, other: IpAddr, among: &[IpAddr], dice: &mut Dice) -> IpAddr {
        let of_family = |list: &[IpAddr]| -> Vec<IpAddr> {
            list.iter().copied().filter(|address| address.is_ipv4() == other.is_ipv4()).collect()
        };
        let near = of_family(among);
        if near.is_empty() { *dice.pick(&of_family(&self.addresses)) } else { *dice.pick(&near) }
    }

    fn anything(&self, dice: &mut Dice) -> Packet {
        let source = *dice.pick(&self.addresses);
        let destination = self.same_family(source, &self.addresses, dice);
        let mut packet = Packet { source, destination, protocol: 0, source_port: 0, destination_port: 0 };
        self.anyhow(&mut packet, *dice.pick(&PROTOCOLS), dice);
        packet
    }

    /// Gives a packet a protocol, and ports or a message that it may have.
    fn anyhow(&self, packet: &mut Packet, protocol: u8, dice: &mut Dice) {
        packet.protocol = protocol;
        (packet.source_port, packet.destination_port) = match protocol {
            1 | 58 => (*dice.pick(&MESSAGES), if dice.once_in(4) { 1 } else { 0 }),
            _ if has_ports(protocol) => (*dice.pick(&self.ports), *dice.pick(&self.ports)),
            _ => (0, 0),
        };
    }

    /// Makes a packet one of a service that a rule names.
    fn carry(&self, packet: &mut Packet, via: &[Via], files: &[File], dice: &mut Dice) {
        let specs: Vec<&ProtocolPorts> = match dice.pick(via) {
            Via::Inline(spec) => vec![spec],
            Via::Service(word) => {
                let statements = files.iter().flat_map(|file| &file.statements);
                let named = statements.filter(
                    |statement| matches!(statement, Statement::Service(s) if s.name.node == word.node),
                );
                named.flat_map(specs).collect()
            }
        };
        if specs.is_empty() {
            return self.anyhow(packet, *dice.pick(&PROTOCOLS), dice);
        }
        let spec = dice.pick(&specs);
        self.anyhow(packet, number(&dice.pick(&spec.protocols).node), dice);
        let mut port = |words: &[cordon::syntax::ast::Word]| {
            (!words.is_empty()).then(|| {
                let (first, last) = port_ends(&dice.pick(words).node);
                *dice.pick(&[first, last])
            })
        };
        if has_ports(packet.protocol) {
            packet.destination_port = port(&spec.ports).unwrap_or(packet.destination_port);
            packet.source_port = port(&spec.source_ports).unwrap_or(packet.source_port);
        }
        if let Some(word) = &spec.message_type {
            (packet.source_port, packet.destination_port) = (message(packet.protocol, &word.node), 0);
        }
    }
}

fn has_ports(protocol: u8) -> bool {
    [6, 17, 33, 132].contains(&protocol)
}

/// The lists of addresses of a statement.
fn spelled(statement: &Statement) -> Vec<&Names> {
    let hosts = |members: &'_ Members| matches!(members, Members::Hosts(_));
    let members = match statement {
        Statement::Zone(zone) => return zone.nets.iter().collect(),
        Statement::Class(class) => &class.members,
        Statement::Peer(peer) => &peer.members,
        _ => return Vec::new(),
    };
    let lists = members.iter().filter(|members| hosts(members)).map(|members| match members {
        Members::Hosts(names) => names,
        Members::All(_) | Members::Inventory { .. } | Members::Unclassified(_) => {
            panic!("these are no hosts")
        }
    });
    lists.collect()
}

/// The protocols and ports that a statement spells out.
fn specs(statement: &Statement) -> Vec<&ProtocolPorts> {
    let inline = |via: &'_ Via| matches!(via, Via::Inline(_));
    let vias: Vec<&Via> = match statement {
        Statement::Service(service) => return service.protocols.iter().collect(),
        Statement::Rule(rule) => rule.flow.via.iter().collect(),
        Statement::Manage(manage) => manage.flow.via.iter().collect(),
        Statement::Class(class) => class.reaches.iter().flat_map(|reach| &reach.via).collect(),
        _ => return Vec::new(),
    };
    let specs = vias.into_iter().filter(|via| inline(via)).map(|via| match via {
        Via::Inline(spec) => spec,
        Via::Service(_) => panic!("this is spelled out"),
    });
    specs.collect()
}

/// Both ends of an address, a range or a prefix, what lies just outside, and the middle.
fn around(text: &str, found: &mut BTreeSet<IpAddr>) {
    match ends(text) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let (first, last) = (u32::from(first), u32::from(last));
            let numbers =
                [first.saturating_sub(1), first, first + (last - first) / 2, last, last.saturating_add(1)];
            found.extend(numbers.map(|number| IpAddr::V4(number.into())));
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let (first, last) = (u128::from(first), u128::from(last));
            let numbers =
                [first.saturating_sub(1), first, first + (last - first) / 2, last, last.saturating_add(1)];
            found.extend(numbers.map(|number| IpAddr::V6(number.into())));
        }
        _ => panic!("{text} mixes families"),
    }
}
