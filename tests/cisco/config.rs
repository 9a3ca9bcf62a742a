//! A small reader of IOS access lists, and what they do with a packet. A word that it does not know is a failure.

mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) use self::time::Time;
use self::time::TimeRange;
use super::{bits, protocol};

/// A packet as an access list sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Packet {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    pub(super) source_port: u16,
    /// `type * 256 + code` for ICMP.
    pub(super) destination_port: u16,
    /// True if it is TCP with ACK or RST.
    pub(super) established: bool,
}

impl Packet {
    pub(super) fn first(&self) -> cordon::set::Packet {
        cordon::set::Packet {
            source: self.source,
            destination: self.destination,
            protocol: self.protocol,
            source_port: self.source_port,
            destination_port: self.destination_port,
        }
    }
}

/// What a file of configuration says.
#[derive(Default, Debug)]
pub(super) struct Config {
    ranges: BTreeMap<String, TimeRange>,
    networks: BTreeMap<String, Vec<Block>>,
    services: BTreeMap<String, Vec<(u8, Ports)>>,
    pub(super) lists: BTreeMap<String, List>,
    /// Interface, direction, and whether it is for IPv4, with the name of the list.
    pub(super) bindings: BTreeMap<(String, String, bool), String>,
    pub(super) logins: Vec<String>,
}

#[derive(Default, Debug)]
pub(super) struct List {
    pub(super) is_v4: bool,
    entries: Vec<Entry>,
}

/// The first and the last port.
type Ports = (u16, u16);

/// An address, and a mask of the bits that count.
type Block = (u128, u128);

#[derive(Debug)]
struct Entry {
    permit: bool,
    /// Protocols with destination ports; no protocol stands for every one.
    services: Vec<(Option<u8>, Ports)>,
    sources: Vec<Block>,
    source_ports: Ports,
    destinations: Vec<Block>,
    established: bool,
    range: Option<String>,
}

const ALL: Ports = (0, u16::MAX);

/// Which part of the file a line belongs to.
enum Mode {
    Top,
    Range(String),
    Network(String),
    Service(String),
    List(String),
    Interface(String),
    Terminal,
}

impl Config {
    pub(super) fn read(text: &str) -> Self {
        let (mut config, mut mode) = (Config::default(), Mode::Top);
        for line in text.lines().filter(|line| !line.starts_with('!')) {
            assert!(line.is_ascii() && !line.contains(['?', '!', '\t']), "{line}");
            let words: Vec<&str> = line.split_whitespace().collect();
            if !line.starts_with(' ') {
                mode = config.open(&words);
                continue;
            }
            match &mode {
                Mode::Top => panic!("a line of nothing: {line}"),
                Mode::Range(name) => config.ranges.get_mut(name).unwrap().read(&words),
                Mode::Network(name) => {
                    let block = member(&words);
                    config.networks.get_mut(name).unwrap().push(block);
                }
                Mode::Service(name) => {
                    let (ports, rest) = ports(&words[1..]);
                    assert!(rest.is_empty() && ports != ALL, "{line}");
                    config.services.get_mut(name).unwrap().push((protocol(words[0]), ports));
                }
                Mode::List(name) if words[0] != "remark" => {
                    let entry = config.entry(&words, config.lists[name].is_v4);
                    config.lists.get_mut(name).unwrap().entries.push(entry);
                }
                Mode::List(_) => assert!(line.len() <= " remark ".len() + 100, "{line}"),
                Mode::Interface(interface) => {
                    let interface = interface.clone();
                    config.bind(&interface, &words);
                }
                Mode::Terminal => {
                    let name = words[words.len() - 2];
                    assert!(config.lists.contains_key(name), "{line}");
                    config.logins.push(name.to_owned());
                }
            }
        }
        config
    }

    fn open(&mut self, words: &[&str]) -> Mode {
        let name = |index: usize| words[index].to_owned();
        match words {
            ["time-range", _] => {
                assert!(self.ranges.insert(name(1), TimeRange::default()).is_none());
                Mode::Range(name(1))
            }
            ["object-group", "network", _] => {
                assert!(self.networks.insert(name(2), Vec::new()).is_none());
                Mode::Network(name(2))
            }
            ["object-group", "service", _] => {
                assert!(self.services.insert(name(2), Vec::new()).is_none());
                Mode::Service(name(2))
            }
            ["ip", "access-list", "extended", _] => {
                let list = List { is_v4: true, ..List::default() };
                assert!(self.lists.insert(name(3), list).is_none());
                Mode::List(name(3))
            }
            ["ipv6", "access-list", _] => {
                assert!(self.lists.insert(name(2), List::default()).is_none());
                Mode::List(name(2))
            }
            ["interface", _] => Mode::Interface(name(1)),
            ["line", "vty", _, _] => Mode::Terminal,
            ["end"] => Mode::Top,
            other => panic!("an unknown line: {other:?}"),
        }
    }

