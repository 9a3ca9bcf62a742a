//! What is wrong with a text, and how much of it was understood.

use std::collections::BTreeSet;

use crate::read::{Lines, Mistake};

/// Mistakes, and the lines that are not part of the model.
#[derive(Default)]
pub(super) struct Report {
    mistakes: BTreeSet<Mistake>,
    mistaken: BTreeSet<usize>,
    ignored: BTreeSet<usize>,
}

impl Report {
    /// Notes a mistake in a line.
    pub(super) fn mistake(&mut self, line: usize, what: impl Into<String>) {
        self.mistaken.insert(line);
        self.mistakes.insert(Mistake { line, what: what.into() });
    }

    /// Notes a mistake that makes more lines meaningless than the one that it is in.
    pub(super) fn mistake_in(&mut self, (first, last): (usize, usize), line: usize, what: impl Into<String>) {
        self.mistaken.extend(first..=last);
        self.mistake(line, what);
    }

    /// Notes that lines cannot affect filtering.
    pub(super) fn ignore(&mut self, (first, last): (usize, usize)) {
        self.ignored.extend(first..=last);
    }

    /// The mistakes in the order of lines, and the count of the lines of a text.
    pub(super) fn finish(self, text: &str) -> (Vec<Mistake>, Lines) {
        let mut lines = Lines::default();
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if self.mistaken.contains(&line) {
                lines.mistaken += 1;
            } else if self.ignored.contains(&line) {
                lines.ignored += 1;
            } else {
                lines.understood += 1;
            }
        }
        (self.mistakes.into_iter().collect(), lines)
    }
}
