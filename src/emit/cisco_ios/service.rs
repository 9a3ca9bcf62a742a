//! Protocols with their ports or messages, as the lines of an access list tell them apart.

use super::acl::Family;
use crate::set::{Interval, IntervalSet, Ports, Set, Traffic};

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

/// From so many protocols on, a service is said as every protocol but a few.
const BROAD: usize = 128;

/// What one line matches of a packet apart from its addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Service {
    /// The protocol, or `None` for every protocol.
    pub(super) protocol: Option<u8>,
    pub(super) source_port: Interval<u16>,
    /// The destination ports; for ICMP all codes of one type, or one code.
    pub(super) destination_port: Interval<u16>,
    /// True if only packets with ACK or RST match.
    pub(super) established: bool,
}

/// A set of services in lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Lowered {
    /// What is matched by itself.
    pub(super) exact: Vec<Service>,
    /// What every protocol is matched without. These lines stand before the one for every protocol.
    pub(super) exceptions: Vec<Service>,
    /// True if every protocol is matched after the exceptions.
    pub(super) every: bool,
    /// What cannot be said, and why.
    pub(super) unsaid: Vec<(Traffic, &'static str)>,
}

impl Service {
    /// Every packet.
    pub(super) const EVERY: Service = Service {
        protocol: None,
        source_port: Interval::FULL,
        destination_port: Interval::FULL,
        established: false,
    };

    /// All of one protocol.
    pub(super) fn whole(protocol: u8) -> Self {
        Service { protocol: Some(protocol), ..Self::EVERY }
    }

    /// All codes of one type of message.
    pub(super) fn message(protocol: u8, message_type: u8) -> Self {
        let codes = |code| u16::from_be_bytes([message_type, code]);
        let destination_port = Interval::spanning(codes(u8::MIN), codes(u8::MAX));
        Service { destination_port, ..Self::whole(protocol) }
    }

    pub(super) fn traffic(&self) -> Traffic {
        let ports =
            Ports::from_interval(self.source_port, IntervalSet::from_interval(self.destination_port, true));
        let protocols = self.protocol.map_or(Interval::FULL, Interval::single);
        Traffic::from_interval(protocols, ports)
    }

    /// The words before the addresses, between them, and behind them.
    pub(super) fn text(&self, family: Family) -> [String; 3] {
        let name = match self.protocol {
            None => family.every_protocol().to_owned(),
            Some(protocol) => protocol_text(protocol, family),
        };
        let mut last = if self.protocol == Some(family.icmp()) {
            message_text(self.destination_port, family)
        } else {
            port_text(self.destination_port)
        };
        if self.established {
            last.push_str(" established");
        }
        [name, port_text(self.source_port), last]
    }
}

/// Finds the lines for a set of services.
pub(super) fn lower(traffic: &Traffic, family: Family) -> Lowered {
    let breadth: usize =
        traffic.keys().intervals().map(|run| usize::from(run.last() - run.first()) + 1).sum();
    if breadth >= BROAD {
        return lower_broad(traffic, family);
    }
    let mut lowered = Lowered::default();
    for (protocols, ports) in traffic.entries() {
        for protocol in protocols.first()..=protocols.last() {
            match exact(protocol, ports, family) {
                Ok(services) => lowered.exact.extend(services),
                Err(why) => lowered.unsaid.push((only(protocol, ports.clone()), why)),
            }
        }
    }
    lowered
}

/// Every protocol but some: what is missing goes into lines before.
fn lower_broad(traffic: &Traffic, family: Family) -> Lowered {
    let mut lowered = Lowered { every: true, ..Lowered::default() };
    for protocol in 0..=u8::MAX {
        let Some(ports) = traffic.get(protocol) else {
            if protocol == 0 {
                return Lowered { unsaid: vec![(traffic.clone(), PROTOCOL_ZERO)], ..Lowered::default() };
            }
            lowered.exceptions.push(Service::whole(protocol));
            continue;
        };
        let missing = Ports::full().difference(ports);
        if missing.is_empty() {
            continue;
        }
        match (exact(protocol, ports, family), exact(protocol, &missing, family)) {
            (Ok(held), Ok(missing)) if held.len() + 1 < missing.len() => {
                lowered.exact.extend(held);
                lowered.exceptions.push(Service::whole(protocol));
            }
            (_, Ok(missing)) => lowered.exceptions.extend(missing),
            (_, Err(why)) => {
                lowered.exceptions.push(Service::whole(protocol));
                lowered.unsaid.push((only(protocol, ports.clone()), why));
            }
        }
    }
    lowered
}

