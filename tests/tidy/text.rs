//! The text of all files: white space, notes to oneself, code in comments, paths of somebody's machine.

use super::files::File;
use super::rust::words;
use super::{Finding, assert_lines, files, report};

/// Notes to oneself. Put together here, so that this file does not hold them.
const NOTES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// Where somebody's own files lie. Put together here, so that this file does not hold them.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/t", "mp/")];

/// How a line of code starts; a sentence does not.
const CODE: [&str; 9] =
    ["let ", "fn ", "pub ", "use crate::", "use super::", "use std::", "return ", "#[", "}"];

/// Snapshots hold what a program printed, to the byte, spaces at the end of lines included.
fn is_free(file: &File) -> bool {
    file.has_extension("snap")
}

/// Inputs of fuzz targets: nobody wrote them.
fn is_fuzz_input(file: &File) -> bool {
    file.is_below("fuzz/corpus") || file.is_below("fuzz/regressions")
}

fn white_space(file: &File) -> Vec<Finding> {
    if is_free(file) {
        return Vec::new();
    }
    let is_rust = file.has_extension("rs");
    let mut findings = Vec::new();
    for (line, text) in file.lines() {
        if text.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::new(file, line, "white space at the end of the line; remove it"));
        }
        if is_rust && text.contains('\t') {
            findings.push(Finding::new(file, line, "a tab; indent with spaces, and write `\\t` in a text"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let what = "the last line has no end; add a line break";
        findings.push(Finding::new(file, file.lines().count(), what));
    }
    findings
}

fn notes_to_oneself(file: &File) -> Vec<Finding> {
    let is_note = |text: &str| words(text).any(|(_, word)| NOTES.contains(&word));
    let found = file.lines().filter(|(_, text)| is_note(text));
    found.map(|(line, _)| Finding::new(file, line, "a note to oneself; do it, or open an issue")).collect()
}

/// Code in comments of Rust files. Examples in the docs of an item are code that is compiled, and stay.
fn commented_out(file: &File) -> Vec<Finding> {
    let is_code = |text: &str| {
        let comment = text.trim_start().strip_prefix("//").filter(|rest| !rest.starts_with(['/', '!']));
        comment.map(str::trim).is_some_and(|comment| {
            CODE.iter().any(|start| comment.starts_with(start))
                || comment.ends_with([';', '{']) && comment.contains('(')
        })
    };
    let found = file.lines().filter(|(_, text)| is_code(text));
    found
        .map(|(line, _)| Finding::new(file, line, "code in a comment; delete it, git remembers it"))
        .collect()
}

fn machine_paths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in file.lines() {
        for path in MACHINE_PATHS {
            // `framework/` or `docs/home/` are no paths of a machine.
            let starts = |place| !text.get(..place).is_some_and(|before| before.ends_with(is_path_character));
            if text.match_indices(path).any(|(place, _)| starts(place)) {
                let what = format!(
                    "`{path}` is a path of somebody's machine; write one below the project or the policy"
                );
                findings.push(Finding::new(file, line, what));
            }
        }
    }
    findings
}

fn is_path_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '*' | '}')
}

#[test]
fn texts_are_clean() {
    let all = files::all().unwrap();
    let all: Vec<File> = all.into_iter().filter(|file| !is_fuzz_input(file)).collect();
    let checks = [white_space, notes_to_oneself, machine_paths];
    let everywhere = all.iter().flat_map(|file| checks.iter().flat_map(move |check| check(file)));
    let rust = all.iter().filter(|file| file.has_extension("rs"));
    report(everywhere.chain(rust.flat_map(commented_out)));
}

#[test]
fn stray_white_space_is_found() {
    assert_lines(&white_space(&File::new("a.md", "a \nb\t\nc\r\nd")), &[1, 2, 4]);
    assert_lines(&white_space(&File::new("a.rs", "a\n\tb\n")), &[2]);
    assert_lines(&white_space(&File::new("a.nft", "a\n\tb\n")), &[]);
    assert_lines(&white_space(&File::new("a.snap", "a \nb")), &[]);
}

#[test]
fn a_note_to_oneself_is_found() {
    let text = NOTES.map(|note| format!("# {note}: later\n")).concat() + "XXXX\ntodo = \"warn\"\n";
    assert_lines(&notes_to_oneself(&File::new("Cargo.toml", text)), &[1, 2, 3]);
}

#[test]
fn code_in_a_comment_is_found() {
    let check = |text: &str| commented_out(&File::new("src/a.rs", text));
    assert_lines(&check("// let x = 1;\n    // fn f() {\n//     }\n// check(x);\n"), &[1, 2, 3, 4]);
    assert_lines(&check("/// let x = 1;\n//! fn f() {\n// Letters let a name be read;\nlet x = 1;\n"), &[]);
}

#[test]
fn a_path_of_a_machine_is_found() {
    let text = MACHINE_PATHS.map(|path| format!("see {path}x\n")).concat() + "docs/home/x\n/usr/sbin/nft\n";
    assert_lines(&machine_paths(&File::new("README.md", text)), &[1, 2, 3, 4]);
}
