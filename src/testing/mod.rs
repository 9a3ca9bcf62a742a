//! Tests of a policy: packets with the verdicts that are expected, and assertions over whole sets.
//!
//! In: files of tests, and the policy that they are about. Out: which tests fail, each with the smallest packet that shows it
//! and the statement that decides on it; and which statements no test touches. Nothing here changes what a policy means.

mod coverage;
mod error;
mod human;
mod judge;
mod junit;
mod table;

use serde::Serialize;

pub use coverage::{Coverage, Statement};
pub use judge::{Judge, Judged};
pub use junit::junit;
pub use table::packet_tests;

use self::error::TestError;
use crate::diag::Diagnostics;
use crate::ir::{Assertion, Span};
use crate::set::Packet;
use crate::source::SourceFile;
use crate::syntax::ast::{File, Statement as AstStatement};

/// A question to a policy, with the answer that is expected.
#[derive(Clone, Debug)]
pub struct Test {
    /// What it is called: its author's name for it, or the packet in words.
    pub name: String,
    /// Why it stands.
    pub note: Option<String>,
    /// Where it stands.
    pub span: Span,
    /// What is asked.
    pub question: Question,
}

/// What a test asks.
#[derive(Clone, Debug)]
pub enum Question {
    /// The verdict on one packet.
    Packet {
        /// The packet.
        packet: Packet,
        /// `allow`, `scheduled`, `deny` or `local`.
        expected: &'static str,
        /// The rule that is expected to decide, if the test says one.
        rule: Option<String>,
    },
    /// Whether an assertion holds for all its packets.
    Assertion(Box<Assertion>),
}

impl From<Assertion> for Test {
    fn from(assertion: Assertion) -> Self {
        Test {
            name: assertion.id.clone(),
            note: assertion.about.reason.clone(),
            span: assertion.span,
            question: Question::Assertion(Box::new(assertion)),
        }
    }
}

/// The tests of one file.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file, as messages call it.
    pub file: String,
    /// The postures under which its tests are judged.
    pub postures: Vec<String>,
    /// Its tests, in the order in which they stand.
    pub tests: Vec<Test>,
}

impl Suite {
    /// What a test is called among all: `FILE::NAME`.
    pub fn full_name(&self, test: &Test) -> String {
        format!("{}::{}", self.file, test.name)
    }
}

/// What came of all tests.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were not run, since their names do not hold the text that was asked for.
    pub filtered: usize,
    /// File by file.
    pub suites: Vec<SuiteResult>,
    /// Which statements the tests touch, if that was asked for.
    pub coverage: Option<Coverage>,
}

/// What came of the tests of one file.
#[derive(Clone, Debug, Serialize)]
pub struct SuiteResult {
    /// The file.
    pub file: String,
    /// The postures under which they were judged.
    pub postures: Vec<String>,
    /// Test by test.
    pub tests: Vec<TestResult>,
}

impl SuiteResult {
    /// How many of its tests failed.
    pub fn failed(&self) -> usize {
        self.tests.iter().filter(|test| test.failure.is_some()).count()
    }
}

/// What came of a test.
#[derive(Clone, Debug, Serialize)]
pub struct TestResult {
    /// What it is called.
    pub name: String,
    /// The line of its file, counted from one.
    pub line: usize,
    /// Why it stands.
    pub note: Option<String>,
    /// The verdict that is expected; for an assertion, of each of its packets. With the rule, if the test says one.
    pub expected: String,
    /// Why it failed; none if it passed.
    pub failure: Option<Failure>,
}

/// Why a test failed.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The verdict, and why.
    pub got: String,
    /// The packet in words; the smallest one that shows it. None if the test speaks of no packet.
    pub packet: Option<String>,
    /// The id of the rule that decides on it.
    pub rule: Option<String>,
    /// Where that rule stands.
    pub place: Option<String>,
    /// The command that says more, if the packet can be said on the command line.
    pub explain: Option<String>,
    /// The line of the file where the test stands.
    pub text: String,
}

/// Reports what a file of tests states besides assertions, and a file without any.
pub fn check_assertions_only(file: &SourceFile, tree: &File, diagnostics: &mut Diagnostics) {
    for span in tree.statements.iter().filter_map(other_than_assertion) {
        diagnostics.push(TestError::OtherStatement { span });
    }
    if tree.statements.is_empty() {
        let (path, span) = (file.path().to_owned(), file.span(0..0));
        diagnostics.push(TestError::Empty { path, what: "an `assert` statement", span });
    }
}

/// Where a statement stands that is no assertion.
fn other_than_assertion(statement: &AstStatement) -> Option<Span> {
    Some(match statement {
        AstStatement::Assertion(_) => return None,
        AstStatement::Policy(word) | AstStatement::Include(word) => word.span,
        AstStatement::Zone(zone) => zone.name.span,
        AstStatement::Service(service) => service.name.span,
        AstStatement::Class(class) => class.name.span,
        AstStatement::Peer(peer) => peer.name.span,
        AstStatement::Group(group) => group.name.span,
        AstStatement::Rule(rule) => rule.effect.span,
        AstStatement::Manage(manage) => manage.span,
        AstStatement::Schedule(schedule) => schedule.name.span,
        AstStatement::Guard(guard) => guard.subject.span,
        AstStatement::Posture(posture) => posture.name.span,
        AstStatement::Device(device) => device.name.span,
        AstStatement::Require(require) => require.kinds.first().map_or(Span::default(), |kind| kind.span),
        AstStatement::Inventory(inventory) => inventory.name.span,
    })
}
