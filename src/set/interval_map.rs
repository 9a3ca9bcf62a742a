//! A map from disjoint intervals to sets, which is a set of pairs; nested, a set of tuples.

use super::{Interval, Point, Set};

/// A set of pairs `(key, member)`, held as disjoint key intervals and the members that each has.
///
/// INVARIANT: intervals ascend and are disjoint; no member set is empty; neighbours that touch differ in their
/// members. This makes the form canonical, so the derived equality is equality of meaning.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IntervalMap<K, S> {
    entries: Vec<(Interval<K>, S)>,
}

/// A set of integers, held as ascending disjoint intervals that do not touch.
pub type IntervalSet<T> = IntervalMap<T, bool>;

impl<K: Point, S: Set> IntervalMap<K, S> {
    /// The pairs of every key of `interval` with every member of `members`.
    pub fn from_interval(interval: Interval<K>, members: S) -> Self {
        let mut map = Self::empty();
        map.push(interval, members);
        map
    }

    /// The pairs of every key of `keys` with every member of `members`.
    pub fn product(keys: &IntervalSet<K>, members: &S) -> Self {
        let mut map = Self::empty();
        for interval in keys.intervals() {
            map.push(interval, members.clone());
        }
        map
    }

    /// The intervals in ascending order, each with its members.
    pub fn entries(&self) -> &[(Interval<K>, S)] {
        &self.entries
    }

    /// The members that `key` has, if any.
    pub fn get(&self, key: K) -> Option<&S> {
        let index = self.entries.partition_point(|(interval, _)| interval.last() < key);
        self.entries.get(index).filter(|(interval, _)| interval.contains(key)).map(|(_, set)| set)
    }

    /// The map with `change` applied to the members of each key.
    pub fn map_members(&self, change: impl Fn(&S) -> S) -> Self {
        let mut map = Self::empty();
        for (interval, members) in &self.entries {
            map.push(*interval, change(members));
        }
        map
    }

    /// If all keys of `domain`, and no others, have members, and all have the same: the map that gives these to every
    /// key there is. It is equal to `self` wherever a key is known to lie in `domain`. Otherwise `None`.
    pub fn uniform_over(&self, domain: &IntervalSet<K>) -> Option<Self> {
        let (_, members) = self.entries.first()?;
        let uniform = self.entries.iter().all(|(_, set)| set == members) && self.keys() == *domain;
        uniform.then(|| Self::from_interval(Interval::FULL, members.clone()))
    }

    /// The keys that have the same members together, each group where its first key is.
    pub fn grouped(&self) -> Vec<(IntervalSet<K>, &S)> {
        let mut groups: Vec<(IntervalSet<K>, &S)> = Vec::new();
        // INVARIANT: only looked up, never walked, so its order reaches nothing.
        let mut places = std::collections::HashMap::<&S, usize>::new();
        for (interval, members) in &self.entries {
            let place = *places.entry(members).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((keys, _)) => keys.push(*interval, true),
                None => groups.push((IntervalSet::from_interval(*interval, true), members)),
            }
        }
        groups
    }

    /// All keys that have members.
    pub fn keys(&self) -> IntervalSet<K> {
        let mut keys = IntervalSet::empty();
        for (interval, _) in &self.entries {
            keys.push(*interval, true);
        }
        keys
    }

    /// Appends an interval that lies behind all others, and keeps the invariant.
    fn push(&mut self, interval: Interval<K>, members: S) {
        if members.is_empty() {
            return;
        }
        if let Some((last, set)) = self.entries.last_mut()
            && last.last().next() == Some(interval.first())
            && *set == members
        {
            *last = Interval::spanning(last.first(), interval.last());
            return;
        }
        self.entries.push((interval, members));
    }

    /// Walks both maps in step and keeps, for each stretch of keys on which neither changes, what `choose` makes of
    /// the two member sets. Stretches where both are absent are passed over. Linear in the entries of both.
    fn combine(&self, other: &Self, choose: impl Fn(Option<&S>, Option<&S>) -> S) -> Self {
        let mut result = Self::empty();
        let (mut left, mut right) = (self.entries.as_slice(), other.entries.as_slice());
        let mut cursor = K::MIN;
        loop {
            let heads = [left.first(), right.first()];
            let Some(start) = heads.iter().flatten().map(|(i, _)| i.first().max(cursor)).min() else {
                break;
            };
            let ends = heads.iter().flatten().filter_map(|(interval, _)| {
                if interval.first() <= start { Some(interval.last()) } else { interval.first().previous() }
            });
            let end = ends.min().unwrap_or(start);
            let members = heads.map(|head| head.filter(|(i, _)| i.contains(start)).map(|(_, set)| set));
            let [ours, theirs] = members;
            result.push(Interval::spanning(start, end), choose(ours, theirs));
            let Some(next) = end.next() else { break };
            cursor = next;
            left = skip_until(left, cursor);
            right = skip_until(right, cursor);
        }
        result
    }
}

