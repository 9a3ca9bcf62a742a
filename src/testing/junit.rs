//! Results as JUnit XML, which CI systems show: a suite for each file, a case for each test.
//!
//! The form has no standard; this keeps to what Jenkins writes down of it
//! (<https://github.com/jenkinsci/xunit-plugin>, `junit-10.xsd`). No time is given, so that the same tests give the same
//! bytes.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{Results, SuiteResult, TestResult};

/// The results as a document.
///
/// # Errors
/// [`SerializeError`] if it cannot be put together.
pub fn junit(results: &Results) -> Result<String, SerializeError> {
    let mut report = Report::new("cordon test");
    report.add_test_suites(results.suites.iter().map(suite));
    // That form has no such attribute of the whole, and what checks it strictly would refuse the document. Its start tag comes
    // first, and its name is always the same, so the first one is the right one.
    Ok(report.to_string()?.replacen(" skipped=\"0\"", "", 1))
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
