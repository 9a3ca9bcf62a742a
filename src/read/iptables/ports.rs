//! Ports, flags of TCP and types of messages.

use super::super::model::{Family, PacketBox};
use super::draft::{Draft, of_protocol};
use super::matching::value;
use super::names::{message, number, port};
use super::rule::Choice;

/// The most ports that `multiport` takes; a range counts as two.
const MAX_PORTS: usize = 15;

/// The names of the flags of TCP. Those of congestion notification have none here.
const FLAGS: [(&str, u8); 8] =
    [("FIN", 1), ("SYN", 2), ("RST", 4), ("PSH", 8), ("ACK", 16), ("URG", 32), ("ALL", 63), ("NONE", 0)];

/// Adds what an option of `tcp`, `udp`, `sctp`, `dccp`, `icmp` or `icmp6` asks for.
///
/// # Errors
/// What is wrong with its values.
pub(super) fn require(
    draft: &mut Draft,
    choice: &Choice,
    protocol: u8,
    family: Family,
) -> Result<(), String> {
    match choice.name {
        "--sport" | "--dport" => {
            let range = range(value(choice))?;
            if choice.negated && range == (0, u16::MAX) {
                return Err(format!("`! {} 0:65535` is lost when iptables saves it", choice.name));
            }
            draft.require(vec![of_port(family, protocol, range, choice.name == "--sport")], choice.negated);
        }
        "--tcp-flags" => {
            let [mask, set] = choice.values.as_slice() else {
                return Err("`--tcp-flags` takes a mask and the flags that are set".to_owned());
            };
            draft.require(with_flags(family, protocol, flags(mask)?, flags(set)?), choice.negated);
        }
        // SYN without FIN, RST and ACK.
        "--syn" => draft.require(with_flags(family, protocol, 23, 2), choice.negated),
        "--icmp-type" | "--icmpv6-type" => match messages(value(choice), family)? {
            Some((kinds, codes)) => {
                let all = of_protocol(family, protocol);
                let messages = PacketBox { source_port: kinds, destination_port: codes, ..all };
                draft.require(vec![messages], choice.negated);
            }
            None if choice.negated => draft.require(Vec::new(), false),
            None => {}
        },
        name => {
            let not = if choice.negated { "! " } else { "" };
            draft.opaque.push(format!("{not}{name} {}", choice.values.join(" ")));
        }
    }
    Ok(())
}

/// Adds what an option of `multiport` asks for.
///
/// # Errors
/// What is wrong with its values.
pub(super) fn require_several(
    draft: &mut Draft,
    choice: &Choice,
    protocol: u8,
    family: Family,
) -> Result<(), String> {
    let text = value(choice);
    let mut ranges = Vec::new();
    let mut count = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        count += if part.contains(':') { 2 } else { 1 };
        ranges.push(ordered(port(first)?, port(last)?)?);
    }
    if count > MAX_PORTS {
        return Err(format!("`{text}` has more than {MAX_PORTS} ports, where a range counts as two"));
    }
    let boxes = |is_source| ranges.iter().map(move |range| of_port(family, protocol, *range, is_source));
    let found = match choice.name {
        "--sports" => boxes(true).collect(),
        "--dports" => boxes(false).collect(),
        _ => boxes(true).chain(boxes(false)).collect(),
    };
    draft.require(found, choice.negated);
    Ok(())
}

fn of_port(family: Family, protocol: u8, range: (u16, u16), is_source: bool) -> PacketBox {
    let all = of_protocol(family, protocol);
    if is_source {
        PacketBox { source_port: range, ..all }
    } else {
        PacketBox { destination_port: range, ..all }
    }
}

/// `80`, `80:90`, `:90` or `80:`.
fn range(text: &str) -> Result<(u16, u16), String> {
    let Some((first, last)) = text.split_once(':') else {
        let port = port(text)?;
        return Ok((port, port));
    };
    let first = if first.is_empty() { 0 } else { port(first)? };
    let last = if last.is_empty() { u16::MAX } else { port(last)? };
    ordered(first, last)
}

