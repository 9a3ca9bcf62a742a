//! The tests of the main example: they pass, touch every statement, and notice when it changes.

use std::fs;

use super::{failed, json};
use crate::diff::example::{CHANGES, Edit, edit};
use crate::support::{copy_policy, hospital};

/// Changes that no test notices, each with the reason.
const UNNOTICED: [(&str, &str); 5] = [
    ("a statement renamed", "access is the same, and no row names that rule"),
    ("who administers", "what reaches an enforcement point itself is decided by no rule between zones"),
    ("an owner", "access is the same"),
    ("what is known of a zone", "access is the same"),
    ("a word in the inventory", "access is the same"),
];

/// A copy of the example with its tests, with a change.
fn changed(change: &Edit) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy_policy(&hospital(), directory.path(), |_, text| Some(text.to_owned()));
    let status = std::process::Command::new("cp")
        .arg("-r")
        .args([hospital().join("tests"), directory.path().to_path_buf()])
        .status();
    assert!(status.unwrap().success());
    let (file, from, to) = change;
    edit(&directory.path().join(file), from, to);
    directory
}

#[test]
fn the_tests_of_the_example_pass_and_touch_every_statement() {
    let (code, result) = json(&hospital(), &["--coverage-fail-under", "100"]);
    assert_eq!(code, 0, "{:?}", failed(&result));
    assert!(result["passed"].as_u64().unwrap() > 100);
    assert_eq!(result["coverage"]["percent"], 100.0);
}

#[test]
fn the_tests_of_the_example_notice_changes() {
    let mut unnoticed = Vec::new();
    for (what, change) in &CHANGES {
        let directory = changed(change);
        let (code, _) = json(directory.path(), &[]);
        assert!(code == 0 || code == 1, "{what}");
        if code == 0 {
            unnoticed.push(*what);
        }
    }
    assert_eq!(unnoticed, UNNOTICED.map(|(what, _)| what));
}

#[test]
fn no_file_of_tests_of_the_example_belongs_to_the_build() {
    let manifest = fs::read_to_string(hospital().join("build/manifest.json")).unwrap();
    assert!(manifest.contains("never.cordon") && !manifest.contains("tests/"));
}
