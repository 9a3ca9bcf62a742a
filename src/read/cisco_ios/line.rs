//! Lines of a config, cut into words.
//!
//! In: the text. Out: its lines one after the other, each with its number, its indentation and its words. A banner is one
//! item, however many lines it has.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use pest::Parser;

use crate::source::parse_flat;

/// The parser that is generated from the grammar. Kept apart since it cannot document its rules.
#[allow(missing_docs, reason = "the derive cannot document the rules that it generates")]
mod grammar {
    /// The generated parser.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/cisco_ios.pest"]
    pub(super) struct Grammar;
}

use grammar::{Grammar, Rule};

/// The longest line that is looked at, in bytes. The command line of IOS takes 254 characters.
pub(super) const MAX_LINE_BYTES: usize = 4096;

/// What stands between words.
const SPACE: [char; 2] = [' ', '\t'];

/// A line with words.
#[derive(Clone, Debug)]
pub(super) struct Line<'t> {
    /// Its number, counted from one.
    pub(super) number: usize,
    /// How far it is indented, in characters.
    pub(super) indent: usize,
    /// Its words, at least one.
    pub(super) words: Vec<&'t str>,
    /// The line without the space around it.
    pub(super) text: &'t str,
}

/// What a text consists of.
#[derive(Clone, Debug)]
pub(super) enum Item<'t> {
    /// A blank line, or a comment.
    Nothing,
    /// A command.
    Command(Line<'t>),
    /// A banner, from its first line to its last.
    Banner {
        /// The number of its last line.
        last: usize,
        /// False if the sign that ends it never comes.
        closed: bool,
    },
    /// The end of the digits of a certificate.
    CertificateEnd,
    /// A line that is too long, or holds what no line can hold.
    Unreadable,
}

/// Reads a text item by item.
#[derive(Clone, Debug)]
pub(super) struct Items<'t> {
    lines: Vec<&'t str>,
    next: usize,
}

impl<'t> Items<'t> {
    /// Starts at the first line.
    pub(super) fn new(text: &'t str) -> Self {
        let lines = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
        Items { lines, next: 0 }
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    fn item(&mut self, text: &'t str) -> Item<'t> {
        if text.len() > MAX_LINE_BYTES {
            return Item::Unreadable;
        }
        let Some(pair) =
            parse_flat(|| Grammar::parse(Rule::line, text)).ok().and_then(|mut pairs| pairs.next())
        else {
            return Item::Unreadable;
        };
        let mut indent = 0;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::indent => indent = part.as_str().len(),
                Rule::certificate_end => return Item::CertificateEnd,
                Rule::command => {
                    let text = part.as_str().trim_end_matches(SPACE);
                    let words = text.split(SPACE).filter(|word| !word.is_empty()).collect();
                    return Item::Command(Line { number: self.next, indent, words, text });
                }
                Rule::banner => {
                    let mut inner = part.into_inner();
                    let delimiter = inner.next().map_or("", |delimiter| delimiter.as_str());
                    let text = inner.next().map_or("", |text| text.as_str());
                    return self.banner(delimiter, text);
                }
                _ => {}
            }
        }
        Item::Nothing
    }

    fn banner(&mut self, delimiter: &str, first: &str) -> Item<'t> {
        let ends = |line: &str| line.contains(delimiter);
        if ends(first) {
            return Item::Banner { last: self.next, closed: true };
        }
        let rest = self.lines.get(self.next..).unwrap_or_default();
        match rest.iter().position(|line| ends(line)) {
            Some(further) => {
                self.next += further + 1;
                Item::Banner { last: self.next, closed: true }
            }
            None => Item::Banner { last: self.next, closed: false },
        }
    }
}

impl<'t> Iterator for Items<'t> {
    type Item = (usize, Item<'t>);

    /// The next item, with the number of its first line.
    fn next(&mut self) -> Option<Self::Item> {
        let text = self.lines.get(self.next)?;
        self.next += 1;
        let number = self.next;
        let item = self.item(text);
        Some((number, item))
    }
}
