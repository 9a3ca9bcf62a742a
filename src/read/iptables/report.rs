//! What was understood of a text, line by line.
//!
//! In: what happened to each line. Out: mistakes in the order of lines, and how many lines there are of each kind. A line
//! with a mistake counts as mistaken, whatever else happened to it.

use super::super::model::{Lines, Mistake};

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Status {
    /// Blank, or a comment.
    Nothing,
    /// Part of the model.
    Understood,
    /// It cannot affect filtering.
    Ignored,
    /// There is a mistake in it.
    Mistaken,
}

/// The report on one text.
#[derive(Clone, Debug)]
pub(super) struct Report {
    lines: Vec<Status>,
    mistakes: Vec<Mistake>,
    /// What all its mistakes begin with.
    place: &'static str,
}

impl Report {
    /// A report on a text of so many lines; what its mistakes say begins with `place`.
    pub(super) fn new(lines: usize, place: &'static str) -> Self {
        Report { lines: vec![Status::Nothing; lines], mistakes: Vec::new(), place }
    }

    /// A line is part of the model.
    pub(super) fn understood(&mut self, line: usize) {
        self.set(line, Status::Understood);
    }

    /// A line cannot affect filtering.
    pub(super) fn ignored(&mut self, line: usize) {
        self.set(line, Status::Ignored);
    }

    /// Something in a line is not understood.
    pub(super) fn mistake(&mut self, line: usize, what: impl AsRef<str>) {
        self.mistaken(line);
        self.mistakes.push(Mistake { line, what: format!("{}{}", self.place, what.as_ref()) });
    }

    /// A line is not understood because of a mistake in another.
    pub(super) fn mistaken(&mut self, line: usize) {
        self.set(line, Status::Mistaken);
    }

    fn set(&mut self, line: usize, status: Status) {
        if let Some(known) = line.checked_sub(1).and_then(|place| self.lines.get_mut(place))
            && *known != Status::Mistaken
        {
            *known = status;
        }
    }

    /// The mistakes in the order of lines, and the numbers of lines.
    pub(super) fn finish(mut self) -> (Vec<Mistake>, Lines) {
        self.mistakes.sort();
        self.mistakes.dedup();
        let count = |status| self.lines.iter().filter(|line| **line == status).count();
        let lines = Lines {
            understood: count(Status::Understood),
            ignored: count(Status::Ignored),
            mistaken: count(Status::Mistaken),
        };
        (self.mistakes, lines)
    }
}
