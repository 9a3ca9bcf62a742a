//! The page of hazards names tests, and these exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::root;

/// All Rust files below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let (mut found, mut waiting) = (Vec::new(), vec![directory.to_path_buf()]);
    while let Some(path) = waiting.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The names of all functions behind `#[test]`.
fn tests() -> BTreeSet<String> {
    let files =
        [root().join("src"), root().join("tests")].iter().flat_map(|path| sources(path)).collect::<Vec<_>>();
    let mut names = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for after in text.split("#[test]").skip(1) {
            let name = after.split_once("fn ").and_then(|(_, rest)| rest.split_once('('));
            names.extend(name.map(|(name, _)| name.to_owned()));
        }
    }
    names
}

#[test]
fn every_test_on_the_page_of_hazards_exists() {
    let page = std::fs::read_to_string(root().join("docs/hazards.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert!(rows.len() > 25);
    let known = tests();
    for row in rows {
        let cell = row.rsplit('|').nth(1).unwrap();
        let named: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{row}");
        let missing: Vec<&&str> = named.iter().filter(|name| !known.contains(**name)).collect();
        assert!(missing.is_empty(), "no such test: {missing:?}");
    }
}
