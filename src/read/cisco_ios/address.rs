//! Addresses, masks and prefixes, as intervals of numbers.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::words::Fault;

/// The first and the last of some addresses.
pub(super) type Interval = (u128, u128);

/// The most intervals that a wildcard mask may stand for: one with more bits that are free above fixed ones is refused.
const MAX_WILDCARD_BITS: u32 = 12;

/// An IPv4 address.
pub(super) fn address(word: &str) -> Result<u32, Fault> {
    word.parse::<Ipv4Addr>().map(u32::from).map_err(|_| format!("`{word}` is no IPv4 address"))
}

/// True for what looks like an IPv4 address, whether or not it is one.
pub(super) fn is_dotted(word: &str) -> bool {
    word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// An IPv6 address.
pub(super) fn address_v6(word: &str) -> Result<u128, Fault> {
    word.parse::<Ipv6Addr>().map(u128::from).map_err(|_| format!("`{word}` is no IPv6 address"))
}

/// The addresses that agree with one where the wildcard mask is zero: one interval for each choice of the free bits that
/// stand above a fixed one.
pub(super) fn wildcard(address_word: &str, wildcard_word: &str) -> Result<Vec<Interval>, Fault> {
    let (address, free) = (address(address_word)?, address(wildcard_word)?);
    let low = u32::MAX.checked_shr(32 - free.trailing_ones()).unwrap_or(0);
    let high = free & !low;
    if high.count_ones() > MAX_WILDCARD_BITS {
        let is_netmask = free.leading_ones() + free.trailing_zeros() == 32;
        let help = format!("; an access list takes a wildcard mask, `{}`", Ipv4Addr::from(!free));
        let help = if is_netmask { help } else { String::new() };
        return Err(format!(
            "`{wildcard_word}` leaves {} bits free above fixed ones, more than {MAX_WILDCARD_BITS}{help}",
            high.count_ones()
        ));
    }
    let fixed = address & !free;
    let mut choice = 0_u32;
    let mut intervals = Vec::with_capacity(1 << high.count_ones());
    loop {
        let first = fixed | choice;
        intervals.push((u128::from(first), u128::from(first | low)));
        // The next larger choice of the bits in `high`: the borrow runs through the bits between them.
        choice = choice.wrapping_sub(high) & high;
        if choice == 0 {
            return Ok(intervals);
        }
    }
}

/// The addresses of a network with a netmask, as object groups have it.
pub(super) fn network(address_word: &str, mask_word: &str) -> Result<Interval, Fault> {
    let (address, mask) = (address(address_word)?, address(mask_word)?);
    if mask.leading_ones() + mask.trailing_zeros() < 32 {
        let help = format!("an object group takes a netmask such as `{}`", Ipv4Addr::from(!mask));
        let is_wildcard = (!mask).leading_ones() + (!mask).trailing_zeros() >= 32;
        let help = if is_wildcard { format!("; {help}") } else { String::new() };
        return Err(format!("`{mask_word}` is no netmask{help}"));
    }
    Ok((u128::from(address & mask), u128::from(address | !mask)))
}

/// The addresses of a prefix whose length stands behind the slash.
pub(super) fn prefix(address_word: &str, length_word: &str) -> Result<Interval, Fault> {
    let address = address(address_word)?;
    let length = length_word.parse::<u32>().ok().filter(|length| *length <= 32);
    let length = length.ok_or_else(|| format!("`{length_word}` is no length of an IPv4 prefix"))?;
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    Ok((u128::from(address & mask), u128::from(address | !mask)))
}

/// The addresses of an IPv6 prefix.
pub(super) fn prefix_v6(word: &str) -> Result<Interval, Fault> {
    let Some((address, length)) = word.split_once('/') else {
        return Err(format!("`{word}` is no IPv6 prefix; one is written `2001:db8::/32`"));
    };
    let address = address_v6(address)?;
    let length = length.parse::<u32>().ok().filter(|length| *length <= 128);
    let length = length.ok_or_else(|| format!("`{word}` has no length of an IPv6 prefix"))?;
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    Ok((address & mask, address | !mask))
}
