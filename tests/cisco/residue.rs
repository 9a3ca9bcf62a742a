//! A reader of what a switch says that it admits beyond the policy.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::config::Packet;
use super::{bits, protocol};

/// All sets of packets, with the interface, the direction and the family of their list.
#[derive(Debug)]
pub(super) struct Residue {
    sets: Vec<(String, Set)>,
}

#[derive(Debug)]
struct Set {
    /// The schedules that have to hold, and those that must not.
    times: [BTreeSet<String>; 2],
    established: bool,
    protocols: (u8, u8),
    sources: (u128, u128),
    source_ports: (u16, u16),
    destinations: (u128, u128),
    destination_ports: (u16, u16),
}

impl Residue {
    pub(super) fn read(text: &str) -> Self {
        let (mut list, mut title, mut left) = (String::new(), String::new(), 0_usize);
        let mut sets = Vec::new();
        for line in text.lines() {
            if let Some(set) = line.strip_prefix("    ") {
                let is_v4 = list.ends_with("IPv4");
                let established = title.starts_with("TCP with ACK or RST");
                sets.push((list.clone(), read_set(set, &title, established, is_v4)));
                left -= 1;
            } else if let Some((class, count)) = line.strip_prefix("  ").and_then(|l| l.rsplit_once(": ")) {
                assert_eq!(left, 0, "more sets were promised");
                title = class.to_owned();
                left = count.parse().unwrap();
            } else if let Some((place, _)) = line.split_once(": CORDON-") {
                list = place.to_owned();
            }
        }
        Residue { sets }
    }

    /// True if a packet is admitted at any time.
    pub(super) fn holds(&self, interface: &str, direction: &str, packet: &Packet) -> bool {
        assert!(self.sets.iter().all(|(_, set)| set.times.iter().all(BTreeSet::is_empty)));
        self.holds_while(&BTreeSet::new(), interface, direction, packet)
    }

    /// True if a packet is admitted while some schedules hold and the others do not.
    pub(super) fn holds_while(
        &self,
        schedules: &BTreeSet<String>,
        interface: &str,
        direction: &str,
        packet: &Packet,
    ) -> bool {
        let family = if packet.source.is_ipv4() { "IPv4" } else { "IPv6" };
        let list = format!("{interface} {direction}, {family}");
        let now = |set: &Set| {
            let [during, outside] = &set.times;
            during.is_subset(schedules) && outside.is_disjoint(schedules)
        };
        self.sets.iter().any(|(place, set)| *place == list && now(set) && set.holds(packet))
    }
}

impl Set {
    fn holds(&self, packet: &Packet) -> bool {
        fn within<T: PartialOrd>((first, last): (T, T), value: T) -> bool {
            first <= value && value <= last
        }
        (!self.established || packet.established)
            && within(self.protocols, packet.protocol)
            && within(self.sources, bits(packet.source))
            && within(self.source_ports, packet.source_port)
            && within(self.destinations, bits(packet.destination))
            && within(self.destination_ports, packet.destination_port)
    }
}

/// Reads `udp 10.3.0.20 port 53 -> 10.1.0.0/24 port 1-9`.
fn read_set(text: &str, title: &str, established: bool, is_v4: bool) -> Set {
    let (from, to) = text.split_once(" -> ").unwrap();
    let (protocols, from) = match from.strip_prefix("protocols ") {
        Some(rest) => {
            let (range, from) = rest.split_once(' ').unwrap();
            let (first, last) = range.split_once('-').unwrap();
            ((first.parse().unwrap(), last.parse().unwrap()), from)
        }
        None => match from.split_once(' ').unwrap() {
            ("any", from) => ((0, u8::MAX), from),
            (name, from) => {
                let number = cordon::set::protocol_number(name).unwrap_or_else(|| protocol(name));
                ((number, number), from)
            }
        },
    };
    let (sources, source_ports) = read_side(from, is_v4);
    let (destinations, destination_ports) = read_side(to, is_v4);
    let times = [", during ", ", outside of "].map(|word| schedules(title, word));
    Set { times, established, protocols, sources, source_ports, destinations, destination_ports }
}

/// The names behind a word, as in `replies, as first packets, during a and b, outside of c`.
fn schedules(title: &str, word: &str) -> BTreeSet<String> {
    let Some((_, rest)) = title.split_once(word) else { return BTreeSet::new() };
    let names = rest.split_once(", ").map_or(rest, |(names, _)| names);
    names.split(" and ").map(str::to_owned).collect()
}

fn read_side(text: &str, is_v4: bool) -> ((u128, u128), (u16, u16)) {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |word: &str| word.parse::<u16>().unwrap();
    let ports = match &words[1..] {
        [] => (0, u16::MAX),
        ["port", ports] => {
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            (number(first), number(last))
        }
        ["type", kind] => (number(kind) << 8, (number(kind) << 8) + 255),
        ["type", kind, "code", code] => {
            let message = (number(kind) << 8) + number(code);
            (message, message)
        }
        ["type", first, "code", code, "to", "type", last, "code", end] => {
            ((number(first) << 8) + number(code), (number(last) << 8) + number(end))
        }
        other => panic!("an unknown set: {other:?}"),
    };
    (read_addresses(words[0], is_v4), ports)
}

fn read_addresses(text: &str, is_v4: bool) -> (u128, u128) {
    let address = |text: &str| bits(text.parse::<IpAddr>().unwrap());
    let full = if is_v4 { u32::MAX.into() } else { u128::MAX };
    if text == "any" {
        return (0, full);
    }
    if let Some((first, last)) = text.split_once('-') {
        return (address(first), address(last));
    }
    let Some((first, length)) = text.split_once('/') else { return (address(text), address(text)) };
    let span = full.checked_shr(length.parse().unwrap()).unwrap_or(0);
    (address(first), address(first) | span)
}
