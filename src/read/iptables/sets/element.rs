//! Elements of sets.
//!
//! In: the text of an element. Out: ranges of addresses and ports. What the tool takes for another base or for other
//! addresses than it shows (`010`, `192.168/24`) is refused.

use super::super::super::model::Family;
use super::super::address::{Range, address, prefix, prefixes, width};
use super::super::names::{ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, message, number, port, protocol};
use super::kind::{Kind, Part};

/// Protocols and ports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Ports {
    /// Nothing for TCP and UDP.
    pub(super) protocol: Option<u8>,
    /// Ports; for messages, type and code as the bytes of one number; 0 for other protocols.
    pub(super) range: (u16, u16),
}

/// An element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Element {
    /// The addresses of the first and second part that has them; all of them where there is none.
    pub(super) addresses: [Range; 2],
    /// Its ports, if it has any.
    pub(super) ports: Option<Ports>,
    /// True if it is an exception.
    pub(super) nomatch: bool,
}

/// What elements of a set have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) kind: &'static Kind,
    pub(super) family: Family,
    /// The bits of an address that count.
    pub(super) netmask: u8,
}

/// Reads an element.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str, shape: Shape) -> Result<Element, String> {
    let words: Vec<&str> = text.split(',').collect();
    if words.len() != shape.kind.parts.len() {
        let kind = shape.kind.name;
        return Err(format!("`{text}` has {} parts, and elements of `{kind}` have others", words.len()));
    }
    let all = (0, shape.family.last_address());
    let mut element = Element { addresses: [all, all], ports: None, nomatch: false };
    let mut slots = element.addresses.iter_mut();
    for (word, part) in words.iter().zip(shape.kind.parts) {
        let range = match part {
            Part::Addresses => addresses(word, shape)?,
            Part::Address => {
                let address = address(word, shape.family)?;
                (address, address)
            }
            Part::Network => network(word, shape)?,
            Part::Ports => {
                element.ports = Some(ports(word, shape.family)?);
                continue;
            }
            Part::BarePorts => {
                // The protocol is there for names of services, and is forgotten.
                let word = ["tcp:", "udp:"].iter().find_map(|name| word.strip_prefix(name)).unwrap_or(word);
                element.ports = Some(Ports { protocol: None, range: bare_ports(word)? });
                continue;
            }
        };
        if let Some(slot) = slots.next() {
            *slot = range;
        }
    }
    Ok(element)
}

impl Element {
    /// How many elements the kernel makes of it.
    pub(super) fn count(&self, shape: Shape) -> u128 {
        let mut addresses = self.addresses.iter();
        let counts = shape.kind.parts.iter().map(|part| match part {
            Part::Ports | Part::BarePorts => {
                self.ports.map_or(1, |ports| u128::from(ports.range.1 - ports.range.0) + 1)
            }
            Part::Addresses | Part::Address => {
                let block = width(shape.family).saturating_sub(shape.netmask).min(127);
                addresses.next().map_or(1, |(first, last)| ((last - first) >> block).saturating_add(1))
            }
            Part::Network => addresses.next().map_or(1, |range| prefixes(*range, shape.family).len() as u128),
        });
        counts.fold(1, u128::saturating_mul)
    }
}

/// Addresses of a part that holds single ones, each of them masked.
fn addresses(text: &str, shape: Shape) -> Result<Range, String> {
    let family = shape.family;
    let (first, last) = match family {
        Family::V6 => {
            let address = address(text, family)?;
            (address, address)
        }
        Family::V4 => match text.split_once('/') {
            Some((host, length)) => prefix(address(host, family)?, length_of(length, shape)?, family),
            None => range(text, family)?,
        },
    };
    if first == 0 && shape.kind.name == "hash:ip" {
        return Err("the address 0 cannot be in a set of the type `hash:ip`".to_owned());
    }
    Ok((prefix(first, shape.netmask, family).0, prefix(last, shape.netmask, family).1))
}

fn network(text: &str, shape: Shape) -> Result<Range, String> {
    let family = shape.family;
    match text.split_once('/') {
        Some((host, length)) => Ok(prefix(address(host, family)?, length_of(length, shape)?, family)),
        None if family == Family::V4 => range(text, family),
        None => {
            let address = address(text, family)?;
            Ok((address, address))
        }
    }
}

/// One address, or two with `-` between them, in either order.
fn range(text: &str, family: Family) -> Result<Range, String> {
    let (one, other) = text.split_once('-').unwrap_or((text, text));
    let (one, other) = (address(one, family)?, address(other, family)?);
    Ok((one.min(other), one.max(other)))
}

fn length_of(text: &str, shape: Shape) -> Result<u8, String> {
    let shortest = if shape.kind.zero_prefix { 0 } else { 1 };
    let longest = width(shape.family);
    let length = number(text).filter(|length| (shortest..=longest).contains(length));
    length.ok_or_else(|| format!("`{text}` is not the length of a prefix, from {shortest} to {longest}"))
}

