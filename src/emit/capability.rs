//! Capability files: what a target can express, its limits, and the files that its output is made of.
//!
//! In: the text of a `target.yaml`. Out: the same as data, or what is wrong with it and where. Unknown and repeated keys
//! are mistakes, since a misspelt one would change what the target is taken to be able to do.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_saphyr::Options;

use crate::set::ICMP;

/// The version of the form of capability files.
const VERSION: u32 = 1;

/// What a target can do, as its `target.yaml` says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Capabilities {
    version: u32,
    /// Its name, as in `target NAME`.
    pub name: String,
    /// What it is, in a few words.
    pub summary: String,
    /// Whether it runs on firewalls or switches.
    pub kind: Kind,
    /// The version of the view model that its templates take.
    pub view: u32,
    /// True if replies of an allowed connection pass without a rule.
    pub stateful: bool,
    /// The address families that it filters.
    pub families: Vec<Family>,
    /// What it can express.
    pub can: Abilities,
    /// How long things may be.
    pub limits: Limits,
    /// What the name of an interface looks like.
    pub interface: InterfaceNames,
    /// How free text is written; only for targets without an emitter of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// The templates, each with the file that it makes.
    pub files: Vec<TemplateFile>,
}

/// What kind of device a target is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A firewall.
    Firewall,
    /// A switch.
    Switch,
}

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Whether a target can do something: `yes`, `no`, or, in a few words, in which part.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Ability(String);

impl Ability {
    fn none() -> Self {
        Ability("no".to_owned())
    }

    /// True if it can without reserve.
    pub fn is_full(&self) -> bool {
        self.0 == "yes"
    }

    /// What the file says.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// What a target can express.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Abilities {
    /// Rules with source ports.
    pub source_ports: Ability,
    /// Ranges of ports.
    pub port_ranges: Ability,
    /// Single ICMP types.
    pub icmp_types: Ability,
    /// Single codes of an ICMP type.
    pub icmp_codes: Ability,
    /// Any IP protocol by its number.
    pub protocol_numbers: Ability,
    /// All protocols at once.
    pub any_protocol: Ability,
    /// Rules for connections to the device itself.
    pub input: Ability,
    /// A check of sources against the interface that they arrive on.
    pub anti_spoofing: Ability,
    /// Logging of the first packet of a connection.
    pub logging: Ability,
    /// A bound on how much is logged.
    pub log_limit: Ability,
    /// Hit counts for each rule.
    pub counters: Ability,
    /// Free text beside rules.
    pub comments: Ability,
    /// Rules that hold at certain times.
    pub schedules: Ability,
    /// Rules that end by themselves after a day.
    #[serde(default = "Ability::none")]
    pub ends: Ability,
    /// Thresholds on new connections.
    pub thresholds: Ability,
    /// A load that takes effect as a whole or not at all.
    pub atomic_load: Ability,
}

impl Abilities {
    /// All of them, with what they are called in the file and what they mean.
    pub fn rows(&self) -> [(&'static str, &'static str, &Ability); 16] {
        [
            ("source-ports", "source ports", &self.source_ports),
            ("port-ranges", "ranges of ports", &self.port_ranges),
            ("icmp-types", "ICMP types", &self.icmp_types),
            ("icmp-codes", "ICMP codes", &self.icmp_codes),
            ("protocol-numbers", "protocols by number", &self.protocol_numbers),
            ("any-protocol", "all protocols at once", &self.any_protocol),
            ("input", "connections to the device itself", &self.input),
            ("anti-spoofing", "check of sources", &self.anti_spoofing),
            ("logging", "logging", &self.logging),
            ("log-limit", "bound on logging", &self.log_limit),
            ("counters", "hit counts for each rule", &self.counters),
            ("comments", "comments", &self.comments),
            ("schedules", "schedules", &self.schedules),
            ("ends", "rules that end by themselves", &self.ends),
            ("thresholds", "thresholds", &self.thresholds),
            ("atomic-load", "load as a whole", &self.atomic_load),
        ]
    }
}

