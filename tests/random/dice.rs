//! A source of choices that gives the same ones for the same seed (SplitMix64, Steele, Lea and Flood, OOPSLA 2014).

/// Choices to come.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The choices of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, which is not 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count).unwrap()).unwrap()
    }

    /// A number from the first to the last, both included.
    pub(crate) fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list.
    pub(crate) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    /// Takes one out of a list.
    pub(crate) fn draw<T>(&mut self, list: &mut Vec<T>) -> T {
        let place = self.below(list.len());
        list.swap_remove(place)
    }

    /// Some different elements of a list, from one up to `most`.
    pub(crate) fn some<T: Clone>(&mut self, list: &[T], most: usize) -> Vec<T> {
        let mut left = list.to_vec();
        let count = self.between(1, most.min(list.len()));
        (0..count).map(|_| self.draw(&mut left)).collect()
    }
}
