//! What people see: each policy of `tests/ui/` is checked by the command, and what it says stands beside it. Those with
//! mistakes in their tests are given to `cordon test`.
//!
//! A case is a `.cordon` file, or a folder of such files, named after the code that it is about. A case whose name
//! starts with `ok_` must pass without a word.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use cordon::diag::CODES;

use crate::support::{root, said};

/// Cases of which the JSON is kept too.
const AS_JSON: [&str; 5] = [
    "c0001_several_mistakes_in_one_statement",
    "c0102_across_files",
    "c0207_idle_except",
    "c0402_allow_inside_forbid",
    "ok_smallest",
];

/// Codes that no policy can bring about: a bug of cordon, and the backstop behind the bounds of the parser.
const WITHOUT_CASE: [&str; 2] = ["C0012", "C0999"];

/// How the names of cases about tests begin. `check` does not read tests, so these are given to `test`.
const ABOUT_TESTS: &str = "c11";

/// Fewer cases than these mean that they are not found.
const LEAST_CASES: usize = 80;

fn directory() -> PathBuf {
    root().join("tests/ui")
}

/// The names of all cases, with the path of each below `tests/ui`.
fn cases() -> Vec<(String, String)> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(directory()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        match file.split_once('.') {
            Some((name, "cordon")) => cases.push((name.to_owned(), file)),
            Some((_, ending)) => assert!(
                ending.ends_with("snap") || ending.ends_with("snap.new"),
                "`{file}` is no case and no snapshot"
            ),
            None => cases.push((file.clone(), file)),
        }
    }
    cases.sort();
    assert!(cases.len() >= LEAST_CASES, "only {} cases were found", cases.len());
    cases
}

/// What the command says about a case: exit code, standard output, standard error.
fn run(case: &str, more: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordon"));
    let about = if case.starts_with(ABOUT_TESTS) { "test" } else { "check" };
    command.args([about, case, "--as-of", "2026-11-01"]).args(more);
    said(
        command.current_dir(directory()).env_remove("RUST_BACKTRACE").env_remove("COLUMNS").output().unwrap(),
    )
}

/// Compares each text with its snapshot beside the case, and fails after all were compared.
fn assert_snapshots(texts: impl IntoIterator<Item = (String, String)>) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("ui");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let differs = |(name, text): &(String, String)| {
        let compare = || settings.bind(|| insta::assert_snapshot!(name.as_str(), text.as_str()));
        catch_unwind(AssertUnwindSafe(compare)).is_err()
    };
    let different: Vec<String> = texts.into_iter().filter(differs).map(|(name, _)| name).collect();
    assert!(different.is_empty(), "these differ from their snapshots: {different:#?}");
}

#[test]
fn each_case_says_what_stands_beside_it() {
    assert_snapshots(cases().into_iter().map(|(name, path)| {
        let (code, stdout, stderr) = run(&path, &[]);
        assert_eq!(stdout, "", "`{name}` wrote to standard output");
        (name, format!("exit code {code}\n\n{stderr}"))
    }));
}

#[test]
fn some_cases_say_the_same_as_json() {
    let cases = cases();
    assert_snapshots(AS_JSON.map(|name| {
        let (_, path) = cases.iter().find(|(case, _)| case == name).unwrap();
        let (code, stdout, stderr) = run(path, &["--format", "json"]);
        assert_eq!(stderr, "", "`{name}` wrote to standard error");
        serde_json::from_str::<serde_json::Value>(&stdout).unwrap();
        (format!("{name}.json"), format!("exit code {code}\n\n{stdout}"))
    }));
}

#[test]
fn a_case_that_is_fine_passes_without_a_word() {
    for (name, path) in cases().into_iter().filter(|(name, _)| name.starts_with("ok_")) {
        let (code, _, stderr) = run(&path, &["--deny-warnings"]);
        // What is accepted is no finding.
        let said =
            stderr.trim_end().trim_end_matches(" accepted").trim_end_matches(|c: char| c.is_ascii_digit());
        let is_quiet = said.trim_end_matches(", ").ends_with(": 0 errors, 0 warnings");
        assert!(code == 0 && is_quiet && stderr.lines().count() == 1, "`{name}` is not fine:\n{stderr}");
    }
}

#[test]
fn each_snapshot_belongs_to_a_case() {
    let cases: BTreeSet<String> = cases().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(directory()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".snap") else { continue };
        let name = name.strip_suffix(".json").filter(|name| AS_JSON.contains(name)).unwrap_or(name);
        assert!(cases.contains(name), "`{file}` belongs to no case; remove it");
    }
}

#[test]
fn each_code_has_a_case_that_is_named_after_it() {
    let mut covered = BTreeSet::new();
    for (name, path) in cases() {
        let (_, _, stderr) = run(&path, &[]);
        let said: BTreeSet<&str> = stderr.lines().filter(|line| is_code(line)).collect();
        if let Some(code) = name.get(..5).map(str::to_uppercase).filter(|code| is_code(code)) {
            assert!(said.contains(code.as_str()), "`{name}` does not bring about {code}, but {said:?}");
            covered.insert(code);
        }
    }
    for code in CODES.iter().map(|code| code.code) {
        assert_eq!(
            covered.contains(code),
            !WITHOUT_CASE.contains(&code),
            "{code} has no case, or needs none"
        );
    }
}

fn is_code(text: &str) -> bool {
    text.len() == 5 && text.starts_with('C') && text.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// The codes that stand as `code(C....)` in a text.
fn codes_in(text: &str) -> BTreeSet<String> {
    text.split("code(")
        .skip(1)
        .filter_map(|rest| rest.get(..5))
        .filter(|code| is_code(code))
        .map(str::to_owned)
        .collect()
}

/// All Rust files below a directory.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => rust_files(&path),
            Some(ending) if ending == "rs" => vec![path],
            _ => Vec::new(),
        })
        .collect()
}

#[test]
fn the_table_of_codes_holds_just_the_codes_that_errors_have() {
    let listed: Vec<String> = CODES.iter().map(|code| code.code.to_owned()).collect();
    assert!(listed.is_sorted() && listed.iter().all(|code| is_code(code)), "{listed:?}");
    let listed: BTreeSet<String> = listed.into_iter().collect();
    assert_eq!(listed.len(), CODES.len(), "a code is listed twice");
    let summaries: BTreeSet<&str> = CODES.iter().map(|code| code.summary).collect();
    assert_eq!(summaries.len(), CODES.len(), "two codes have the same summary");
    let files = rust_files(&root().join("src"));
    let used: BTreeSet<String> =
        files.iter().flat_map(|file| codes_in(&fs::read_to_string(file).unwrap())).collect();
    assert_eq!(used, listed);
}

#[test]
fn each_code_has_its_section_in_the_docs() {
    let docs = fs::read_to_string(root().join("docs/diagnostics.md")).unwrap();
    let headings: Vec<&str> = docs.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let expected: Vec<String> = CODES.iter().map(|code| format!("{}: {}", code.code, code.summary)).collect();
    assert_eq!(headings, expected);
}
