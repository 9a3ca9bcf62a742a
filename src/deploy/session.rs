//! Sessions that a device knows and a policy does not allow. A firewall lets known connections go on, whatever rules it loads.
//!
//! In: lines of `conntrack -L` (conntrack(8)). Each has two tuples: what opened the session, and what answers it. Rules see a
//! packet behind the translation of its destination and before that of its source, so a session is judged from the source of
//! the first to the source of the second.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::ir::{Decider, Decision, Policy};
use crate::set::{ICMP, ICMPV6, Packet};

/// What is known of the sessions of a device.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// False if the device has no `conntrack`, so that nothing is known of them.
    pub known: bool,
    /// How many were judged.
    pub judged: usize,
    /// How many were not: those of the device itself, those that end, and lines that are not understood.
    pub not_judged: usize,
    /// Those that the policy does not allow, or of which it does not say that they are.
    pub lost: Vec<LostSession>,
}

/// A session that the policy does not allow.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LostSession {
    /// The IP protocol number.
    pub protocol: u8,
    /// The addresses as the session was opened.
    pub source: IpAddr,
    /// See `source`.
    pub destination: IpAddr,
    /// The ports, where the protocol has them.
    pub ports: Option<(u16, u16)>,
    /// The rule that forbids it; none if no rule allows it.
    pub forbidden_by: Option<String>,
}

impl LostSession {
    /// The line from which a device makes the options of `conntrack -D`.
    pub(super) fn for_conntrack(&self) -> String {
        let family = if self.source.is_ipv4() { "ipv4" } else { "ipv6" };
        let LostSession { protocol, source, destination, .. } = self;
        let ports = self.ports.map_or_else(String::new, |(from, to)| format!(" {from} {to}"));
        format!("{family} {protocol} {source} {destination}{ports}\n")
    }
}

/// A line of `conntrack -L`.
struct Tracked {
    protocol: u8,
    is_ending: bool,
    opened: Tuple,
    answered: Tuple,
}

#[derive(Default)]
struct Tuple {
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    message: Option<(u8, u8)>,
}

/// Judges the sessions of a device by the policy that it is to have.
pub fn sessions<'l>(
    policy: &Policy,
    known: bool,
    lines: impl Iterator<Item = &'l str>,
    own: &BTreeSet<IpAddr>,
) -> Sessions {
    let decider = Decider::new(policy);
    let mut found = Sessions { known, ..Sessions::default() };
    for line in lines {
        let Some((tracked, packet)) = tracked(line).and_then(|tracked| {
            let packet = packet(&tracked)?;
            Some((tracked, packet))
        }) else {
            found.not_judged += 1;
            continue;
        };
        let is_own = own.contains(&packet.source) || own.contains(&packet.destination);
        if is_own || tracked.is_ending || packet.source.is_loopback() {
            found.not_judged += 1;
            continue;
        }
        found.judged += 1;
        let forbidden_by = match decider.decide(&packet) {
            Decision::Local(_) | Decision::Allowed(_) | Decision::Scheduled(_) => continue,
            Decision::Forbidden(rule) => Some(policy[rule].id.clone()),
            Decision::Unmentioned | Decision::Unzoned => None,
        };
        let Tuple { source: Some(source), destination: Some(destination), .. } = tracked.opened else {
            continue;
        };
        let ports = tracked.opened.source_port.zip(tracked.opened.destination_port);
        found.lost.push(LostSession { protocol: tracked.protocol, source, destination, ports, forbidden_by });
    }
    found.lost.sort();
    found.lost.dedup();
    found
}

/// The packet that opened a session, as rules saw it.
fn packet(tracked: &Tracked) -> Option<Packet> {
    let (opened, answered) = (&tracked.opened, &tracked.answered);
    let destination_port = match (tracked.protocol, opened.message) {
        (ICMP | ICMPV6, Some((kind, code))) => u16::from_be_bytes([kind, code]),
        (ICMP | ICMPV6, None) => return None,
        _ => answered.source_port.unwrap_or_default(),
    };
    Some(Packet {
        source: opened.source?,
        destination: answered.source?,
        protocol: tracked.protocol,
        source_port: opened.source_port.unwrap_or_default(),
        destination_port,
    })
}

/// Reads `tcp 6 431999 ESTABLISHED src=.. dst=.. sport=.. dport=.. src=.. dst=.. sport=.. dport=.. [ASSURED] ..`.
fn tracked(line: &str) -> Option<Tracked> {
    let mut words = line.split_whitespace();
    let (_, protocol) = (words.next()?, words.next()?.parse().ok()?);
    let mut tuples: Vec<Tuple> = Vec::new();
    let mut is_ending = false;
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            is_ending |= ["TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK"].contains(&word);
            continue;
        };
        if key == "src" {
            tuples.push(Tuple::default());
        }
        let Some(tuple) = tuples.last_mut() else { continue };
        match key {
            "src" => tuple.source = Some(value.parse().ok()?),
            "dst" => tuple.destination = Some(value.parse().ok()?),
            "sport" => tuple.source_port = Some(value.parse().ok()?),
            "dport" => tuple.destination_port = Some(value.parse().ok()?),
            "type" => tuple.message = Some((value.parse().ok()?, 0)),
            "code" => {
                tuple.message = tuple.message.zip(value.parse().ok()).map(|((kind, _), code)| (kind, code))
            }
            _ => {}
        }
    }
    let mut tuples = tuples.into_iter();
    Some(Tracked { protocol, is_ending, opened: tuples.next()?, answered: tuples.next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Packet> {
        packet(&tracked(line)?)
    }

    #[test]
    fn a_session_is_what_rules_saw_when_it_was_opened() {
        let plain = "tcp      6 431999 ESTABLISHED src=10.1.0.1 dst=10.2.0.10 sport=40000 dport=3613 src=10.2.0.10 \
                     dst=10.1.0.1 sport=3613 dport=40000 [ASSURED] mark=0 use=1";
        let packet = read(plain).unwrap();
        assert_eq!(packet.to_string(), "tcp 10.1.0.1:40000 -> 10.2.0.10:3613");
        let translated = "udp 17 29 src=10.1.0.1 dst=10.9.9.9 sport=40000 dport=99 [UNREPLIED] src=10.2.0.10 \
                          dst=10.3.0.1 sport=7777 dport=1024 mark=0 use=1";
        assert_eq!(read(translated).unwrap().to_string(), "udp 10.1.0.1:40000 -> 10.2.0.10:7777");
        let echo = "icmpv6 58 29 src=2001:db8::1 dst=2001:db8::2 type=128 code=0 id=1 src=2001:db8::2 dst=2001:db8::1 \
                    type=129 code=0 id=1";
        assert_eq!(read(echo).unwrap().destination_port, 128 * 256);
        assert!(tracked(&plain.replace("ESTABLISHED", "TIME_WAIT")).unwrap().is_ending);
    }

    #[test]
    fn a_line_of_another_form_is_no_session() {
        for line in [
            "",
            "tcp",
            "tcp six",
            "tcp 6 1 src=10.1.0.1",
            "tcp 6 1 src=x dst=y src=z dst=w",
            "icmp 1 9 src=10.1.0.1 dst=10.2.0.1 src=10.2.0.1 dst=10.1.0.1",
        ] {
            assert!(read(line).is_none(), "{line}");
        }
    }
}
