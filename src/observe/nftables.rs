//! The counters of nftables: `nft -j list ruleset` (libnftables-json(5)) and `nft list ruleset` (nft(8)).
//!
//! Every element of a verdict map has a counter and a comment with the name of its rule, and so has every line that
//! stands for many elements. Only the maps and chains in which a connection is decided on are read, named `pair/...` and
//! `input/...`: what else has such a comment, such as the chain that logs, sees the same packets once more. The counters
//! see first packets: all others are accepted before.

use serde_json::Value;

use super::counter::number;
use super::{Counter, Dump, Unreadable};

/// What a list without numbers was made with.
const STATELESS: &str = "list the ruleset without `--stateless` (`-s`)";

/// What is missing in a list of other tables.
const NO_TABLE: &str = "there is no table `inet cordon`";

/// The one part of a config.
const PART: &str = "ruleset.nft";

/// True for what decides on connections.
fn decides(name: &str) -> bool {
    name.starts_with("pair/") || name.starts_with("input/")
}

/// Reads what `nft -j list ruleset` prints.
pub(super) fn read_json(text: &str) -> Result<Dump, Unreadable> {
    let document: Value = serde_json::from_str(text).map_err(|error| Unreadable::Json(error.to_string()))?;
    let objects = document.get("nftables").and_then(Value::as_array);
    let objects = objects.ok_or_else(|| Unreadable::Json("there is no list `nftables` in it".to_owned()))?;
    let mut counters = Vec::new();
    let mut is_ours = false;
    for object in objects {
        let word =
            |object: &Value, key: &str| -> Option<String> { Some(object.get(key)?.as_str()?.to_owned()) };
        let in_table = |object: &Value, key: &str| {
            word(object, "family").as_deref() == Some("inet")
                && word(object, key).as_deref() == Some("cordon")
        };
        is_ours |= object.get("table").is_some_and(|table| in_table(table, "name"));
        if let Some(map) = object.get("map").filter(|map| in_table(map, "table")) {
            let name = word(map, "name").unwrap_or_default();
            let elements = map.get("elem").and_then(Value::as_array).filter(|_| decides(&name));
            for element in elements.into_iter().flatten() {
                let element = element.get(0).and_then(|pair| pair.get("elem"));
                counters.extend(element.and_then(|element| counted(element, &name, element.get("val"))));
            }
        }
        if let Some(rule) = object.get("rule").filter(|rule| in_table(rule, "table")) {
            let chain = word(rule, "chain").unwrap_or_default();
            let expressions = rule.get("expr").and_then(Value::as_array).filter(|_| decides(&chain));
            let counter =
                expressions.and_then(|all| all.iter().find_map(|one| one.get("counter").map(|_| one)));
            let Some(holder) = counter else { continue };
            let matches: Vec<&Value> =
                expressions.into_iter().flatten().filter(|one| one.get("match").is_some()).collect();
            let key = Value::Array(matches.into_iter().cloned().collect());
            let mut element = holder.clone();
            if let (Some(object), Some(comment)) = (element.as_object_mut(), rule.get("comment")) {
                object.insert("comment".to_owned(), comment.clone());
            }
            counters.extend(counted(&element, &chain, Some(&key)));
        }
    }
    finish(counters, is_ours)
}

/// The counter of an element or rule, if it has one with numbers, and a name.
fn counted(element: &Value, place: &str, key: Option<&Value>) -> Option<Counter> {
    let counter = element.get("counter")?;
    Some(Counter {
        part: PART.to_owned(),
        key: format!("{place} {}", key?),
        name: Some(element.get("comment")?.as_str()?.to_owned()),
        packets: counter.get("packets")?.as_u64()?,
        bytes: Some(counter.get("bytes")?.as_u64()?),
    })
}

fn finish(counters: Vec<Counter>, is_ours: bool) -> Result<Dump, Unreadable> {
    match (is_ours, counters.is_empty()) {
        (false, _) => Err(Unreadable::NotOurs(NO_TABLE)),
        (true, true) => Err(Unreadable::NoCounters(STATELESS)),
        (true, false) => Ok(Dump { counters, parts: [PART.to_owned()].into() }),
    }
}

/// Reads what `nft list ruleset` prints.
pub(super) fn read_listing(text: &str) -> Result<Dump, Unreadable> {
    let mut counters = Vec::new();
    for entry in entries(text) {
        let Some(counts) = entry.counts else { continue };
        counters.push(Counter {
            part: PART.to_owned(),
            key: format!("{} {}", entry.place, entry.key),
            name: Some(entry.name.to_owned()),
            packets: number(counts.0, entry.line)?,
            bytes: Some(number(counts.1, entry.line)?),
        });
    }
    let is_ours = text.lines().any(|line| line.trim() == "table inet cordon {");
    finish(counters, is_ours)
}

/// The names beside counters in a file that cordon made, which has no numbers yet.
pub(super) fn names(text: &str) -> Vec<String> {
    entries(text).into_iter().map(|entry| entry.name.to_owned()).collect()
}

/// An element of a map or a rule, with a counter and a comment.
struct Entry<'t> {
    place: &'t str,
    key: &'t str,
    name: &'t str,
    counts: Option<(&'t str, &'t str)>,
    line: usize,
}

