//! Sets of addresses of one family, and how a rule tests for them.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::set::{AddressRange, AddressSet};

/// The family of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Family {
    V4,
    V6,
}

/// Which address of a packet is tested.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Side {
    Source,
    Destination,
}

/// What a test for a set of addresses is.
pub(super) enum Test {
    /// It holds for every address of the family.
    Everything,
    /// It holds for none.
    Nothing,
    /// The options of one match.
    Options(String),
    /// There are several ranges: a set of these prefixes has to be looked up, and the answer negated if that was asked.
    Prefixes(Vec<IpNet>),
}

impl Family {
    /// What names and sets call it.
    pub(super) fn digit(self) -> char {
        match self {
            Family::V4 => '4',
            Family::V6 => '6',
        }
    }

    /// The ranges of a set that are of this family.
    pub(super) fn ranges(self, set: &AddressSet) -> Vec<AddressRange> {
        let of_family = |range: &AddressRange| matches!(range, AddressRange::V4(_)) == (self == Family::V4);
        set.ranges().filter(of_family).collect()
    }
}

impl Side {
    /// How the match on sets calls it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Side::Source => "src",
            Side::Destination => "dst",
        }
    }

    /// The option with one prefix.
    fn option(self) -> &'static str {
        match self {
            Side::Source => "-s",
            Side::Destination => "-d",
        }
    }
}

/// True if the ranges are all addresses of their family.
pub(super) fn is_everything(ranges: &[AddressRange]) -> bool {
    match ranges {
        [AddressRange::V4(interval)] => interval.is_full(),
        [AddressRange::V6(interval)] => interval.is_full(),
        _ => false,
    }
}

/// How to test that an address is in any of `ranges`, or, negated, in none of them.
pub(super) fn test(side: Side, ranges: &[AddressRange], negated: bool) -> Test {
    let not = if negated { "! " } else { "" };
    match ranges {
        [] if negated => Test::Everything,
        [] => Test::Nothing,
        _ if is_everything(ranges) && negated => Test::Nothing,
        _ if is_everything(ranges) => Test::Everything,
        [range] => Test::Options(match range.as_prefix() {
            Some(prefix) => format!("{not}{} {prefix}", side.option()),
            None => format!("-m iprange {not}--{}-range {}-{}", side.word(), range.first(), range.last()),
        }),
        several => Test::Prefixes(several.iter().flat_map(|range| range.prefixes()).collect()),
    }
}

/// The addresses of ranges one by one, or `None` if there are more than `limit`.
pub(super) fn hosts(ranges: &[AddressRange], limit: usize) -> Option<Vec<IpAddr>> {
    let mut found = Vec::new();
    for range in ranges {
        let width = match range {
            AddressRange::V4(interval) => u128::from(interval.last() - interval.first()),
            AddressRange::V6(interval) => interval.last() - interval.first(),
        };
        if width >= u128::try_from(limit.saturating_sub(found.len())).unwrap_or(0) {
            return None;
        }
        match range {
            AddressRange::V4(interval) => {
                found.extend((interval.first()..=interval.last()).map(|bits| IpAddr::V4(bits.into())));
            }
            AddressRange::V6(interval) => {
                found.extend((interval.first()..=interval.last()).map(|bits| IpAddr::V6(bits.into())));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(texts: &[(&str, &str)]) -> Vec<AddressRange> {
        let range = |(first, last): &(&str, &str)| {
            AddressRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
        };
        texts.iter().map(range).collect()
    }

    #[test]
    fn no_test_for_nothing_becomes_one_for_everything() {
        assert!(matches!(test(Side::Source, &[], false), Test::Nothing));
        assert!(matches!(test(Side::Source, &[], true), Test::Everything));
        let all = ranges(&[("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]);
        assert!(matches!(test(Side::Source, &all, false), Test::Everything));
        assert!(matches!(test(Side::Source, &all, true), Test::Nothing));
    }

    #[test]
    fn one_range_is_one_match() {
        let options = |side, texts: &[(&str, &str)], negated| match test(side, &ranges(texts), negated) {
            Test::Options(options) => options,
            Test::Everything | Test::Nothing | Test::Prefixes(_) => panic!("{texts:?} is one range"),
        };
        assert_eq!(options(Side::Source, &[("10.1.0.0", "10.1.0.255")], true), "! -s 10.1.0.0/24");
        assert_eq!(
            options(Side::Destination, &[("2001:db8::1", "2001:db8::1")], false),
            "-d 2001:db8::1/128"
        );
        assert_eq!(
            options(Side::Destination, &[("10.1.0.3", "10.1.0.4")], true),
            "-m iprange ! --dst-range 10.1.0.3-10.1.0.4"
        );
    }

    #[test]
    fn hosts_are_counted_before_they_are_listed() {
        let wide = ranges(&[("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]);
        assert_eq!(hosts(&wide, 1000), None);
        let few = ranges(&[("10.1.0.3", "10.1.0.4"), ("10.1.0.9", "10.1.0.9")]);
        assert_eq!(hosts(&few, 3).map(|hosts| hosts.len()), Some(3));
        assert_eq!(hosts(&few, 2), None);
    }
}
