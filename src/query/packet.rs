//! A packet as a person or a table writes it.

use std::net::IpAddr;

use thiserror::Error;

use crate::set::{ICMP, ICMPV6, Packet, has_ports, protocol_number};

/// The fields of a packet as written.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// The protocol, by name or number.
    pub proto: &'a str,
    /// The source address.
    pub src: &'a str,
    /// The destination address.
    pub dst: &'a str,
    /// The source port; empty stands for an ephemeral one, 49152. Protocols without ports ignore it.
    pub sport: &'a str,
    /// The destination port. For ICMP the type of the message, by number; empty and 0 stand for the echo request,
    /// since an echo reply (type 0) opens nothing. Other protocols ignore it.
    pub dport: &'a str,
}

/// Why fields are not a packet.
#[derive(Error, Clone, PartialEq, Eq, Debug)]
pub enum BadPacket {
    /// The protocol is not known.
    #[error("`{0}` is not a protocol; use a name such as tcp, udp or icmp, or a number from 0 to 255")]
    Protocol(String),
    /// An address cannot be read.
    #[error("`{0}` is not an address")]
    Address(String),
    /// The addresses are of different families.
    #[error("{0} and {1} are of different families; a packet has two addresses of one")]
    Families(IpAddr, IpAddr),
    /// A port is missing.
    #[error("{0} needs a destination port")]
    PortMissing(String),
    /// A port cannot be read.
    #[error("`{0}` is not a port; use a number from 0 to 65535")]
    Port(String),
    /// An ICMP type cannot be read.
    #[error(
        "`{0}` is not a type of ICMP message; use a number from 0 to 255, or leave it empty for an echo request"
    )]
    MessageType(String),
}

/// The first ephemeral port (RFC 6335, 6).
const EPHEMERAL: u16 = 49152;

/// Reads a packet.
///
/// # Errors
/// [`BadPacket`] names the field that cannot be read.
pub fn parse_packet(fields: Fields) -> Result<Packet, BadPacket> {
    let name = fields.proto.trim().to_ascii_lowercase();
    let known = match name.as_str() {
        "ipv6-icmp" => Some(ICMPV6),
        other => protocol_number(other).or_else(|| other.parse().ok()),
    };
    let protocol = known.ok_or_else(|| BadPacket::Protocol(fields.proto.to_owned()))?;
    let address = |text: &str| text.trim().parse().map_err(|_| BadPacket::Address(text.to_owned()));
    let (source, destination): (IpAddr, IpAddr) = (address(fields.src)?, address(fields.dst)?);
    if source.is_ipv4() != destination.is_ipv4() {
        return Err(BadPacket::Families(source, destination));
    }
    let (source_port, destination_port) = ports(protocol, &name, fields)?;
    Ok(Packet { source, destination, protocol, source_port, destination_port })
}

fn ports(protocol: u8, name: &str, fields: Fields) -> Result<(u16, u16), BadPacket> {
    let port = |text: &str| text.parse().map_err(|_| BadPacket::Port(text.to_owned()));
    let (sport, dport) = (fields.sport.trim(), fields.dport.trim());
    if has_ports(protocol) {
        if dport.is_empty() {
            return Err(BadPacket::PortMissing(name.to_owned()));
        }
        let source = if sport.is_empty() { EPHEMERAL } else { port(sport)? };
        return Ok((source, port(dport)?));
    }
    let echo_request: u8 = match protocol {
        ICMP => 8,
        ICMPV6 => 128,
        _ => return Ok((0, 0)),
    };
    let message_type = match dport {
        "" | "0" => echo_request,
        number => number.parse().map_err(|_| BadPacket::MessageType(number.to_owned()))?,
    };
    Ok((0, u16::from_be_bytes([message_type, 0])))
}
