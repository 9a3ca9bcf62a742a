//! Packets to try a config with: at the edges of the policy's rules and of the lines that a change touched.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cordon::ir::{Decider, Decision, Policy};
use cordon::prove::{Difference, Witness};
use cordon::set::{ICMP, ICMPV6};

use crate::kernel::boundary;
use crate::random::Dice;

pub(super) const TCP: u8 = 6;
const SYN: u8 = 2;
/// The first second of the day as of which policies are taken, 2026-11-01.
pub(super) const NOW: u32 = 1_793_491_200;

const STATES: [&str; 8] = ["new", "new", "new", "new", "established", "related", "invalid", "untracked"];

/// A packet with all that decides on it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Packet {
    pub(super) arrives: String,
    /// None if it is for the device.
    pub(super) leaves: Option<String>,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    pub(super) source_port: u16,
    /// `type * 256 + code` for ICMP.
    pub(super) destination_port: u16,
    pub(super) flags: u8,
    pub(super) state: &'static str,
    pub(super) second: u32,
    /// The second since 1970.
    pub(super) moment: u32,
}

impl Packet {
    pub(super) fn of_witness(difference: &Difference, witness: &Witness) -> Self {
        let packet = witness.packet;
        Packet {
            arrives: difference.arrives.clone(),
            leaves: difference.leaves.clone(),
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            source_port: packet.source_port,
            destination_port: packet.destination_port,
            flags: witness.flags.unwrap_or(0),
            state: difference.state,
            second: witness.second.unwrap_or(0),
            moment: witness.moment.unwrap_or(NOW),
        }
    }

    pub(super) fn bare(&self) -> cordon::set::Packet {
        cordon::set::Packet {
            source: self.source,
            destination: self.destination,
            protocol: self.protocol,
            source_port: self.source_port,
            destination_port: self.destination_port,
        }
    }

    /// The same as the first packet of a connection.
    pub(super) fn first(&self) -> Packet {
        let state = if self.state == "any" { "any" } else { "new" };
        Packet { state, flags: if self.protocol == TCP { SYN } else { 0 }, ..self.clone() }
    }

    /// True if it could open a connection: it is not TCP, or has SYN and none of FIN, RST and ACK.
    pub(super) fn opens(&self) -> bool {
        self.protocol != TCP || self.flags & 0x17 == SYN
    }

    pub(super) fn message(&self) -> Option<u8> {
        [ICMP, ICMPV6].contains(&self.protocol).then(|| self.destination_port.to_be_bytes()[0])
    }

    pub(super) fn is_error(&self) -> bool {
        let errors: &[u8] = if self.source.is_ipv4() { &[3, 11, 12] } else { &[1, 2, 3, 4] };
        let own = if self.source.is_ipv4() { ICMP } else { ICMPV6 };
        self.protocol == own && self.message().is_some_and(|message| errors.contains(&message))
    }
}

/// Packets at the edges of the rules of a policy, without interfaces.
pub(super) fn edges(policy: &Policy) -> Vec<cordon::set::Packet> {
    let table = boundary::table(policy);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let source: IpAddr = record[1].parse().unwrap();
        let protocol = match &record[0] {
            "icmp" => ICMP,
            "tcp" => TCP,
            "udp" => 17,
            "sctp" => 132,
            "icmpv6" => ICMPV6,
            number => number.parse().unwrap(),
        };
        let echo_request = if source.is_ipv4() { 8 << 8 } else { 128 << 8 };
        let message = [ICMP, ICMPV6].contains(&protocol);
        cordon::set::Packet {
            source,
            destination: record[2].parse().unwrap(),
            protocol,
            source_port: if message { 0 } else { record[3].parse().unwrap() },
            destination_port: if message { echo_request } else { record[4].parse().unwrap() },
        }
    });
    rows.collect()
}

/// What a text speaks of, with what lies around it.
#[derive(Default)]
pub(super) struct Values {
    addresses: BTreeSet<IpAddr>,
    numbers: BTreeSet<u16>,
}

impl Values {
    /// Those of the lines by which two texts differ.
    pub(super) fn of_change(old: &str, new: &str) -> Self {
        let mut values = Values::default();
        let [before, after] = [old, new].map(|text| text.lines().collect::<BTreeSet<&str>>());
        for line in before.symmetric_difference(&after).take(40) {
            values.add(line);
        }
        values
    }

    fn add(&mut self, line: &str) {
        let is_part = |c: char| c.is_ascii_hexdigit() || ".:/".contains(c);
        let mut last: Option<Ipv4Addr> = None;
        for word in line.split(|c| !is_part(c)).map(|word| word.trim_end_matches('.')) {
            let (address, length) =
                word.split_once('/').map_or((word, None), |(a, l)| (a, l.parse::<u32>().ok()));
            if let Ok(v4) = address.parse::<Ipv4Addr>() {
                self.around_v4(v4, length.map_or(0, |l| u32::MAX.checked_shr(l).unwrap_or(0)));
                // A wildcard or a netmask may stand behind an address.
                if let Some(base) = last {
                    self.around_v4(base, v4.to_bits());
                    self.around_v4(base, !v4.to_bits());
                }
                last = Some(v4);
            } else if let Ok(v6) = address.parse::<Ipv6Addr>() {
                self.around_v6(v6, length.map_or(0, |l| u128::MAX.checked_shr(l).unwrap_or(0)));
            } else {
                for number in word.split([':', '.', '/']).filter_map(|part| part.parse::<u16>().ok()) {
                    self.numbers.extend([number.wrapping_sub(1), number, number.wrapping_add(1)]);
                }
            }
        }
    }