/// `80`, `80-90`, `udp:53`, `icmp:8/0`, `gre:0`. Without a protocol it is TCP.
fn ports(text: &str, family: Family) -> Result<Ports, String> {
    let (name, rest) = match text.split_once(':') {
        Some((name, rest)) => (protocol(name, family)?, rest),
        None => (TCP, text),
    };
    let range = match name {
        TCP | UDP | SCTP | UDPLITE => bare_ports(rest)?,
        ICMP | ICMPV6 => {
            if (name == ICMP) != (family == Family::V4) {
                return Err(format!("`{text}` is a message of the other family"));
            }
            let message = message_number(rest, family)?;
            (message, message)
        }
        0 => return Err("the protocol 0 cannot be in a set".to_owned()),
        _ if rest == "0" => (0, 0),
        _ => return Err(format!("`{text}` has a protocol that takes the port 0 only")),
    };
    Ok(Ports { protocol: Some(name), range })
}

fn bare_ports(text: &str) -> Result<(u16, u16), String> {
    // A name with a dash stands in brackets.
    let name = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let (one, other) = match (name, text.split_once('-')) {
        (Some(name), _) => (port(name)?, port(name)?),
        (None, Some((one, other))) => (port(one)?, port(other)?),
        (None, None) => (port(text)?, port(text)?),
    };
    Ok((one.min(other), one.max(other)))
}

/// A type and a code, or a name that stands for both; names of types stand for code 0 here (`ipset save`).
fn message_number(text: &str, family: Family) -> Result<u16, String> {
    let (kind, code): (u8, u8) = match text.split_once('/') {
        Some((kind, code)) => number(kind).zip(number(code)),
        None => message(text, family).map(|(kind, code)| (kind, code.unwrap_or(0))),
    }
    .ok_or_else(|| format!("`{text}` is not a message, as a name or as type and code like `8/0`"))?;
    Ok(u16::from_be_bytes([kind, code]))
}

#[cfg(test)]
mod tests {
    use super::super::kind::kind;
    use super::*;

    fn shape(name: &str, family: Family) -> Shape {
        Shape { kind: kind(name).unwrap(), family, netmask: width(family) }
    }

    fn ports_of(text: &str) -> Option<Ports> {
        let element = parse(&format!("10.0.0.1,{text}"), shape("hash:ip,port", Family::V4));
        element.ok().and_then(|element| element.ports)
    }

    #[test]
    fn ports_have_a_protocol() {
        let some = |protocol, first, last| Some(Ports { protocol: Some(protocol), range: (first, last) });
        assert_eq!(ports_of("80"), some(6, 80, 80));
        assert_eq!(ports_of("90-80"), some(6, 80, 90));
        assert_eq!(ports_of("udp:53"), some(17, 53, 53));
        assert_eq!(ports_of("[ftp-data]"), some(6, 20, 20));
        assert_eq!(ports_of("icmp:echo-request"), some(1, 0x800, 0x800));
        assert_eq!(ports_of("icmp:3/1"), some(1, 0x301, 0x301));
        assert_eq!(ports_of("47:0"), some(47, 0, 0));
        for wrong in
            ["", "icmp:8", "icmp:any", "icmpv6:128/0", "gre:5", "dccp:80", "0:80", "tcp:0x50", "tcp:070"]
        {
            assert_eq!(ports_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_are_ranges_in_ipv4_only() {
        let first = |text: &str, name: &str, family| {
            parse(text, shape(name, family)).ok().map(|element| element.addresses[0])
        };
        let ten = 10 << 24;
        assert_eq!(first("10.0.0.9-10.0.0.1", "hash:ip", Family::V4), Some((ten + 1, ten + 9)));
        assert_eq!(first("10.0.0.5/30", "hash:ip", Family::V4), Some((ten + 4, ten + 7)));
        assert_eq!(first("::1/64", "hash:net", Family::V6), Some((0, u128::from(u64::MAX))));
        assert_eq!(first("0.0.0.0/0,0.0.0.0/0", "hash:net,net", Family::V4), Some((0, u128::from(u32::MAX))));
        for (wrong, name, family) in [
            ("::1/64", "hash:ip", Family::V6),
            ("::1-::2", "hash:net", Family::V6),
            ("0.0.0.0/0", "hash:net", Family::V4),
            ("0.0.0.0", "hash:ip", Family::V4),
            ("192.168/24", "hash:net", Family::V4),
            ("10.0.0.0/255.0.0.0", "hash:net", Family::V4),
            ("::1", "hash:ip", Family::V4),
            ("10.0.0.1", "hash:ip,port", Family::V4),
            ("10.0.0.1,80,10.0.0.0/30", "hash:ip,port,ip", Family::V4),
        ] {
            assert_eq!(first(wrong, name, family), None, "{wrong}");
        }
    }

    #[test]
    fn elements_are_counted_as_the_kernel_keeps_them() {
        let count = |text: &str, name: &str| {
            let shape = shape(name, Family::V4);
            parse(text, shape).unwrap().count(shape)
        };
        assert_eq!(count("10.0.0.0/30,80-82,10.0.0.1-10.0.0.9", "hash:ip,port,net"), 4 * 3 * 4);
        assert_eq!(count("10.0.0.0/8", "hash:net"), 1);
        let masked = Shape { netmask: 24, ..shape("hash:ip", Family::V4) };
        assert_eq!(parse("10.0.0.5-10.0.2.1", masked).unwrap().count(masked), 3);
    }
}
