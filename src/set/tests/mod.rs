//! Tests of the set algebra against evaluators that share no code with it.
//!
//! `interval` compares sets of single bytes and of pairs of bytes with arrays that hold every member; `packet`
//! compares sets of packets with loops over the ranges they were built from; `hazards` keeps the mistakes that would
//! open a network; `names` pins how addresses and protocols read and print.

mod hazards;
mod interval;
mod laws;
mod naive;
mod names;
mod packet;

use proptest::test_runner::{Config, RngSeed};

use super::{IntervalMap, PerFamily, Point, Set};

/// The same cases on every run. `PROPTEST_RNG_SEED` draws others, `PROPTEST_CASES` (256 at rest) scales their number.
fn config(cases: u32) -> Config {
    let ambient = Config::default();
    let rng_seed = match ambient.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0xc0_4d0e),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    let cases = (cases * ambient.cases).div_ceil(256);
    Config { cases, rng_seed, failure_persistence: None, ..ambient }
}

/// A check of the documented invariant of [`IntervalMap`], at every level of nesting.
trait Canonical {
    /// Panics if the invariant is broken.
    fn assert_canonical(&self);
}

impl Canonical for bool {
    fn assert_canonical(&self) {}
}

impl<K: Point, S: Set + Canonical> Canonical for IntervalMap<K, S> {
    fn assert_canonical(&self) {
        for (interval, members) in self.entries() {
            assert!(interval.first() <= interval.last(), "interval in the wrong order: {self:?}");
            assert!(*members != S::empty() && !members.is_empty(), "entry without members: {self:?}");
            members.assert_canonical();
        }
        for pair in self.entries().windows(2) {
            let [(before, ours), (after, theirs)] = pair else { unreachable!("windows of two") };
            assert!(before.last() < after.first(), "not ascending and disjoint: {self:?}");
            let touch = before.last().next() == Some(after.first());
            assert!(!touch || ours != theirs, "neighbours could be one: {self:?}");
        }
    }
}

impl<V4: Canonical, V6: Canonical> Canonical for PerFamily<V4, V6> {
    fn assert_canonical(&self) {
        self.v4.assert_canonical();
        self.v6.assert_canonical();
    }
}
