//! Results as JUnit XML, which CI systems show: a suite for each file, a case for each test.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Results, SuiteResult, TestResult};
use crate::diag::format::{FormatError, junit_document};

/// The results as a document.
///
/// # Errors
/// [`FormatError`] if the XML cannot be made.
pub fn junit(results: &Results) -> Result<String, FormatError> {
    let mut report = Report::new("cordon test");
    report.add_test_suites(results.suites.iter().map(suite));
    junit_document(&report)
}

fn suite(result: &SuiteResult) -> TestSuite {
    let mut suite = TestSuite::new(name(result));
    suite.add_test_cases(result.tests.iter().map(|test| case(result, test)));
    suite
}

/// The file, with the postures under which its tests were judged.
fn name(suite: &SuiteResult) -> String {
    match suite.postures.as_slice() {
        [] => suite.file.clone(),
        postures => format!("{} under {}", suite.file, postures.join(", ")),
    }
}

fn case(suite: &SuiteResult, test: &TestResult) -> TestCase {
    let status = match &test.failure {
        None => TestCaseStatus::success(),
        Some(failure) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let place = failure.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
            let more = [&failure.packet, &failure.explain].into_iter().flatten();
            let more: String = more.map(|line| format!("\n{line}")).collect();
            status.set_message(format!("expected {}; got {}", test.expected, failure.got));
            status.set_type("verdict");
            status.set_description(format!(
                "{}:{}: {}\nexpected {}\ngot {}{place}{more}",
                suite.file, test.line, failure.text, test.expected, failure.got
            ));
            status
        }
    };
    let mut case = TestCase::new(test.name.clone(), status);
    case.set_classname(suite.file.clone());
    case
}
