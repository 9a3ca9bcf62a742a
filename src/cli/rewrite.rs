//! Changing the files of a policy: what would change is shown, or all of it is written.

use std::fs;
use std::io::Write;
use std::path::Path;

use similar::TextDiff;

use super::Failure;
use super::load::MARK;
use crate::edit::Rewritten;

/// What some editors put before a text in UTF-8. It is passed over when a file is read.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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
        let held = fs::read(&path).map_err(|problem| failed(&problem))?;
        // A mark stays, unless it is part of what changes.
        let stays = held.starts_with(BYTE_ORDER_MARK) && !file.before.starts_with(MARK);
        let mark: &[u8] = if stays { BYTE_ORDER_MARK } else { &[] };
        if held.strip_prefix(mark) != Some(file.before.as_bytes()) {
            return Err(failed(&"it was changed since it was read"));
        }
        let folder = path.parent().unwrap_or(root);
        let mut fresh = tempfile::NamedTempFile::new_in(folder).map_err(|problem| failed(&problem))?;
        let rights = fs::metadata(&path).map_err(|problem| failed(&problem))?.permissions();
        // Root may write it, and whoever may write the folder can replace it; it says that nobody should.
        if rights.readonly() {
            return Err(failed(&"it is read-only"));
        }
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
