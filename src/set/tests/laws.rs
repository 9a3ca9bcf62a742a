//! The laws of set algebra, the same for every kind of set.

use super::super::{Set, union_all};
use super::Canonical;

/// Panics if three sets break a law. Equality is equality of structure, so each law also tests the canonical form.
pub(super) fn check<S: Set + Canonical>(a: &S, b: &S, c: &S) {
    let complement = |set: &S| S::full().difference(set);
    let (union, intersection, difference) = (a.union(b), a.intersection(b), a.difference(b));
    for set in [&union, &intersection, &difference, &complement(a)] {
        set.assert_canonical();
    }

    assert_eq!(complement(&complement(a)), *a, "double complement");
    assert_eq!(complement(&union), complement(a).intersection(&complement(b)), "De Morgan, union");
    assert_eq!(complement(&intersection), complement(a).union(&complement(b)), "De Morgan, intersection");
    assert_eq!(difference, a.intersection(&complement(b)), "difference is meeting the complement");
    assert_eq!(a.difference(&b.union(c)), difference.difference(c), "A-(B∪C) = (A-B)-C");
    assert_eq!(a.difference(&b.intersection(c)), difference.union(&a.difference(c)), "A-(B∩C) = (A-B)∪(A-C)");

    assert_eq!(union, b.union(a), "union commutes");
    assert_eq!(intersection, b.intersection(a), "intersection commutes");
    assert_eq!(union.union(c), a.union(&b.union(c)), "union associates");
    assert_eq!(intersection.intersection(c), a.intersection(&b.intersection(c)), "intersection associates");
    let distributed = a.intersection(b).union(&a.intersection(c));
    assert_eq!(a.intersection(&b.union(c)), distributed, "intersection distributes");
    assert_eq!(a.union(&b.intersection(c)), union.intersection(&a.union(c)), "union distributes");

    assert_eq!(difference.union(&intersection), *a, "A = (A-B)∪(A∩B)");
    assert_eq!(union.intersection(a), *a, "absorption by intersection");
    assert_eq!(intersection.union(a), *a, "absorption by union");
    assert!(difference.is_disjoint(b) && difference.is_subset(a) && a.is_subset(&union));

    assert_eq!([a.union(a), a.intersection(a), a.difference(a)], [a.clone(), a.clone(), S::empty()]);
    assert_eq!([a.union(&S::empty()), a.intersection(&S::full())], [a.clone(), a.clone()], "neutral sets");
    assert_eq!([a.intersection(&S::empty()), a.union(&S::full())], [S::empty(), S::full()], "absorbing sets");
    assert_eq!([a.difference(&S::empty()), a.difference(&S::full())], [a.clone(), S::empty()]);
    assert_eq!([S::empty().difference(a), complement(a).intersection(a)], [S::empty(), S::empty()]);
    assert_eq!(complement(a).union(a), S::full(), "a set and the rest are everything");

    check_union_all(&[a.clone(), b.clone(), c.clone(), difference, intersection]);
}

/// Panics if the balanced union of a list, at any length, is not the union taken one by one.
fn check_union_all<S: Set>(sets: &[S]) {
    for length in 0..=sets.len() {
        let listed = sets.iter().take(length);
        let folded = listed.clone().fold(S::empty(), |all, set| all.union(set));
        assert_eq!(union_all(listed.cloned()), folded, "union of {length}");
    }
}

#[test]
fn the_set_over_nothing_obeys_the_laws() {
    for (a, b, c) in [(true, true, false), (true, false, true), (false, true, false), (false, false, true)] {
        check(&a, &b, &c);
    }
}
