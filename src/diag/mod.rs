//! Diagnostics: what is wrong, where, why it matters, and what would be right.
//!
//! Each stage has an error enum of its own whose variants carry code, message, labels and help through
//! [`miette::Diagnostic`]. This module collects them and renders them for people and for programs;
//! [`format`](mod@format) has the forms that other programs read.

mod codes;
pub mod format;
mod levels;
mod pages;
mod render;

use std::fmt;

use jiff::civil::Date;
use miette::{Diagnostic, Severity};

pub use codes::{Acceptable, CODES, Code, Level, find_code};
pub use levels::{LevelError, Levels, Treatment};
pub use pages::{Page, pages};
pub use render::{AcceptedRecord, LabelRecord, Record, accepted_records, human, human_below, records};

use crate::edit::Edit;
use crate::source::Span;

/// A finding as it is kept.
pub type Boxed = Box<dyn Diagnostic + Send + Sync>;

/// Something that was found.
pub struct Finding {
    /// What it says.
    diagnostic: Boxed,
    /// The changes that correct it, if there is exactly one way to; none otherwise.
    fix: Vec<Edit>,
}

/// A finding that somebody answers for.
pub struct Accepted {
    /// What was found.
    diagnostic: Boxed,
    /// Who says so, and why.
    by: AcceptedBy,
}

/// What accepts a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AcceptedBy {
    /// Why.
    pub reason: String,
    /// The last day on which it does, if it ends.
    pub until: Option<Date>,
    /// Where that is said.
    pub span: Span,
}

/// What one run found, in the order of the places that it speaks of.
#[derive(Default)]
pub struct Diagnostics {
    findings: Vec<Finding>,
    accepted: Vec<Accepted>,
    errors: usize,
    levels: Levels,
}

impl Diagnostics {
    /// Diagnostics of which warnings are treated by `levels`.
    pub fn with_levels(levels: Levels) -> Diagnostics {
        Diagnostics { levels, ..Diagnostics::default() }
    }

    /// How warnings are treated.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: impl Diagnostic + Send + Sync + 'static) {
        self.push_with_fix(finding, Vec::new());
    }

    /// Adds a finding with the changes that correct it. A fix keeps what the policy means, or is the only thing that can be
    /// meant; where there is a choice, however likely one side of it is, there is no fix. An edit that only removes takes
    /// the blanks before it along.
    pub fn push_with_fix(&mut self, finding: impl Diagnostic + Send + Sync + 'static, fix: Vec<Edit>) {
        self.errors += usize::from(is_error(&finding));
        self.findings.push(Finding { diagnostic: Box::new(finding), fix });
    }

    /// Adds several findings.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = impl Diagnostic + Send + Sync + 'static>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// Keeps a finding that somebody answers for: it is counted and listed apart.
    pub fn accept(&mut self, diagnostic: Boxed, by: AcceptedBy) {
        self.accepted.push(Accepted { diagnostic, by });
    }

    /// Takes out each warning for which `judge` finds something to do with it.
    pub(crate) fn sift<T>(&mut self, judge: impl Fn(&dyn Diagnostic) -> Option<T>) -> Vec<(T, Boxed)> {
        let mut taken = Vec::new();
        for finding in std::mem::take(&mut self.findings) {
            let judged = if is_error(&*finding.diagnostic) { None } else { judge(&*finding.diagnostic) };
            match judged {
                Some(judged) => taken.push((judged, finding.diagnostic)),
                None => self.findings.push(finding),
            }
        }
        taken
    }

    /// True if one of the findings is an error, so that nothing may be written.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The number of errors.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// The number of warnings, without those that are allowed.
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.errors - self.treated(Treatment::Allow)
    }

    /// The number of warnings that a level leaves out.
    pub fn allowed(&self) -> usize {
        self.treated(Treatment::Allow)
    }

    /// The number of warnings that a level makes as weighty as errors.
    pub fn denied(&self) -> usize {
        self.treated(Treatment::Deny)
    }

    /// The number of findings that somebody answers for.
    pub fn accepted(&self) -> usize {
        self.accepted.len()
    }

    fn treated(&self, treatment: Treatment) -> usize {
        self.findings.iter().filter(|finding| self.treatment(finding) == Some(treatment)).count()
    }

    /// What is done with a finding, if it is a warning.
    fn treatment(&self, finding: &Finding) -> Option<Treatment> {
        let diagnostic = &*finding.diagnostic;
        (!is_error(diagnostic)).then(|| self.levels.of(&code_of(diagnostic)))
    }

    /// True if nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings that no level leaves out, sorted by place, then code, then text, so that the order never depends on the
    /// run.
    pub fn sorted(&self) -> Vec<&(dyn Diagnostic + Send + Sync)> {
        self.sorted_findings().into_iter().map(|finding| finding.diagnostic.as_ref()).collect()
    }

    fn sorted_findings(&self) -> Vec<&Finding> {
        let said = |finding: &&Finding| self.treatment(finding) != Some(Treatment::Allow);
        let mut findings: Vec<&Finding> = self.findings.iter().filter(said).collect();
        findings.sort_by_cached_key(|finding| order(&*finding.diagnostic));
        findings
    }

    /// The fixes of all findings that no level leaves out, each of one finding, in the order of their places.
    pub fn fixes(&self) -> Vec<&[Edit]> {
        let fixes = self.sorted_findings().into_iter().map(|finding| finding.fix.as_slice());
        fixes.filter(|fix| !fix.is_empty()).collect()
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sorted().iter().map(|finding| finding.to_string())).finish()
    }
}

/// True for errors, which is what a finding is that does not say.
fn is_error(finding: &dyn Diagnostic) -> bool {
    finding.severity().unwrap_or(Severity::Error) == Severity::Error
}

/// The code of a finding.
pub fn code_of(finding: &dyn Diagnostic) -> String {
    finding.code().map(|code| code.to_string()).unwrap_or_default()
}

/// By what findings are sorted.
fn order(finding: &dyn Diagnostic) -> (usize, String, String) {
    (primary_offset(finding), code_of(finding), finding.to_string())
}

/// The offset of the first label, which by convention is where the finding is about.
pub(crate) fn primary_offset(finding: &dyn Diagnostic) -> usize {
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
