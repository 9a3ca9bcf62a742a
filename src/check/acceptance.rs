//! Acceptances: findings that somebody answers for.
//!
//! In: the `accepted` clauses of statements, and findings of the checks. What is a risk is reported with the clauses of the
//! statement that it is about; what is about form and use is found by its place, once all checks are done. Out: the findings
//! that nobody answers for, or no longer, and the clauses that accept nothing.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use miette::{Diagnostic, LabeledSpan, Severity};

use super::Statements;
use super::attributes;
use super::error::CheckError;
use super::warning::{AcceptanceError, CheckWarning};
use crate::diag::{
    Acceptable, AcceptedBy, Boxed, CODES, Code, Diagnostics, Level, code_of, find_code, primary_offset,
    suggestion,
};
use crate::edit::Edit;
use crate::ir::{Acceptance, OtherAcceptance, Policy};
use crate::source::Span;
use crate::syntax::ast;

/// Whether the acceptances of a statement may be for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ends {
    /// Those of risks have to end.
    Risks,
    /// All have to. The statement has an `until` of its own, which a reader and the parser could take for that of an
    /// acceptance without one; then what should end would not.
    All,
}

/// Reads the `accepted` clauses of a statement, one acceptance for each code.
pub(super) fn acceptances(
    clauses: &[ast::Acceptance],
    ends: Ends,
    diagnostics: &mut Diagnostics,
) -> Vec<Acceptance> {
    let mut acceptances: Vec<Acceptance> = Vec::new();
    for clause in clauses {
        check_reason(&clause.reason, diagnostics);
        let until = clause.until.as_ref().map(|word| attributes::day(word, diagnostics));
        let is_read = until != Some(None);
        let until = until.flatten();
        for (index, word) in clause.codes.iter().enumerate() {
            let Some(code) = known_code(word, diagnostics) else { continue };
            let acceptance = Acceptance {
                code: code.code,
                reason: clause.reason.node.clone(),
                until,
                span: word.span,
                statement: clause.statement,
                removal: removal(clause, index),
            };
            let must_end = ends == Ends::All || code.acceptable == Acceptable::ReasonAndDay;
            if let Some(first) = acceptances.iter().find(|first| first.code == code.code) {
                report_twice(first, &acceptance, diagnostics);
            } else if must_end && is_read && until.is_none() {
                diagnostics.push(without_end(code, word.span));
            } else if is_read {
                acceptances.push(acceptance);
            }
        }
    }
    acceptances
}

fn check_reason(reason: &ast::Word, diagnostics: &mut Diagnostics) {
    if reason.node.trim().is_empty() {
        diagnostics.push(CheckError::UnknownValue {
            attribute: "because",
            value: reason.node.clone(),
            span: reason.span,
            known: "say why it is accepted".to_owned(),
            help: None,
        });
    }
}

/// The code that a word names, if it can be accepted; otherwise that is reported.
fn known_code(word: &ast::Word, diagnostics: &mut Diagnostics) -> Option<&'static Code> {
    let span = word.span;
    let Some(code) = find_code(&word.node) else {
        diagnostics.push(CheckError::UnknownValue {
            attribute: "accepted",
            value: word.node.clone(),
            span,
            known: "no code of a finding; `cordon rule` lists all".to_owned(),
            help: suggestion(&word.node, CODES.iter().map(|code| code.code)),
        });
        return None;
    };
    let (code_name, summary) = (code.code, code.summary);
    let help = match (code.acceptable, code.level) {
        (Acceptable::Reason | Acceptable::ReasonAndDay, _) => return Some(code),
        (Acceptable::Never, Level::Error) => "it is a mistake, with which nothing is compiled; correct it",
        (Acceptable::Never, Level::Warning) => {
            "it is not about one statement, or is to be mended; `--allow` leaves it out of a run"
        }
    };
    diagnostics.push(AcceptanceError::NotAcceptable { code: code_name, summary, help, span });
    None
}

fn without_end(code: &Code, span: Span) -> AcceptanceError {
    let why = if code.acceptable == Acceptable::ReasonAndDay {
        "it is a risk, which has to be looked at again"
    } else {
        "a rule has an `until` of its own, which must not be taken for that of an acceptance"
    };
    AcceptanceError::WithoutEnd { code: code.code, why, span }
}

/// Reports a code that a statement accepts twice. The second goes without loss if both have the same reason and day.
fn report_twice(first: &Acceptance, again: &Acceptance, diagnostics: &mut Diagnostics) {
    let is_same = (&first.reason, first.until) == (&again.reason, again.until);
    let fix = if is_same { vec![Edit::removal(again.removal)] } else { Vec::new() };
    diagnostics.push_with_fix(CheckError::SaidTwice { span: again.span, first: first.span }, fix);
}

/// What has to go of a clause for one of its codes to go: the code with a comma, or all of the clause.
fn removal(clause: &ast::Acceptance, index: usize) -> Span {
    let span = |index: usize| clause.codes.get(index).map(|word| word.span);
    let before = index.checked_sub(1).and_then(span);
    match (before, span(index), span(index + 1)) {
        (Some(before), Some(own), _) => {
            Span::from_offsets(before.end_offset(), own.end_offset() - before.end_offset())
        }
        (None, Some(own), Some(next)) => Span::from_offsets(own.start(), next.start() - own.start()),
        _ => clause.span,
    }
}