/// Drops the first entry if it lies wholly before `cursor`.
fn skip_until<K: Point, S>(entries: &[(Interval<K>, S)], cursor: K) -> &[(Interval<K>, S)] {
    match entries {
        [(interval, _), rest @ ..] if interval.last() < cursor => rest,
        all => all,
    }
}

/// The entries from the first one that reaches `key`, found by steps that double, so that a near one is found at once.
fn reaching<K: Point, S>(entries: &[(Interval<K>, S)], key: K) -> &[(Interval<K>, S)] {
    let before = |(interval, _): &(Interval<K>, S)| interval.last() < key;
    let mut reach = 1;
    while entries.get(reach - 1).is_some_and(before) {
        reach *= 2;
    }
    let near = entries.get(..reach).unwrap_or(entries);
    entries.get(near.partition_point(before)..).unwrap_or_default()
}

impl<K: Point, S: Set> Set for IntervalMap<K, S> {
    fn empty() -> Self {
        IntervalMap { entries: Vec::new() }
    }

    fn full() -> Self {
        Self::from_interval(Interval::FULL, S::full())
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn union(&self, other: &Self) -> Self {
        self.combine(other, |ours, theirs| match (ours, theirs) {
            (Some(ours), Some(theirs)) => ours.union(theirs),
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => S::empty(),
        })
    }

    /// Passes over what only one of the two has without looking at each entry, so that a small set costs little within a
    /// large one.
    fn intersection(&self, other: &Self) -> Self {
        let mut result = Self::empty();
        let (mut left, mut right) = (self.entries.as_slice(), other.entries.as_slice());
        while let ([(ours, members), left_rest @ ..], [(theirs, others), right_rest @ ..]) = (left, right) {
            if ours.overlaps(*theirs) {
                let first = ours.first().max(theirs.first());
                let common = Interval::spanning(first, ours.last().min(theirs.last()));
                result.push(common, members.intersection(others));
            }
            if ours.last() < theirs.last() {
                left = reaching(left_rest, theirs.first());
            } else {
                right = reaching(right_rest, ours.first());
            }
        }
        result
    }

    /// Walks both in step and stops at the first interval in which they meet, without making a set.
    fn is_disjoint(&self, other: &Self) -> bool {
        let (mut left, mut right) = (self.entries.as_slice(), other.entries.as_slice());
        while let ([(ours, members), left_rest @ ..], [(theirs, others), right_rest @ ..]) = (left, right) {
            if ours.overlaps(*theirs) && !members.is_disjoint(others) {
                return false;
            }
            if ours.last() < theirs.last() {
                left = reaching(left_rest, theirs.first());
            } else {
                right = reaching(right_rest, ours.first());
            }
        }
        true
    }

    /// Passes over what only the other one has without looking at each entry.
    fn difference(&self, other: &Self) -> Self {
        let mut result = Self::empty();
        let mut right = other.entries.as_slice();
        for (ours, members) in &self.entries {
            right = reaching(right, ours.first());
            let mut left = Some(ours.first());
            for (theirs, others) in right.iter().take_while(|(theirs, _)| theirs.first() <= ours.last()) {
                let Some(start) = left else { break };
                let common = Interval::spanning(start.max(theirs.first()), ours.last().min(theirs.last()));
                if let Some(before) = common.first().previous().filter(|_| start < common.first()) {
                    result.push(Interval::spanning(start, before), members.clone());
                }
                result.push(common, members.difference(others));
                left = common.last().next().filter(|_| common.last() < ours.last());
            }
            if let Some(start) = left {
                result.push(Interval::spanning(start, ours.last()), members.clone());
            }
        }
        result
    }
}

impl<T: Point> IntervalSet<T> {
    /// The intervals in ascending order.
    pub fn intervals(&self) -> impl ExactSizeIterator<Item = Interval<T>> + '_ {
        self.entries.iter().map(|(interval, _)| *interval)
    }

    /// True if it holds `value`.
    pub fn contains(&self, value: T) -> bool {
        self.get(value).is_some()
    }

    /// True if it holds every value.
    pub fn is_full(&self) -> bool {
        matches!(self.entries.as_slice(), [(interval, _)] if interval.is_full())
    }
}

impl<T: Point> FromIterator<Interval<T>> for IntervalSet<T> {
    /// Sorts and joins the intervals; they may overlap and come in any order.
    fn from_iter<I: IntoIterator<Item = Interval<T>>>(intervals: I) -> Self {
        let mut sorted: Vec<Interval<T>> = intervals.into_iter().collect();
        sorted.sort_unstable();
        let mut set: Self = IntervalSet::empty();
        for interval in sorted {
            match set.entries.last_mut() {
                Some((last, _)) if last.last() >= interval.first() => {
                    *last = Interval::spanning(last.first(), last.last().max(interval.last()));
                }
                _ => set.push(interval, true),
            }
        }
        set
    }
}
