//! The reader of Cisco IOS: what it makes of access lists, of sections around them, and of what it cannot understand.

mod bindings;
mod corpus;
mod entries;
mod fragments;
mod judge;
mod lists;
mod mistakes;
mod robust;
mod storms;
mod times;

use cordon::read::cisco_ios::read;
use cordon::read::{Model, Reading};

/// The model of a text that must be understood as a whole.
pub(crate) fn model(text: &str) -> Model {
    let reading = read(text);
    assert_eq!(reading.mistakes, [], "{text}");
    assert_eq!(reading.lines.mistaken, 0, "{text}");
    reading.model
}

/// The lines with mistakes, each with its words.
pub(crate) fn mistakes(text: &str) -> Vec<(usize, String)> {
    read(text).mistakes.into_iter().map(|mistake| (mistake.line, mistake.what)).collect()
}

/// How many lines of a text are understood, ignored and mistaken.
pub(crate) fn counts(reading: &Reading) -> (usize, usize, usize) {
    (reading.lines.understood, reading.lines.ignored, reading.lines.mistaken)
}

/// A config with one list for IPv4 that is bound to packets that come.
pub(crate) fn v4(entries: &[&str]) -> String {
    let entries: String = entries.iter().map(|entry| format!(" {entry}\n")).collect();
    format!("ip access-list extended A\n{entries}interface Vlan1\n ip access-group A in\n")
}

/// A config with one list for IPv6 that is bound to packets that come.
pub(crate) fn v6(entries: &[&str]) -> String {
    let entries: String = entries.iter().map(|entry| format!(" {entry}\n")).collect();
    format!("ipv6 access-list A\n{entries}interface Vlan1\n ipv6 traffic-filter A in\n")
}
