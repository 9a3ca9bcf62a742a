//! Findings as a JUnit report, which nearly every CI shows.
//!
//! A suite is a file, and a case is a finding. What makes the command fail is a failure; any other warning is a case that
//! passes and says it in `system-out`, so that the report is red exactly where the command fails.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Findings, FormatError, in_lines, primary};
use crate::diag::Record;

/// The name of the report, and of the suite for what is in no file.
const NAME: &str = "cordon";

/// An XML document. Without findings it has one case that passes, since an empty report counts as a mistake in many CI.
///
/// # Errors
/// [`FormatError`] if the XML cannot be made.
pub fn junit(findings: &Findings) -> Result<String, FormatError> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for record in &findings.records {
        let file = primary(record).map_or(NAME, |label| label.file.as_str());
        let suite = suites.entry(file).or_insert_with(|| TestSuite::new(file));
        suite.add_test_case(case(record, file, Findings::fails(record)));
    }
    if suites.is_empty() {
        let mut case = TestCase::new("no findings", TestCaseStatus::success());
        case.set_classname(findings.place.as_str());
        suites.entry(NAME).or_insert_with(|| TestSuite::new(NAME)).add_test_case(case);
    }
    let mut report = Report::new(NAME);
    report.add_test_suites(suites.into_values());
    junit_document(&report)
}

/// A report as a document that the common schema takes, that of Jenkins: <https://github.com/jenkinsci/xunit-plugin>,
/// `junit-10.xsd`. No time is given, so that the same report gives the same bytes.
///
/// # Errors
/// [`FormatError`] if the XML cannot be made.
pub fn junit_document(report: &Report) -> Result<String, FormatError> {
    let document = report.to_string().map_err(|error| FormatError(error.to_string()))?;
    // The schema has no such attribute of the whole. Its start tag comes first, and its name is one of cordon's own, so the
    // first one is the right one.
    Ok(document.replacen(" skipped=\"0\"", "", 1))
}

fn case(record: &Record, file: &str, fails: bool) -> TestCase {
    let label = primary(record);
    let place = label.map_or_else(String::new, |label| format!(" at {}:{}", label.line, label.column));
    let mut status = TestCaseStatus::success();
    if fails {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(record.severity).set_message(record.message.as_str());
        status.set_description(in_lines(record));
    }
    let mut case = TestCase::new(format!("{}{place}", record.code), status);
    case.set_classname(file);
    if !fails {
        case.set_system_out(format!("{}: {}", record.severity, in_lines(record)));
    }
    if let Some(label) = label {
        case.extra.insert("file".into(), file.into());
        case.extra.insert("line".into(), label.line.to_string().into());
    }
    case
}