const PROTOCOL_ZERO: &str = "IOS reads protocol 0 as every protocol";

/// The lines for one protocol.
fn exact(protocol: u8, ports: &Ports, family: Family) -> Result<Vec<Service>, &'static str> {
    if protocol == 0 {
        return Err(PROTOCOL_ZERO);
    }
    if *ports == Ports::full() {
        return Ok(vec![Service::whole(protocol)]);
    }
    if protocol == family.icmp() {
        return messages(protocol, ports);
    }
    match protocol {
        TCP | UDP => Ok(ports
            .entries()
            .iter()
            .flat_map(|(source_port, destination_ports)| {
                destination_ports.intervals().map(move |destination_port| Service {
                    source_port: *source_port,
                    destination_port,
                    ..Service::whole(protocol)
                })
            })
            .collect()),
        132 => Err("ports of SCTP"),
        33 => Err("ports of DCCP"),
        _ => Err("ports of a protocol that has none"),
    }
}

/// One line for each type that is there with all its codes, and one for each code of the others.
fn messages(protocol: u8, ports: &Ports) -> Result<Vec<Service>, &'static str> {
    let [(source_ports, messages)] = ports.entries() else { return Err("source ports of ICMP") };
    if !source_ports.is_full() {
        return Err("source ports of ICMP");
    }
    let mut services = Vec::new();
    for message_type in 0..=u8::MAX {
        let all = Service::message(protocol, message_type);
        let held = messages.intersection(&IntervalSet::from_interval(all.destination_port, true));
        if held == IntervalSet::from_interval(all.destination_port, true) {
            services.push(all);
            continue;
        }
        for run in held.intervals() {
            let codes = (run.first()..=run.last()).map(Interval::single);
            services.extend(codes.map(|code| Service { destination_port: code, ..all }));
        }
    }
    Ok(services)
}

pub(super) fn only(protocol: u8, ports: Ports) -> Traffic {
    Traffic::from_interval(Interval::single(protocol), ports)
}

/// Protocols by the names that IOS has for them in lists of a family, others by number.
fn protocol_text(protocol: u8, family: Family) -> String {
    let name = match (family, protocol) {
        (_, TCP) => "tcp",
        (_, UDP) => "udp",
        (Family::V4, 1) | (Family::V6, 58) => "icmp",
        (_, 50) => "esp",
        (_, 51) => "ahp",
        (Family::V4, 2) => "igmp",
        (Family::V4, 47) => "gre",
        (Family::V4, 88) => "eigrp",
        (Family::V4, 89) => "ospf",
        (Family::V4, 103) => "pim",
        (Family::V4 | Family::V6, number) => return number.to_string(),
    };
    name.to_owned()
}

/// ICMP messages by the names that IOS has for a type with all its codes.
fn message_text(messages: Interval<u16>, family: Family) -> String {
    if messages.is_full() {
        return String::new();
    }
    let [message_type, code] = messages.first().to_be_bytes();
    if messages.is_single() {
        return format!(" {message_type} {code}");
    }
    let name = match (family, message_type) {
        (Family::V4, 0) | (Family::V6, 129) => "echo-reply",
        (Family::V4, 3) | (Family::V6, 1) => "unreachable",
        (Family::V4, 5) | (Family::V6, 137) => "redirect",
        (Family::V4, 8) => "echo",
        (Family::V6, 128) => "echo-request",
        (Family::V4, 9) | (Family::V6, 134) => "router-advertisement",
        (Family::V4, 10) | (Family::V6, 133) => "router-solicitation",
        (Family::V4, 11) | (Family::V6, 3) => "time-exceeded",
        (Family::V4, 12) | (Family::V6, 4) => "parameter-problem",
        (Family::V4, 13) => "timestamp-request",
        (Family::V4, 14) => "timestamp-reply",
        (Family::V4, 17) => "mask-request",
        (Family::V4, 18) => "mask-reply",
        (Family::V6, 2) => "packet-too-big",
        (Family::V6, 130) => "mld-query",
        (Family::V6, 131) => "mld-report",
        (Family::V6, 132) => "mld-reduction",
        (Family::V6, 135) => "nd-ns",
        (Family::V6, 136) => "nd-na",
        (Family::V4 | Family::V6, number) => return format!(" {number}"),
    };
    format!(" {name}")
}

/// A test of ports with the space before it; nothing where all ports match.
pub(super) fn port_text(ports: Interval<u16>) -> String {
    if ports.is_full() {
        String::new()
    } else if ports.is_single() {
        format!(" eq {}", ports.first())
    } else {
        format!(" range {} {}", ports.first(), ports.last())
    }
}
