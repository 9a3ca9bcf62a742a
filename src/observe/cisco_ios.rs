//! The counters of Cisco IOS: `show access-lists`, `show ip access-lists` and `show ipv6 access-list`.
//!
//! A line of a list ends in `(N matches)` once it has matched; lines are shown without remarks, so which statement a line
//! is of is known by its place in the list that cordon made. The name of a list ends in a digest of its lines, so a list of
//! that name has these lines, in this order. What is shown are packets that the processor counted: a switch that forwards
//! in hardware counts few or none of what it forwards (Cisco, "Validate Security ACLs on Catalyst 9000 Switches",
//! <https://www.cisco.com/c/en/us/support/docs/switches/catalyst-9500-series-switches/217266-validate-security-acls-on-catalyst-9000.html>),
//! so that no matches on a switch are no sign that nothing matched.

use std::collections::BTreeMap;

use super::counter::number;
use super::{Counter, Dump, Unreadable};

/// What is missing in lists of others.
const NO_LISTS: &str = "there are no access lists named `CORDON-...`";

/// A line of a list that cordon made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// `permit tcp` and the like.
    pub(super) words: String,
    /// The statement that it opens connections for, or that it denies; none for answers and what every list has.
    pub(super) rule: Option<String>,
}

/// True for the line that a list begins with where a device shows it.
pub(super) fn is_heading(line: &str) -> bool {
    shown_list(line).is_some()
}

fn shown_list(line: &str) -> Option<&str> {
    let line = line.trim();
    let rest = ["Extended IP access list ", "IPv6 access list ", "Standard IP access list "];
    let rest = rest.iter().find_map(|start| line.strip_prefix(start))?;
    rest.split_whitespace().next()
}

/// Reads what a device shows. The key of a counter is its place in its list and its first words.
pub(super) fn read(text: &str) -> Result<Dump, Unreadable> {
    let mut dump = Dump::default();
    let (mut list, mut place) = ("", 0_usize);
    for (line, at) in text.lines().zip(1..) {
        if let Some(name) = shown_list(line) {
            (list, place) = (name, 0);
            if list.starts_with("CORDON-") && !dump.parts.insert(list.to_owned()) {
                let what = format!("the list {list} is shown twice; use what one command shows");
                return Err(Unreadable::Line { line: at, what });
            }
            continue;
        }
        let Some(words) = entry(line).filter(|_| list.starts_with("CORDON-")) else { continue };
        let packets = matches(line).map_or(Ok(0), |count| number(count, at))?;
        let key = format!("{place} {words}");
        place += 1;
        dump.counters.push(Counter { part: list.to_owned(), key, name: None, packets, bytes: None });
    }
    if dump.parts.is_empty() { Err(Unreadable::NotOurs(NO_LISTS)) } else { Ok(dump) }
}

/// `permit tcp` and the like of a line that is an entry, with or without a number before it.
fn entry(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().peekable();
    if words.peek()?.bytes().all(|byte| byte.is_ascii_digit()) {
        words.next();
    }
    let action = words.next().filter(|word| matches!(*word, "permit" | "deny"))?;
    let protocol = words.next()?;
    // Protocols by number are shown by name where they have one, which says the same.
    let is_number = protocol.bytes().all(|byte| byte.is_ascii_digit());
    let is_unusual = !matches!(protocol, "tcp" | "udp" | "icmp" | "ip" | "ipv6" | "object-group");
    Some(format!("{action} {}", if is_number || is_unusual { "other" } else { protocol }))
}

/// The count in `(12 matches)`, `(1 match)` or `(12 match(es))`.
fn matches(line: &str) -> Option<&str> {
    let (before, _) = line.rsplit_once(" match")?;
    let (_, count) = before.rsplit_once('(')?;
    Some(count.trim())
}

/// The lists of a config that cordon made.
pub(super) fn lists(config: &str) -> BTreeMap<String, Vec<Line>> {
    let mut lists: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    let (mut list, mut rule) = (None, None);
    for line in config.lines() {
        let heading =
            line.strip_prefix("ip access-list extended ").or_else(|| line.strip_prefix("ipv6 access-list "));
        if let Some(name) = heading {
            (list, rule) = (Some(name.to_owned()), None);
            lists.insert(name.to_owned(), Vec::new());
        } else if !line.starts_with(' ') {
            list = None;
        } else if let Some(remark) = line.strip_prefix(" remark ") {
            rule = statement(remark);
        } else if let Some(list) = list.as_ref().and_then(|name| lists.get_mut(name))
            && let Some(words) = entry(line)
        {
            list.push(Line { words, rule: rule.clone() });
        }
    }
    lists
}

/// The statement that a remark names: `rule NAME`, `rule NAME: reason`, `rule NAME, until 2027-06-30`, `manage NAME`.
fn statement(remark: &str) -> Option<String> {
    let rest = remark.strip_prefix("rule ").or_else(|| remark.strip_prefix("manage "))?;
    Some(rest.split([':', ',', ' ']).next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "Extended IP access list CORDON-Vlan1-IN-4-0a\n    10 permit tcp any host 10.0.0.1 eq www (12 matches)\n\
        \x20   20 permit 47 any any\n    30 deny ip any any log (1 match)\nExtended IP access list mine\n    10 permit ip any \
        any (7 matches)\nIPv6 access list CORDON-Vlan1-IN-6-0b\n    permit tcp any any eq 22 (3 matches) sequence 20\n";

    #[test]
    fn a_line_is_known_by_its_place_and_a_missing_count_is_zero() {
        let dump = read(SHOWN).unwrap();
        let seen: Vec<(&str, &str, u64)> =
            dump.counters.iter().map(|one| (one.part.as_str(), one.key.as_str(), one.packets)).collect();
        let [four, six] = ["CORDON-Vlan1-IN-4-0a", "CORDON-Vlan1-IN-6-0b"];
        let expected = [
            (four, "0 permit tcp", 12),
            (four, "1 permit other", 0),
            (four, "2 deny ip", 1),
            (six, "0 permit tcp", 3),
        ];
        assert_eq!(seen, expected);
        assert!(matches!(read(&format!("{SHOWN}{SHOWN}")), Err(Unreadable::Line { line: 9, .. })));
        assert_eq!(read("Extended IP access list 101\n"), Err(Unreadable::NotOurs(NO_LISTS)));
    }

    #[test]
    fn lines_belong_to_the_statement_of_their_remark_and_answers_to_none() {
        let config = "ip access-list extended CORDON-Vlan1-IN-4-0a\n remark rule data, until 2027-01-01: why\n permit tcp any \
                      any\n remark replies to rule other\n permit tcp any any established\n!\ninterface Vlan1\n permit ip\n";
        let lists = lists(config);
        let rules: Vec<Option<&str>> =
            lists["CORDON-Vlan1-IN-4-0a"].iter().map(|line| line.rule.as_deref()).collect();
        assert_eq!(rules, [Some("data"), None]);
    }
}