/// How long things may be; 0 where the target has no such thing.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// A comment, in bytes before it is quoted.
    pub comment_bytes: usize,
    /// A name that cordon makes up, in bytes.
    pub name_bytes: usize,
    /// What a line of the log starts with, in bytes before it is quoted.
    pub log_prefix_bytes: usize,
    /// How many ports one rule may list, a range counting as two; only for targets without an emitter of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports_per_rule: Option<usize>,
}

/// What the names of interfaces look like.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InterfaceNames {
    /// The longest, in bytes.
    pub max_bytes: usize,
    /// `letters`, `digits` and single characters of `.`, `_`, `-`, `/` and `:`, between spaces.
    pub characters: String,
}

impl InterfaceNames {
    /// True if `name` is such a name. `.` and `..` never are.
    pub fn hold(&self, name: &str) -> bool {
        let allowed = |c: char| {
            self.characters.split(' ').any(|class| match class {
                "letters" => c.is_ascii_alphabetic(),
                "digits" => c.is_ascii_digit(),
                single => single.chars().eq([c]),
            })
        };
        (1..=self.max_bytes).contains(&name.len()) && !matches!(name, "." | "..") && name.chars().all(allowed)
    }

    /// The first word that is no class of characters.
    fn unknown(&self) -> Option<&str> {
        let known = |class: &str| matches!(class, "letters" | "digits" | "." | "_" | "-" | "/" | ":");
        self.characters.split(' ').find(|class| !known(class))
    }
}

/// How free text is written into an output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quote {
    /// ASCII letters, digits, spaces and a few marks, without quotes; all else becomes `_`.
    Plain,
    /// A text of the scripting language of RouterOS, with its quotes.
    Routeros,
    /// A word of a POSIX shell, with its quotes.
    Shell,
    /// Text of an XML element or attribute.
    Xml,
}

/// A template, and the file that it makes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TemplateFile {
    /// The file name of the template.
    pub template: String,
    /// The path of the output below the folder of the device.
    pub output: String,
}

/// What is wrong with a capability file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mistake {
    pub(super) what: String,
    /// The bytes of the file that it is about.
    pub(super) place: Range<usize>,
}

/// Reads a capability file.
pub(super) fn parse(text: &str) -> Result<Capabilities, Mistake> {
    let mut options = Options::default();
    if let Some(budget) = &mut options.budget {
        // A capability file has some hundred nodes, and no reason for anchors.
        (budget.max_events, budget.max_anchors, budget.max_aliases) = (10_000, 0, 0);
    }
    let read = serde_saphyr::from_str_with_options::<Capabilities>(text, options);
    let capabilities = read.map_err(|error| {
        let message = error.without_snippet().to_string();
        // The place is shown beside the message, and the way out is not an option of the parser.
        let message = message.split(" at line ").next().unwrap_or_default();
        let what = message.split(", set DuplicateKeyPolicy").next().unwrap_or_default().to_owned();
        Mistake { what, place: error.location().map_or(0..0, |location| range(text, &location)) }
    })?;
    match first_contradiction(&capabilities) {
        Some((what, key)) => Err(Mistake { what, place: place_of_key(text, key) }),
        None => Ok(capabilities),
    }
}

/// The bytes that a location of the parser stands for; where it knows only the line, these are the line.
fn range(text: &str, location: &serde_saphyr::Location) -> Range<usize> {
    let span = location.span();
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    if let (Some(start), Some(length)) = (span.byte_offset(), span.byte_len()) {
        return number(start)..number(start).saturating_add(number(length));
    }
    let before = number(location.line()).saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    start..start + line.len()
}

/// What is wrong although every key has a value of its kind, with the key that it is about.
fn first_contradiction(read: &Capabilities) -> Option<(String, &'static str)> {
    if read.version != VERSION {
        return Some((format!("this cordon reads version {VERSION} of capability files"), "version"));
    }
    if let Some(unknown) = read.interface.unknown() {
        let known = "letters, digits, and the characters . _ - / :";
        return Some((format!("`{unknown}` is no class of characters; there are {known}"), "characters"));
    }
    let twice = read
        .families
        .iter()
        .enumerate()
        .any(|(place, family)| read.families.iter().take(place).any(|earlier| earlier == family));
    if read.families.is_empty() || twice {
        return Some(("the families are `ipv4`, `ipv6` or both".to_owned(), "families"));
    }
    let shown = |text: &str| (1..=200).contains(&text.len()) && !text.contains(['|', '\n', '\r']);
    if !shown(&read.summary) {
        return Some(("a summary is one line of at most 200 bytes, without `|`".to_owned(), "summary"));
    }
    read.can.rows().into_iter().find(|(_, _, ability)| !shown(ability.text())).map(|(key, _, _)| {
        let what = "an ability is `yes`, `no`, or one line of at most 200 bytes, without `|`";
        (what.to_owned(), key)
    })
}

