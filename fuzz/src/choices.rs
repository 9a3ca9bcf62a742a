//! Choices that bytes make, so that a fuzzer that changes bytes changes choices.

/// Choices to come. When no bytes are left, each is the first that there is.
pub(crate) struct Choices<'b> {
    left: &'b [u8],
}

impl<'b> Choices<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Choices { left: bytes }
    }

    /// True if nothing is left to choose with.
    pub(crate) fn are_spent(&self) -> bool {
        self.left.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.left.split_first() else { return 0 };
        self.left = rest;
        *first
    }

    /// A number below `count`, which is from 1 to 256.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    /// A number from the first to the last, both included.
    pub(crate) fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        // Not 0, so that without bytes nothing is added.
        self.below(times) == 1
    }

    /// A port, or whatever else has 16 bits.
    pub(crate) fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }
}
