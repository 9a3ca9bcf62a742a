//! Sets of bytes and of pairs of bytes against arrays of every member.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Interval, IntervalMap, IntervalSet, Point, Set};
use super::{Canonical, config, laws};

/// The first and last member of a range, in order.
type Range = (u8, u8);

/// A set of pairs of bytes.
type Pairs = IntervalMap<u8, IntervalSet<u8>>;

/// Bytes at both ends of the type and in one crowded stretch, so that ranges often touch, overlap and coincide.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![3 => select(vec![0, 1, 2, 253, 254, 255]), 2 => 10_u8..16, 1 => any::<u8>()]
}

fn range() -> impl Strategy<Value = Range> {
    (byte(), byte()).prop_map(|(one, other)| if one <= other { (one, other) } else { (other, one) })
}

fn ranges() -> impl Strategy<Value = Vec<Range>> {
    vec(range(), 0..7)
}

fn rectangles() -> impl Strategy<Value = Vec<(Range, Range)>> {
    vec((range(), range()), 0..5)
}

fn interval((first, last): Range) -> Interval<u8> {
    Interval::new(first, last).expect("ranges are drawn in order")
}

fn set(ranges: &[Range]) -> IntervalSet<u8> {
    ranges.iter().copied().map(interval).collect()
}

fn pairs(rectangles: &[(Range, Range)]) -> Pairs {
    rectangles.iter().fold(Pairs::empty(), |all, (keys, members)| {
        all.union(&Pairs::from_interval(interval(*keys), set(&[*members])))
    })
}

/// Every byte, and whether one of the ranges holds it.
fn members(ranges: &[Range]) -> [bool; 256] {
    let mut members = [false; 256];
    for (first, last) in ranges {
        for byte in *first..=*last {
            members[usize::from(byte)] = true;
        }
    }
    members
}

/// Every pair of bytes, and whether one of the rectangles holds it.
fn pair_members(rectangles: &[(Range, Range)]) -> Vec<[bool; 256]> {
    let mut rows = vec![[false; 256]; 256];
    for ((first, last), (least, most)) in rectangles {
        for key in *first..=*last {
            for member in *least..=*most {
                rows[usize::from(key)][usize::from(member)] = true;
            }
        }
    }
    rows
}

/// The stretches of members, as long as they can be.
fn runs(members: &[bool; 256]) -> Vec<Range> {
    let mut runs: Vec<Range> = Vec::new();
    for byte in (0..=255).filter(|byte| members[usize::from(*byte)]) {
        match runs.last_mut() {
            Some((_, last)) if u16::from(*last) + 1 == u16::from(byte) => *last = byte,
            _ => runs.push((byte, byte)),
        }
    }
    runs
}

/// Panics unless `set` holds the expected bytes, in canonical form.
fn check(set: &IntervalSet<u8>, expected: [bool; 256]) {
    set.assert_canonical();
    let found: Vec<Range> = set.intervals().map(|i| (i.first(), i.last())).collect();
    assert_eq!(found, runs(&expected));
    for byte in 0..=255 {
        assert_eq!(set.contains(byte), expected[usize::from(byte)], "{byte} in {set:?}");
    }
    assert_eq!(set.is_empty(), expected == [false; 256]);
    assert_eq!(set.is_full(), expected == [true; 256]);
}

/// Panics unless `set` holds the expected pairs, in canonical form.
fn check_pairs(set: &Pairs, expected: &[[bool; 256]]) {
    set.assert_canonical();
    for (key, row) in (0..=255).zip(expected) {
        let found = set.get(key);
        assert_eq!(found.is_some(), row.contains(&true), "key {key} in {set:?}");
        if let Some(found) = found {
            let found: Vec<Range> = found.intervals().map(|i| (i.first(), i.last())).collect();
            assert_eq!(found, runs(row), "members of {key}");
        }
    }
    let keys: Vec<bool> = expected.iter().map(|row| row.contains(&true)).collect();
    check(&set.keys(), keys.try_into().expect("256 rows"));
    assert_eq!(set.is_empty(), expected.iter().all(|row| *row == [false; 256]));
    assert_eq!(*set == Pairs::full(), expected.iter().all(|row| *row == [true; 256]));
}

/// What `choose` makes of each byte of the two.
fn zip(a: &[bool; 256], b: &[bool; 256], choose: impl Fn(bool, bool) -> bool) -> [bool; 256] {
    std::array::from_fn(|byte| choose(a[byte], b[byte]))
}

