//! A connection of Zeek's conn.log, whatever the log is written in.
//!
//! The fields are those of `Conn::Info` (<https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html>). Zeek
//! writes a connection once, with the originator first. It is not sure of that where it saw no opening, which is the state
//! `OTH`; and where it turned the two ends round by their ports, which is `^` in the history
//! (<https://docs.zeek.org/en/master/advanced/devel/conn.html>).

use super::error::Problem;
use super::fields::{message, packet};
use super::moment::Moment;
use super::{Flow, Opener};
use crate::query::BadPacket;

/// A connection as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection<'a> {
    pub(super) first: Option<Moment>,
    pub(super) seconds: i64,
    pub(super) source: &'a str,
    pub(super) source_port: &'a str,
    pub(super) destination: &'a str,
    pub(super) destination_port: &'a str,
    pub(super) protocol: &'a str,
    /// The number of the protocol, which newer versions write beside its name.
    pub(super) protocol_number: &'a str,
    pub(super) bytes: u64,
    pub(super) state: &'a str,
    pub(super) history: &'a str,
}

/// Types of ICMP messages that Zeek writes with the type of the answer where the code would stand
/// (`ICMP4_counterpart` of its `src/packet_analysis/protocol/icmp`).
const TWO_WAY: [u8; 10] = [0, 8, 9, 10, 13, 14, 15, 16, 17, 18];

/// The same of ICMPv6 (`ICMP6_counterpart`).
const TWO_WAY_V6: [u8; 12] = [128, 129, 130, 131, 133, 134, 135, 136, 139, 140, 144, 145];

impl Connection<'_> {
    /// The flow that it is.
    pub(super) fn flow(&self) -> Result<Flow, Problem> {
        let is_unsure = self.state == "OTH" || self.history.contains('^');
        Ok(Flow {
            packet: match self.protocol {
                "icmp" => self.message()?,
                "unknown_transport" | "unknown" | "" => self.by_number()?,
                name => self.packet(name)?,
            },
            opener: if is_unsure { Opener::Unknown } else { Opener::Source },
            flows: 1,
            bytes: self.bytes,
            first: self.first,
            last: self.first.map(|first| first.after(self.seconds)),
        })
    }

    fn packet(&self, protocol: &str) -> Result<crate::set::Packet, Problem> {
        packet(protocol, self.source, self.destination, self.source_port, self.destination_port)
    }

    fn by_number(&self) -> Result<crate::set::Packet, Problem> {
        match self.protocol_number.parse::<u8>() {
            Ok(1 | 58) => self.message(),
            Ok(_) => self.packet(self.protocol_number),
            Err(_) => Err(Problem::UnknownTransport),
        }
    }

    fn message(&self) -> Result<crate::set::Packet, Problem> {
        let field = |text: &str| text.parse::<u8>().map_err(|_| BadPacket::MessageType(text.to_owned()));
        let message_type = field(self.source_port)?;
        let is_two_way = match self.source.contains(':') {
            true => TWO_WAY_V6.contains(&message_type),
            false => TWO_WAY.contains(&message_type),
        };
        let code = if is_two_way { 0 } else { field(self.destination_port)? };
        message(self.source, self.destination, message_type, code)
    }
}
