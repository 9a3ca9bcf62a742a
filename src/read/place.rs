//! Which line of a text a place is in.

/// Where the lines of a text start.
#[derive(Clone, Debug)]
pub(super) struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Finds the lines of a text.
    pub(super) fn new(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(place, _)| place + 1));
        LineIndex { starts: starts.collect() }
    }

    /// The line, counted from one, that holds a byte.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}

#[cfg(test)]
mod tests {
    use super::LineIndex;

    #[test]
    fn lines_count_from_one() {
        let index = LineIndex::new("ab\n\ncd");
        assert_eq!([0, 2, 3, 4, 5].map(|offset| index.line_of(offset)), [1, 1, 2, 3, 3]);
    }
}
