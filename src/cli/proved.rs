//! What came of a proof, as findings for CI: on the lines of the config that they are about, where one is known.

use std::path::Path;

use super::load::printable;
use super::messages::{Place, finding};
use crate::diag::{LabelRecord, Record};
use crate::prove::{Kind, Verdict};

/// A config that was proved.
pub(super) struct Proved<'a> {
    /// The enforcement point.
    pub(super) device: &'a str,
    /// Its file or folder, as the user names it.
    pub(super) place: &'a Path,
    /// The files of the folder that were read, by name.
    pub(super) files: Vec<&'a str>,
    pub(super) verdict: &'a Verdict,
}

/// The findings on one config. `words` says the same as the verdict, a part for each difference and then for each
/// difference in storms.
pub(super) fn findings(proved: &Proved<'_>, words: &[String]) -> Vec<Record> {
    let about = |code: &str, severity, text: &str, line: Option<usize>| {
        let lines: Vec<String> = text.lines().map(|line| printable(line.trim())).collect();
        let mut found = finding(code, severity, format!("{}: {}", proved.device, lines.join("\n")));
        found.labels.extend(label(proved, None, line));
        found
    };
    match proved.verdict {
        Verdict::NoReader => vec![about("unproved", "warning", "there is no reader for its target", None)],
        Verdict::Unreadable(mistakes) => {
            let found = mistakes.iter().map(|mistake| {
                let what = format!("{}: {}", proved.device, printable(&mistake.what));
                let mut found = finding("unreadable", "error", what);
                found.labels.extend(label(proved, Some(&mistake.file), mistake.line));
                found
            });
            found.collect()
        }
        Verdict::Compared(comparison) => {
            let differences = comparison.differences.iter().map(|difference| {
                let code = match difference.kind {
                    Kind::Opened => "opened",
                    Kind::Closed => "closed",
                };
                (code, difference.witnesses.iter().find_map(|witness| witness.line))
            });
            let storms = comparison.storms.iter().map(|storm| ("storms", storm.line));
            let found = differences.chain(storms).zip(words);
            found.map(|((code, line), text)| about(code, "error", text, line)).collect()
        }
    }
}

/// A line of a config; none where it is not known of which file it is.
fn label(proved: &Proved<'_>, file: Option<&str>, line: Option<usize>) -> Option<LabelRecord> {
    let line = line?;
    let only = match proved.files[..] {
        [only] => Some(only),
        _ => None,
    };
    let path = match proved.place.is_file() {
        true => proved.place.to_path_buf(),
        false => proved.place.join(file.or(only)?),
    };
    let file = Place::of(&path).shown().to_owned();
    Some(LabelRecord { file, line, column: 1, end_line: line, end_column: 1, text: None })
}
