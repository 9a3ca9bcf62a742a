//! Findings as a Code Quality report of GitLab, which shows them in merge requests.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use serde::Serialize;

use super::{Findings, FormatError, primary};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// A JSON array with an object for each finding. What has no place gets the first line of the policy, since GitLab passes
/// over what has none.
///
/// # Errors
/// [`FormatError`] if the JSON cannot be made.
pub fn gitlab(findings: &Findings) -> Result<String, FormatError> {
    let issues = findings.with_fingerprints().map(|(record, fingerprint)| {
        let label = primary(record);
        Issue {
            description: format!("{}: {}", record.code, record.message),
            check_name: &record.code,
            fingerprint,
            severity: match record.severity {
                "error" => "major",
                "warning" => "minor",
                _ => "info",
            },
            location: Location {
                path: label.map_or(&findings.place, |label| &label.file),
                lines: Lines {
                    begin: label.map_or(1, |label| label.line),
                    end: label.map_or(1, |label| label.end_line),
                },
            },
        }
    });
    let issues: Vec<Issue<'_>> = issues.collect();
    let json = serde_json::to_string_pretty(&issues).map_err(|error| FormatError(error.to_string()))?;
    Ok(json + "\n")
}
