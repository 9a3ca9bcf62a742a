//! Fields of a row that several forms share.

use std::net::IpAddr;

use super::error::Problem;
use super::moment::Moment;
use crate::query::{BadPacket, Fields, parse_packet};
use crate::set::{ICMP, ICMPV6, Packet};

/// A time, or none where the field is empty.
pub(super) fn time(text: &str) -> Result<Option<Moment>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    Moment::parse(text).map(Some).ok_or_else(|| Problem::Time(text.to_owned()))
}

/// A number of at least `least`, or `absent` where the field is empty.
pub(super) fn number(column: &'static str, text: &str, least: u64, absent: u64) -> Result<u64, Problem> {
    if text.is_empty() {
        return Ok(absent);
    }
    let number = text.trim().parse().ok().filter(|number| *number >= least);
    number.ok_or_else(|| Problem::Number { column, text: text.to_owned(), least })
}

/// A packet of a protocol other than ICMP.
pub(super) fn packet(proto: &str, src: &str, dst: &str, sport: &str, dport: &str) -> Result<Packet, Problem> {
    Ok(parse_packet(Fields { proto, src, dst, sport, dport })?)
}

/// A message of ICMP, of the version that the addresses have.
pub(super) fn message(src: &str, dst: &str, message_type: u8, code: u8) -> Result<Packet, Problem> {
    let address = |text: &str| text.trim().parse().map_err(|_| BadPacket::Address(text.to_owned()));
    let (source, destination): (IpAddr, IpAddr) = (address(src)?, address(dst)?);
    if source.is_ipv4() != destination.is_ipv4() {
        return Err(BadPacket::Families(source, destination).into());
    }
    let protocol = if source.is_ipv4() { ICMP } else { ICMPV6 };
    let destination_port = u16::from_be_bytes([message_type, code]);
    Ok(Packet { source, destination, protocol, source_port: 0, destination_port })
}
