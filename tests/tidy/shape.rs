//! Headers, and the sizes of files and functions.

use super::files::File;
use super::rust::{Rust, item_end, line_of, line_starts};
use super::{Finding, assert_lines, files, report};

/// The most lines that a file may have.
const MAX_FILE_LINES: usize = 800;

/// The most lines that a function may have, from its name to its closing brace.
const MAX_FUNCTION_LINES: usize = 70;

/// Functions that may be longer, since each is one flat table: path, function, and why it cannot be split.
const FLAT_TABLES: [(&str, &str, &str); 0] = [];

/// A Rust file says first what it is for.
fn header(file: &File) -> Vec<Finding> {
    if file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Finding::new(file, 1, "no `//!` header; say what goes in, what comes out and what is guaranteed")]
}

fn file_length(file: &File) -> Vec<Finding> {
    let lines = file.lines().count();
    if lines <= MAX_FILE_LINES {
        return Vec::new();
    }
    let what = format!("{lines} lines, more than {MAX_FILE_LINES}; split it where the interface is small");
    vec![Finding::new(file, lines, what)]
}

fn function_length(file: &File, exceptions: &[(&str, &str, &str)]) -> Vec<Finding> {
    let rust = Rust::new(file);
    let mut findings = Vec::new();
    for start in line_starts(&rust.code) {
        let Some(name) = function_name(rust.code.get(start..).unwrap_or_default()) else { continue };
        let first = line_of(&rust.code, start);
        let lines = line_of(&rust.code, item_end(&rust.code, start)) + 1 - first;
        let excepted = exceptions.iter().any(|(path, function, _)| *path == file.path && *function == name);
        if lines > MAX_FUNCTION_LINES && !excepted {
            let what =
                format!("`{name}` has {lines} lines, more than {MAX_FUNCTION_LINES}; give its parts names");
            findings.push(Finding::new(file, first, what));
        }
    }
    findings
}

/// The name of the function that a text starts with.
fn function_name(text: &str) -> Option<&str> {
    let line = text.lines().next()?;
    let is_qualifier = |word: &&str| {
        matches!(*word, "pub" | "const" | "async" | "unsafe" | "extern") || word.starts_with("pub(")
    };
    let mut words = line.split_whitespace().skip_while(is_qualifier);
    if words.next()? != "fn" {
        return None;
    }
    words.next()?.split(['(', '<']).next()
}

#[test]
fn files_and_functions_keep_their_size_and_say_what_they_are_for() {
    let rust = files::with_extension("rs").unwrap();
    let headers = rust.iter().flat_map(header);
    let functions = rust.iter().flat_map(|file| function_length(file, &FLAT_TABLES));
    let all = files::all().unwrap();
    let written = all.iter().filter(|file| {
        ["src", "tests", "targets", "grammar", "fuzz"].iter().any(|folder| file.is_below(folder))
            && ["rs", "j2", "pest"].iter().any(|extension| file.has_extension(extension))
    });
    report(headers.chain(functions).chain(written.flat_map(file_length)));
}

#[test]
fn a_file_without_a_header_is_found() {
    assert_lines(&header(&File::new("src/a.rs", "use std::fmt;\n//! Late.\n")), &[1]);
    assert_lines(&header(&File::new("src/a.rs", "//! What it is for.\n")), &[]);
}

#[test]
fn a_long_file_is_found() {
    assert_lines(&file_length(&File::new("src/a.rs", "\n".repeat(801))), &[801]);
    assert_lines(&file_length(&File::new("src/a.rs", "\n".repeat(800))), &[]);
}

#[test]
fn a_long_function_is_found() {
    let with_body =
        |lines| format!("//! A.\n\n    pub(crate) fn table() {{\n{}    }}\n", "        x;\n".repeat(lines));
    let check =
        |lines, exceptions: &[_]| function_length(&File::new("src/a.rs", with_body(lines)), exceptions);
    assert_lines(&check(69, &[]), &[3]);
    assert_lines(&check(68, &[]), &[]);
    assert_lines(&check(69, &[("src/a.rs", "table", "one row a code")]), &[]);
    assert_lines(&check(69, &[("src/b.rs", "table", "one row a code")]), &[3]);
}