    /// A list that is bound has to be there already, with lines in it: one that is missing or empty passes everything.
    fn bind(&mut self, interface: &str, words: &[&str]) {
        let (name, direction, is_v4) = match words {
            ["ip", "access-group", name, direction] => (*name, *direction, true),
            ["ipv6", "traffic-filter", name, direction] => (*name, *direction, false),
            other => panic!("an unknown line: {other:?}"),
        };
        let list = self.lists.get(name).unwrap_or_else(|| panic!("`{name}` is bound before it is there"));
        assert!(list.is_v4 == is_v4 && !list.entries.is_empty(), "{name}");
        let key = (interface.to_owned(), direction.to_owned(), is_v4);
        assert!(self.bindings.insert(key, name.to_owned()).is_none());
    }

    fn entry(&self, words: &[&str], is_v4: bool) -> Entry {
        let (words, range) = self.range(words);
        let permit = match words[0] {
            "permit" => true,
            "deny" => false,
            other => panic!("an unknown line: {other}"),
        };
        let (mut services, rest) = match &words[1..] {
            ["object-group", name, rest @ ..] if is_v4 => {
                let held = self.services[*name].iter().map(|(protocol, ports)| (Some(*protocol), *ports));
                (held.collect::<Vec<_>>(), rest)
            }
            ["ip", rest @ ..] if is_v4 => (vec![(None, ALL)], rest),
            ["ipv6", rest @ ..] if !is_v4 => (vec![(None, ALL)], rest),
            [name, rest @ ..] => (vec![(Some(named(name, is_v4)), ALL)], rest),
            [] => panic!("{words:?}"),
        };
        let (sources, rest) = self.addresses(rest, is_v4);
        let (source_ports, rest) = ports(rest);
        let (destinations, rest) = self.addresses(rest, is_v4);
        let (destination_ports, mut rest) = ports(rest);
        let icmp = services == [(Some(if is_v4 { 1 } else { 58 }), ALL)];
        if destination_ports != ALL {
            services[0].1 = destination_ports;
        } else if icmp && !rest.is_empty() && rest[0] != "log" {
            let (messages, behind) = messages(rest, is_v4);
            services[0].1 = messages;
            rest = behind;
        }
        let established = rest.first() == Some(&"established");
        assert!(matches!(&rest[usize::from(established)..], [] | ["log"]), "{words:?}");
        assert!(!established || services[0].0 == Some(6), "{words:?}");
        Entry { permit, services, sources, source_ports, destinations, established, range }
    }

