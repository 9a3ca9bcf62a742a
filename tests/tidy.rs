//! The form of the project's own files: what a reviewer would have to look for otherwise.
//!
//! Each check takes a file and gives findings: a place, what is wrong, and the way out. Each has a test that shows it
//! failing on a bad sample, and one test runs all checks of its kind over the files of the project.

mod calls;
mod files;
mod imports;
mod paths;
mod project;
mod rust;
mod shape;
mod text;

use std::fmt::Display;

use self::files::File;

/// Something that is wrong with the form of a file.
struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    /// A finding in `file`, at a line that counts from one.
    fn new(file: &File, line: usize, what: impl Display) -> Self {
        Finding { path: file.path.clone(), line, what: what.to_string() }
    }
}

/// Fails with all findings, one a line, each as `file:line: what is wrong; the way out`.
fn report(findings: impl IntoIterator<Item = Finding>) {
    let lines = findings.into_iter().map(|Finding { path, line, what }| format!("{path}:{line}: {what}"));
    let lines: Vec<String> = lines.collect();
    assert!(lines.is_empty(), "{} findings:\n{}\n", lines.len(), lines.join("\n"));
}

/// Asserts the lines that a check finds something in.
#[track_caller]
fn assert_lines(found: &[Finding], expected: &[usize]) {
    let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
    let texts: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(lines, expected, "{texts:#?}");
}
