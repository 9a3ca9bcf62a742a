//! Acceptances: findings that somebody answers for until a day.
//!
//! In: the `accepted` clauses of statements, and findings of the checks, each with the clauses of the statement that it is
//! about. Out: the findings that nobody answers for, or no longer, and the clauses that accept nothing.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use miette::{Diagnostic, LabeledSpan, Severity};

use super::attributes;
use super::error::CheckError;
use super::warning::CheckWarning;
use crate::diag::Diagnostics;
use crate::ir::{Acceptance, Policy};
use crate::source::Span;
use crate::syntax::ast;

/// The codes of the findings that can be accepted: warnings that speak of one rule, class, peer or zone, and of a risk that
/// somebody can answer for. Mistakes are corrected, not accepted.
const ACCEPTABLE: [&str; 12] = [
    "C0403", "C0405", "C0641", "C0642", "C0643", "C0644", "C0651", "C0652", "C0653", "C0654", "C1015",
    "C1016",
];

/// Reads the `accepted` clauses of a statement, one acceptance for each code.
pub(super) fn acceptances(statements: &[ast::Acceptance], diagnostics: &mut Diagnostics) -> Vec<Acceptance> {
    let mut acceptances: Vec<Acceptance> = Vec::new();
    for statement in statements {
        let until = attributes::day(&statement.until, diagnostics);
        if statement.reason.node.trim().is_empty() {
            diagnostics.push(CheckError::UnknownValue {
                attribute: "because",
                value: statement.reason.node.clone(),
                span: statement.reason.span,
                known: "say why it is accepted".to_owned(),
                help: None,
            });
        }
        for word in &statement.codes {
            let Some(code) = ACCEPTABLE.into_iter().find(|code| *code == word.node) else {
                diagnostics.push(unknown(word));
                continue;
            };
            if let Some(first) = acceptances.iter().find(|first| first.code == code) {
                diagnostics.push(CheckError::SaidTwice { span: word.span, first: first.span });
            } else if let Some(until) = until {
                let reason = statement.reason.node.clone();
                acceptances.push(Acceptance { code, reason, until, span: word.span });
            }
        }
    }
    acceptances
}

fn unknown(word: &ast::Word) -> CheckError {
    let known: Vec<String> = ACCEPTABLE.iter().map(|code| format!("`{code}`")).collect();
    CheckError::UnknownValue {
        attribute: "accepted",
        value: word.node.clone(),
        span: word.span,
        known: format!("one of {}", known.join(", ")),
        help: None,
    }
}

/// Which acceptances have accepted something so far.
pub(super) struct Ledger {
    as_of: Date,
    used: BTreeSet<Span>,
}

impl Ledger {
    /// Opens a ledger as of a date.
    pub(super) fn new(as_of: Date) -> Self {
        Ledger { as_of, used: BTreeSet::new() }
    }

    /// Reports a finding about a statement, unless an acceptance of this statement names its code and has not ended. Where
    /// one has ended, the finding says so.
    pub(super) fn report(
        &mut self,
        acceptances: &[Acceptance],
        finding: impl Diagnostic + Send + Sync + 'static,
        diagnostics: &mut Diagnostics,
    ) {
        let code = finding.code().map(|code| code.to_string());
        let meant = || acceptances.iter().filter(|acceptance| Some(acceptance.code) == code.as_deref());
        self.used.extend(meant().map(|acceptance| acceptance.span));
        match meant().max_by_key(|acceptance| acceptance.until) {
            None => diagnostics.push(finding),
            Some(acceptance) if acceptance.until >= self.as_of => {}
            Some(acceptance) => {
                let text = format!("accepted until {}; the check is as of {}", acceptance.until, self.as_of);
                let label = LabeledSpan::new_with_span(Some(text), acceptance.span);
                diagnostics.push(Ended { finding, label });
            }
        }
    }

    /// Reports each acceptance that accepted nothing, where nothing is wrong so far: a statement with an error may be the
    /// one that it is there for.
    pub(super) fn finish(self, policy: &Policy, diagnostics: &mut Diagnostics) {
        if diagnostics.has_errors() {
            return;
        }
        for (name, acceptance) in policy.acceptances().filter(|(_, a)| !self.used.contains(&a.span)) {
            let (name, code, span) = (name.to_owned(), acceptance.code, acceptance.span);
            diagnostics.push(CheckWarning::AcceptsNothing { name, code, span });
        }
    }
}

/// A finding that was accepted until a day that has passed.
#[derive(Debug)]
struct Ended<D> {
    finding: D,
    label: LabeledSpan,
}

impl<D: Diagnostic> fmt::Display for Ended<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.finding, f)
    }
}

impl<D: Diagnostic> std::error::Error for Ended<D> {}

impl<D: Diagnostic> Diagnostic for Ended<D> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.finding.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.finding.labels().into_iter().flatten();
        Some(Box::new(labels.chain([self.label.clone()])))
    }
}
