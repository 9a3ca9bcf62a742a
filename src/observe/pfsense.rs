//! The counters of pfSense: `pfctl -vvsr` and `pfctl -sl` (pfctl(8)).
//!
//! pfSense gives each rule a label with its description (`USER_RULE: ...`, or `descr:...` from 2.8 on) and, in the first
//! form, its tracker. A description of cordon's begins with `cordon: ` and the name of its statement. A rule counts the
//! packets of all connections that it let in, in both directions.

use std::collections::BTreeMap;

use super::counter::number;
use super::{Counter, Dump, Unreadable};

/// What is missing in rules of others.
const NO_RULES: &str = "there are no rules with a description that begins with `cordon: `";

/// How descriptions begin.
const MARK: &str = "cordon: ";

/// The one part of a config.
const PART: &str = "filter.xml";

/// How many numbers `pfctl -sl` shows behind a label: evaluations; packets and bytes, of all, in and out; states.
const LABEL_NUMBERS: usize = 8;

/// True for the line below a rule of `pfctl -vvsr`.
pub(super) fn is_rule_count(line: &str) -> bool {
    line.starts_with("[ Evaluations:")
}

/// True for a line of `pfctl -sl`.
pub(super) fn is_label(line: &str) -> bool {
    label(line).is_some()
}

/// The statement that a text with a description names.
fn name(text: &str) -> Option<&str> {
    let (_, description) = text.split_once(MARK)?;
    description.split([',', '"']).next().map(str::trim_end)
}

/// Reads what `pfctl -vvsr` prints: rules, each with lines of counts below it.
pub(super) fn read_rules(text: &str) -> Result<Dump, Unreadable> {
    let mut counters = Counters::default();
    let mut rule = "";
    for (line, place) in text.lines().zip(1..) {
        let trimmed = line.trim();
        if !trimmed.starts_with('[') {
            rule = trimmed;
        } else if is_rule_count(trimmed)
            && let Some(name) = name(rule)
        {
            let words: Vec<&str> = trimmed.split_whitespace().collect();
            let behind = |key: &str| {
                let at = words.iter().position(|word| *word == key);
                at.and_then(|at| words.get(at + 1)).copied().unwrap_or_default()
            };
            let (packets, bytes) = (number(behind("Packets:"), place)?, number(behind("Bytes:"), place)?);
            counters.add(&known_by(rule, name), name, packets, bytes);
        }
    }
    counters.finish()
}

/// What tells a rule from others: its tracker, which is what `ridentifier` says or, on older versions, stands behind its
/// number.
fn known_by(rule: &str, name: &str) -> String {
    let tracker = rule.split_once(" ridentifier ").and_then(|(_, rest)| rest.split(' ').next());
    let older = || rule.split_once('(').filter(|_| rule.starts_with('@'))?.1.split(')').next();
    tracker.or_else(older).unwrap_or(name).to_owned()
}

/// Reads what `pfctl -sl` prints: labels, each with its numbers behind it.
pub(super) fn read_labels(text: &str) -> Result<Dump, Unreadable> {
    let mut counters = Counters::default();
    for (line, place) in text.lines().zip(1..) {
        let Some((label, packets, bytes)) = label(line) else { continue };
        let Some(name) = name(label) else { continue };
        counters.add(label, name, number(packets, place)?, number(bytes, place)?);
    }
    counters.finish()
}

/// A label with its packets and bytes.
fn label(line: &str) -> Option<(&str, &str, &str)> {
    let mut rest = line.trim_end();
    let mut numbers = Vec::new();
    while numbers.len() < LABEL_NUMBERS {
        let (before, number) = rest.rsplit_once(' ')?;
        number.parse::<u64>().ok()?;
        numbers.push(number);
        rest = before;
    }
    // They were taken from the end.
    let [.., bytes, packets, _] = numbers[..] else { return None };
    Some((rest, packets, bytes))
}

#[derive(Default)]
struct Counters {
    counters: Vec<Counter>,
    repeated: BTreeMap<String, usize>,
}