/// The acceptances of the statements of which the model keeps none.
pub(super) fn others(statements: &Statements, diagnostics: &mut Diagnostics) -> Vec<OtherAcceptance> {
    type Stated<'a> = (&'static str, Option<&'a ast::Word>, &'a [ast::Acceptance], Ends);
    let mut stated: Vec<Stated> = Vec::new();
    stated.extend(
        statements.services.iter().map(|one| ("service", Some(&one.name), &*one.acceptances, Ends::Risks)),
    );
    stated.extend(
        statements.groups.iter().map(|one| ("group", Some(&one.name), &*one.acceptances, Ends::Risks)),
    );
    stated.extend(
        statements.schedules.iter().map(|one| ("schedule", Some(&one.name), &*one.acceptances, Ends::Risks)),
    );
    stated.extend(
        statements.postures.iter().map(|one| ("posture", Some(&one.name), &*one.acceptances, Ends::Risks)),
    );
    stated.extend(statements.devices.iter().map(|one| {
        let kind = match one.kind {
            ast::DeviceKind::Firewall => "firewall",
            ast::DeviceKind::Switch => "switch",
        };
        (kind, Some(&one.name), &*one.acceptances, Ends::Risks)
    }));
    stated.extend(
        statements.assertions.iter().map(|one| ("assert", one.name.as_ref(), &*one.acceptances, Ends::All)),
    );
    stated.extend(
        statements.managements.iter().map(|one| ("manage", one.name.as_ref(), &*one.acceptances, Ends::All)),
    );
    let mut others = Vec::new();
    for (kind, name, clauses, ends) in stated {
        let name = name.map_or(kind, |name| name.node.as_str());
        others.extend(
            acceptances(clauses, ends, diagnostics).into_iter().map(|acceptance| OtherAcceptance {
                kind,
                name: name.to_owned(),
                acceptance,
            }),
        );
    }
    others.sort_by_key(|other| other.acceptance.span);
    others
}

/// Which acceptances have accepted something so far.
pub(super) struct Ledger {
    as_of: Date,
    used: BTreeSet<Span>,
    /// The codes of what was reported through it.
    reported: BTreeSet<String>,
}

impl Ledger {
    /// Opens a ledger as of a date.
    pub(super) fn new(as_of: Date) -> Self {
        Ledger { as_of, used: BTreeSet::new(), reported: BTreeSet::new() }
    }

    /// Reports a finding about a statement, unless an acceptance of this statement names its code and has not ended. Where
    /// one has ended, the finding says so.
    pub(super) fn report(
        &mut self,
        acceptances: &[Acceptance],
        finding: impl Diagnostic + Send + Sync + 'static,
        diagnostics: &mut Diagnostics,
    ) {
        let code = code_of(&finding);
        let meant = || acceptances.iter().filter(|acceptance| acceptance.code == code);
        self.reported.insert(code.clone());
        self.used.extend(meant().map(|acceptance| acceptance.span));
        match meant().max_by_key(|acceptance| lasting(acceptance)) {
            None => diagnostics.push(finding),
            Some(acceptance) if acceptance.holds(self.as_of) => {
                diagnostics.accept(Box::new(finding), by(acceptance))
            }
            Some(acceptance) => diagnostics.push(Ended::new(Box::new(finding), acceptance, self.as_of)),
        }
    }

    /// Closes the ledger: warnings that were reported without it are accepted by their place, where the innermost statement
    /// that accepts their code counts. Then each acceptance that accepted nothing is reported, where nothing is wrong so
    /// far: a statement with an error may be the one that it is there for.
    pub(super) fn finish(mut self, policy: &Policy, diagnostics: &mut Diagnostics) {
        let all: Vec<(&str, &Acceptance)> = policy.acceptances().collect();
        let taken = diagnostics.sift(|finding| {
            let (code, place) = (code_of(finding), primary_offset(finding));
            if self.reported.contains(&code) {
                return None;
            }
            let covers = |statement: Span| (statement.start()..statement.end_offset()).contains(&place);
            let meant = all.iter().map(|(_, acceptance)| *acceptance);
            let meant = meant.filter(|acceptance| acceptance.code == code && covers(acceptance.statement));
            meant.max_by_key(|acceptance| (acceptance.statement.start(), lasting(acceptance)))
        });
        for (acceptance, finding) in taken {
            self.used.insert(acceptance.span);
            if acceptance.holds(self.as_of) {
                diagnostics.accept(finding, by(acceptance));
            } else {
                diagnostics.push(Ended::new(finding, acceptance, self.as_of));
            }
        }
        if diagnostics.has_errors() {
            return;
        }
        for (name, acceptance) in all.into_iter().filter(|(_, one)| !self.used.contains(&one.span)) {
            let (name, code, span) = (name.to_owned(), acceptance.code, acceptance.span);
            let fix = vec![Edit::removal(acceptance.removal)];
            diagnostics.push_with_fix(CheckWarning::AcceptsNothing { name, code, span }, fix);
        }
    }
}

/// Orders acceptances by how long they hold: those for good last.
fn lasting(acceptance: &Acceptance) -> (bool, Option<Date>) {
    (acceptance.until.is_none(), acceptance.until)
}

fn by(acceptance: &Acceptance) -> AcceptedBy {
    AcceptedBy { reason: acceptance.reason.clone(), until: acceptance.until, span: acceptance.span }
}

/// A finding that was accepted until a day that has passed.
#[derive(Debug)]
struct Ended {
    finding: Boxed,
    label: LabeledSpan,
}

impl Ended {
    fn new(finding: Boxed, acceptance: &Acceptance, as_of: Date) -> Self {
        let until = acceptance.until.map(|day| day.to_string()).unwrap_or_default();
        let text = format!("accepted until {until}; the check is as of {as_of}");
        Ended { finding, label: LabeledSpan::new_with_span(Some(text), acceptance.span) }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.finding, f)
    }
}

impl std::error::Error for Ended {}

impl Diagnostic for Ended {
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
