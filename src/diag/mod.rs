//! Diagnostics: what is wrong, where, why it matters, and what would be right.
//!
//! Each stage has an error enum of its own whose variants carry code, message, labels and help through
//! [`miette::Diagnostic`]. This module collects them and renders them for people and for programs;
//! [`format`](mod@format) has the forms that other programs read.

mod codes;
pub mod format;
mod render;

use std::fmt;

use miette::{Diagnostic, Severity};

pub use codes::{CODES, Code};
pub use render::{LabelRecord, Record, human, human_below, records};

use crate::source::Span;

/// What one run found, in the order of the places that it speaks of.
#[derive(Default)]
pub struct Diagnostics {
    findings: Vec<Box<dyn Diagnostic + Send + Sync>>,
    errors: usize,
}

impl Diagnostics {
    /// Adds a finding.
    pub fn push(&mut self, finding: impl Diagnostic + Send + Sync + 'static) {
        self.errors += usize::from(finding.severity().unwrap_or(Severity::Error) == Severity::Error);
        self.findings.push(Box::new(finding));
    }

    /// Adds several findings.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = impl Diagnostic + Send + Sync + 'static>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// True if one of the findings is an error, so that nothing may be written.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The number of errors.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// The number of warnings.
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.errors
    }

    /// True if nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings, sorted by place, then code, then text, so that the order never depends on the run.
    pub fn sorted(&self) -> Vec<&(dyn Diagnostic + Send + Sync)> {
        let mut findings: Vec<_> = self.findings.iter().map(AsRef::as_ref).collect();
        findings.sort_by_cached_key(|finding| {
            let place = primary_offset(*finding);
            let code = finding.code().map(|code| code.to_string());
            (place, code, finding.to_string())
        });
        findings
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sorted().iter().map(|finding| finding.to_string())).finish()
    }
}

/// The offset of the first label, which by convention is where the finding is about.
fn primary_offset(finding: &dyn Diagnostic) -> usize {
    finding.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset())
}

/// How much two words look alike, from 0 to 1. One slip of the finger counts as alike in words of three letters on, where
/// the usual measure sees little in common.
fn likeness(word: &str, candidate: &str) -> f64 {
    let measured = strsim::jaro_winkler(word, candidate);
    let one_slip = word.chars().count() >= 3 && strsim::damerau_levenshtein(word, candidate) <= 1;
    if one_slip { measured.max(0.9) } else { measured }
}

/// The known name that is most like `word`, if one is close enough to be meant.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lowered = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (likeness(&lowered, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.84)
        .max_by(|(one, left), (other, right)| one.total_cmp(other).then_with(|| right.cmp(left)))
        .map(|(_, candidate)| candidate)
}

/// A note "did you mean ...?" for a message, or an empty text.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    did_you_mean(word, known).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// A label for each place, with the same text.
pub fn labels(places: &[Span], text: &str) -> Vec<miette::LabeledSpan> {
    places.iter().map(|span| miette::LabeledSpan::new_with_span(Some(text.to_owned()), *span)).collect()
}
