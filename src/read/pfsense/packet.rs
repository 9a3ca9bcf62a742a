//! Conditions of packets, from what pf rules say of them.
//!
//! In: ranges of addresses, ports, protocols, flags and times. Out: [`Condition`]s that hold the same packets. Each aspect
//! is a condition of its own, so that a rule with many sources and many ports does not multiply them.

use std::sync::{Arc, OnceLock};

use super::super::model::{Condition, Family, PacketBox};

/// TCP.
pub(super) const TCP: u8 = 6;
/// UDP.
pub(super) const UDP: u8 = 17;
/// ICMP.
pub(super) const ICMP: u8 = 1;
/// ICMPv6.
pub(super) const ICMP6: u8 = 58;
/// SCTP.
pub(super) const SCTP: u8 = 132;

const SYN: u8 = 2;
const ACK: u8 = 16;

/// Both families.
pub(super) const BOTH: &[Family] = &[Family::V4, Family::V6];

/// Which end of a packet is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum End {
    /// Where it comes from.
    Source,
    /// Where it goes to.
    Destination,
}

impl End {
    /// What messages call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            End::Source => "source",
            End::Destination => "destination",
        }
    }
}

/// Sets of addresses, a list of ranges for each family.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Addresses {
    v4: Vec<(u128, u128)>,
    v6: Vec<(u128, u128)>,
}

impl Addresses {
    /// The ranges of a family.
    pub(super) fn of(&self, family: Family) -> &[(u128, u128)] {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    fn of_mut(&mut self, family: Family) -> &mut Vec<(u128, u128)> {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Adds a range.
    pub(super) fn add(&mut self, (family, range): (Family, (u128, u128))) {
        self.of_mut(family).push(range);
    }

    /// Adds all of another set.
    pub(super) fn extend(&mut self, other: &Addresses) {
        self.v4.extend_from_slice(&other.v4);
        self.v6.extend_from_slice(&other.v6);
    }

    /// Sorts the ranges and joins those that touch.
    pub(super) fn normalize(&mut self) {
        for list in [&mut self.v4, &mut self.v6] {
            list.sort_unstable();
            list.dedup_by(|next, last| {
                let touches = next.0 <= last.1.saturating_add(1);
                if touches {
                    last.1 = last.1.max(next.1);
                }
                touches
            });
        }
    }

    /// The boxes of the packets of one family that have such an address at one end.
    pub(super) fn boxes(&self, family: Family, end: End) -> Arc<[PacketBox]> {
        self.of(family).iter().map(|range| with_address(PacketBox::all(family), end, *range)).collect()
    }
}

fn with_address(packets: PacketBox, end: End, range: (u128, u128)) -> PacketBox {
    match end {
        End::Source => PacketBox { source: range, ..packets },
        End::Destination => PacketBox { destination: range, ..packets },
    }
}

/// An address or prefix, as a range. Bits behind the prefix do not count, as pfctl masks them.
pub(super) fn prefix(text: &str) -> Option<(Family, (u128, u128))> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(plain_number(length)?)),
        None => (text, None),
    };
    let (family, number, width) = match address.parse().ok()? {
        std::net::IpAddr::V4(address) => (Family::V4, u128::from(u32::from(address)), 32),
        std::net::IpAddr::V6(address) => (Family::V6, u128::from(address), 128),
    };
    let length = u32::try_from(length.unwrap_or(width)).ok().filter(|length| u64::from(*length) <= width)?;
    let hosts = family.last_address().checked_shr(length).unwrap_or(0);
    Some((family, (number & !hosts, number | hosts)))
}

/// A number in digits, without a sign or a leading zero.
pub(super) fn plain_number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text.len() == 1 || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// Packets of some families.
pub(super) fn of_families(families: &[Family]) -> Condition {
    boxes(families, |packets| vec![packets])
}

/// Packets with an address of one prefix at one end. A prefix that is none holds nothing.
pub(super) fn within(end: End, prefixes: &[&str]) -> Condition {
    let boxes = prefixes.iter().filter_map(|text| prefix(text));
    Condition::any_of(
        boxes.map(|(family, range)| with_address(PacketBox::all(family), end, range)).collect::<Vec<_>>(),
    )
}

