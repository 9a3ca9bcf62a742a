//! Saying what was found: in text on standard error, or in one document on standard output.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::{Component, Path};

use serde::Serialize;

use super::Failure;
use super::args::{Format, Options};
use super::commands::{Checked, JSON_VERSION, count};
use super::load::printable;
use super::terminal::{self, print};
use crate::diag::format::{self, Findings, FormatError};
use crate::diag::{self, Diagnostics, Record};
use crate::source::Sources;

/// How messages name a policy and its files, so that a name leads there from where cordon runs.
pub(super) struct Place {
    /// What stands before the name of a file: empty, or it ends with `/`.
    base: String,
    /// The policy.
    shown: String,
}

impl Place {
    /// A policy from standard input.
    pub(super) fn stdin(name: &str) -> Self {
        Place { base: String::new(), shown: printable(name) }
    }

    /// The directory or file `path`: from the current directory where it lies below that, else from the root.
    pub(super) fn of(path: &Path) -> Self {
        let (directory, file) = match path.is_dir() {
            true => (path, ""),
            false => (
                path.parent().unwrap_or(Path::new("")),
                path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
            ),
        };
        let base = match from_here(directory).as_str() {
            "" => String::new(),
            "/" => "/".to_owned(),
            directory => format!("{directory}/"),
        };
        let shown = match (base.trim_end_matches('/'), file) {
            ("", "") => ".".to_owned(),
            (directory, "") => directory.to_owned(),
            _ => format!("{base}{}", printable(file)),
        };
        Place { base, shown }
    }

    /// The policy, as messages name it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// What was found in it, for people.
    pub(super) fn human(&self, diagnostics: &Diagnostics, sources: &Sources) -> String {
        diag::human_below(&self.base, diagnostics, sources, terminal::columns(), terminal::in_colour())
    }
}

/// A directory as it is written from the current one, or else from the root. A link is kept where it is written.
fn from_here(directory: &Path) -> String {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let here = env::current_dir().unwrap_or_default();
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_path_buf());
    let climbs = absolute.components().any(|part| part == Component::ParentDir);
    let real = std::fs::canonicalize(directory).unwrap_or_else(|_| absolute.clone());
    let written = absolute.strip_prefix(&here).ok().filter(|_| !climbs);
    let path = written.or_else(|| real.strip_prefix(&here).ok()).unwrap_or(&real);
    printable(&path.to_string_lossy())
}

/// A finding that is about no place in the policy.
pub(super) fn finding(code: &str, severity: &'static str, message: String) -> Record {
    let (code, labels, fix) = (code.to_owned(), Vec::new(), Vec::new());
    Record { code, severity, message, labels, help: None, denied: false, fix }
}

/// Refuses a form that holds findings for a command that gives an answer, which would be lost.
pub(super) fn require_place_for_answer(options: &Options, command: &str) -> Result<(), Failure> {
    if !options.format.is_for_ci() {
        return Ok(());
    }
    let help = "use `human`, `concise` or `json` here, and `cordon check` for findings";
    Err(Failure(format!(
        "`cordon {command}` gives an answer, for which this `--format` has no place: {help}"
    )))
}

/// What a command prints as JSON.
#[derive(Serialize)]
struct Document<'a, T> {
    version: u32,
    command: &'a str,
    errors: usize,
    warnings: usize,
    /// How many warnings `--allow` leaves out.
    allowed: usize,
    /// What somebody answers for.
    accepted: Vec<diag::AcceptedRecord>,
    diagnostics: Vec<Record>,
    result: &'a T,
}

impl Checked {
    /// Says what was found: as text on standard error, or in one document with `result` on standard output.
    pub(super) fn report<T: Serialize>(
        &self,
        options: &Options,
        command: &str,
        result: &T,
    ) -> Result<(), Failure> {
        self.report_with(options, command, result, Vec::new())
    }

    /// Says what was found, and in documents also what was found behind the policy.
    pub(super) fn report_with<T: Serialize>(
        &self,
        options: &Options,
        command: &str,
        result: &T,
        more: Vec<Record>,
    ) -> Result<(), Failure> {
        let failed = |error: FormatError| Failure(error.to_string());
        let findings = || {
            let mut findings = Findings::new(
                diag::records(&self.diagnostics, &self.sources),
                &self.place.base,
                &self.place.shown,
            );
            findings.extend(more.iter().cloned());
            findings
        };
        let document = match options.format {
            Format::Human => return print(io::stderr(), &self.in_words()),
            Format::Concise => return print(io::stderr(), &format::concise(&findings())),
            Format::Json => self.json(command, result, &more)?,
            Format::Sarif => format::sarif(&findings()).map_err(failed)?,
            Format::Junit => format::junit(&findings()).map_err(failed)?,
            Format::Github => format::github(&findings()),
            Format::Gitlab => format::gitlab(&findings()).map_err(failed)?,
        };
        print(io::stdout(), &document)
    }

    /// Gives the answer of a command: as text on standard output, or in one document.
    pub(super) fn answer<T: Serialize + Display>(
        &self,
        options: &Options,
        command: &str,
        answer: &T,
    ) -> Result<(), Failure> {
        match options.format.is_text() {
            true => print(io::stdout(), &answer.to_string()),
            false => self.report(options, command, answer),
        }
    }

    fn json<T: Serialize>(&self, command: &str, result: &T, more: &[Record]) -> Result<String, Failure> {
        let mut diagnostics = diag::records(&self.diagnostics, &self.sources);
        diagnostics.extend_from_slice(more);
        let errors = diagnostics.iter().filter(|record| record.severity == "error").count();
        let warnings = diagnostics.len() - errors;
        let document = Document {
            version: JSON_VERSION,
            command,
            errors,
            warnings,
            allowed: self.diagnostics.allowed(),
            accepted: diag::accepted_records(&self.diagnostics, &self.sources),
            diagnostics,
            result,
        };
        let json = serde_json::to_string_pretty(&document).map_err(|error| Failure(error.to_string()))?;
        Ok(json + "\n")
    }

    /// What was found, for people.
    pub(super) fn in_words(&self) -> String {
        self.place.human(&self.diagnostics, &self.sources)
    }

    /// Says how it stands, in one line for people.
    pub(super) fn summarise(&self, options: &Options, text: &str) -> Result<(), Failure> {
        if !options.format.is_text() || terminal::is_quiet() {
            return Ok(());
        }
        let mut line = format!("{text}: {}\n", self.counts());
        if io::stderr().is_terminal() {
            line += &self.hint();
        }
        print(io::stderr(), &line)
    }

    /// How many findings there are of each weight; of those that are rare, only if there are any.
    pub(super) fn counts(&self) -> String {
        let found = &self.diagnostics;
        let mut text = format!("{}, {}", count(found.errors(), "error"), count(found.warnings(), "warning"));
        for (number, what) in [
            (found.denied(), "denied"),
            (found.allowed(), "allowed by `--allow`"),
            (found.accepted(), "accepted"),
        ] {
            if number > 0 {
                text += &format!(", {number} {what}");
            }
        }
        text
    }

    /// Where to read more, for people at a terminal.
    fn hint(&self) -> String {
        let first = self.diagnostics.sorted().first().map(|finding| diag::code_of(*finding));
        first.map(|code| format!("`cordon rule {code}` says more\n")).unwrap_or_default()
    }
}
