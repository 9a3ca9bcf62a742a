//! What a reading finds on its way: mistakes, and how many parts were understood.
//!
//! A config of pfSense is XML, so parts are counted rather than lines: a rule, an alias, an interface, a setting of the
//! system, a section that cannot affect filtering. A part counts once, by the line that it starts in.

use super::super::model::{Lines, Mistake};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What was not understood.
    pub(super) mistakes: Vec<Mistake>,
    /// How many parts were.
    pub(super) lines: Lines,
}

impl Report {
    /// Notes a mistake.
    pub(super) fn mistake(&mut self, line: usize, what: String) {
        self.mistakes.push(Mistake { line, what });
    }

    /// Counts a part that cannot affect filtering.
    pub(super) fn ignore(&mut self) {
        self.lines.ignored += 1;
    }

    /// Reads a part, and counts it as understood unless that gives a mistake.
    pub(super) fn part<T>(&mut self, read: impl FnOnce(&mut Report) -> T) -> T {
        let before = self.mistakes.len();
        let value = read(self);
        if self.mistakes.len() > before {
            self.lines.mistaken += 1;
        } else {
            self.lines.understood += 1;
        }
        value
    }

    /// Counts a part that is a mistake.
    pub(super) fn refuse(&mut self, line: usize, what: String) {
        self.part(|report| report.mistake(line, what));
    }
}
