//! A reader of SARIF that takes nothing but what the standard allows, as far as cordon uses it.
//!
//! Its types follow <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, each by its section, and share nothing
//! with what writes the documents. What they do not name is refused. The crates that carry the JSON schema of the standard
//! bring a licence and unkept crates into the tree.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    #[serde(rename = "$schema")]
    schema: String,
    version: String,
    runs: Vec<Run>,
}

/// 3.14.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: ColumnKind,
    results: Vec<Finding>,
}

/// 3.14.17.
#[derive(Deserialize)]
enum ColumnKind {
    #[serde(rename = "unicodeCodePoints")]
    UnicodeCodePoints,
}

/// 3.18.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    driver: Driver,
}

/// 3.19.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Driver {
    name: String,
    version: String,
    rules: Vec<Rule>,
}

/// 3.49.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Text,
    help: Option<Text>,
}

/// 3.11 and 3.12.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
    markdown: Option<String>,
}

/// 3.27.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Finding {
    rule_id: String,
    rule_index: usize,
    pub(super) level: Level,
    message: Text,
    pub(super) locations: Vec<Location>,
    #[serde(default)]
    related_locations: Vec<Location>,
    partial_fingerprints: std::collections::BTreeMap<String, String>,
}

/// 3.27.10.
#[derive(Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) enum Level {
    Error,
    Warning,
    Note,
    None,
}

/// 3.28.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) physical_location: PhysicalLocation,
    message: Option<Text>,
}

/// 3.29.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub(super) artifact_location: ArtifactLocation,
    pub(super) region: Option<Region>,
}

/// 3.4.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ArtifactLocation {
    pub(super) uri: String,
    uri_base_id: Option<String>,
}

/// 3.30.
#[derive(Deserialize, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) start_line: usize,
    pub(super) start_column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

/// The results of a document.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(document: &str) -> Result<Vec<Finding>, String> {
    let log: Log = serde_json::from_str(document).map_err(|error| error.to_string())?;
    demand(
        log.version == "2.1.0" && log.schema.ends_with("sarif-schema-2.1.0.json"),
        "3.13.2, 3.13.3: version",
    )?;
    let mut runs = log.runs;
    demand(runs.len() == 1, "one run")?;
    let Run { tool: Tool { driver }, column_kind: ColumnKind::UnicodeCodePoints, results } = runs.remove(0);
    demand(driver.name == "cordon" && !driver.version.is_empty(), "3.19.8: name of the tool")?;
    let ids: std::collections::BTreeSet<&str> = driver.rules.iter().map(|rule| rule.id.as_str()).collect();
    demand(ids.len() == driver.rules.len(), "3.19.23: rules are unique")?;
    for rule in &driver.rules {
        demand(!rule.short_description.text.is_empty(), "3.49.9: shortDescription")?;
        let help = rule.help.as_ref().ok_or("each code has help")?;
        demand(!help.text.is_empty() && help.markdown.is_some(), "3.49.13: help")?;
    }
    for result in &results {
        let rule = driver.rules.get(result.rule_index).ok_or("3.27.6: ruleIndex leads nowhere")?;
        demand(rule.id == result.rule_id, "3.27.5: ruleId is that of its rule")?;
        demand(
            result.level != Level::None && !result.message.text.is_empty(),
            "3.27.10, 3.27.11: level, message",
        )?;
        demand(result.partial_fingerprints.values().all(|print| print.len() == 32), "3.27.17: fingerprint")?;
        demand(!result.locations.is_empty(), "3.27.12: locations")?;
        result.locations.iter().chain(&result.related_locations).try_for_each(location)?;
    }
    Ok(results)
}

fn location(location: &Location) -> Result<(), String> {
    demand(location.message.as_ref().is_none_or(|message| message.markdown.is_none()), "3.28.5: message")?;
    let place = &location.physical_location;
    let ArtifactLocation { uri, uri_base_id } = &place.artifact_location;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
    let path = uri.strip_prefix("file://").unwrap_or(uri);
    demand(!uri.is_empty() && path.chars().all(is_allowed), &format!("RFC 3986: `{uri}`"))?;
    demand(
        uri_base_id.is_some() != uri.starts_with("file:///"),
        "3.4.4: only a relative address has a base",
    )?;
    let Some(region) = &place.region else { return Ok(()) };
    demand(region.start_line > 0 && region.start_column > 0, "3.30.5, 3.30.6: counted from one")?;
    let (start, end) = ((region.start_line, region.start_column), (region.end_line, region.end_column));
    demand(start <= end, "3.30.7, 3.30.8: the end does not come first")
}

fn demand(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

#[test]
fn what_the_standard_does_not_allow_is_refused() {
    let policy = super::directory(&[("a.cordon", "zone x {")]);
    let (_, good, _) = super::run(policy.path(), &["check", ".", "--format", "sarif"]);
    read(&good).map(|_| ()).unwrap();
    for (what, by) in [
        ("\"version\": \"2.1.0\"", "\"version\": \"2.0.0\""),
        ("\"columnKind\"", "\"columnkind\""),
        ("\"level\": \"error\"", "\"level\": \"fatal\""),
        ("\"startLine\": 1", "\"startLine\": 0"),
        ("\"ruleIndex\": 0", "\"ruleIndex\": 1"),
        ("\"uri\": \"a.cordon\"", "\"uri\": \"a b.cordon\""),
        ("\"ruleId\"", "\"rule\""),
        ("\"endLine\": 1", "\"endLine\": -1"),
    ] {
        let bad = good.replacen(what, by, 1);
        assert!(bad != good && read(&bad).is_err(), "`{by}` is taken:\n{bad}");
    }
}
