//! Protocols with their ports, ICMP messages and TCP flags.

use super::super::model::Family;
use super::names;
use super::words::{Fault, Words};

/// The first and the last of some ports, types or codes.
pub(super) type Ports = (u16, u16);

/// All ports.
pub(super) const ALL_PORTS: Ports = (0, u16::MAX);

/// What stands where an entry names its protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Protocol<'t> {
    /// All of them: `ip`, `ipv6`.
    All,
    /// One, by number.
    One(u8),
    /// An object group of services.
    Group(&'t str),
    /// A header of IPv6 that stands before a protocol, whichever it is.
    Header(&'static str),
}

/// Headers of IPv6 that stand before the last `next header` (IANA, IPv6 Extension Header Types). Whether a number means
/// the first or any of them is not documented.
const EXTENSION_HEADERS: [u8; 6] = [43, 44, 60, 135, 139, 140];

/// Reads a protocol.
pub(super) fn protocol<'t>(words: &mut Words<'_, 't>, family: Family) -> Result<Protocol<'t>, Fault> {
    let word = words.required("a protocol")?;
    let number = word.parse::<u8>().ok();
    match (family, word, number) {
        (Family::V4, "ip", _) | (Family::V6, "ipv6", _) => Ok(Protocol::All),
        (Family::V4, "object-group", _) => {
            Ok(Protocol::Group(words.required("the name of an object group")?))
        }
        (Family::V4, _, Some(0)) => Err("IOS shows protocol `0` as `ip`, which is every protocol".to_owned()),
        (Family::V4, _, Some(number)) => Ok(Protocol::One(number)),
        (Family::V4, name, None) => {
            names::protocol(name).map(Protocol::One).ok_or_else(|| unknown(name, "ip"))
        }
        (Family::V6, "ahp", _) | (Family::V6, _, Some(51)) => Ok(Protocol::Header("auth")),
        (Family::V6, "hbh", _) | (Family::V6, _, Some(0)) => Ok(Protocol::Header("hbh")),
        (Family::V6, _, Some(number)) if EXTENSION_HEADERS.contains(&number) => {
            Err(format!("`{word}` is a header that stands before a protocol, not a protocol"))
        }
        (Family::V6, _, Some(number)) => Ok(Protocol::One(number)),
        (Family::V6, name, None) => {
            names::protocol_v6(name).map(Protocol::One).ok_or_else(|| unknown(name, "ipv6"))
        }
    }
}

fn unknown(name: &str, all: &str) -> Fault {
    format!("`{name}` is no protocol known here; write its number, or `{all}` for all")
}

/// True for protocols whose ports an entry can name.
fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 132)
}

/// A port by number or by name, if one stands there and the protocol has ports.
pub(super) fn port(words: &mut Words, protocol: u8) -> Option<u16> {
    if !has_ports(protocol) {
        return None;
    }
    if let Some(number) = words.number() {
        return Some(number);
    }
    let port = words.peek().and_then(|word| names::port(protocol, word))?;
    words.next();
    Some(port)
}

fn required_port(words: &mut Words, protocol: u8) -> Result<u16, Fault> {
    port(words, protocol).ok_or_else(|| match words.peek() {
        Some(word) => format!("`{word}` is no port known here; write its number"),
        None => "the line ends where a port should stand".to_owned(),
    })
}

/// Reads an operator with its ports, if one stands there: the intervals, sorted and apart from each other.
pub(super) fn ports(words: &mut Words, protocol: Option<u8>) -> Result<Option<Vec<Ports>>, Fault> {
    let Some(operator @ ("eq" | "neq" | "lt" | "gt" | "range")) = words.peek() else { return Ok(None) };
    let Some(protocol) = protocol.filter(|protocol| has_ports(*protocol)) else {
        return Err(format!("`{operator}` needs a protocol with ports: `tcp`, `udp` or `sctp`"));
    };
    words.next();
    let first = required_port(words, protocol)?;
    let single = |port| vec![(port, port)];
    let intervals = match operator {
        "lt" => first.checked_sub(1).map(|last| vec![(0, last)]),
        "gt" => first.checked_add(1).map(|next| vec![(next, u16::MAX)]),
        "range" => {
            let last = required_port(words, protocol)?;
            (first <= last).then(|| vec![(first, last)])
        }
        _ => {
            let mut intervals = single(first);
            while let Some(further) = port(words, protocol) {
                intervals.extend(single(further));
            }
            let intervals = joined(intervals);
            Some(if operator == "neq" { complement(&intervals) } else { intervals })
        }
    };
    match intervals {
        Some(intervals) if !intervals.is_empty() => Ok(Some(intervals)),
        _ => Err(format!("no port is in this `{operator}`")),
    }
}

