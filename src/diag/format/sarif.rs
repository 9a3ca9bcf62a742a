//! Findings as SARIF 2.1.0, which code scanning and many editors read.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>; sections are named beside what they ask for.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Findings, FormatError, explanation, summary};
use crate::diag::{LabelRecord, Record};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What relative addresses start from: the root of the repository, by the name that producers agree on (3.14.14).
const BASE: &str = "%SRCROOT%";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'static str,
    results: Vec<SarifResult<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
struct Driver<'a> {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    short_description: Message<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Help>,
}

/// Text for those who show no Markdown, and Markdown (3.12). The sections of `docs/diagnostics.md` read as both.
#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    text: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'static str,
    message: Message<'a>,
    locations: Vec<Location<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    partial_fingerprints: Fingerprints,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "cordon/v1")]
    cordon: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    /// Behind the last character, as in [`LabelRecord`] (3.30.8).
    end_column: usize,
}

/// A JSON document with one run. Columns count code points, as everywhere in cordon.
///
/// # Errors
/// [`FormatError`] if the JSON cannot be made.
pub fn sarif(findings: &Findings) -> Result<String, FormatError> {
    let codes: BTreeSet<&str> = findings.records.iter().map(|record| record.code.as_str()).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let results = findings.with_fingerprints().map(|(record, fingerprint)| {
        let rule_index = codes.partition_point(|code| *code < record.code.as_str());
        result(record, rule_index, fingerprint, &findings.place)
    });
    let run = Run {
        column_kind: "unicodeCodePoints",
        results: results.collect(),
        tool: Tool {
            driver: Driver {
                name: "cordon",
                version: env!("CARGO_PKG_VERSION"),
                rules: codes.iter().map(|code| rule(code)).collect(),
            },
        },
    };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    let json = serde_json::to_string_pretty(&log).map_err(|error| FormatError(error.to_string()))?;
    Ok(json + "\n")
}

fn rule(code: &str) -> Rule<'_> {
    let help = explanation(code).map(|text| Help { text, markdown: text });
    Rule { id: code, short_description: message(summary(code).unwrap_or(code)), help }
}

fn result<'a>(record: &'a Record, rule_index: usize, fingerprint: String, policy: &str) -> SarifResult<'a> {
    let mut locations = record.labels.iter().map(location);
    let first = locations.next().unwrap_or_else(|| Location {
        physical_location: PhysicalLocation { artifact_location: artifact(policy), region: None },
        message: None,
    });
    let help = record.help.as_deref().map_or_else(String::new, |help| format!("\nhelp: {help}"));
    SarifResult {
        rule_id: &record.code,
        rule_index,
        level: match record.severity {
            "error" => "error",
            "warning" => "warning",
            _ => "note",
        },
        message: Message { text: format!("{}{help}", record.message).into() },
        related_locations: locations.collect(),
        locations: vec![first],
        partial_fingerprints: Fingerprints { cordon: fingerprint },
    }
}

fn location(label: &LabelRecord) -> Location<'_> {
    let region = Region {
        start_line: label.line,
        start_column: label.column,
        end_line: label.end_line,
        end_column: label.end_column,
    };
    Location {
        physical_location: PhysicalLocation {
            artifact_location: artifact(&label.file),
            region: Some(region),
        },
        message: label.text.as_deref().map(message),
    }
}

fn message(text: &str) -> Message<'_> {
    Message { text: text.into() }
}

/// The address of a file: relative to the root of the repository, or of the whole machine if it starts with `/`.
fn artifact(path: &str) -> ArtifactLocation {
    let uri = percent_encoded(path);
    match path.starts_with('/') {
        true => ArtifactLocation { uri: format!("file://{uri}"), uri_base_id: None },
        false => ArtifactLocation { uri, uri_base_id: Some(BASE) },
    }
}

/// A path as part of an address: all but letters, digits, `-._~` and `/` as `%` and two digits (RFC 3986, section 2).
fn percent_encoded(path: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    path.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_character_that_has_a_meaning_in_it() {
        let uri = |path: &str| artifact(path).uri;
        assert_eq!(uri("a b/ü:#?.cordon"), "a%20b/%C3%BC%3A%23%3F.cordon");
        assert_eq!(uri("/srv/100%.cordon"), "file:///srv/100%25.cordon");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