/// The place of a key, at the start of a line or behind spaces.
pub(super) fn place_of_key(text: &str, key: &str) -> Range<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':')) {
            return start + indent..start + indent + key.len();
        }
        start += line.len();
    }
    0..0
}

/// The capability files of the targets that cordon comes with, by name.
const BUILT_IN: [(&str, &str); 4] = [
    ("cisco-ios", include_str!("../../targets/cisco-ios/target.yaml")),
    ("iptables", include_str!("../../targets/iptables/target.yaml")),
    ("nftables", include_str!("../../targets/nftables/target.yaml")),
    ("pfsense", include_str!("../../targets/pfsense/target.yaml")),
];

/// The targets that cordon comes with, by name. A test reads all of them, so none is left out.
pub fn built_in() -> Vec<Capabilities> {
    BUILT_IN.iter().filter_map(|(_, text)| parse(text).ok()).collect()
}

/// True if cordon comes with a target of this name.
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// True for the protocols that every target has a name for: ICMP, TCP, UDP and ICMPv6.
pub(super) fn is_common_protocol(protocol: u8) -> bool {
    matches!(protocol, ICMP | 6 | 17 | crate::set::ICMPV6)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NFTABLES: &str = include_str!("../../targets/nftables/target.yaml");

    #[test]
    fn each_target_that_cordon_comes_with_can_be_read_and_has_the_name_of_its_folder() {
        for (name, text) in BUILT_IN {
            assert_eq!(parse(text).map(|read| read.name), Ok(name.to_owned()));
        }
        assert_eq!(built_in().len(), BUILT_IN.len());
    }

    /// Asserts what is wrong with a changed file, and the text at the place.
    #[track_caller]
    fn refused(from: &str, to: &str, what: &str, at: &str) {
        let text = NFTABLES.replacen(from, to, 1);
        let mistake = parse(&text).expect_err(to);
        assert!(mistake.what.contains(what), "{mistake:?}");
        assert_eq!(text.get(mistake.place), Some(at));
    }

    #[test]
    fn what_is_misspelt_or_said_twice_is_refused_with_its_place() {
        refused("stateful: true", "statefull: true", "unknown field `statefull`", "statefull");
        refused(
            "stateful: true",
            "stateful: true\nstateful: true",
            "duplicate mapping key: stateful",
            "stateful",
        );
        refused("stateful: true", "stateful: perhaps", "invalid boolean", "perhaps");
        refused("view: 4", "view: -1", "invalid u32", "-1");
        refused("letters digits . _ -", "letters :", "mapping values", "  characters: letters :");
        refused("  logging: yes\n", "", "missing field `logging`", "atomic-load");
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_its_place() {
        refused("version: 1", "version: 2", "version 1", "version");
        refused("letters digits . _ -", "letters *", "`*` is no class", "characters");
        refused("[ipv4, ipv6]", "[]", "families", "families");
        refused("[ipv4, ipv6]", "[ipv4, ipv4]", "families", "families");
        refused("input: yes", "input: a | b", "one line", "input");
    }

    #[test]
    fn anchors_and_several_documents_are_refused() {
        for text in ["a: &a [1]\n", "a: &a [1]\nb: [*a, *a]\n", &format!("{NFTABLES}---\n{NFTABLES}")] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn an_interface_name_has_the_characters_that_are_named_and_no_others() {
        let names = InterfaceNames { max_bytes: 8, characters: "letters digits . -".to_owned() };
        for good in ["ether1", "a.b-c"] {
            assert!(names.hold(good), "{good}");
        }
        for bad in ["", ".", "..", "a_b", "a b", "a\"", "a/b", "ether12345", "\u{fc}"] {
            assert!(!names.hold(bad), "{bad}");
        }
    }
}