/// Intervals sorted, with those that touch made one.
pub(super) fn joined(mut intervals: Vec<Ports>) -> Vec<Ports> {
    intervals.sort_unstable();
    let mut joined: Vec<Ports> = Vec::with_capacity(intervals.len());
    for (first, last) in intervals {
        match joined.last_mut() {
            Some(before) if u32::from(first) <= u32::from(before.1) + 1 => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// The ports in none of some intervals, which are sorted and apart.
fn complement(intervals: &[Ports]) -> Vec<Ports> {
    let mut gaps = Vec::new();
    let mut next = Some(0_u16);
    for (first, last) in intervals {
        if let Some((start, end)) = next.zip(first.checked_sub(1)).filter(|(start, end)| start <= end) {
            gaps.push((start, end));
        }
        next = last.checked_add(1);
    }
    gaps.extend(next.map(|start| (start, u16::MAX)));
    gaps
}

/// Reads an ICMP message, if one stands there: types, and codes.
pub(super) fn message(words: &mut Words, family: Family) -> Result<Option<(Ports, Ports)>, Fault> {
    let name = match family {
        Family::V4 => names::icmp,
        Family::V6 => names::icmp_v6,
    };
    let exactly = |number: u8| (u16::from(number), u16::from(number));
    if let Some(kind) = words.number::<u8>() {
        let code = words.number::<u8>().map_or(ALL_PORTS, exactly);
        return Ok(Some((exactly(kind), code)));
    }
    let Some(word) = words.peek() else { return Ok(None) };
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{word}` is no ICMP type; types are 0 to 255"));
    }
    let Some((kind, code)) = name(word) else { return Ok(None) };
    words.next();
    Ok(Some((exactly(kind), code.map_or(ALL_PORTS, exactly))))
}

/// The bit of a TCP flag (RFC 9293, 3.1).
pub(super) fn flag(name: &str) -> Option<u8> {
    match name {
        "fin" => Some(1),
        "syn" => Some(2),
        "rst" => Some(4),
        "psh" => Some(8),
        "ack" => Some(16),
        "urg" => Some(32),
        _ => None,
    }
}

/// What an entry asks of the flags of a TCP header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Flags {
    /// True if all must be as asked, false if one of them is enough.
    pub(super) all: bool,
    /// Those that must be set.
    pub(super) set: u8,
    /// Those that must not be set.
    pub(super) clear: u8,
}

impl Flags {
    /// `established`: ACK or RST is set.
    pub(super) const ESTABLISHED: Flags = Flags { all: false, set: 16 | 4, clear: 0 };

    fn holds(self, flags: u8) -> bool {
        let (set, clear) = (flags & self.set, !flags & self.clear);
        if self.all { set == self.set && clear == self.clear } else { set | clear != 0 }
    }

    /// The intervals of flag bytes for which it holds, sorted and apart.
    pub(super) fn intervals(self) -> Vec<(u8, u8)> {
        let mut intervals: Vec<(u8, u8)> = Vec::new();
        for flags in (0..=u8::MAX).filter(|flags| self.holds(*flags)) {
            match intervals.last_mut() {
                Some(before) if before.1.checked_add(1) == Some(flags) => before.1 = flags,
                _ => intervals.push((flags, flags)),
            }
        }
        intervals
    }
}

/// Reads what stands behind `match-all` or `match-any`.
pub(super) fn signed_flags(words: &mut Words, all: bool) -> Result<Flags, Fault> {
    let mut flags = Flags { all, set: 0, clear: 0 };
    while let Some((sign, name)) = words.peek().and_then(|word| word.split_at_checked(1)) {
        let Some(bit) = flag(name) else { break };
        match sign {
            "+" => flags.set |= bit,
            "-" => flags.clear |= bit,
            _ => break,
        }
        words.next();
    }
    match flags.set | flags.clear {
        0 => Err("flags are written `+syn` or `-ack`".to_owned()),
        _ if all && flags.set & flags.clear != 0 => Err("one flag is both set and not set".to_owned()),
        _ => Ok(flags),
    }
}
