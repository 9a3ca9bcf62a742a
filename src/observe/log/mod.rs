//! What firewalls logged, in the words of the policy.
//!
//! In: lines of a log, one after the other. Out: packets grouped by who they are and what the policy says of them today
//! ([`Tally`]). A line is not a firewall's, or it is read, or it is counted as one that could not be, with its number. What is
//! kept grows with the number of groups only, and that is bounded.

mod cisco;
mod filterlog;
mod header;
mod judge;
mod json;
mod netfilter;
mod tally;
mod text;

use std::borrow::Cow;
use std::net::IpAddr;

pub use judge::{Agreement, Judge};
pub use tally::{Group, Report, Tally};
pub use text::{comma_separated, human};

use crate::set::{ICMP, ICMPV6, Packet, has_ports};

/// What a device did with a packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Did {
    /// It let it in.
    Accepted,
    /// It dropped it.
    Denied,
    /// It counted it for a guard, and did what that says.
    Guarded,
}

/// Why a device did it, as its log says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Because<'l> {
    /// No statement speaks of it.
    Default,
    /// A statement or guard, by the name that the log has for it.
    Named(Cow<'l, str>),
    /// A rule of pfSense, by its tracker.
    Tracker(Cow<'l, str>),
    /// A line of an access list, which is not named.
    List(Cow<'l, str>),
    /// Something that is no matter of rules: its source cannot be there, it fits no connection, or it is cut off.
    Other(Cow<'l, str>),
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<'l> {
    /// When, as it is written; empty if it is not.
    pub time: Cow<'l, str>,
    /// The host that wrote it, if it is named.
    pub host: Option<Cow<'l, str>>,
    /// What was done.
    pub did: Did,
    /// Why.
    pub because: Because<'l>,
    /// True if it was meant for the device itself.
    pub is_for_device: bool,
    /// The packet.
    pub seen: Seen,
    /// How many packets the line stands for.
    pub packets: u64,
}

/// A packet, as far as a line shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The source address.
    pub source: IpAddr,
    /// The destination address.
    pub destination: IpAddr,
    /// The protocol number.
    pub protocol: u8,
    /// Source and destination port, or type and code of an ICMP message; none where the line does not show them.
    pub ports: Option<(u16, u16)>,
    /// True for a TCP segment that opens no connection by its flags.
    pub is_answer: bool,
}

/// What a line is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line<'l> {
    /// Nothing that a firewall logged.
    Foreign,
    /// Something that a firewall logged, but not for cordon.
    Others,
    /// A device says that it left out log lines.
    Lost(u64),
    /// What a firewall logged.
    Entry(Entry<'l>),
    /// It looks like that, and cannot be read.
    Unreadable,
}

impl Seen {
    /// The packet, if the line shows all that a policy can look at.
    pub fn packet(&self) -> Option<Packet> {
        let (source_port, destination_port) = match (self.protocol, self.ports) {
            (ICMP | ICMPV6, Some((kind, code))) => {
                (0, u16::from_be_bytes([u8::try_from(kind).ok()?, u8::try_from(code).ok()?]))
            }
            (protocol, Some(ports)) if has_ports(protocol) => ports,
            (protocol, None) if has_ports(protocol) || matches!(protocol, ICMP | ICMPV6) => return None,
            (_, Some(_) | None) => (0, 0),
        };
        let Seen { source, destination, protocol, .. } = *self;
        (source.is_ipv4() == destination.is_ipv4()).then_some(Packet {
            source,
            destination,
            protocol,
            source_port,
            destination_port,
        })
    }
}

/// Reads a line, without what ends it.
pub fn read(line: &str) -> Line<'_> {
    let start = line.trim_start();
    if start.starts_with('{') {
        return json::read(start);
    }
    read_text(line)
}

/// Reads a line that is no JSON.
fn read_text(line: &str) -> Line<'_> {
    if let Some(at) = line.find("filterlog") {
        return filterlog::read(line, at);
    }
    if let Some(at) = line.find("%SEC-6-IPACCESSLOG").or_else(|| line.find("%IPV6_ACL-6-ACCESSLOG")) {
        return cisco::read(line, at);
    }
    if line.contains("IN=") && line.contains(" SRC=") {
        return netfilter::read(line);
    }
    Line::Foreign
}

/// The entry that a line of a test is.
#[cfg(test)]
fn entry(line: &str) -> Entry<'_> {
    let Line::Entry(entry) = read(line) else { panic!("no entry: {line}") };
    entry
}
