//! Results in words, for people.

use std::fmt;

use super::{Coverage, Failure, Results, SuiteResult, TestResult};

/// How many failures are shown.
const SHOWN: usize = 25;

/// How many tests passed and failed, in each file and in all, after each failure.
impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.suites.iter().flat_map(|suite| {
            suite.tests.iter().filter_map(move |test| Some((suite, test, test.failure.as_ref()?)))
        });
        for (suite, test, failure) in failures.take(SHOWN) {
            write_failure(f, suite, test, failure)?;
        }
        if self.failed > SHOWN {
            let more = self.failed - SHOWN;
            writeln!(f, "and {more} more tests failed; `--format json` shows all of them\n")?;
        }
        let width = self.suites.iter().map(|suite| suite.file.chars().count()).max().unwrap_or(0);
        for suite in &self.suites {
            let (file, failed) = (&suite.file, suite.failed());
            write!(f, "{file:width$}  {}", counts(suite.tests.len() - failed, failed))?;
            match suite.postures.as_slice() {
                [] => writeln!(f)?,
                postures => writeln!(f, ", under {}", postures.join(", "))?,
            }
        }
        if let Some(coverage) = &self.coverage {
            writeln!(f, "\n{coverage}")?;
        }
        write!(f, "\n{} passed, {} failed", self.passed, self.failed)?;
        match self.filtered {
            0 => writeln!(f),
            filtered => writeln!(f, ", {filtered} not asked for"),
        }
    }
}

fn counts(passed: usize, failed: usize) -> String {
    match failed {
        0 => format!("{passed} passed"),
        failed => format!("{passed} passed, {failed} failed"),
    }
}

fn write_failure(
    f: &mut fmt::Formatter<'_>,
    suite: &SuiteResult,
    test: &TestResult,
    failure: &Failure,
) -> fmt::Result {
    writeln!(f, "failed: {}::{}", suite.file, test.name)?;
    writeln!(f, "  at        {}:{}", suite.file, test.line)?;
    writeln!(f, "            {}", failure.text)?;
    if let Some(note) = &test.note {
        writeln!(f, "  note      {note}")?;
    }
    if !suite.postures.is_empty() {
        writeln!(f, "  under     {}", suite.postures.join(", "))?;
    }
    writeln!(f, "  expected  {}", test.expected)?;
    let place = failure.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
    writeln!(f, "  got       {}{place}", failure.got)?;
    if let Some(packet) = &failure.packet {
        writeln!(f, "  packet    {packet}")?;
    }
    if let Some(explain) = &failure.explain {
        writeln!(f, "  explain   {explain}")?;
    }
    writeln!(f)
}

/// The share that is touched, and where the statements are that no test touches.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Coverage { touched, statements, percent, rules } = self;
        write!(
            f,
            "coverage: {touched} of {statements} allow and forbid statements are touched, {percent:.1} %"
        )?;
        for rule in rules.iter().filter(|rule| rule.tests == 0) {
            let (effect, file, line, column, id) =
                (rule.effect, &rule.file, rule.line, rule.column, &rule.id);
            write!(f, "\n  not touched: {effect} {id} ({file}:{line}:{column})")?;
        }
        Ok(())
    }
}
