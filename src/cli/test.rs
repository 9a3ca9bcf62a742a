//! The command `test`: the assertions of a policy, and the tests beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use serde::Serialize;

use super::args::{Format, Options};
use super::commands::{Checked, check_loaded, load_meant, under_postures};
use super::load::Loaded;
use super::terminal::print;
use super::test_files::{Content, TestFile, test_files};
use super::{Failure, Outcome};
use crate::check::check_but_assertions;
use crate::diag::Diagnostics;
use crate::ir::{Policy, RuleIndex, Span};
use crate::source::SourceFile;
use crate::syntax::parse;
use crate::testing::{Judge, Results, Suite, SuiteResult, Test, check_assertions_only, junit, packet_tests};

/// The name of the command.
const NAME: &str = "test";

/// What `--help` says at its end.
pub(super) const HELP: &str = "\
Examples:
  cordon test                                      the policy in the current directory, with its tests/
  cordon test examples/general-hospital --coverage
  cordon test . --filter pumps                     only tests with `pumps` in their name
  cordon test . --tests ../acceptance.csv          another table instead of tests/
  cordon test . --format junit > results.xml

A table of tests is CSV with the columns proto, src, dst, dport and verdict, and if you like sport, rule, name and note.
A `.cordon` file in tests/ holds `assert` statements. What lies in tests/postures/NAME/ is judged under that posture.

Exit codes:
  0  all tests passed
  1  a test failed, less is covered than was asked for, or the policy or a test has errors
  2  wrong usage, nothing to test, or input that cannot be read";

