//! Which of many sets of addresses may have an address in common with one, without looking at all of them.

use super::{AddressSet, Interval};

/// Intervals of several sets, each with the place of its set, found by what they overlap.
///
/// They are sorted by where they start, and lie in a balanced tree of which each node knows how far the intervals below it
/// reach (Cormen et al., "Introduction to Algorithms", 14.3: interval trees), so that a search meets those that overlap
/// and the nodes on the way to them.
#[derive(Debug)]
pub struct Overlaps {
    v4: Tree,
    v6: Tree,
}

#[derive(Debug, Default)]
struct Tree {
    /// First and last address, and the place of the set, sorted.
    entries: Vec<(u128, u128, usize)>,
    /// For each node, the farthest last address below it; the node of a run of entries is the one in its middle.
    reach: Vec<u128>,
}

impl Overlaps {
    /// Prepares sets; their places are those in the list.
    pub fn new<'s>(sets: impl Iterator<Item = &'s AddressSet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (place, set) in sets.enumerate() {
            v4.extend(set.v4.intervals().map(|run| (run.first().into(), run.last().into(), place)));
            v6.extend(set.v6.intervals().map(|run| (run.first(), run.last(), place)));
        }
        Overlaps { v4: Tree::new(v4), v6: Tree::new(v6) }
    }

    /// The places of sets that have an address in common with one, ascending, each once; `None` if there are more than
    /// `most` overlaps.
    pub fn with(&self, set: &AddressSet, most: usize) -> Option<Vec<usize>> {
        let mut found = Vec::new();
        for run in set.v4.intervals() {
            let wide = Interval::spanning(u128::from(run.first()), u128::from(run.last()));
            self.v4.collect(wide, 0, self.v4.entries.len(), most, &mut found)?;
        }
        for run in set.v6.intervals() {
            self.v6.collect(run, 0, self.v6.entries.len(), most, &mut found)?;
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}

impl Tree {
    fn new(mut entries: Vec<(u128, u128, usize)>) -> Self {
        entries.sort_unstable();
        let mut tree = Tree { reach: vec![0; entries.len()], entries };
        tree.measure(0, tree.entries.len());
        tree
    }

    fn measure(&mut self, start: usize, end: usize) -> u128 {
        let middle = start + (end - start) / 2;
        let Some((_, last, _)) = self.entries.get(middle).copied().filter(|_| start < end) else { return 0 };
        let reach = last.max(self.measure(start, middle)).max(self.measure(middle + 1, end));
        if let Some(slot) = self.reach.get_mut(middle) {
            *slot = reach;
        }
        reach
    }

    fn collect(
        &self,
        run: Interval<u128>,
        start: usize,
        end: usize,
        most: usize,
        found: &mut Vec<usize>,
    ) -> Option<()> {
        let middle = start + (end - start) / 2;
        let entry = self.entries.get(middle).zip(self.reach.get(middle)).filter(|_| start < end);
        let Some(((first, last, place), reach)) = entry else { return Some(()) };
        if *reach < run.first() {
            return Some(());
        }
        self.collect(run, start, middle, most, found)?;
        if *first > run.last() {
            return Some(());
        }
        if *last >= run.first() {
            found.push(*place);
        }
        if found.len() > most {
            return None;
        }
        self.collect(run, middle + 1, end, most, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::{IntervalSet, Set, union_all};

    fn set(ranges: &[(u32, u32)]) -> AddressSet {
        let range = |(first, last): &(u32, u32)| {
            let run = Interval::new(*first, *last).unwrap();
            AddressSet { v4: IntervalSet::from_interval(run, true), v6: IntervalSet::empty() }
        };
        union_all(ranges.iter().map(range))
    }

    #[test]
    fn all_that_overlap_are_found_and_no_others() {
        let mut number = 7_u32;
        let mut next = |below: u32| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 8) % below
        };
        let mut random = |count| {
            let ranges: Vec<(u32, u32)> = (0..count)
                .map(|_| {
                    let first = next(1_000);
                    (first, first + next(30))
                })
                .collect();
            set(&ranges)
        };
        let sets: Vec<AddressSet> = (0..80).map(|place| random(place % 4)).collect();
        let overlaps = Overlaps::new(sets.iter());
        for wanted in (0..60).map(|_| random(2)).chain([set(&[]), AddressSet::full()]) {
            let expected: Vec<usize> =
                (0..sets.len()).filter(|place| !sets[*place].is_disjoint(&wanted)).collect();
            assert_eq!(overlaps.with(&wanted, 1_000).unwrap(), expected);
        }
        assert_eq!(overlaps.with(&AddressSet::full(), 5), None);
    }
}
