//! What the access lists of a switch do with a packet, from their text alone. A text with a word that is not known here
//! is not judged.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::packet::{Packet, TCP};

/// An address, and a mask of the bits that count.
type Block = (u128, u128);
/// The first and the last.
type Ports = (u16, u16);

const ALL: Ports = (0, u16::MAX);

#[derive(Default)]
pub(super) struct Switch {
    networks: BTreeMap<String, Vec<Block>>,
    services: BTreeMap<String, Vec<(u8, Vec<Ports>)>>,
    lists: BTreeMap<(bool, String), Vec<Entry>>,
    /// By interface, direction, and whether it is for IPv4.
    bindings: BTreeMap<(String, String, bool), String>,
    logins: BTreeMap<bool, String>,
}

struct Entry {
    permit: bool,
    services: Vec<(Option<u8>, Vec<Ports>)>,
    sources: Vec<Block>,
    source_ports: Vec<Ports>,
    destinations: Vec<Block>,
    established: bool,
}

enum Mode {
    Top,
    Network(String),
    Service(String),
    List(bool, String),
    Interface(String),
    Terminal,
}

impl Switch {
    /// Reads a config; nothing if it says something that is not known here.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (mut switch, mut mode) = (Switch::default(), Mode::Top);
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('!')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !line.starts_with(' ') {
                mode = switch.open(&words)?;
                continue;
            }
            match (&mode, &words[..]) {
                (Mode::List(..), ["remark", ..]) => {}
                (Mode::Network(name), words) => {
                    let block = member(words)?;
                    switch.networks.get_mut(name)?.push(block);
                }
                (Mode::Service(name), [protocol, rest @ ..]) => {
                    let (ports, []) = ports(rest)? else { return None };
                    switch.services.get_mut(name)?.push((number(protocol, true)?, ports));
                }
                (Mode::List(is_v4, name), words) => {
                    let entry = switch.entry(words, *is_v4)?;
                    switch.lists.get_mut(&(*is_v4, name.clone()))?.push(entry);
                }
                (Mode::Interface(interface), ["ip", "access-group", name, way @ ("in" | "out")]) => {
                    switch.bind(interface, way, true, name);
                }
                (Mode::Interface(interface), ["ipv6", "traffic-filter", name, way @ ("in" | "out")]) => {
                    switch.bind(interface, way, false, name);
                }
                (Mode::Terminal, ["access-class", name, "in"]) => {
                    switch.logins.insert(true, (*name).to_owned());
                }
                (Mode::Terminal, ["ipv6", "access-class", name, "in"]) => {
                    switch.logins.insert(false, (*name).to_owned());
                }
                _ => return None,
            }
        }
        Some(switch)
    }

    fn open(&mut self, words: &[&str]) -> Option<Mode> {
        Some(match words {
            ["object-group", "network", name] => {
                self.networks.entry((*name).to_owned()).or_default();
                Mode::Network((*name).to_owned())
            }
            ["object-group", "service", name] => {
                self.services.entry((*name).to_owned()).or_default();
                Mode::Service((*name).to_owned())
            }
            ["ip", "access-list", "extended", name] => self.list(true, name),
            ["ipv6", "access-list", name] => self.list(false, name),
            ["interface", name] => Mode::Interface((*name).to_owned()),
            ["line", "vty", _, _] => Mode::Terminal,
            ["end"] => Mode::Top,
            _ => return None,
        })
    }

    fn list(&mut self, is_v4: bool, name: &str) -> Mode {
        self.lists.entry((is_v4, name.to_owned())).or_default();
        Mode::List(is_v4, name.to_owned())
    }

    /// An interface has one list for each way and family: the last one.
    fn bind(&mut self, interface: &str, way: &str, is_v4: bool, name: &str) {
        self.bindings.insert((interface.to_owned(), way.to_owned(), is_v4), name.to_owned());
    }

    fn entry(&self, words: &[&str], is_v4: bool) -> Option<Entry> {
        // A sequence number may stand first.
        let words = if words[0].parse::<u32>().is_ok() { &words[1..] } else { words };
        let permit = match *words.first()? {
            "permit" => true,
            "deny" => false,
            _ => return None,
        };
        let (mut services, rest) = match &words[1..] {
            ["object-group", name, rest @ ..] if is_v4 => {
                let held = self.services.get(*name)?.iter();
                (held.map(|(protocol, ports)| (Some(*protocol), ports.clone())).collect(), rest)
            }
            ["ip", rest @ ..] if is_v4 => (vec![(None, vec![ALL])], rest),
            ["ipv6", rest @ ..] if !is_v4 => (vec![(None, vec![ALL])], rest),
            [name, rest @ ..] => (vec![(Some(number(name, is_v4)?), vec![ALL])], rest),
            [] => return None,
        };
        let protocol: Option<u8> = services.first().and_then(|service| service.0);
        let has_ports = matches!(protocol, Some(6 | 17 | 132)) && services.len() == 1;
        let (sources, rest) = self.addresses(rest, is_v4)?;
        let (source_ports, rest) = ports(rest)?;
        let (destinations, rest) = self.addresses(rest, is_v4)?;
        let (destination_ports, mut rest) = ports(rest)?;
        if source_ports != [ALL] || destination_ports != [ALL] {
            if !has_ports {
                return None;
            }
            services[0].1 = destination_ports;
        }
        let messages = if is_v4 { 1 } else { 58 };
        if protocol == Some(messages) && !matches!(rest, [] | ["log", ..]) {
            let (held, behind) = message(rest, is_v4)?;
            (services[0].1, rest) = (vec![held], behind);
        }
        let established = rest.first() == Some(&"established");
        let known = matches!(&rest[usize::from(established)..], [] | ["log"]);
        if !known || established && protocol != Some(TCP) {
            return None;
        }
        Some(Entry { permit, services, sources, source_ports, destinations, established })
    }

    fn addresses<'w>(&self, words: &'w [&'w str], is_v4: bool) -> Option<(Vec<Block>, &'w [&'w str])> {
        Some(match words {
            ["any", rest @ ..] => (vec![(0, 0)], rest),
            ["host", address, rest @ ..] if is_v4 => (vec![(v4(address)?, u32::MAX.into())], rest),
            ["host", address, rest @ ..] => {
                (vec![(address.parse::<Ipv6Addr>().ok()?.to_bits(), u128::MAX)], rest)
            }
            ["object-group", name, rest @ ..] if is_v4 => (self.networks.get(*name)?.clone(), rest),
            [address, wildcard, rest @ ..] if is_v4 => {
                let mask = u128::from(u32::MAX) & !v4(wildcard)?;
                (vec![(v4(address)? & mask, mask)], rest)
            }
            [prefix, rest @ ..] => {
                let (address, length) = prefix.split_once('/')?;
                let free = 128_u32.checked_sub(length.parse().ok()?)?;
                let mask = u128::MAX.checked_shl(free).unwrap_or(0);
                (vec![(address.parse::<Ipv6Addr>().ok()?.to_bits() & mask, mask)], rest)
            }
            [] => return None,
        })
    }

    /// True if a packet passes where it arrives and where it leaves; or, if it is for the device, the terminals too.
    pub(super) fn passes(&self, packet: &Packet) -> bool {
        let is_v4 = packet.source.is_ipv4();
        let list =
            |interface: &str, way: &str| self.bindings.get(&(interface.to_owned(), way.to_owned(), is_v4));
        let arrived = self.permits(list(&packet.arrives, "in"), packet);
        let login = packet.protocol == TCP && [22, 23].contains(&packet.destination_port);
        arrived
            && match &packet.leaves {
                Some(interface) => self.permits(list(interface, "out"), packet),
                None => !login || self.permits(self.logins.get(&is_v4), packet),
            }
    }

    /// What is not bound, not there, or empty passes everything.
    fn permits(&self, name: Option<&String>, packet: &Packet) -> bool {
        let key = name.map(|name| (packet.source.is_ipv4(), name.clone()));
        match key.and_then(|key| self.lists.get(&key)).filter(|entries| !entries.is_empty()) {
            Some(entries) => entries.iter().find(|e| e.matches(packet)).is_some_and(|e| e.permit),
            None => true,
        }
    }
}