impl Counters {
    /// Adds a counter; rules of one tracker are told apart by their order.
    fn add(&mut self, known_by: &str, name: &str, packets: u64, bytes: u64) {
        let earlier = self.repeated.entry(known_by.to_owned()).or_default();
        let key = format!("{known_by} #{earlier}");
        *earlier += 1;
        let (part, name) = (PART.to_owned(), Some(name.to_owned()));
        self.counters.push(Counter { part, key, name, packets, bytes: Some(bytes) });
    }

    fn finish(self) -> Result<Dump, Unreadable> {
        if self.counters.is_empty() {
            return Err(Unreadable::NotOurs(NO_RULES));
        }
        Ok(Dump { counters: self.counters, parts: [PART.to_owned()].into() })
    }
}

/// The names beside rules of a config that cordon made, each with the tracker of its rule.
pub(super) fn names(config: &str) -> Vec<(String, String)> {
    let inner = |line: &str, tag: &str| -> Option<String> {
        let rest = line.trim().strip_prefix(&format!("<{tag}>"))?.strip_suffix(&format!("</{tag}>"))?;
        Some(rest.trim_start_matches("<![CDATA[").trim_end_matches("]]>").to_owned())
    };
    let mut tracker = String::new();
    let mut names = Vec::new();
    for line in config.lines() {
        if let Some(number) = inner(line, "tracker") {
            tracker = number;
        } else if let Some(description) = inner(line, "descr")
            && let Some(name) = name(&description)
        {
            names.push((name.to_owned(), tracker.clone()));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "@4 block drop in all label \"Default deny\" ridentifier 1000000103\n  [ Evaluations: 9  Packets: 8  \
        Bytes: 7  States: 0 ]\n@5 pass in quick on em0 label \"id:3000000001\" label \"tags:user_rule\" label \"descr:cordon: \
        data, why\" ridentifier 3000000001\n  [ Evaluations: 9         Packets: 46        Bytes: 5536        States: 2     \
        ]\n  [ Inserted: pid 1 State Creations: 3 ]\n@6(3000000002) pass in label \"USER_RULE: cordon: other\"\n  [ \
        Evaluations: 1 Packets: 0 Bytes: 0 States: 0 ]\n";

    fn seen(dump: &Dump) -> Vec<(&str, &str, u64, u64)> {
        let all = dump.counters.iter();
        all.map(|one| (one.key.as_str(), one.name.as_deref().unwrap(), one.packets, one.bytes.unwrap()))
            .collect()
    }

    #[test]
    fn rules_of_both_versions_are_known_by_their_tracker() {
        let expected = [("3000000001 #0", "data", 46, 5536), ("3000000002 #0", "other", 0, 0)];
        assert_eq!(seen(&read_rules(RULES).unwrap()), expected);
        assert_eq!(read_rules("@0 pass all\n  [ Evaluations: 1 ]\n"), Err(Unreadable::NotOurs(NO_RULES)));
        let bad = RULES.replace("Packets: 46", "Packets: x");
        assert!(matches!(read_rules(&bad), Err(Unreadable::Line { line: 4, .. })));
    }

    #[test]
    fn labels_end_in_eight_numbers() {
        let text = "USER_RULE: cordon: data, floor 3 100 46 5536 40 5000 6 536 3\nother 1 2 3 4 5 6 7 8\n";
        let key = "USER_RULE: cordon: data, floor 3 #0";
        assert_eq!(seen(&read_labels(text).unwrap()), [(key, "data", 46, 5536)]);
        assert!(!is_label("USER_RULE: cordon: data 1 2 3"));
    }

    #[test]
    fn a_config_gives_its_names_with_their_trackers() {
        let config =
            "\t\t<tracker>3000000001</tracker>\n\t\t<descr><![CDATA[cordon: data, a &amp; b]]></descr>\n";
        assert_eq!(names(config), [("data".to_owned(), "3000000001".to_owned())]);
    }
}
