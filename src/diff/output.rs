//! How the files of enforcement points differ, line by line.

use std::collections::BTreeMap;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::emit::OutputFile;

/// How much of the output of an enforcement point moves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DeviceChange {
    /// Its name.
    pub device: String,
    /// Lines that only the new output has.
    pub added: usize,
    /// Lines that only the old output has.
    pub removed: usize,
    /// The difference of its files as `diff -u` shows it.
    #[serde(skip)]
    pub text: String,
}

/// The enforcement points whose output differs, by name.
pub fn device_changes(old: &[OutputFile], new: &[OutputFile]) -> Vec<DeviceChange> {
    let (before, after) = (by_path(old), by_path(new));
    let mut paths: Vec<&str> = before.keys().chain(after.keys()).copied().collect();
    paths.sort_unstable();
    paths.dedup();
    let mut changes: Vec<DeviceChange> = Vec::new();
    for path in paths {
        let [was, now] = [&before, &after].map(|files| files.get(path).copied());
        if was == now {
            continue;
        }
        let device = path.split('/').next().unwrap_or_default();
        if changes.last().is_none_or(|last| last.device != device) {
            let text = String::new();
            changes.push(DeviceChange { device: device.to_owned(), added: 0, removed: 0, text });
        }
        let Some(change) = changes.last_mut() else { continue };
        let diff = TextDiff::from_lines(was.unwrap_or_default(), now.unwrap_or_default());
        for line in diff.iter_all_changes() {
            match line.tag() {
                ChangeTag::Insert => change.added += 1,
                ChangeTag::Delete => change.removed += 1,
                ChangeTag::Equal => {}
            }
        }
        let header = |side: &str, file: Option<&str>| match file {
            Some(_) => format!("{side}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let unified = diff.unified_diff().header(&header("old", was), &header("new", now)).to_string();
        change.text.push_str(&unified);
    }
    changes
}

fn by_path(files: &[OutputFile]) -> BTreeMap<&str, &str> {
    files.iter().map(|file| (file.path.as_str(), file.content.as_str())).collect()
}
