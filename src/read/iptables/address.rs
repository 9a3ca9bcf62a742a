//! Addresses as iptables and ipset write them, as ranges of numbers.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::model::Family;
use super::names::{family_name, number};

/// Addresses from the first to the last, both included.
pub(super) type Range = (u128, u128);

/// The bits of an address.
pub(super) fn width(family: Family) -> u8 {
    match family {
        Family::V4 => 32,
        Family::V6 => 128,
    }
}

/// The addresses that share their first `length` bits with one. A length beyond the family's counts as the longest.
pub(super) fn prefix(address: u128, length: u8, family: Family) -> Range {
    let hosts = match width(family).saturating_sub(length) {
        128.. => u128::MAX,
        bits => (1 << bits) - 1,
    };
    (address & !hosts, address | hosts)
}

/// An address, written in full.
///
/// # Errors
/// It is none, or one of the other family.
pub(super) fn address(text: &str, family: Family) -> Result<u128, String> {
    let four = || octets(text, 4);
    let six = || text.parse::<Ipv6Addr>().ok().map(|address| address.to_bits());
    let (own, other) = match family {
        Family::V4 => (four(), six().map(|_| Family::V6)),
        Family::V6 => (six(), four().map(|_| Family::V4)),
    };
    own.ok_or_else(|| match other {
        Some(other) => {
            format!(
                "`{text}` is an address of {}, and this is about {}",
                family_name(other),
                family_name(family)
            )
        }
        None => {
            format!("`{text}` is not an address of {}; names of hosts are not looked up", family_name(family))
        }
    })
}

/// At least so many numbers up to 255 with dots between them; those that are missing at the end are 0.
fn octets(text: &str, at_least: usize) -> Option<u128> {
    let mut octets = [0; 4];
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() < at_least || parts.len() > octets.len() {
        return None;
    }
    for (octet, part) in octets.iter_mut().zip(&parts) {
        *octet = number(part)?;
    }
    Some(u128::from(Ipv4Addr::from(octets).to_bits()))
}

/// What iptables takes behind `-s`: an address, with the length of a prefix or a mask behind it, host bits as they may.
/// Of an address of IPv4, numbers can be missing at the end (`xtables_numeric_to_ipaddr`, libxtables).
///
/// # Errors
/// It is none of these, or of the other family, or a mask with a hole.
pub(super) fn network(text: &str, family: Family) -> Result<Range, String> {
    let (host, mask) = match text.split_once('/') {
        Some((host, mask)) => (host, Some(mask)),
        None => (text, None),
    };
    let address = match (address(host, family), family) {
        (Err(error), Family::V4) => octets(host, 1).ok_or(error)?,
        (found, _) => found?,
    };
    let length = match mask {
        Some(mask) => mask_length(mask, family)?,
        None => width(family),
    };
    Ok(prefix(address, length, family))
}

fn mask_length(text: &str, family: Family) -> Result<u8, String> {
    let longest = width(family);
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let length = number(text).filter(|length| *length <= longest);
        return length.ok_or_else(|| format!("`{text}` is not the length of a prefix, from 0 to {longest}"));
    }
    let mask = address(text, family).map_err(|_| format!("`{text}` is not a mask"))?;
    let hosts = !mask & family.last_address();
    if hosts & (hosts.wrapping_add(1)) != 0 {
        return Err(format!("the mask `{text}` has holes, which is not understood; write prefixes"));
    }
    Ok(longest - u8::try_from(hosts.count_ones()).unwrap_or(longest))
}

/// The prefixes that make up a range, in order.
pub(super) fn prefixes((first, last): Range, family: Family) -> Vec<Range> {
    let mut found = Vec::new();
    let mut next = Some(first);
    while let Some(start) = next.filter(|start| *start <= last) {
        // The shortest prefix that starts here and ends in the range.
        let longest = width(family);
        let fits = |length: &u8| {
            let (low, high) = prefix(start, *length, family);
            low == start && high <= last
        };
        let block = prefix(start, (0..=longest).find(fits).unwrap_or(longest), family);
        found.push(block);
        next = block.1.checked_add(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four(text: &str) -> Result<(String, String), String> {
        let (first, last) = network(text, Family::V4)?;
        let shown = |number: u128| Ipv4Addr::from_bits(number as u32).to_string();
        Ok((shown(first), shown(last)))
    }

    fn ok(first: &str, last: &str) -> Result<(String, String), String> {
        Ok((first.to_owned(), last.to_owned()))
    }

    #[test]
    fn networks_of_ipv4() {
        assert_eq!(four("10.0.0.77/24"), ok("10.0.0.0", "10.0.0.255"));
        assert_eq!(four("10/8"), ok("10.0.0.0", "10.255.255.255"));
        assert_eq!(four("10.1"), ok("10.1.0.0", "10.1.0.0"));
        assert_eq!(four("1.2.3.4/255.255.0.0"), ok("1.2.0.0", "1.2.255.255"));
        assert_eq!(four("1.2.3.4/0"), ok("0.0.0.0", "255.255.255.255"));
        for wrong in ["", "/8", "10/", "10/33", "10/08", "010.0.0.1", "1.2.3.4.5", "256.0.0.1", "::1", "host"]
        {
            assert!(four(wrong).is_err(), "{wrong}");
        }
        assert!(four("10.1.2.3/255.0.255.0").is_err_and(|what| what.contains("holes")));
    }

    #[test]
    fn networks_of_ipv6() {
        assert_eq!(network("2001:db8::1/127", Family::V6), Ok((0x2001_0db8 << 96, (0x2001_0db8 << 96) | 1)));
        assert_eq!(network("::/0", Family::V6), Ok((0, u128::MAX)));
        assert_eq!(network("::1/ffff::", Family::V6), Ok((0, u128::MAX >> 16)));
        for wrong in ["10.0.0.1", "::1/129", "::1%eth0", "1::2::3", "10/8"] {
            assert!(network(wrong, Family::V6).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_fall_into_prefixes() {
        assert_eq!(prefixes((1, 9), Family::V4), [(1, 1), (2, 3), (4, 7), (8, 9)]);
        assert_eq!(prefixes((0, u128::MAX), Family::V6), [(0, u128::MAX)]);
        assert_eq!(prefixes((5, 4), Family::V4), []);
        let all = prefixes((1, u128::from(u32::MAX)), Family::V4);
        assert_eq!(all.len(), 32);
    }
}
