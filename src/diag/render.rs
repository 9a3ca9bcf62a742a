//! Diagnostics as text with source excerpts, and as records for programs.

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, MietteError, MietteSpanContents, Severity,
    SourceCode, SourceSpan, SpanContents,
};
use serde::Serialize;

use super::{Accepted, Diagnostics, Finding, Treatment, code_of, order};
use crate::edit::{Edit, widened};
use crate::source::{Sources, Span};

/// Renders all findings for people, `width` columns wide, in colour if asked to.
pub fn human(diagnostics: &Diagnostics, sources: &Sources, width: usize, colour: bool) -> String {
    human_below("", diagnostics, sources, width, colour)
}

/// Renders all findings for people, with `base` before the names of files: empty, or it ends with `/`.
pub fn human_below(
    base: &str,
    diagnostics: &Diagnostics,
    sources: &Sources,
    width: usize,
    colour: bool,
) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false);
    let excerpts = Excerpts { sources, base };
    let mut text = String::new();
    for finding in diagnostics.sorted() {
        let located = Located { finding, excerpts: &excerpts };
        // Writing into a string cannot fail.
        let _ = handler.render_report(&mut text, &located);
        text.push('\n');
    }
    text
}

/// A finding joined with the sources that its labels point into.
#[derive(Debug)]
struct Located<'a> {
    finding: &'a (dyn Diagnostic + Send + Sync),
    excerpts: &'a Excerpts<'a>,
}

/// The sources, with names of files that are found from where cordon runs.
#[derive(Debug)]
struct Excerpts<'a> {
    sources: &'a Sources,
    base: &'a str,
}

impl SourceCode for Excerpts<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let excerpt = self.sources.read_span(span, context_lines_before, context_lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            format!("{}{}", self.base, excerpt.name().unwrap_or_default()),
            excerpt.data(),
            *excerpt.span(),
            excerpt.line(),
            excerpt.column(),
            excerpt.line_count(),
        )))
    }
}

impl std::fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self.finding, f)
    }
}

impl std::error::Error for Located<'_> {}

impl Diagnostic for Located<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.finding.code()
    }
    fn severity(&self) -> Option<Severity> {
        self.finding.severity()
    }
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.finding.help()
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let shown = |label: miette::LabeledSpan| {
            let span = self.excerpts.sources.shown(Span::from_offsets(label.offset(), label.len()));
            let text = label.label().map(str::to_owned);
            if label.primary() {
                miette::LabeledSpan::new_primary_with_span(text, span)
            } else {
                miette::LabeledSpan::new_with_span(text, span)
            }
        };
        Some(Box::new(self.finding.labels()?.map(shown)))
    }
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self.excerpts)
    }
}

/// A finding for programs. The form is stable within a version of the output.
#[derive(Clone, Serialize, PartialEq, Eq, Debug)]
pub struct Record {
    /// `C` and four digits.
    pub code: String,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where: the first label is the place that the finding is about.
    pub labels: Vec<LabelRecord>,
    /// What would be right, if that is known.
    pub help: Option<String>,
    /// True for a warning that a level makes as weighty as an error.
    pub denied: bool,
    /// The changes that `cordon check --fix` would make; none if it would make none.
    pub fix: Vec<EditRecord>,
}

/// A change of a text. Lines and columns count from one; the end column lies behind the last character that goes.
#[derive(Clone, Serialize, PartialEq, Eq, Debug)]
pub struct EditRecord {
    /// The file, below the policy's directory.
    pub file: String,
    /// The line where what goes starts.
    pub line: usize,
    /// The column where it starts.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column behind its end.
    pub end_column: usize,
    /// What comes in its place.
    pub text: String,
}

/// A finding that somebody answers for.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct AcceptedRecord {
    /// `C` and four digits.
    pub code: String,
    /// What was found.
    pub message: String,
    /// The file where it is accepted, below the policy's directory.
    pub file: String,
    /// The line where it is.
    pub line: usize,
    /// Why.
    pub reason: String,
    /// The last day on which it is, if it ends.
    pub until: Option<String>,
}

/// A place and what is said of it. Lines and columns count from one; the end column lies behind the last character.
#[derive(Clone, Serialize, PartialEq, Eq, Debug)]
pub struct LabelRecord {
    /// The file, below the policy's directory.
    pub file: String,
    /// The line where it starts.
    pub line: usize,
    /// The column where it starts.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column behind its end.
    pub end_column: usize,
    /// What is said of it.
    pub text: Option<String>,
}

/// All findings as records.
pub fn records(diagnostics: &Diagnostics, sources: &Sources) -> Vec<Record> {
    let record = |finding: &Finding| Record {
        denied: diagnostics.treatment(finding) == Some(Treatment::Deny),
        fix: finding.fix.iter().map(|edit| edit_record(edit, sources)).collect(),
        ..record(&*finding.diagnostic, sources)
    };
    diagnostics.sorted_findings().into_iter().map(record).collect()
}

/// All findings that somebody answers for, as records.
pub fn accepted_records(diagnostics: &Diagnostics, sources: &Sources) -> Vec<AcceptedRecord> {
    let mut accepted: Vec<&Accepted> = diagnostics.accepted.iter().collect();
    accepted.sort_by_cached_key(|accepted| (accepted.by.span, order(&*accepted.diagnostic)));
    let records = accepted.into_iter().map(|Accepted { diagnostic, by }| {
        let place = sources.locate(by.span);
        AcceptedRecord {
            code: code_of(&**diagnostic),
            message: diagnostic.to_string(),
            file: place.path,
            line: place.line,
            reason: by.reason.clone(),
            until: by.until.map(|day| day.to_string()),
        }
    });
    records.collect()
}

fn edit_record(edit: &Edit, sources: &Sources) -> EditRecord {
    let (start, end) = sources.locate_range(widened(sources, edit));
    EditRecord {
        file: start.path,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        text: edit.text.clone(),
    }
}

fn record(finding: &dyn Diagnostic, sources: &Sources) -> Record {
    let labels = finding.labels().into_iter().flatten().map(|label| {
        let (start, end) = sources.locate_range(Span::from_offsets(label.offset(), label.len()));
        LabelRecord {
            file: start.path,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            text: label.label().map(str::to_owned),
        }
    });
    Record {
        code: code_of(finding),
        severity: match finding.severity().unwrap_or(Severity::Error) {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        },
        message: finding.to_string(),
        labels: labels.collect(),
        help: finding.help().map(|help| help.to_string()),
        denied: false,
        fix: Vec::new(),
    }
}
