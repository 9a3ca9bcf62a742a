//! The target pfSense: what its files mean to pf, what pfSense takes, and what a splice leaves alone.

mod evaluate;
mod meaning;
mod shape;
mod splice;

use std::path::Path;

use crate::support::{AS_OF, one_firewall, root, succeed};

/// The files that a policy compiles to.
pub(super) struct Output {
    pub(super) filter: String,
    pub(super) aliases: String,
}

/// A policy in a directory of its own, whose firewall is a pfSense with other names for its interfaces.
pub(super) fn pfsense(directory: &Path, interfaces: &[(&str, &str)]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "cordon") {
            let mut text =
                std::fs::read_to_string(&path).unwrap().replace("target nftables", "target pfsense");
            for (old, new) in interfaces {
                text = text.replace(&format!("interface {old} "), &format!("interface {new} "));
            }
            std::fs::write(copy.path().join(path.file_name().unwrap()), text).unwrap();
        }
    }
    copy
}

/// The policy of all shapes.
pub(super) fn shapes() -> tempfile::TempDir {
    let interfaces = [("ward0", "lan"), ("lab0", "opt1"), ("srv0", "opt2"), ("wan0", "wan")];
    pfsense(&root().join("tests/policies/shapes"), &interfaces)
}

/// The main example.
pub(super) fn example() -> tempfile::TempDir {
    let text = std::fs::read_to_string(one_firewall().join("firewall.cordon")).unwrap();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("interface ")?.split_whitespace().next())
        .collect();
    let new: Vec<String> = (1..).take(names.len()).map(|number| format!("opt{number}")).collect();
    let pairs: Vec<(&str, &str)> = names
        .into_iter()
        .zip(&new)
        .map(|(old, new)| (old, if old == "wan0" { "wan" } else { new.as_str() }))
        .collect();
    pfsense(one_firewall(), &pairs)
}

/// A policy of a few lines.
pub(super) fn written(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.cordon"), text).unwrap();
    directory
}

/// Compiles a policy by the command.
pub(super) fn build(directory: &Path) -> Output {
    let out = directory.join("out");
    let paths = [directory, &out].map(|path| path.to_string_lossy().into_owned());
    succeed(&["build", &paths[0], "--as-of", AS_OF, "--out", &paths[1]], "");
    let read = |file: &str| std::fs::read_to_string(out.join("core").join(file)).unwrap();
    Output { filter: read("filter.xml"), aliases: read("aliases.xml") }
}