/// What can be said to the command.
#[derive(Args, Debug)]
pub(super) struct Tests {
    /// A policy: a directory of `.cordon` files, or one such file; `-` reads one from standard input
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
    /// A file of tests, or a directory of them; can be given several times [default: PATH/tests, if it is there]
    #[arg(long, value_name = "FILE|DIR")]
    tests: Vec<PathBuf>,
    /// Run only tests whose FILE::NAME contains a text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the tests, and run none
    #[arg(long)]
    list: bool,
    /// Say which statements no test touches
    #[arg(long)]
    coverage: bool,
    /// Fail if the tests touch less than so many percent of the statements
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    coverage_fail_under: Option<u8>,
    /// The form of the results
    #[arg(long, value_enum, default_value_t = TestFormat::Human)]
    format: TestFormat,
    /// The date by which it is decided which statements have expired [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// Take the policy as it is under a posture, for all tests; given several times, under all of them
    #[arg(long = "posture", value_name = "NAME")]
    postures: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum TestFormat {
    /// Text
    Human,
    /// One JSON document
    Json,
    /// JUnit XML, for CI systems
    Junit,
}

/// Runs the command.
pub(super) fn run(arguments: &Tests) -> Result<Outcome, Failure> {
    let format = match arguments.format {
        TestFormat::Json => Format::Json,
        TestFormat::Human | TestFormat::Junit => Format::Human,
    };
    let options = Options::of(format, arguments.as_of, Vec::new());
    let mut diagnostics = Diagnostics::default();
    let mut loaded = load_meant(&arguments.path, &[], &options, &mut diagnostics)?;
    let files = test_files(&arguments.tests, loaded.root.as_deref())?;
    let files = read(files, &mut loaded, &mut diagnostics)?;
    let checked = check_loaded(loaded, &options, check_but_assertions, diagnostics)?;
    if checked.diagnostics.has_errors() {
        checked.report(&options, NAME, &None::<Results>)?;
        return Ok(Outcome::Findings);
    }
    let all = suites(&checked, files, &arguments.postures);
    let total: usize = all.iter().map(|suite| suite.tests.len()).sum();
    if total == 0 {
        let help = "write `assert` statements, or a table of packets and verdicts into `tests/`";
        return Err(Failure(format!("there is nothing to test: {help}")));
    }
    let suites = filtered(all, arguments.filter.as_deref())?;
    if arguments.list {
        return list(&suites, arguments, &options, &checked);
    }
    let results = judge(&suites, total, arguments, &checked)?;
    show(&results, arguments.format, &options, &checked)?;
    let covered = results.coverage.as_ref().zip(arguments.coverage_fail_under);
    let is_below = covered.is_some_and(|(coverage, percent)| coverage.is_below(percent));
    if let (true, Some(percent), Format::Human) = (is_below, arguments.coverage_fail_under, format) {
        print(io::stderr(), &format!("less than {percent} % of the statements are covered\n"))?;
    }
    Ok(if results.failed > 0 || is_below { Outcome::Findings } else { Outcome::Fine })
}

/// A file of tests, as far as it can be understood without the policy.
struct ReadFile {
    source: SourceFile,
    posture: Option<String>,
    /// The tests of a table; none for a file of assertions, which are resolved with the policy.
    table: Option<Vec<Test>>,
}

/// Reads files of tests. Assertions join the statements of the policy, so that its names can be used in them.
fn read(
    files: Vec<TestFile>,
    loaded: &mut Loaded,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<ReadFile>, Failure> {
    let mut found = Vec::new();
    for file in files {
        let source = loaded.sources.add(file.name, file.text);
        let source =
            source.map_err(|_| Failure("the policy and its tests are too large".to_owned()))?.clone();
        let table = match file.content {
            Content::Packets => Some(packet_tests(&source, diagnostics)),
            Content::Assertions => {
                let tree = parse(&source, diagnostics);
                check_assertions_only(&source, &tree, diagnostics);
                loaded.files.push(tree);
                None
            }
        };
        found.push(ReadFile { source, posture: file.posture, table });
    }
    Ok(found)
}

/// All tests, file by file: those of the policy first.
fn suites(checked: &Checked, files: Vec<ReadFile>, postures: &[String]) -> Vec<Suite> {
    let mut assertions = checked.policy.assertions.clone();
    assertions.sort_by_key(|assertion| assertion.span);
    let mut of_files = Vec::new();
    for ReadFile { source, posture, table } in files {
        let file_span = source.span(0..source.text().len());
        let is_inside =
            |span: Span| file_span.start() <= span.start() && span.end_offset() <= file_span.end_offset();
        let tests = table.unwrap_or_else(|| {
            assertions.extract_if(.., |one| is_inside(one.span)).map(Test::from).collect()
        });
        let postures = postures.iter().cloned().chain(posture).collect();
        of_files.push(Suite { file: source.path().to_owned(), postures, tests });
    }
    let mut own: BTreeMap<String, Vec<Test>> = BTreeMap::new();
    for assertion in assertions {
        let file = checked.sources.locate(assertion.span).path;
        own.entry(file).or_default().push(assertion.into());
    }
    let own = own.into_iter().map(|(file, tests)| Suite { file, postures: postures.to_vec(), tests });
    own.chain(of_files).collect()
}

/// The tests whose names hold a text.
fn filtered(mut suites: Vec<Suite>, text: Option<&str>) -> Result<Vec<Suite>, Failure> {
    let Some(text) = text else { return Ok(suites) };
    for suite in &mut suites {
        let tests = std::mem::take(&mut suite.tests);
        let wanted = tests.into_iter().filter(|test| suite.full_name(test).contains(text));
        suite.tests = wanted.collect();
    }
    suites.retain(|suite| !suite.tests.is_empty());
    if suites.is_empty() {
        let help = "`cordon test --list` shows the names of all tests";
        return Err(Failure(format!("no test has `{text}` in its name: {help}")));
    }
    Ok(suites)
}

fn list(
    suites: &[Suite],
    arguments: &Tests,
    options: &Options,
    checked: &Checked,
) -> Result<Outcome, Failure> {
    let names = suites.iter().flat_map(|suite| suite.tests.iter().map(|test| suite.full_name(test)));
    match arguments.format {
        TestFormat::Human => print(io::stdout(), &names.map(|name| name + "\n").collect::<String>())?,
        TestFormat::Json => checked.report(options, NAME, &List { tests: names.collect() })?,
        TestFormat::Junit => {
            return Err(Failure("JUnit has no form for a list; use `--format json`".to_owned()));
        }
    }
    Ok(Outcome::Fine)
}

/// What `--list` prints as JSON.
#[derive(Serialize)]
struct List {
    tests: Vec<String>,
}

/// Judges all tests, each under the postures of its file.
fn judge(suites: &[Suite], total: usize, arguments: &Tests, checked: &Checked) -> Result<Results, Failure> {
    let path = arguments.path.to_string_lossy();
    let covers = arguments.coverage || arguments.coverage_fail_under.is_some();
    let mut touched: BTreeMap<RuleIndex, usize> = BTreeMap::new();
    let mut results = Vec::new();
    // What a policy is under postures is worked out once for all files that are judged under them.
    let distinct: BTreeSet<&[String]> = suites.iter().map(|suite| suite.postures.as_slice()).collect();
    for postures in distinct {
        let places = suites.iter().enumerate().filter(|(_, suite)| suite.postures == postures);
        let policy = under(&checked.policy, postures, places.clone().map(|(_, suite)| suite.file.as_str()))?;
        let judge = Judge::new(&policy, &checked.sources, &path, postures);
        for (place, suite) in places {
            for rule in suite.tests.iter().filter(|_| covers).flat_map(|test| judge.touched(test)) {
                *touched.entry(rule).or_default() += 1;
            }
            let tests = suite.tests.iter().map(|test| judge.result(test, judge.judge(test))).collect();
            let (file, postures) = (suite.file.clone(), suite.postures.clone());
            results.push((place, SuiteResult { file, postures, tests }));
        }
    }
    results.sort_by_key(|(place, _)| *place);
    let results: Vec<SuiteResult> = results.into_iter().map(|(_, result)| result).collect();
    let run: usize = results.iter().map(|suite| suite.tests.len()).sum();
    let failed = results.iter().map(SuiteResult::failed).sum();
    let coverage = covers.then(|| {
        let judge = Judge::new(&checked.policy, &checked.sources, &path, &[]);
        judge.coverage(&checked.sources, |rule| touched.get(&rule).copied().unwrap_or(0))
    });
    Ok(Results { passed: run - failed, failed, filtered: total - run, suites: results, coverage })
}

/// The policy under the postures of files of tests, of which a message names the first.
fn under<'a>(
    policy: &Policy,
    postures: &[String],
    mut files: impl Iterator<Item = &'a str>,
) -> Result<Policy, Failure> {
    let file = files.next().unwrap_or_default();
    let failed = |Failure(problem): Failure| Failure(format!("`{file}`: {problem}"));
    under_postures(policy.clone(), postures).map_err(failed)
}

fn show(results: &Results, format: TestFormat, options: &Options, checked: &Checked) -> Result<(), Failure> {
    match format {
        TestFormat::Human => print(io::stdout(), &results.to_string()),
        TestFormat::Json => checked.report(options, NAME, &Some(results)),
        TestFormat::Junit => {
            let document = junit(results).map_err(|error| Failure(error.to_string()))?;
            print(io::stdout(), &document)
        }
    }
}
