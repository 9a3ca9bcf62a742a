//! Changing the files of a policy: what would change is shown, or all of it is written.

use std::fs;
use std::io::Write;
use std::path::Path;

use similar::TextDiff;

use super::Failure;
use crate::edit::Rewritten;

/// What some editors put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The differences line by line, as `diff -u` writes them.
pub(super) fn unified(files: &[Rewritten]) -> String {
    let mut text = String::new();
    for Rewritten { path, before, after } in files {
        let diff = TextDiff::from_lines(before, after);
        text += &diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string();
    }
    text
}

/// Replaces files below `root`. All are written aside first, so that a full disk changes none of them; then each takes
/// the place of the old one in one step, with its rights.
pub(super) fn write(root: &Path, files: &[Rewritten]) -> Result<(), Failure> {
    let mut aside = Vec::new();
    for file in files {
        let failed = |problem: &dyn std::fmt::Display| {
            Failure(format!("cannot write `{}`: {problem}; nothing was changed", file.path))
        };
        // A link stays a link to what changes.
        let path = fs::canonicalize(root.join(&file.path)).map_err(|problem| failed(&problem))?;
        let now = fs::read(&path).map_err(|problem| failed(&problem))?;
        // A mark of the order of bytes at the start is no part of what was read, and stays.
        let mark = now.strip_prefix(BYTE_ORDER_MARK).map_or(&[][..], |_| BYTE_ORDER_MARK);
        if now.strip_prefix(mark) != Some(file.before.as_bytes()) {
            return Err(failed(&"it has changed since it was read"));
        }
        let folder = path.parent().unwrap_or(root);
        let mut fresh = tempfile::NamedTempFile::new_in(folder).map_err(|problem| failed(&problem))?;
        let rights = fs::metadata(&path).map_err(|problem| failed(&problem))?.permissions();
        fresh.write_all(mark).map_err(|problem| failed(&problem))?;
        fresh.write_all(file.after.as_bytes()).map_err(|problem| failed(&problem))?;
        fresh.as_file().set_permissions(rights).map_err(|problem| failed(&problem))?;
        fresh.as_file().sync_all().map_err(|problem| failed(&problem))?;
        aside.push((fresh, path));
    }
    for ((fresh, path), file) in aside.into_iter().zip(files) {
        fresh.persist(&path).map_err(|error| {
            let problem = error.error;
            Failure(format!("cannot write `{}`: {problem}; files before it were changed", file.path))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_since_it_was_read_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = |path: &str, before: &str| Rewritten {
            path: path.to_owned(),
            before: before.to_owned(),
            after: "after".to_owned(),
        };
        let text = |path: &str| fs::read_to_string(directory.path().join(path)).unwrap();
        fs::write(directory.path().join("a"), "before").unwrap();
        fs::write(directory.path().join("b"), "\u{feff}someone else").unwrap();
        let Failure(said) = write(directory.path(), &[file("a", "before"), file("b", "before")]).unwrap_err();
        assert!(said.contains("`b`: it has changed since it was read; nothing was changed"), "{said}");
        assert_eq!([text("a"), text("b")], ["before", "\u{feff}someone else"]);
        write(directory.path(), &[file("a", "before"), file("b", "someone else")]).unwrap();
        assert_eq!([text("a"), text("b")], ["after", "\u{feff}after"]);
    }
}
