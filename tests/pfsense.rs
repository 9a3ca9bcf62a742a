//! The target pfSense: what its files mean to pf, what pfSense takes, and what a splice leaves alone.

pub(crate) mod evaluate;
mod hazards;
mod meaning;
mod schedule;
mod shape;
mod splice;

use std::path::Path;

use cordon::emit::{OutputFile, SpliceError, Spliced};

use crate::support::{AS_OF, copy_policy, one_firewall, root, succeed};

/// The files that a policy compiles to.
pub(super) struct Output {
    pub(super) filter: String,
    pub(super) aliases: String,
    /// Rules with schedules, and the schedules, if there are any.
    pub(super) scheduled: Option<[String; 2]>,
}

impl Output {
    /// Splices all files into a config.
    pub(super) fn splice(&self, config: &str) -> Result<Spliced, SpliceError> {
        let file = |name: &str, content: &String| OutputFile {
            path: format!("core/{name}"),
            content: content.clone(),
        };
        let mut files = vec![file("filter.xml", &self.filter), file("aliases.xml", &self.aliases)];
        if let Some([rules, schedules]) = &self.scheduled {
            files.extend([file("scheduled-rules.xml", rules), file("schedules.xml", schedules)]);
        }
        cordon::emit::splice(config, "core", &files)
    }
}

/// A policy in a directory of its own, whose firewall is a pfSense with other names for its interfaces.
pub(super) fn pfsense(directory: &Path, interfaces: &[(&str, &str)]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_policy(directory, copy.path(), |_, text| {
        let text = text.replace("target nftables", "target pfsense");
        let rename = |text: String, (old, new): &(&str, &str)| {
            text.replace(&format!("interface {old} "), &format!("interface {new} "))
        };
        Some(interfaces.iter().fold(text, rename))
    });
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
    let mut names: Vec<String> = std::fs::read_dir(out.join("core"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    let scheduled = match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["aliases.xml", "filter.xml"] => None,
        ["aliases.xml", "filter.xml", rules @ "scheduled-rules.xml", schedules @ "schedules.xml"] => {
            Some([read(rules), read(schedules)])
        }
        _ => panic!("{names:?}"),
    };
    Output { filter: read("filter.xml"), aliases: read("aliases.xml"), scheduled }
}