impl Entry {
    /// A later fragment shows addresses and a protocol. A permission that asks for more takes it, a denial does not
    /// (Cisco document 8014).
    fn matches(&self, packet: &Packet) -> bool {
        let later = packet.state == "later fragment";
        let bits = |address| match address {
            IpAddr::V4(address) => u128::from(Ipv4Addr::to_bits(address)),
            IpAddr::V6(address) => address.to_bits(),
        };
        let within =
            |blocks: &[Block], address| blocks.iter().any(|(value, mask)| bits(address) & mask == *value);
        let between =
            |ports: &[Ports], port| ports.iter().any(|(first, last)| *first <= port && port <= *last);
        let service = |(protocol, ports): &(Option<u8>, Vec<Ports>)| {
            let asks = self.established || *ports != [ALL] || self.source_ports != [ALL];
            let transport = between(ports, packet.destination_port)
                && between(&self.source_ports, packet.source_port)
                && (!self.established || packet.flags & 0b1_0100 != 0);
            protocol.is_none_or(|protocol| protocol == packet.protocol)
                && if later { self.permit || !asks } else { transport }
        };
        self.services.iter().any(service)
            && within(&self.sources, packet.source)
            && within(&self.destinations, packet.destination)
    }
}

fn v4(text: &str) -> Option<u128> {
    Some(text.parse::<Ipv4Addr>().ok()?.to_bits().into())
}

