//! Files of tests: which there are, of which kind, and their text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use super::load::{EXTENSION, MAX_FILE_BYTES, printable, text};

/// The directory of tests beside the files of a policy.
const DIRECTORY: &str = "tests";

/// The folder whose folders are named after the postures that the tests in them are about.
const POSTURES: &str = "postures";

/// Endings of what people write beside tests for each other.
const NOTES: [&str; 2] = ["md", "txt"];

/// A file of tests.
pub(super) struct TestFile {
    /// What messages call it.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) content: Content,
    /// The posture whose folder it lies in.
    pub(super) posture: Option<String>,
}

/// What a file of tests holds.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// A table of packets, with the verdict on each.
    Packets,
    /// `assert` statements.
    Assertions,
}

/// The files of tests that are named, or those of the directory beside the policy, whose root is `root`.
pub(super) fn test_files(named: &[PathBuf], root: &Path) -> Result<Vec<TestFile>, Failure> {
    let mut paths = Vec::new();
    let mut seen = BTreeSet::new();
    for path in named {
        let is_directory = fs::metadata(path).map_err(|problem| unreadable(path, &problem))?.is_dir();
        let before = paths.len();
        if is_directory {
            walk(path, path, &mut seen, &mut paths)?;
        } else {
            paths.push((path.clone(), path.clone()));
        }
        if paths.len() == before {
            let help = "a file of tests ends in `.csv` or `.cordon`";
            return Err(Failure(format!("there are no tests in `{}`: {help}", path.display())));
        }
    }
    let own = root.join(DIRECTORY);
    if named.is_empty() && own.is_dir() {
        walk(&own, Path::new(DIRECTORY), &mut seen, &mut paths)?;
    }
    paths.into_iter().map(|(path, shown)| read(&path, &shown)).collect()
}

/// Finds all files below a directory, each with the path that people know it by, sorted.
fn walk(
    directory: &Path,
    shown: &Path,
    seen: &mut BTreeSet<PathBuf>,
    found: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<(), Failure> {
    let failed = |problem| unreadable(shown, &problem);
    if !seen.insert(fs::canonicalize(directory).map_err(failed)?) {
        return Ok(());
    }
    let entries: Result<Vec<_>, _> = fs::read_dir(directory).map_err(failed)?.collect();
    let mut entries = entries.map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, shown) = (entry.path(), shown.join(entry.file_name()));
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        let is_directory = fs::metadata(&path).map_err(|problem| unreadable(&shown, &problem))?.is_dir();
        if is_directory && !is_hidden {
            walk(&path, &shown, seen, found)?;
        } else if !is_hidden && !NOTES.contains(&ending(&path).as_str()) {
            found.push((path, shown));
        }
    }
    Ok(())
}

fn read(path: &Path, shown: &Path) -> Result<TestFile, Failure> {
    let parts: Vec<String> =
        shown.components().map(|part| printable(&part.as_os_str().to_string_lossy())).collect();
    let name = printable(&shown.to_string_lossy());
    let content = match ending(path).as_str() {
        "csv" => Content::Packets,
        EXTENSION => Content::Assertions,
        _ => {
            let help = "it ends in neither `.csv` nor `.cordon`; move it elsewhere, or name the tests with `--tests`";
            return Err(Failure(format!("`{name}` is no file of tests: {help}")));
        }
    };
    let posture = match parts.iter().position(|part| part == POSTURES) {
        None => None,
        Some(place) => match parts.get(place + 1..).unwrap_or_default() {
            [posture, _, ..] => Some(posture.clone()),
            _ => {
                let help = "move it into a folder there that is named after the posture";
                return Err(Failure(format!("`{name}` lies in no folder of a posture: {help}")));
            }
        },
    };
    let text = text(path, MAX_FILE_BYTES);
    let text = text.map_err(|problem| Failure(format!("cannot read `{name}`: {problem}")))?;
    Ok(TestFile { name, text, content, posture })
}

/// The ending of a path in small letters, without its dot.
fn ending(path: &Path) -> String {
    path.extension().map_or(String::new(), |ending| ending.to_string_lossy().to_lowercase())
}

fn unreadable(path: &Path, problem: &std::io::Error) -> Failure {
    Failure(format!("cannot read `{}`: {problem}", printable(&path.to_string_lossy())))
}
