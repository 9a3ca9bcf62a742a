//! Packets and boxes in words.

use std::fmt;

use super::{
    AddressRange, ICMP, ICMPV6, Interval, Packet, PacketBox, ServiceSet, has_ports, icmp_types, protocol_name,
};

/// Written as `tcp 10.1.2.3:49152 -> 10.4.5.6:104`, or `icmp 10.1.2.3 -> 10.4.5.6 echo-request`.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = protocol_name(self.protocol);
        if has_ports(self.protocol) {
            let source = std::net::SocketAddr::new(self.source, self.source_port);
            let destination = std::net::SocketAddr::new(self.destination, self.destination_port);
            return write!(f, "{protocol} {source} -> {destination}");
        }
        write!(f, "{protocol} {} -> {}", self.source, self.destination)?;
        match self.protocol {
            ICMP | ICMPV6 => write!(f, " {}", message(self.protocol, self.destination_port)),
            _ => Ok(()),
        }
    }
}

/// The message of an ICMP packet by name, or as `type 42 code 0`.
fn message(protocol: u8, type_and_code: u16) -> String {
    let [message_type, code] = type_and_code.to_be_bytes();
    let known = icmp_types(protocol).iter().find(|(_, number)| *number == message_type);
    match known {
        Some((name, _)) if code == 0 => (*name).to_owned(),
        Some((name, _)) => format!("{name} code {code}"),
        None => format!("type {message_type} code {code}"),
    }
}

/// Written as `tcp 10.0.0.0/8 -> 10.4.5.6 port 104`.
impl fmt::Display for PacketBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (protocol, source_port, destination_port) = self.traffic();
        let (sources, destinations) = (addresses(self.sources()), addresses(self.destinations()));
        write!(f, "{} {sources} -> {destinations}", protocols(protocol))?;
        if !destination_port.is_full() && matches!(protocol.first(), ICMP | ICMPV6) {
            write!(f, " {}", message(protocol.first(), destination_port.first()))?;
        } else if !destination_port.is_full() {
            write!(f, " port {}", range(destination_port))?;
        }
        if !source_port.is_full() {
            write!(f, " from port {}", range(source_port))?;
        }
        Ok(())
    }
}

/// Written as `tcp 104, 2762; udp 53`; a protocol of one family is written once, as is one of both.
impl fmt::Display for ServiceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries: Vec<(Interval<u8>, String)> = Vec::new();
        for (protocol, ports) in self.v4.entries().iter().chain(self.v6.entries()) {
            let mut texts = Vec::new();
            for (source_port, destination_ports) in ports.entries() {
                let from = if source_port.is_full() {
                    String::new()
                } else {
                    format!(" from {}", range(*source_port))
                };
                texts.extend(destination_ports.intervals().map(|port| port_text(*protocol, port) + &from));
            }
            let entry = (*protocol, texts.join(", "));
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        let texts = entries
            .iter()
            .map(|(protocol, ports)| format!("{} {ports}", protocols(*protocol)).trim_end().to_owned());
        write!(f, "{}", texts.collect::<Vec<_>>().join("; "))
    }
}

/// A range of ports, or of ICMP messages; nothing where it is all of them.
fn port_text(protocol: Interval<u8>, ports: Interval<u16>) -> String {
    match protocol.first() {
        _ if ports.is_full() => String::new(),
        ICMP | ICMPV6 => message(protocol.first(), ports.first()),
        _ => range(ports),
    }
}

fn addresses(range: AddressRange) -> String {
    match range {
        AddressRange::V4(interval) if interval.is_full() => "any IPv4 address".to_owned(),
        AddressRange::V6(interval) if interval.is_full() => "any IPv6 address".to_owned(),
        AddressRange::V4(_) | AddressRange::V6(_) => range.to_string(),
    }
}

fn protocols(interval: Interval<u8>) -> String {
    if interval.is_full() {
        "any protocol".to_owned()
    } else if interval.is_single() {
        protocol_name(interval.first())
    } else {
        format!("protocols {}-{}", interval.first(), interval.last())
    }
}

fn range(interval: Interval<u16>) -> String {
    if interval.is_single() {
        interval.first().to_string()
    } else {
        format!("{}-{}", interval.first(), interval.last())
    }
}
