//! What the search of the report looks through: a script that says for each page what it is and where.

use serde::Serialize;

use super::document::Page;
use super::view::Site;
use crate::set::AddressSet;

/// A thing that can be found: its kind, its name, its address, and what else is known of it by words.
#[derive(Serialize)]
struct Entry(&'static str, String, String, String);

/// The script. Texts stand in it as JSON, with nothing left that could end a script or a line of one.
pub(super) fn index(site: &Site, pages: &[Page]) -> String {
    let mut entries: Vec<Entry> = Vec::new();
    for (id, zone) in site.zones() {
        let ranges = if zone.is_rest { None } else { Some(ranges(&zone.addresses)) };
        let about = [zone.about.note.clone(), zone.about.owner.clone(), ranges];
        entries.push(Entry("zone", zone.name.clone(), address(&site.zone_page(id).page, ""), words(about)));
    }
    for endpoint in &site.policy.endpoints {
        let kind = if endpoint.is_class { "class" } else { "server" };
        let ranges = Some(ranges(&endpoint.addresses));
        let about = [endpoint.about.note.clone(), endpoint.about.owner.clone(), ranges];
        entries.push(Entry(
            kind,
            endpoint.name.clone(),
            address(&site.endpoint_page(endpoint).page, ""),
            words(about),
        ));
    }
    for (_, rule) in site.rules_by_id() {
        let sides = Some(format!("{} to {} via {}", rule.from.text, rule.to.text, rule.via));
        let about = [sides, rule.about.owner.clone(), rule.about.reason.clone()];
        let href = address("rules", &format!("rule-{}", rule.id));
        entries.push(Entry(rule.effect.keyword(), rule.id.clone(), href, words(about)));
    }
    for page in pages.iter().filter(|page| page.file == page.chapter) {
        entries.push(Entry("page", page.title.clone(), address(&page.file, ""), String::new()));
    }
    let lines: Vec<String> =
        entries.iter().map(|entry| safe(&serde_json::to_string(entry).unwrap_or_default())).collect();
    format!("window.cordonPages = [\n{}\n];\n", lines.join(",\n"))
}

/// JSON that is a line of a script wherever it is put.
fn safe(json: &str) -> String {
    let json = json.replace('<', "\\u003c").replace('>', "\\u003e");
    json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// How many ranges of addresses a thing can be found by.
const RANGES: usize = 200;

fn ranges(addresses: &AddressSet) -> String {
    addresses.ranges().take(RANGES).map(|range| range.to_string()).collect::<Vec<_>>().join(", ")
}

fn address(page: &str, anchor: &str) -> String {
    if anchor.is_empty() { format!("{page}.html") } else { format!("{page}.html#{anchor}") }
}

fn words(parts: [Option<String>; 3]) -> String {
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}