    /// Takes the time range from the end of a line. It has to be there already, with hours in it: IOS takes a line whose
    /// time range is missing to hold always.
    fn range<'w>(&self, words: &'w [&'w str]) -> (&'w [&'w str], Option<String>) {
        let [rest @ .., "time-range", name] = words else { return (words, None) };
        let known = self.ranges.get(*name);
        assert!(known.is_some_and(|range| !range.is_empty()), "`{name}` is used before it is there");
        (rest, Some((*name).to_owned()))
    }

    fn addresses<'w>(&self, words: &'w [&'w str], is_v4: bool) -> (Vec<Block>, &'w [&'w str]) {
        let full = if is_v4 { u32::MAX.into() } else { u128::MAX };
        match words {
            ["any", rest @ ..] => (vec![(0, 0)], rest),
            ["host", address, rest @ ..] => (vec![(bits(address.parse().unwrap()), full)], rest),
            ["object-group", name, rest @ ..] if is_v4 => (self.networks[*name].clone(), rest),
            [address, wildcard, rest @ ..] if is_v4 => {
                let wildcard = bits(wildcard.parse::<Ipv4Addr>().unwrap().into());
                assert!((wildcard + 1).is_power_of_two(), "{words:?}");
                let address = bits(address.parse::<Ipv4Addr>().unwrap().into());
                assert_eq!(address & wildcard, 0, "{words:?}");
                (vec![(address, full & !wildcard)], rest)
            }
            [prefix, rest @ ..] => {
                let (address, length) = prefix.split_once('/').unwrap();
                let free = 128 - length.parse::<u32>().unwrap();
                let mask = u128::MAX.checked_shl(free).unwrap_or(0);
                let address = bits(address.parse::<Ipv6Addr>().unwrap().into());
                assert_eq!(address & !mask, 0, "{words:?}");
                (vec![(address, mask)], rest)
            }
            [] => panic!("no address"),
        }
    }

    /// What happens to a packet at any time.
    pub(super) fn permits(&self, interface: &str, direction: &str, packet: &Packet) -> bool {
        assert!(self.ranges.is_empty(), "this depends on the time");
        self.permits_at(interface, direction, packet, Time::Minute(0))
    }

    /// Of the entries that hold, the first one that matches decides; without one, a packet is denied.
    pub(super) fn permits_at(&self, interface: &str, direction: &str, packet: &Packet, time: Time) -> bool {
        let key = (interface.to_owned(), direction.to_owned(), packet.source.is_ipv4());
        let list = &self.lists[&self.bindings[&key]];
        let holds = |entry: &&Entry| entry.range.as_ref().is_none_or(|name| self.ranges[name].holds(time));
        let mut entries = list.entries.iter().filter(holds);
        entries.find(|entry| entry.matches(packet)).is_some_and(|entry| entry.permit)
    }

    /// The names of the time ranges.
    pub(super) fn ranges(&self) -> BTreeSet<&str> {
        self.ranges.keys().map(String::as_str).collect()
    }

    /// Interfaces and directions that a list of a family is bound to.
    pub(super) fn bound(&self, is_v4: bool) -> BTreeSet<(String, &str)> {
        let keys = self.bindings.keys().filter(|(_, _, family)| *family == is_v4);
        keys.map(|(interface, direction, _)| (interface.clone(), direction.as_str())).collect()
    }
}

impl Entry {
    fn matches(&self, packet: &Packet) -> bool {
        let within =
            |blocks: &[Block], address| blocks.iter().any(|(value, mask)| bits(address) & mask == *value);
        let between = |(first, last): Ports, port| first <= port && port <= last;
        let service = |(protocol, ports): &(Option<u8>, Ports)| {
            protocol.is_none_or(|protocol| protocol == packet.protocol)
                && between(*ports, packet.destination_port)
        };
        self.services.iter().any(service)
            && within(&self.sources, packet.source)
            && between(self.source_ports, packet.source_port)
            && within(&self.destinations, packet.destination)
            && (!self.established || packet.established)
    }
}

/// A member of a group of networks, which has a netmask.
fn member(words: &[&str]) -> Block {
    match words {
        ["host", address] => (bits(address.parse::<Ipv4Addr>().unwrap().into()), u32::MAX.into()),
        [address, mask] => {
            let mask = bits(mask.parse::<Ipv4Addr>().unwrap().into());
            (bits(address.parse::<Ipv4Addr>().unwrap().into()), mask)
        }
        other => panic!("an unknown line: {other:?}"),
    }
}

fn named(name: &str, is_v4: bool) -> u8 {
    match name {
        "icmp" if !is_v4 => 58,
        "igmp" if is_v4 => 2,
        "gre" if is_v4 => 47,
        "esp" => 50,
        "ahp" => 51,
        "eigrp" if is_v4 => 88,
        "ospf" if is_v4 => 89,
        "pim" if is_v4 => 103,
        "0" => panic!("IOS reads 0 as every protocol"),
        other => protocol(other),
    }
}

fn ports<'w>(words: &'w [&'w str]) -> (Ports, &'w [&'w str]) {
    match words {
        ["eq", port, rest @ ..] => {
            let port = port.parse().unwrap();
            ((port, port), rest)
        }
        ["range", first, last, rest @ ..] => {
            let (first, last) = (first.parse().unwrap(), last.parse().unwrap());
            assert!(first < last, "{words:?}");
            ((first, last), rest)
        }
        rest => (ALL, rest),
    }
}

/// A type of ICMP with all its codes, or a type and a code.
fn messages<'w>(words: &'w [&'w str], is_v4: bool) -> (Ports, &'w [&'w str]) {
    let number: u8 = match (words[0], is_v4) {
        ("echo-reply", true) => 0,
        ("unreachable", true) => 3,
        ("echo", true) => 8,
        ("time-exceeded", true) => 11,
        ("parameter-problem", true) => 12,
        ("timestamp-request", true) => 13,
        ("timestamp-reply", true) => 14,
        ("mask-reply", true) => 18,
        ("unreachable", false) => 1,
        ("packet-too-big", false) => 2,
        ("time-exceeded", false) => 3,
        ("parameter-problem", false) => 4,
        ("echo-request", false) => 128,
        ("echo-reply", false) => 129,
        ("mld-report", false) => 131,
        ("nd-ns", false) => 135,
        ("nd-na", false) => 136,
        (number, _) => number.parse().unwrap_or_else(|_| panic!("an unknown message: {words:?}")),
    };
    match words.get(1).and_then(|word| word.parse::<u8>().ok()) {
        Some(code) => {
            let message = u16::from_be_bytes([number, code]);
            ((message, message), &words[2..])
        }
        None => ((u16::from_be_bytes([number, 0]), u16::from_be_bytes([number, u8::MAX])), &words[1..]),
    }
}