/// A member of a group of networks, which has a netmask.
fn member(words: &[&str]) -> Option<Block> {
    match words {
        ["host", address] => Some((v4(address)?, u32::MAX.into())),
        [address, mask] => Some((v4(address)? & v4(mask)?, v4(mask)?)),
        _ => None,
    }
}

fn number(name: &str, is_v4: bool) -> Option<u8> {
    Some(match name {
        "icmp" if is_v4 => 1,
        "icmp" => 58,
        "igmp" if is_v4 => 2,
        "tcp" => 6,
        "udp" => 17,
        "gre" if is_v4 => 47,
        "esp" => 50,
        "ahp" => 51,
        "eigrp" if is_v4 => 88,
        "ospf" if is_v4 => 89,
        "pim" if is_v4 => 103,
        "sctp" => 132,
        // IOS reads 0 as every protocol.
        other => other.parse().ok().filter(|number| *number != 0)?,
    })
}

fn ports<'w>(words: &'w [&'w str]) -> Option<(Vec<Ports>, &'w [&'w str])> {
    Some(match words {
        ["range", first, last, rest @ ..] => {
            let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
            (vec![(first.min(last), first.max(last))], rest)
        }
        [word @ ("eq" | "gt" | "lt" | "neq"), port, rest @ ..] => {
            let port: u16 = port.parse().ok()?;
            let (below, above) = ((0, port.checked_sub(1)?), (port.checked_add(1)?, u16::MAX));
            let held = match *word {
                "eq" => vec![(port, port)],
                "gt" => vec![above],
                "lt" => vec![below],
                _ => vec![below, above],
            };
            (held, rest)
        }
        rest => (vec![ALL], rest),
    })
}

/// A type of ICMP with all its codes, or a type and a code.
fn message<'w>(words: &'w [&'w str], is_v4: bool) -> Option<(Ports, &'w [&'w str])> {
    let kind: u8 = match (words[0], is_v4) {
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
        (number, _) => number.parse().ok()?,
    };
    Some(match words.get(1).and_then(|word| word.parse::<u8>().ok()) {
        Some(code) => {
            let message = u16::from_be_bytes([kind, code]);
            ((message, message), &words[2..])
        }
        None => ((u16::from_be_bytes([kind, 0]), u16::from_be_bytes([kind, u8::MAX])), &words[1..]),
    })
}
