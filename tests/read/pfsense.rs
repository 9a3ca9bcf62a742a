//! The reader of pfSense configs: what it makes of each construct, of cordon's own output, of configs of others, and of
//! texts that are broken.

mod areas;
mod corpus;
mod evaluate;
mod hostile;
mod whole;

use cordon::read::{Model, Reading, pfsense};
use evaluate::{Packet, packet, passes};

/// The model of some texts, which must hold no mistake.
fn model(texts: &[&str]) -> Model {
    let Reading { model, mistakes, lines } = pfsense::read(texts);
    assert_eq!(mistakes, [], "{}", texts.join("\n"));
    assert_eq!(lines.mistaken, 0);
    model
}

/// The mistakes of some texts, as `line: what`.
fn mistakes(texts: &[&str]) -> Vec<String> {
    let reading = pfsense::read(texts);
    reading.mistakes.iter().map(|mistake| format!("{}: {}", mistake.line, mistake.what)).collect()
}

/// An area of rules with these in it, each on a line of its own.
fn filter(rules: &[&str]) -> String {
    let rules: String = rules.iter().map(|rule| format!("<rule>{rule}</rule>\n")).collect();
    format!("<filter>\n{rules}</filter>\n")
}

/// A rule on `lan` from all to all, with what else is said.
fn rule(rest: &str) -> String {
    let any = |end: &str| if rest.contains(end) { String::new() } else { format!("<{end}><any/></{end}>") };
    let interface = if rest.contains("<interface>") { "" } else { "<interface>lan</interface>" };
    format!("{interface}{}{}{rest}", any("source"), any("destination"))
}

/// Asserts what becomes of packets from `lan`.
#[track_caller]
fn check(model: &Model, packets: &[(&str, bool)]) {
    for (text, expected) in packets {
        verdict(model, packet(text), *expected);
    }
}

#[track_caller]
fn verdict(model: &Model, packet: Packet, expected: bool) {
    assert_eq!(passes(model, packet), expected, "{packet:?}");
}