/// Packets of some protocols.
pub(super) fn of_protocols(families: &[Family], protocols: &[u8]) -> Condition {
    boxes(families, |packets| protocols.iter().map(|protocol| only(packets, *protocol)).collect())
}

fn only(packets: PacketBox, protocol: u8) -> PacketBox {
    PacketBox { protocol: (protocol, protocol), ..packets }
}

/// Packets of some protocols with a port in some ranges at one end.
pub(super) fn with_ports(
    families: &[Family],
    protocols: &[u8],
    end: End,
    ranges: &[(u16, u16)],
) -> Condition {
    boxes(families, |packets| {
        let each = protocols
            .iter()
            .flat_map(|protocol| ranges.iter().map(move |range| (only(packets, *protocol), *range)));
        each.map(|(packets, range)| match end {
            End::Source => PacketBox { source_port: range, ..packets },
            End::Destination => PacketBox { destination_port: range, ..packets },
        })
        .collect()
    })
}

/// ICMP or ICMPv6 packets of some types.
pub(super) fn with_types(families: &[Family], protocol: u8, types: &[u8]) -> Condition {
    boxes(families, |packets| {
        let packets = only(packets, protocol);
        types
            .iter()
            .map(|kind| PacketBox { source_port: (u16::from(*kind), u16::from(*kind)), ..packets })
            .collect()
    })
}

/// All packets but TCP packets whose flags, of those in `mask`, are not just `set`.
pub(super) fn with_flags(families: &[Family], set: u8, mask: u8) -> Condition {
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for flags in (0..=u8::MAX).filter(|flags| flags & mask == set) {
        match runs.last_mut() {
            Some(run) if run.1.checked_add(1) == Some(flags) => run.1 = flags,
            Some(_) | None => runs.push((flags, flags)),
        }
    }
    boxes(families, |packets| {
        let others = [(0, TCP - 1), (TCP + 1, u8::MAX)].map(|protocol| PacketBox { protocol, ..packets });
        let tcp = runs.iter().map(|flags| PacketBox { flags: *flags, ..only(packets, TCP) });
        others.into_iter().chain(tcp).collect()
    })
}

/// All packets but TCP packets that open no connection, `flags S/SA`. Most rules have it, so it is made once.
pub(super) fn opening(families: &[Family]) -> Condition {
    static V4: OnceLock<Condition> = OnceLock::new();
    static V6: OnceLock<Condition> = OnceLock::new();
    static ALL: OnceLock<Condition> = OnceLock::new();
    let shared = match families {
        [Family::V4] => &V4,
        [Family::V6] => &V6,
        _ => &ALL,
    };
    shared.get_or_init(|| with_flags(families, SYN, SYN | ACK)).clone()
}

/// Packets at some times of the week.
pub(super) fn at_times(families: &[Family], times: &[(u32, u32)]) -> Condition {
    boxes(families, |packets| times.iter().map(|second| PacketBox { second: *second, ..packets }).collect())
}

fn boxes(families: &[Family], make: impl Fn(PacketBox) -> Vec<PacketBox>) -> Condition {
    Condition::any_of(families.iter().flat_map(|family| make(PacketBox::all(*family))).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::{Addresses, Family, prefix};

    #[test]
    fn prefixes_are_masked() {
        assert_eq!(prefix("10.0.0.9/8"), Some((Family::V4, (0x0a00_0000, 0x0aff_ffff))));
        assert_eq!(prefix("0.0.0.0/0"), Some((Family::V4, (0, 0xffff_ffff))));
        assert_eq!(prefix("::/0"), Some((Family::V6, (0, u128::MAX))));
        assert_eq!(prefix("::1"), Some((Family::V6, (1, 1))));
        for wrong in ["", "10.0.0", "10.0.0.1/33", "10.0.0.1/08", "::/129", "a/8", "10.0.0.1/", "10.0.0.1/-1"]
        {
            assert_eq!(prefix(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ranges_that_touch_become_one() {
        let mut set = Addresses::default();
        for range in [(5, 9), (1, 2), (3, 3), (7, 8), (11, 12)] {
            set.add((Family::V4, range));
        }
        set.normalize();
        assert_eq!(set.of(Family::V4), [(1, 3), (5, 9), (11, 12)]);
    }
}
