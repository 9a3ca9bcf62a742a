//! What Cisco IOS logs of access lists: `%SEC-6-IPACCESSLOGP` and its sisters, `%IPV6_ACL-6-ACCESSLOGP` and its sisters
//! ("System Message Guide", facilities SEC and IPV6_ACL).
//!
//! `P` has ports, `DP` type and code of ICMP, `RP` and `NP` a protocol by name or number, `S` only a source. A line stands
//! for several packets: the first, and after five minutes those that came since. `RL` says that lines were left out. Where
//! no line of a list looks at ports, both are shown as 0, which says that they were not looked at.

use std::borrow::Cow;

use super::header::header;
use super::{Because, Did, Entry, Line, Seen};
use crate::set::{ICMP, ICMPV6, has_ports, protocol_number};

/// Reads a line in which the name of a message stands at a place.
pub(super) fn read(line: &str, at: usize) -> Line<'_> {
    let (before, rest) = line.split_at(at);
    let Some((name, text)) = rest.split_once(": ") else { return Line::Unreadable };
    if name.ends_with("LOGRL") {
        let number = text.split_whitespace().find_map(|word| word.parse().ok());
        return number.map_or(Line::Unreadable, Line::Lost);
    }
    let (time, host) = header(before);
    let entry =
        entry(text).map(|entry| Entry { time: Cow::Borrowed(time), host: host.map(Cow::Borrowed), ..entry });
    match entry {
        Some(entry) if matches!(&entry.because, Because::List(list) if !list.starts_with("CORDON-")) => {
            Line::Others
        }
        Some(entry) => Line::Entry(entry),
        None => Line::Unreadable,
    }
}

/// Reads `list NAME denied tcp 10.0.0.1(40000) (Vlan1 aabb.ccdd.eeff) -> 10.0.0.2(22), 1 packet`.
fn entry(text: &str) -> Option<Entry<'_>> {
    let rest = text.trim_start().strip_prefix("list ")?;
    let (list, rest) = rest.split_once(' ')?;
    let (action, rest) = rest.split_once(' ')?;
    let did = match action {
        "denied" => Did::Denied,
        "permitted" => Did::Accepted,
        _ => return None,
    };
    // IPv6 lists have the number of their line behind their name.
    let list = list.split('/').next()?;
    let (flow, count) = rest.rsplit_once(", ")?;
    let packets = count.split(' ').next()?.parse().ok()?;
    let (left, right) = flow.split_once(" -> ")?;
    let (protocol, source) = left.split_once(' ')?;
    let (source, source_port) = end(source)?;
    let (destination, in_brackets) = match right.split_once(' ') {
        Some((destination, message)) => (destination, Some(message.trim())),
        None => (right, None),
    };
    let (destination, destination_port) = end(destination)?;
    let protocol = number(protocol)?;
    let message = in_brackets.and_then(|text| text.strip_prefix('(')?.strip_suffix(')')?.split_once('/'));
    let message = message.and_then(|(kind, code)| kind.parse().ok().zip(code.parse().ok()));
    let ports = match protocol {
        ICMP | ICMPV6 => message,
        protocol if has_ports(protocol) => source_port.zip(destination_port).filter(|ports| *ports != (0, 0)),
        _ => None,
    };
    let (source, destination) = (source.parse().ok()?, destination.parse().ok()?);
    let seen = Seen { source, destination, protocol, ports, is_answer: false };
    let (because, time) = (Because::List(Cow::Borrowed(list)), Cow::Borrowed(""));
    Some(Entry {
        time,
        host: None,
        did,
        because,
        is_for_device: list.starts_with("CORDON-VTY"),
        seen,
        packets,
    })
}

/// An address, and the port in brackets behind it. The interface and the sender that may follow are left out.
fn end(text: &str) -> Option<(&str, Option<u16>)> {
    let word = text.split(' ').next()?;
    match word.split_once('(') {
        Some((address, port)) => Some((address, Some(port.strip_suffix(')')?.parse().ok()?))),
        None => Some((word, None)),
    }
}

/// A protocol by the names that IOS has for them, or its number.
fn number(name: &str) -> Option<u8> {
    let known = match name {
        "icmpv6" => Some(ICMPV6),
        "eigrp" => Some(88),
        "ospf" => Some(89),
        "pim" => Some(103),
        "ipinip" => Some(4),
        "ahp" => Some(51),
        other => protocol_number(other),
    };
    known.or_else(|| name.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::entry;
    use super::*;

    const TCP: &str = "Nov 28 07:35:03 dist1 4711: Nov 28 07:35:02.1: %SEC-6-IPACCESSLOGP: list CORDON-Vlan1-IN-4-0a denied \
        tcp 10.0.0.1(40000) (Vlan1 aabb.ccdd.eeff) -> 10.0.0.2(22), 3 packets";

    #[test]
    fn each_message_is_read() {
        let tcp = entry(TCP);
        assert_eq!((tcp.host.as_deref(), tcp.packets, tcp.seen.ports), (Some("dist1"), 3, Some((40000, 22))));
        assert_eq!(tcp.because, Because::List("CORDON-Vlan1-IN-4-0a".into()));
        let icmp = "%SEC-6-IPACCESSLOGDP: list CORDON-A permitted icmp 10.0.0.1 -> 10.0.0.2 (8/0), 1 packet";
        assert_eq!((entry(icmp).did, entry(icmp).seen.ports), (Did::Accepted, Some((8, 0))));
        let six =
            "%IPV6_ACL-6-ACCESSLOGP: list CORDON-B/20 denied udp 2001:DB8::1(5) -> 2001:DB8::2(53), 1 packet";
        assert_eq!(
            (entry(six).because, entry(six).seen.ports),
            (Because::List("CORDON-B".into()), Some((5, 53)))
        );
        let six = "%IPV6_ACL-6-ACCESSLOGDP: list CORDON-B/20 denied icmpv6 2001:DB8::1 -> 2001:DB8::2 (128/0), 1 packet";
        assert_eq!((entry(six).seen.protocol, entry(six).seen.ports), (ICMPV6, Some((128, 0))));
        let routing = "%SEC-6-IPACCESSLOGRP: list CORDON-A denied ospf 10.0.0.1 -> 224.0.0.5, 1 packet";
        assert_eq!(entry(routing).seen.protocol, 89);
        let other = "%SEC-6-IPACCESSLOGNP: list CORDON-A denied 47 10.0.0.1 -> 10.0.0.2, 12 packets";
        assert_eq!((entry(other).seen.protocol, entry(other).packets), (47, 12));
    }

    #[test]
    fn ports_that_were_not_looked_at_are_not_zero() {
        let line = TCP.replace("(40000)", "(0)").replace("(22)", "(0)");
        assert_eq!(entry(&line).seen.ports, None);
    }

    #[test]
    fn lost_lines_and_lists_of_others_are_told_apart() {
        let lost = "%SEC-6-IPACCESSLOGRL: access-list logging rate-limited or missed 17 packets";
        assert_eq!(super::super::read(lost), Line::Lost(17));
        assert_eq!(super::super::read(&TCP.replace("CORDON-Vlan1-IN-4-0a", "101")), Line::Others);
        for (from, to) in
            [(", 3 packets", ""), ("denied", "dropped"), ("10.0.0.2", "x"), ("(22)", "(x)"), (" -> ", " ")]
        {
            assert_eq!(super::super::read(&TCP.replace(from, to)), Line::Unreadable, "{to}");
        }
        let source_only = "%SEC-6-IPACCESSLOGS: list CORDON-A denied 10.0.0.1 1 packet";
        assert_eq!(super::super::read(source_only), Line::Unreadable);
    }
}
