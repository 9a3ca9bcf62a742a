//! What is wrong with a text, and how much of it was understood.

use std::collections::BTreeSet;

use crate::read::{Lines, Mistake};

/// Mistakes, and the lines that are not part of the model.
#[derive(Default)]
pub(super) struct Report {
    mistakes: BTreeSet<Mistake>,
    /// First and last lines. Blocks that are never closed reach to the end, each of them.
    mistaken: Vec<(usize, usize)>,
    ignored: Vec<(usize, usize)>,
}

impl Report {
    /// Notes a mistake in a line.
    pub(super) fn mistake(&mut self, line: usize, what: impl Into<String>) {
        self.mistaken.push((line, line));
        self.mistakes.insert(Mistake { line, what: what.into() });
    }

    /// Notes a mistake that makes more lines meaningless than the one that it is in.
    pub(super) fn mistake_in(&mut self, lines: (usize, usize), line: usize, what: impl Into<String>) {
        self.mistaken.push(lines);
        self.mistake(line, what);
    }

    /// Notes that lines cannot affect filtering.
    pub(super) fn ignore(&mut self, lines: (usize, usize)) {
        self.ignored.push(lines);
    }

    /// The mistakes in the order of lines, and the count of the lines of a text.
    pub(super) fn finish(self, text: &str) -> (Vec<Mistake>, Lines) {
        let mut lines = Lines::default();
        let (mut mistaken, mut ignored) = (Covered::new(self.mistaken), Covered::new(self.ignored));
        for (line, content) in (1..).zip(text.lines()) {
            let (is_mistaken, is_ignored) = (mistaken.covers(line), ignored.covers(line));
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if is_mistaken {
                lines.mistaken += 1;
            } else if is_ignored {
                lines.ignored += 1;
            } else {
                lines.understood += 1;
            }
        }
        (self.mistakes.into_iter().collect(), lines)
    }
}

/// Which lines lie in some spans. Lines are asked for one after the other.
struct Covered {
    spans: std::vec::IntoIter<(usize, usize)>,
    next: Option<(usize, usize)>,
    /// The last line of all spans so far.
    last: usize,
}

impl Covered {
    fn new(mut spans: Vec<(usize, usize)>) -> Self {
        spans.sort_unstable();
        let mut spans = spans.into_iter();
        let next = spans.next();
        Covered { spans, next, last: 0 }
    }

    fn covers(&mut self, line: usize) -> bool {
        while let Some((_, last)) = self.next.filter(|(first, _)| *first <= line) {
            self.last = self.last.max(last);
            self.next = self.spans.next();
        }
        line <= self.last
    }
}