/// What `choose` makes of each pair of the two.
fn zip_pairs(a: &[[bool; 256]], b: &[[bool; 256]], choose: fn(bool, bool) -> bool) -> Vec<[bool; 256]> {
    a.iter().zip(b).map(|(a, b)| zip(a, b, choose)).collect()
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn bytes_match_an_array(a in ranges(), b in ranges()) {
        let (left, right) = (set(&a), set(&b));
        let (a, b) = (members(&a), members(&b));
        check(&left, a);
        check(&left.union(&right), zip(&a, &b, |a, b| a || b));
        check(&left.intersection(&right), zip(&a, &b, |a, b| a && b));
        check(&left.difference(&right), zip(&a, &b, |a, b| a && !b));
        check(&IntervalSet::full().difference(&left), a.map(|held| !held));
        prop_assert_eq!(left.is_subset(&right), zip(&a, &b, |a, b| a && !b) == [false; 256]);
        prop_assert_eq!(left.is_disjoint(&right), zip(&a, &b, |a, b| a && b) == [false; 256]);
        prop_assert_eq!(left == right, a == b);
    }

    #[test]
    fn equal_bytes_are_equal_sets(ranges in ranges(), toggled in byte()) {
        let whole = set(&ranges);
        let held = members(&ranges);
        let singles = (0..=255_u8).rev().filter(|byte| held[usize::from(*byte)]).map(Interval::single);
        prop_assert_eq!(&singles.collect::<IntervalSet<u8>>(), &whole);

        let single = set(&[(toggled, toggled)]);
        let changed = if held[usize::from(toggled)] { whole.difference(&single) } else { whole.union(&single) };
        prop_assert_ne!(changed, whole);
    }

    #[test]
    fn bytes_obey_the_laws(a in ranges(), b in ranges(), c in ranges()) {
        laws::check(&set(&a), &set(&b), &set(&c));
    }

    #[test]
    fn intervals_match_an_array(one in range(), other in range(), byte in byte()) {
        let (a, b) = (interval(one), interval(other));
        prop_assert_eq!(a.contains(byte), members(&[one])[usize::from(byte)]);
        let both = zip(&members(&[one]), &members(&[other]), |a, b| a && b);
        prop_assert_eq!(a.overlaps(b), both != [false; 256]);
        prop_assert_eq!(a.is_single(), one.0 == one.1);
        prop_assert_eq!(a.is_full(), members(&[one]) == [true; 256]);
        prop_assert_eq!(Interval::spanning(one.1, one.0), a);
        prop_assert_eq!(Interval::new(one.1, one.0).is_some(), one.0 == one.1);
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn pairs_match_an_array(a in rectangles(), b in rectangles()) {
        let (left, right) = (pairs(&a), pairs(&b));
        let (a, b) = (pair_members(&a), pair_members(&b));
        let none = pair_members(&[]);
        check_pairs(&left, &a);
        check_pairs(&left.union(&right), &zip_pairs(&a, &b, |a, b| a || b));
        check_pairs(&left.intersection(&right), &zip_pairs(&a, &b, |a, b| a && b));
        check_pairs(&left.difference(&right), &zip_pairs(&a, &b, |a, b| a && !b));
        check_pairs(&Pairs::full().difference(&left), &zip_pairs(&none, &a, |_, a| !a));
        prop_assert_eq!(left.is_subset(&right), zip_pairs(&a, &b, |a, b| a && !b) == none);
        prop_assert_eq!(left.is_disjoint(&right), zip_pairs(&a, &b, |a, b| a && b) == none);
        prop_assert_eq!(left == right, a == b);
    }

    #[test]
    fn products_match_an_array(keys in ranges(), values in ranges()) {
        let row = members(&values);
        let expected = members(&keys).map(|held| if held { row } else { [false; 256] });
        check_pairs(&Pairs::product(&set(&keys), &set(&values)), &expected);
    }

    #[test]
    fn pairs_do_not_depend_on_their_order(rectangles in rectangles()) {
        let reversed: Vec<(Range, Range)> = rectangles.iter().rev().copied().collect();
        prop_assert_eq!(pairs(&reversed), pairs(&rectangles));
    }

    #[test]
    fn pairs_obey_the_laws(a in rectangles(), b in rectangles(), c in rectangles()) {
        laws::check(&pairs(&a), &pairs(&b), &pairs(&c));
    }
}

#[test]
fn points_stop_at_both_ends() {
    fn check<T: Point>(middle: T) {
        assert_eq!((T::MIN.previous(), T::MAX.next()), (None, None));
        assert_eq!(T::MIN.next().and_then(Point::previous), Some(T::MIN));
        assert_eq!(T::MAX.previous().and_then(Point::next), Some(T::MAX));
        assert!(T::MIN < middle && middle.previous() < Some(middle) && Some(middle) < middle.next());
        let interval = Interval::<T>::FULL;
        assert!(interval.contains(T::MIN) && interval.contains(middle) && interval.contains(T::MAX));
    }
    check(128_u8);
    check(1024_u16);
    check(0x0a00_0000_u32);
    check(1_u128 << 127);
    assert_eq!((u32::MAX, u128::MAX), (<u32 as Point>::MAX, <u128 as Point>::MAX));
}
