//! The policy in a directory, read in process.

use std::path::{Path, PathBuf};

use cordon::check::check;
use cordon::diag::{Diagnostics, human};
use cordon::inventory::{Export, Inventories};
use cordon::ir::Policy;
use cordon::source::Sources;
use cordon::syntax::ast::{File, Statement, Word};
use cordon::syntax::parse;

use crate::support::AS_OF;

/// The policy that the `.cordon` files of a directory state, which must be free of errors.
pub(crate) fn policy(directory: &Path) -> Policy {
    let (policy, diagnostics, sources) = checked(directory, |file| file);
    assert!(!diagnostics.has_errors(), "{}", human(&diagnostics, &sources, 100, false));
    policy
}

/// What the `.cordon` files of a directory state after a change, and what is found of it.
pub(crate) fn checked(directory: &Path, change: impl Fn(File) -> File) -> (Policy, Diagnostics, Sources) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cordon"))
        .collect();
    paths.sort();
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = sources.add(name, std::fs::read_to_string(&path).unwrap()).unwrap().clone();
        files.push(change(parse(&source, &mut diagnostics)));
    }
    let exports = exports(directory, &files, &mut sources);
    let inventories = Inventories::read(&exports, &mut diagnostics);
    let policy = check(&files, inventories, AS_OF.parse().unwrap(), &mut diagnostics);
    (policy, diagnostics, sources)
}

/// The inventories of a policy whose files all lie in one directory.
pub(crate) fn exports(directory: &Path, files: &[File], sources: &mut Sources) -> Vec<Export> {
    let mut read = |word: &Word| {
        let text = std::fs::read_to_string(directory.join(&word.node)).unwrap();
        sources.add(word.node.clone(), text).unwrap().clone()
    };
    let statements = files.iter().flat_map(|file| &file.statements);
    let inventories = statements.filter_map(|statement| {
        let Statement::Inventory(inventory) = statement else { return None };
        Some(inventory.clone())
    });
    inventories
        .map(|statement| {
            let table = read(statement.file.as_ref().unwrap());
            let mapping = statement.mapping.as_ref().map(&mut read);
            Export { statement, table, mapping }
        })
        .collect()
}