fn ordered(first: u16, last: u16) -> Result<(u16, u16), String> {
    if first > last {
        return Err(format!("the range of ports `{first}:{last}` ends before it begins"));
    }
    Ok((first, last))
}

fn flags(text: &str) -> Result<u8, String> {
    let flag = |word: &str| {
        let known = FLAGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map(|(_, bits)| *bits).ok_or_else(|| format!("`{word}` is not a flag of TCP"))
    };
    text.split(',').try_fold(0, |bits, word| Ok(bits | flag(word)?))
}

/// The packets whose flags, of those in a mask, are these; as few boxes as there are intervals.
fn with_flags(family: Family, protocol: u8, mask: u8, set: u8) -> Vec<PacketBox> {
    let all = of_protocol(family, protocol);
    let mut intervals: Vec<(u8, u8)> = Vec::new();
    for flags in (0..=u8::MAX).filter(|flags| flags & mask == set) {
        match intervals.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(flags) => *last = flags,
            _ => intervals.push((flags, flags)),
        }
    }
    intervals.into_iter().map(|flags| PacketBox { flags, ..all }).collect()
}

/// Types and codes, each as an interval.
type Messages = ((u16, u16), (u16, u16));

/// The types and codes of `--icmp-type`; nothing for all messages.
fn messages(text: &str, family: Family) -> Result<Option<Messages>, String> {
    let wrong =
        || format!("`{text}` is not a type of message, as a name, a number, or two numbers like `3/1`");
    if family == Family::V4 && text.eq_ignore_ascii_case("any") {
        return Ok(None);
    }
    let (kind, code) = match message(text, family) {
        Some(found) => found,
        None => match text.split_once('/') {
            Some((kind, code)) => (number(kind).ok_or_else(wrong)?, Some(number(code).ok_or_else(wrong)?)),
            None => (number(text).ok_or_else(wrong)?, None),
        },
    };
    // 255 stands for any type, whatever the code (`icmp_match`, net/netfilter/xt_tcpudp.c).
    if family == Family::V4 && kind == u8::MAX {
        return Ok(None);
    }
    let exactly = |number: u8| (u16::from(number), u16::from(number));
    // All codes that there are: the field has eight bits.
    let codes = code.map_or((0, u16::MAX), exactly);
    Ok(Some((exactly(kind), codes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_as_few_intervals_as_can_be() {
        let intervals = |mask, set| {
            let boxes = with_flags(Family::V4, 6, mask, set);
            boxes.iter().map(|found| found.flags).collect::<Vec<_>>()
        };
        assert_eq!(intervals(0, 0), [(0, 255)]);
        assert_eq!(intervals(2, 4), []);
        assert_eq!(intervals(0xC0, 0x40), [(0x40, 0x7F)]);
        // Of a mask of FIN, SYN, RST and ACK, PSH splits each of eight runs in two.
        assert_eq!(intervals(23, 2).len(), 16);
    }

    #[test]
    fn messages_have_types_and_codes() {
        assert_eq!(messages("8", Family::V4), Ok(Some(((8, 8), (0, u16::MAX)))));
        assert_eq!(messages("3/1", Family::V6), Ok(Some(((3, 3), (1, 1)))));
        assert_eq!(messages("port-unreachable", Family::V6), Ok(Some(((1, 1), (4, 4)))));
        assert_eq!(messages("255/3", Family::V4), Ok(None));
        assert_eq!(messages("255", Family::V6), Ok(Some(((255, 255), (0, u16::MAX)))));
        for wrong in ["", "256", "3/", "3/256", "any/3", "nothing", "3/1/1"] {
            assert!(messages(wrong, Family::V4).is_err(), "{wrong}");
        }
        assert!(messages("any", Family::V6).is_err());
    }

    #[test]
    fn ranges_can_be_open() {
        assert_eq!(range(":"), Ok((0, u16::MAX)));
        assert_eq!(range("80:"), Ok((80, u16::MAX)));
        assert_eq!(range(":80"), Ok((0, 80)));
        assert!(range("80:79").is_err() && range("0x50").is_err() && range("080").is_err());
    }
}
