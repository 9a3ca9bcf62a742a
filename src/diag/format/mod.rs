//! Findings in the forms that other programs read: each function takes findings and gives one document.
//!
//! Nothing in a document depends on the clock, the machine or the run, so that the same findings give the same bytes. Each
//! is complete with no findings too. Text goes through the escaping of its form, whatever a policy or a file is named.

mod concise;
mod github;
mod gitlab;
mod junit;
mod sarif;

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

pub use concise::concise;
pub use github::github;
pub use gitlab::gitlab;
pub use junit::{junit, junit_document};
pub use sarif::sarif;

use super::{CODES, LabelRecord, Record};

/// What a document could not be made of.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the document: {0}")]
pub struct FormatError(String);

/// The findings of one run, in the order in which they are shown.
#[derive(Debug)]
pub struct Findings {
    /// The findings; the files of their labels are found from where cordon runs.
    records: Vec<Record>,
    /// The policy, as its user names it: the place of what has no other.
    place: String,
}

impl Findings {
    /// Findings in the policy `place`. The files of their labels lie below `base`, which is empty or ends with `/`.
    pub fn new(mut records: Vec<Record>, base: &str, place: &str) -> Self {
        for label in records.iter_mut().flat_map(|record| &mut record.labels) {
            label.file.insert_str(0, base);
        }
        Findings { records, place: place.to_owned() }
    }

    /// Adds findings whose places are found from where cordon runs as they are.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Record>) {
        self.records.extend(more);
    }

    /// True if a finding makes the command fail.
    fn fails(record: &Record) -> bool {
        record.severity == "error" || record.denied
    }

    /// Each finding with what tells it from all others, in hexadecimal digits, and stays the same when lines are added
    /// above it: a digest of its code, file and message, and how many alike stand before it.
    fn with_fingerprints(&self) -> impl Iterator<Item = (&Record, String)> {
        let mut seen: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
        self.records.iter().map(move |record| {
            let (code, message) = (record.code.as_str(), record.message.as_str());
            let file = primary(record).map_or(self.place.as_str(), |label| label.file.as_str());
            let number = seen.entry((code, file, message)).or_default();
            let digest = Sha256::digest(format!("{code}\0{file}\0{message}\0{number}"));
            *number += 1;
            let mut fingerprint = String::new();
            for byte in digest.iter().take(16) {
                // Writing into a string cannot fail.
                let _ = write!(fingerprint, "{byte:02x}");
            }
            (record, fingerprint)
        })
    }
}

/// What a finding is about.
fn primary(record: &Record) -> Option<&LabelRecord> {
    record.labels.first()
}

/// What rules of proof and of splicing stand for: findings on configs, which no code of the policy language is about.
const CONFIG_RULES: [(&str, &str); 6] = [
    ("opened", "a config lets packets pass that the policy denies"),
    ("closed", "a config denies packets that the policy allows"),
    ("storms", "a config has other bounds for storms than the policy"),
    ("unreadable", "a config cannot be read, so nothing is known of it"),
    ("unproved", "there is no reader for a config, so nothing is proved of it"),
    ("spliced", "what is peculiar to the config that rules were spliced into"),
];

/// What a code stands for, in a few words.
fn summary(code: &str) -> Option<&'static str> {
    let of_policies = CODES.iter().find(|known| known.code == code).map(|known| known.summary);
    of_policies.or_else(|| CONFIG_RULES.iter().find(|(rule, _)| *rule == code).map(|(_, summary)| *summary))
}

/// The section of `docs/diagnostics.md` on a code, without its heading.
fn explanation(code: &str) -> Option<&'static str> {
    const SECTIONS: &str = include_str!("../../../docs/diagnostics.md");
    let heading = format!("\n### {code}: ");
    let (_, section) = SECTIONS.split_once(heading.as_str())?;
    let (_, text) = section.split_once('\n')?;
    text.split("\n#").next().map(str::trim)
}

/// All that is said of a finding, in lines: the message, what is said of each place, and help.
fn in_lines(record: &Record) -> String {
    let mut text = record.message.clone();
    for (index, label) in record.labels.iter().enumerate() {
        let Some(said) = label.text.as_deref().filter(|said| !said.is_empty()) else { continue };
        let _ = match index {
            0 => write!(text, "\nhere: {said}"),
            _ => write!(text, "\n{}:{}:{}: {said}", label.file, label.line, label.column),
        };
    }
    if let Some(help) = &record.help {
        let _ = write!(text, "\nhelp: {help}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn record(code: &str, severity: &'static str, message: &str) -> Record {
        let label = LabelRecord {
            file: "a, b: c%.cordon".to_owned(),
            line: 3,
            column: 7,
            end_line: 3,
            end_column: 11,
            text: Some("not <declared>".to_owned()),
        };
        let labels = vec![label];
        let (code, message) = (code.to_owned(), message.to_owned());
        Record { code, severity, message, labels, help: None, denied: false, fix: Vec::new() }
    }

    #[test]
    fn a_fingerprint_stays_when_lines_move_and_tells_findings_apart() {
        let fingerprints = |records: Vec<Record>| -> Vec<String> {
            let findings = Findings::new(records, "site/", "site");
            findings.with_fingerprints().map(|(_, fingerprint)| fingerprint).collect()
        };
        let one = || record("C0101", "error", "no `x`");
        let mut moved = one();
        moved.labels[0].line += 100;
        let before = fingerprints(vec![one(), one(), record("C0101", "error", "no `y`")]);
        assert_eq!(before[0], fingerprints(vec![moved])[0]);
        assert!(before[0] != before[1] && before[0] != before[2] && before[1] != before[2], "{before:?}");
    }

    #[test]
    fn every_code_has_a_summary_and_an_explanation() {
        for code in CODES {
            assert_eq!(summary(code.code), Some(code.summary));
            let text = explanation(code.code).unwrap();
            assert!(!text.is_empty() && !text.contains("\n#"), "{text}");
        }
        assert_eq!((summary("C9999"), explanation("C9999")), (None, None));
    }
}
