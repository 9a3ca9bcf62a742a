//! Sets of addresses as prefixes.

use super::acl::Family;
use crate::set::{Interval, IntervalSet, Set};

/// An aligned block of addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Prefix {
    first: u128,
    /// The number of bits that vary.
    free: u8,
}

impl Prefix {
    /// All addresses of a family.
    pub(super) fn all(family: Family) -> Self {
        Prefix { first: 0, free: family.width() }
    }

    /// The block of addresses from `first` whose last `free` bits vary.
    pub(super) const fn new(first: u128, free: u8) -> Self {
        Prefix { first, free }
    }

    pub(super) fn range(self) -> Interval<u128> {
        let span = 1_u128.checked_shl(self.free.into()).map_or(u128::MAX, |size| size - 1);
        Interval::spanning(self.first, self.first | span)
    }

    fn halves(self) -> Option<[Prefix; 2]> {
        let free = self.free.checked_sub(1)?;
        let second = self.first | 1_u128.checked_shl(free.into())?;
        Some([Prefix { first: self.first, free }, Prefix { first: second, free }])
    }

    /// As it stands in an access list: `any`, `host A`, an address with a wildcard mask, or an IPv6 prefix.
    pub(super) fn text(self, family: Family) -> String {
        let first = family.address(self.first);
        match family {
            _ if self.free == family.width() => "any".to_owned(),
            _ if self.free == 0 => format!("host {first}"),
            Family::V4 => {
                format!("{first} {}", family.address(self.range().last() - self.range().first()))
            }
            Family::V6 => format!("{first}/{}", family.width() - self.free),
        }
    }

    /// As it stands in an object group, which takes a netmask where an access list takes a wildcard mask.
    pub(super) fn member_text(self) -> String {
        let first = Family::V4.address(self.first);
        if self.free == 0 {
            return format!("host {first}");
        }
        let span = self.range().last() - self.range().first();
        format!("{first} {}", Family::V4.address(u128::from(u32::MAX) - span))
    }
}

/// The fewest prefixes that together hold all of `set`, and nothing else but what lies outside of `care`. Without
/// `care` they are `set`, exactly.
pub(super) fn cover(
    set: &IntervalSet<u128>,
    care: Option<&IntervalSet<u128>>,
    family: Family,
) -> Vec<Prefix> {
    let free = |care: &IntervalSet<u128>| IntervalSet::from_interval(family.all(), true).difference(care);
    let allowed = care.map_or_else(|| set.clone(), |care| set.union(&free(care)));
    let mut found = Vec::new();
    let mut waiting = vec![Prefix::all(family)];
    while let Some(prefix) = waiting.pop() {
        let range = prefix.range();
        if !touches(set, range) {
            continue;
        }
        match prefix.halves().filter(|_| !holds(&allowed, range)) {
            Some([low, high]) => waiting.extend([high, low]),
            None => found.push(prefix),
        }
    }
    found
}

fn reaching(set: &IntervalSet<u128>, range: Interval<u128>) -> Option<Interval<u128>> {
    let entries = set.entries();
    let place = entries.partition_point(|(interval, _)| interval.last() < range.first());
    entries.get(place).map(|(interval, _)| *interval)
}

fn touches(set: &IntervalSet<u128>, range: Interval<u128>) -> bool {
    reaching(set, range).is_some_and(|interval| interval.overlaps(range))
}

fn holds(set: &IntervalSet<u128>, range: Interval<u128>) -> bool {
    reaching(set, range).is_some_and(|found| found.first() <= range.first() && range.last() <= found.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(u128, u128)]) -> IntervalSet<u128> {
        ranges.iter().map(|(first, last)| Interval::spanning(*first, *last)).collect()
    }

    fn texts(set: &IntervalSet<u128>, care: Option<&IntervalSet<u128>>) -> Vec<String> {
        cover(set, care, Family::V4).into_iter().map(|prefix| prefix.text(Family::V4)).collect()
    }

    #[test]
    fn a_set_is_cut_into_aligned_blocks_that_are_the_set() {
        assert_eq!(texts(&set(&[(3, 9)]), None), ["host 0.0.0.3", "0.0.0.4 0.0.0.3", "0.0.0.8 0.0.0.1"]);
        assert_eq!(texts(&set(&[(0, u128::from(u32::MAX))]), None), ["any"]);
        assert_eq!(texts(&set(&[]), None), Vec::<String>::new());
        assert_eq!(cover(&set(&[(0, u128::MAX)]), None, Family::V6), [Prefix::all(Family::V6)]);
    }

    #[test]
    fn what_was_decided_before_may_be_covered_again() {
        let care = set(&[(0, 7), (16, u128::from(u32::MAX))]);
        assert_eq!(texts(&set(&[(0, 7), (16, 31)]), Some(&care)), ["0.0.0.0 0.0.0.31"]);
        assert_eq!(texts(&care, Some(&care)), ["any"]);
        assert_eq!(texts(&set(&[(0, 3)]), Some(&care)), ["0.0.0.0 0.0.0.3"]);
    }

    #[test]
    fn an_object_group_takes_a_netmask() {
        assert_eq!(Prefix::new(0x0a01_0000, 8).member_text(), "10.1.0.0 255.255.255.0");
        assert_eq!(Prefix::new(0x0a01_0000, 8).text(Family::V4), "10.1.0.0 0.0.0.255");
    }
}