/// What has a counter and a comment in the table of cordon. Each stands on a line of its own, since nft begins a new one
/// before each element that has a counter (`set_print_declaration`, `expr_print`, src/rule.c and src/expression.c) and so do
/// the templates; two on one line are told apart all the same.
fn entries(text: &str) -> Vec<Entry<'_>> {
    let (mut in_table, mut place) = (false, "");
    let mut entries = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if !line.starts_with([' ', '\t']) && line.starts_with("table ") {
            in_table = line.trim_end() == "table inet cordon {";
            continue;
        }
        let trimmed = line.trim();
        let heading = trimmed.strip_suffix('{').and_then(|heading| heading.trim_end().split_once(' '));
        if let Some((kind, name)) = heading.filter(|(kind, _)| matches!(*kind, "map" | "chain" | "set")) {
            place = if in_table && kind != "set" && decides(name) { name } else { "" };
            continue;
        }
        if place.is_empty() {
            continue;
        }
        let content = trimmed.strip_prefix("elements = {").unwrap_or(trimmed);
        entries.extend(content.split(',').filter_map(|piece| entry(piece, place, number)));
    }
    entries
}

/// Reads `KEY counter [packets N bytes N] [VERDICT] comment "NAME"`. Names have no comma in them.
fn entry<'t>(piece: &'t str, place: &'t str, line: usize) -> Option<Entry<'t>> {
    let (key, rest) = piece.split_once(" counter ")?;
    let (counts, comment) = rest.split_once("comment \"")?;
    let (name, _) = comment.split_once('"')?;
    let mut words = counts.split_whitespace();
    let counts = match (words.next(), words.next(), words.next(), words.next()) {
        (Some("packets"), Some(packets), Some("bytes"), Some(bytes)) => Some((packets, bytes)),
        _ => None,
    };
    Some(Entry { place, key: key.trim(), name, counts, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "table ip other {\n\tmap pair/a/b/v4/ports {\n\t\telements = { 1.1.1.1 counter packets 9 bytes 9 \
        comment \"no\" : accept }\n\t}\n}\ntable inet cordon {\n\tmap pair/a/b/v4/ports {\n\t\tcounter\n\t\telements = { \
        10.0.0.1 . tcp . 1 counter packets 3 bytes 180 comment \"data\" : accept,\n\t\t\t     10.0.0.2 . tcp . 1 counter \
        packets 0 bytes 0 comment \"data\" : goto log/data }\n\t}\n\tmap isolated/x/v4 {\n\t\telements = { 10.0.0.1 counter \
        packets 7 bytes 7 comment \"data\" : return }\n\t}\n\tchain log/data {\n\t\tcounter packets 5 bytes 5 accept comment \
        \"data\"\n\t}\n\tchain pair/a/b {\n\t\tip saddr @x counter packets 2 bytes 80 accept comment \"many\"\n\t}\n}\n";

    fn seen(dump: &Dump) -> Vec<(&str, u64, u64)> {
        let all = dump.counters.iter();
        all.map(|one| (one.name.as_deref().unwrap(), one.packets, one.bytes.unwrap())).collect()
    }

    #[test]
    fn only_what_decides_in_our_table_is_counted() {
        let dump = read_listing(LISTING).unwrap();
        assert_eq!(seen(&dump), [("data", 3, 180), ("data", 0, 0), ("many", 2, 80)]);
        assert_eq!(names(LISTING), ["data", "data", "many"]);
    }

    #[test]
    fn json_says_the_same() {
        let map = r#"{"map":{"family":"inet","name":"pair/a/b/v4/ports","table":"cordon","elem":[[{"elem":{"val":"10.0.0.1",
            "comment":"data","counter":{"packets":3,"bytes":180}}},{"accept":null}]]}}"#;
        let rule = r#"{"rule":{"family":"inet","table":"cordon","chain":"pair/a/b","comment":"many","expr":[{"match":{"op":
            "=="}},{"counter":{"packets":2,"bytes":80}},{"accept":null}]}}"#;
        let log = rule.replace("pair/a/b", "log/many");
        let table = r#"{"table":{"family":"inet","name":"cordon"}}"#;
        let text = format!(r#"{{"nftables":[{table},{map},{rule},{log}]}}"#);
        assert_eq!(seen(&read_json(&text).unwrap()), [("data", 3, 180), ("many", 2, 80)]);
    }

    #[test]
    fn a_list_without_counts_is_no_list_of_zeros() {
        let stateless = LISTING.replace(" packets 3 bytes 180", "").replace(" packets 0 bytes 0", "");
        let stateless = stateless.replace(" packets 2 bytes 80", "");
        assert_eq!(read_listing(&stateless), Err(Unreadable::NoCounters(STATELESS)));
        assert_eq!(read_listing("table ip x {\n}\n"), Err(Unreadable::NotOurs(NO_TABLE)));
        assert_eq!(read_json("{\"nftables\":[]}"), Err(Unreadable::NotOurs(NO_TABLE)));
        assert!(matches!(read_json("{"), Err(Unreadable::Json(_))));
        let bad = LISTING.replace("packets 3", "packets x");
        assert!(
            matches!(read_listing(&bad), Err(Unreadable::Line { line: 9, .. })),
            "{:?}",
            read_listing(&bad)
        );
    }
}
