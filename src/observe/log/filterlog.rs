//! What pfSense logs: `filterlog` with comma-separated values.
//!
//! Their order is described in "Raw Filter Log Format",
//! <https://docs.netgate.com/pfsense/en/latest/monitoring/raw-filter-log-format.html>. Which rule it was is said by its
//! tracker. Of ICMP messages the kind is written as a word, and of ICMPv6 not at all: what cannot be told is left open.

use std::borrow::Cow;
use std::net::IpAddr;

use super::header::header;
use super::{Because, Did, Entry, Line, Seen};
use crate::set::{ICMP, has_ports};

/// The rules of pfSense itself that deny whatever no other rule speaks of, in both families and directions
/// (`filter_rules_generate`, filter.inc).
const DEFAULT_TRACKERS: std::ops::RangeInclusive<u32> = 1_000_000_103..=1_000_000_106;

/// Reads a line in which `filterlog` stands at a place.
pub(super) fn read(line: &str, at: usize) -> Line<'_> {
    let (before, rest) = line.split_at(at);
    // `filterlog: `, `filterlog[12345]: `, or `filterlog 12345 - - ` by RFC 5424.
    let values = rest.split_once(' ').map(|(_, rest)| rest.trim_start_matches(|c| c != ','));
    let Some(values) = values.filter(|values| !values.is_empty()) else { return Line::Foreign };
    let fields: Vec<&str> = values.split(',').collect();
    // A policy speaks of what comes in; what is logged on its way out was let in before, or is of the device itself.
    if fields.get(7) == Some(&"out") {
        return Line::Others;
    }
    let (time, host) = header(before);
    match entry(&fields, time, host) {
        Some(entry) => Line::Entry(entry),
        None => Line::Unreadable,
    }
}

fn entry<'l>(fields: &[&'l str], time: &'l str, host: Option<&'l str>) -> Option<Entry<'l>> {
    // The number of the rule, which comes first, was taken away with what stands before it.
    let [_, _, _, tracker, _, _, action, _, version, rest @ ..] = fields else { return None };
    let did = match *action {
        "block" | "reject" => Did::Denied,
        "pass" => Did::Accepted,
        _ => return None,
    };
    let (later, protocol, rest) = match (*version, rest) {
        ("4", [_, _, _, _, offset, _, protocol, _, _, rest @ ..]) => (*offset != "0", protocol, rest),
        ("6", [_, _, _, _, protocol, _, rest @ ..]) => (false, protocol, rest),
        _ => return None,
    };
    let [source, destination, rest @ ..] = rest else { return None };
    let (source, destination): (IpAddr, IpAddr) = (source.parse().ok()?, destination.parse().ok()?);
    let protocol: u8 = protocol.parse().ok()?;
    let (ports, is_answer) = match rest {
        _ if later => (None, false),
        [sport, dport, more @ ..] if has_ports(protocol) => {
            let flags = more.get(1).copied().unwrap_or_default();
            (
                Some((sport.parse().ok()?, dport.parse().ok()?)),
                protocol == 6 && flags.contains(['A', 'R', 'F']),
            )
        }
        [kind, ..] if protocol == ICMP => (message(kind), false),
        _ => (None, false),
    };
    let number: Option<u32> = tracker.parse().ok();
    let because = match number {
        Some(number) if DEFAULT_TRACKERS.contains(&number) => Because::Default,
        _ => Because::Tracker(Cow::Borrowed(tracker)),
    };
    let seen = Seen { source, destination, protocol, ports, is_answer };
    let (time, host) = (Cow::Borrowed(time), host.map(Cow::Borrowed));
    Some(Entry { time, host, did, because, is_for_device: false, seen, packets: 1 })
}

/// Type and code of an ICMP message whose word says both.
fn message(word: &str) -> Option<(u16, u16)> {
    let known = [
        ("request", (8, 0)),
        ("reply", (0, 0)),
        ("unreachproto", (3, 2)),
        ("unreachport", (3, 3)),
        ("needfrag", (3, 4)),
        ("tstamp", (13, 0)),
        ("tstampreply", (14, 0)),
    ];
    known.into_iter().find(|(name, _)| *name == word).map(|(_, message)| message)
}

#[cfg(test)]
mod tests {
    use super::super::entry;
    use super::*;

    const V4: &str = "Nov 28 07:35:03 border filterlog[123]: 5,,,3000000001,em0,match,block,in,4,0x0,,64,1,0,DF,6,tcp,60,\
        10.0.0.1,10.0.0.2,40000,22,0,S,1,,64240,,mss";

    #[test]
    fn both_families_are_read() {
        let four = entry(V4);
        assert_eq!((four.host.as_deref(), four.did), (Some("border"), Did::Denied));
        assert_eq!(four.because, Because::Tracker("3000000001".into()));
        assert_eq!((four.seen.ports, four.seen.is_answer), (Some((40000, 22)), false));
        let six = "<134>Nov 28 07:35:03 filterlog: 4,,,1000000105,em0,match,pass,in,6,0x00,0x00000,64,udp,17,20,2001:db8::1,\
                   2001:db8::2,5000,53,12";
        let six = entry(six);
        assert_eq!((six.host, six.did, six.because), (None, Did::Accepted, Because::Default));
        assert_eq!(six.seen.ports, Some((5000, 53)));
    }

    #[test]
    fn messages_fragments_and_answers_are_told_apart() {
        let icmp =
            V4.replace(",6,tcp,60,", ",1,icmp,60,").replace("40000,22,0,S,1,,64240,,mss", "request,1,1");
        assert_eq!(entry(&icmp).seen.ports, Some((8, 0)));
        assert_eq!(entry(&icmp.replace("request", "timexceed")).seen.ports, None);
        assert_eq!(entry(&V4.replace(",1,0,DF,", ",1,1480,none,")).seen.ports, None);
        assert!(entry(&V4.replace(",S,1,", ",SA,1,")).seen.is_answer);
    }

    #[test]
    fn what_is_cut_off_is_not_read() {
        for line in [V4.get(..60).unwrap(), &V4.replace("10.0.0.2", "x"), &V4.replace("block", "drop")] {
            assert_eq!(super::super::read(line), Line::Unreadable, "{line}");
        }
        assert_eq!(super::super::read("Nov 28 07:35:03 border filterlog[1]: started"), Line::Foreign);
    }
}
