//! What devices count, in one form for all platforms.
//!
//! In: a text that a device shows. Out: counters, each with the name that cordon put beside it, and which parts of the
//! device's config the text is of. A text is known by its content, not by the name of its file.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{cisco_ios, iptables, nftables, pfsense};

/// A counter as a device shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counter {
    /// The part of the config that it belongs to, as [`Dump::parts`] names it.
    pub part: String,
    /// What tells it from others of that part, now and later.
    pub key: String,
    /// What cordon put beside it: the name of a statement, as it is or in a short form. Access lists show none.
    pub name: Option<String>,
    /// How many packets it saw.
    pub packets: u64,
    /// How many bytes, where the device counts them.
    pub bytes: Option<u64>,
}

/// All counters of one text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dump {
    /// The counters, in the order of the text.
    pub counters: Vec<Counter>,
    /// The parts of a config of which the text shows all counters.
    pub parts: BTreeSet<String>,
}

/// What shows counters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Form {
    /// `nft -j list ruleset`.
    NftablesJson,
    /// `nft list ruleset`.
    NftablesText,
    /// `iptables-save -c`, `ip6tables-save -c`, `ipset save` or `ipset list`, or several of them one after the other.
    Iptables,
    /// `show access-lists`, `show ip access-lists` or `show ipv6 access-list`.
    CiscoIos,
    /// `pfctl -vvsr`.
    PfRules,
    /// `pfctl -sl`.
    PfLabels,
}

/// Why a text cannot be used.
#[derive(Error, Clone, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// It is none of the texts that are known.
    #[error(
        "this is no list of counters that cordon knows: it reads `nft -j list ruleset`, `nft list ruleset`, \
         `iptables-save -c`, `ip6tables-save -c`, `ipset save`, `show access-lists`, `pfctl -vvsr` and `pfctl -sl`"
    )]
    Unknown,
    /// It lists rules without what they counted.
    #[error("it shows no counters: {0}")]
    NoCounters(&'static str),
    /// Nothing of cordon's is in it.
    #[error("nothing in it was made by cordon: {0}")]
    NotOurs(&'static str),
    /// A line cannot be read.
    #[error("line {line}: {what}")]
    Line {
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// It is not JSON, or not that of nft.
    #[error("{0}")]
    Json(String),
}

impl Form {
    /// The target whose devices show it.
    pub fn target(self) -> &'static str {
        match self {
            Form::NftablesJson | Form::NftablesText => "nftables",
            Form::Iptables => "iptables",
            Form::CiscoIos => "cisco-ios",
            Form::PfRules | Form::PfLabels => "pfsense",
        }
    }

    /// The command that shows it.
    pub fn command(self) -> &'static str {
        match self {
            Form::NftablesJson => "nft -j list ruleset",
            Form::NftablesText => "nft list ruleset",
            Form::Iptables => "iptables-save -c and ipset save",
            Form::CiscoIos => "show access-lists",
            Form::PfRules => "pfctl -vvsr",
            Form::PfLabels => "pfctl -sl",
        }
    }
}

/// Says whether a line is of a form.
type IsOf = fn(&str) -> bool;

/// Says what a text is.
///
/// # Errors
/// [`Unreadable::Unknown`] if it is nothing that is known.
pub fn detect(text: &str) -> Result<Form, Unreadable> {
    if text.trim_start().starts_with('{') {
        return Ok(Form::NftablesJson);
    }
    let lines = || text.lines().map(str::trim_start);
    let tests: [(Form, IsOf); 5] = [
        (Form::NftablesText, |line| line.starts_with("table ") && line.trim_end().ends_with('{')),
        (Form::Iptables, iptables::is_beginning),
        (Form::CiscoIos, cisco_ios::is_heading),
        (Form::PfRules, pfsense::is_rule_count),
        (Form::PfLabels, pfsense::is_label),
    ];
    let known = tests.into_iter().find(|(_, test)| lines().any(test));
    known.map(|(form, _)| form).ok_or(Unreadable::Unknown)
}

/// Reads the counters of a text.
///
/// # Errors
/// [`Unreadable`] says why there are none, or what cannot be read.
pub fn read(form: Form, text: &str) -> Result<Dump, Unreadable> {
    match form {
        Form::NftablesJson => nftables::read_json(text),
        Form::NftablesText => nftables::read_listing(text),
        Form::Iptables => iptables::read(text),
        Form::CiscoIos => cisco_ios::read(text),
        Form::PfRules => pfsense::read_rules(text),
        Form::PfLabels => pfsense::read_labels(text),
    }
}

/// A number of a text, or a mistake in its line.
pub(super) fn number(text: &str, line: usize) -> Result<u64, Unreadable> {
    text.parse().map_err(|_| Unreadable::Line { line, what: format!("`{text}` is no count") })
}
