//! The words of the report.

use super::first;
use crate::report::site::document::{Block, Fact, Page, plain};
use crate::report::site::view::Site;

pub(super) const FILE: &str = "glossary";

/// Words, and what they mean here.
const WORDS: [(&str, &str); 19] = [
    (
        "Allow",
        "A rule that lets some open connections to others over some services. Replies pass by themselves.",
    ),
    (
        "As of",
        "The day by which it was decided what has expired. The report does not change by itself afterwards.",
    ),
    (
        "Assertion",
        "What must be allowed or denied. It filters nothing; a policy of which one does not hold is refused.",
    ),
    ("Class", "Devices of one kind, with a part of the addresses of their zone."),
    ("Conduit", "The way from one zone to another, with the rules on it. The word is that of IEC 62443-3-2."),
    ("Default deny", "What no rule allows is denied, in IPv4 and in IPv6."),
    (
        "Encrypted",
        "What the policy says of a service: what it carries cannot be read on the way. cordon does not test it.",
    ),
    (
        "Enforcement point",
        "A firewall or switch that filters what crosses it. Each has the whole policy as its filter.",
    ),
    ("Exception", "A rule with a last day. After it, the rule no longer allows anything."),
    ("Forbid", "A rule that wins over every allow."),
    ("Guard", "A watch over how many connections something opens, and what happens when they are too many."),
    ("If it fails", "What the loss of something would touch: life, the care of patients, or operations."),
    ("Matrix", "The table of all pairs of zones with the number of rules between them."),
    ("Peer", "A role that servers play, with its addresses; called server in this report."),
    (
        "PHI",
        "Protected health information: what tells something of the health of a person who can be known from it.",
    ),
    ("Policy", "The text from which the configs of all enforcement points, and this report, are made."),
    (
        "Posture",
        "The policy as it is while some of it is cut off. Its configs are built and proved beforehand.",
    ),
    (
        "Tier",
        "The layer of the network that a zone belongs to, from the devices at the patient to the outside.",
    ),
    ("Zone", "Networks that share a fate. No enforcement point filters inside a zone."),
];

pub(super) fn pages(_: &Site) -> Vec<Page> {
    let items = WORDS.iter().map(|(label, text)| Fact { label, parts: vec![plain(*text)] });
    let blocks = vec![Block::Facts { items: items.collect() }];
    vec![first(FILE, "Glossary", "What the words of this report mean.", blocks)]
}
