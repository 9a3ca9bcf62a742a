//! The report: what it says is what the policy means, no text of a policy gets out of its place, pages lead to each other and
//! to nothing else, and a browser shows them.

mod browser;
mod facts;
mod hostile;
mod markup;
mod pages;
mod webdriver;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use cordon::check::check;
use cordon::diag::{Diagnostics, human, records};
use cordon::inventory::Inventories;
use cordon::ir::Policy;
use cordon::report::report;
use cordon::source::Sources;
use cordon::syntax::parse;

use crate::support::{AS_OF, exports, hospital};

/// The files of a report, by path.
type Files = BTreeMap<String, String>;

/// What files with names and texts state, which must be free of errors, and the report on it. Inventories that they name are
/// those of the example.
fn reported(files: &[(String, String)]) -> (Policy, Files) {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let mut trees = Vec::new();
    for (name, text) in files {
        let source = sources.add(name.clone(), text.clone()).unwrap().clone();
        trees.push(parse(&source, &mut diagnostics));
    }
    let exports = exports(&hospital(), &trees, &mut sources);
    let inventories = Inventories::read(&exports, &mut diagnostics);
    let policy = check(&trees, inventories, AS_OF.parse().unwrap(), &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}", human(&diagnostics, &sources, 100, false));
    let made = report(&policy, &sources, &records(&diagnostics, &sources)).unwrap();
    (policy, made.into_iter().map(|file| (file.path, file.content)).collect())
}

/// The policy files of a directory, by name.
fn policy_files(directory: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "cordon"));
    let mut files: Vec<(String, String)> = files
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The report on the main example.
fn example() -> &'static (Policy, Files) {
    static MADE: OnceLock<(Policy, Files)> = OnceLock::new();
    MADE.get_or_init(|| reported(&policy_files(&hospital())))
}

/// The pages of a report with an ending.
fn ending<'f>(files: &'f Files, extension: &str) -> Vec<(&'f str, &'f str)> {
    let chosen = files.iter().filter(|(path, _)| path.rsplit('.').next() == Some(extension));
    chosen.map(|(path, text)| (path.as_str(), text.as_str())).collect()
}