    fn around_v4(&mut self, base: Ipv4Addr, free: u32) {
        let (first, last) = (base.to_bits() & !free, base.to_bits() | free);
        let around = [first.wrapping_sub(1), first, first | free >> 1, last, last.wrapping_add(1)];
        self.addresses.extend(around.map(|bits| IpAddr::V4(bits.into())));
    }

    fn around_v6(&mut self, base: Ipv6Addr, free: u128) {
        let (first, last) = (base.to_bits() & !free, base.to_bits() | free);
        let around = [first.wrapping_sub(1), first, first | free >> 1, last, last.wrapping_add(1)];
        self.addresses.extend(around.map(|bits| IpAddr::V6(bits.into())));
    }
}

/// Draws packets for one device.
pub(super) struct Source<'p> {
    pub(super) decider: Decider<'p>,
    pub(super) bases: Vec<cordon::set::Packet>,
    pub(super) interfaces: Vec<String>,
    /// Finds the interface that an address lies behind.
    pub(super) behind: Box<dyn Fn(IpAddr) -> Option<String> + 'p>,
    pub(super) stateful: bool,
}

impl Source<'_> {
    /// A packet whose fields are those of an edge or of a change.
    pub(super) fn draw(&self, values: &Values, dice: &mut Dice) -> Packet {
        let mut bare = *dice.pick(&self.bases);
        if dice.below(3) == 0 {
            (bare.source, bare.destination) = (bare.destination, bare.source);
            (bare.source_port, bare.destination_port) = (bare.destination_port, bare.source_port);
        }
        let family = |address: &&IpAddr| address.is_ipv4() == bare.source.is_ipv4();
        let addresses: Vec<IpAddr> = values.addresses.iter().filter(family).copied().collect();
        let numbers: Vec<u16> = values.numbers.iter().copied().collect();
        if !addresses.is_empty() {
            match dice.below(4) {
                0 => bare.source = *dice.pick(&addresses),
                1 => bare.destination = *dice.pick(&addresses),
                2 => (bare.source, bare.destination) = (*dice.pick(&addresses), *dice.pick(&addresses)),
                _ => {}
            }
        }
        if !numbers.is_empty() {
            match dice.below(6) {
                0 | 1 => bare.destination_port = *dice.pick(&numbers),
                2 => bare.source_port = *dice.pick(&numbers),
                3 => bare.protocol = u8::try_from(*dice.pick(&numbers)).unwrap_or(TCP),
                _ => {}
            }
        }
        if dice.below(12) == 0 {
            bare.protocol = *dice.pick(&[1, 2, 6, 17, 47, 58, 89, 132]);
        }
        self.on_its_way(self.well_formed(bare, dice), dice)
    }

    /// Fields that a protocol does not have are 0.
    fn well_formed(&self, mut bare: cordon::set::Packet, dice: &mut Dice) -> cordon::set::Packet {
        match bare.protocol {
            ICMP | ICMPV6 => {
                bare.source_port = 0;
                if dice.below(3) == 0 {
                    let kinds = [0_u16, 1, 2, 3, 4, 8, 11, 12, 13, 128, 129, 130, 133, 135, 136, 143];
                    bare.destination_port = dice.pick(&kinds) << 8;
                } else if bare.destination_port < 256 {
                    bare.destination_port <<= 8;
                }
            }
            6 | 17 | 33 | 132 | 136 => {}
            _ => (bare.source_port, bare.destination_port) = (0, 0),
        }
        bare
    }

    /// The interfaces are mostly those of the addresses, and the state is mostly that of a first packet.
    fn on_its_way(&self, bare: cordon::set::Packet, dice: &mut Dice) -> Packet {
        let natural = |address: IpAddr, dice: &mut Dice| match (self.behind)(address) {
            Some(name) if dice.below(4) != 0 => name,
            _ => dice.pick(&self.interfaces).clone(),
        };
        let arrives = natural(bare.source, dice);
        let leaves = (dice.below(6) != 0).then(|| natural(bare.destination, dice));
        let state = if self.stateful { dice.pick(&STATES) } else { "any" };
        let flags = if bare.protocol == TCP { *dice.pick(&[SYN, SYN, SYN, 16, 18, 4, 0, 1]) } else { 0 };
        Packet {
            arrives,
            leaves,
            source: bare.source,
            destination: bare.destination,
            protocol: bare.protocol,
            source_port: bare.source_port,
            destination_port: bare.destination_port,
            flags,
            state,
            second: 0,
            moment: NOW,
        }
    }

    /// Each edge of the policy as a first packet on its way.
    pub(super) fn first_packets(&self) -> impl Iterator<Item = Packet> + '_ {
        self.bases.iter().filter_map(|bare| {
            let arrives = (self.behind)(bare.source)?;
            let leaves = (self.behind)(bare.destination)?;
            let state = if self.stateful { "new" } else { "any" };
            let mut packet = self.on_its_way(*bare, &mut Dice::new(0));
            (packet.arrives, packet.leaves, packet.state) = (arrives, Some(leaves), state);
            Some(packet.first())
        })
    }

    /// True if the policy allows a first packet.
    pub(super) fn allows(&self, packet: &Packet) -> bool {
        matches!(self.decider.decide(&packet.bare()), Decision::Allowed(_) | Decision::Scheduled(_))
    }
}
