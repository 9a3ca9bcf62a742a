//! The parts that a file is made of, as far as one of them can be left out without the others.
//!
//! In: the text of a file, with or without mistakes. Out: its statements, clauses and entries of lists as ranges of bytes,
//! nested as they stand. What they say is in the [tree](super::ast).
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use std::ops::Range;

use pest::Parser;
use pest::iterators::Pair;

use super::grammar::{Grammar, Rule};
use super::lexical::check_depth;
use super::parse::grammar_pairs;
use crate::diag::Diagnostics;
use crate::source::SourceFile;

/// A part of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its bytes in the file.
    pub range: Range<usize>,
    /// What it is made of, in the order of the text.
    pub parts: Vec<Parts>,
}

/// Parts of a part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parts {
    /// One that can be left out.
    Optional(Part),
    /// A list with commas, of which one has to stay.
    List(Vec<Part>),
}

/// The statements of a file. A file that nests too deep to be read is one part.
pub fn parts(file: &SourceFile) -> Vec<Part> {
    let whole = || vec![Part { range: 0..file.text().len(), parts: Vec::new() }];
    if !check_depth(file, &mut Diagnostics::default()) {
        return whole();
    }
    match grammar_pairs(file) {
        Ok(pairs) => {
            let items = pairs.flat_map(Pair::into_inner).filter(|pair| pair.as_rule() != Rule::EOI);
            items.map(|pair| statement(&pair)).collect()
        }
        Err(_) => whole(),
    }
}

/// True if a word of letters, digits and signs means something by itself, so that nothing can be called so.
pub fn is_reserved(word: &str) -> bool {
    let parsed = Grammar::parse(Rule::name, word);
    parsed.map_or(true, |mut pairs| pairs.next().is_none_or(|pair| pair.as_str() != word))
}

/// The bytes of a pair. What the grammar skipped behind its last word does not belong to it.
fn range(pair: &Pair<Rule>) -> Range<usize> {
    let span = pair.as_span();
    let last = pair.clone().into_inner().last();
    let is_closed = |end: usize| pair.as_str().get(end - span.start()..).is_some_and(only_blank);
    let end = last.map(|last| range(&last).end).filter(|end| is_closed(*end));
    span.start()..end.unwrap_or_else(|| span.start() + pair.as_str().trim_end().len())
}

/// True if a text holds nothing but blanks and comments.
fn only_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#'))
}

fn statement(pair: &Pair<Rule>) -> Part {
    let behind = pair.clone().into_inner().skip_while(|inner| inner.as_rule() != Rule::opened).skip(1);
    let clauses = behind.filter(|inner| inner.as_rule() != Rule::closed);
    Part { range: range(pair), parts: clauses.map(|clause| Parts::Optional(part(&clause))).collect() }
}

fn part(pair: &Pair<Rule>) -> Part {
    let mut parts = Vec::new();
    if let Some(entries) = entries(pair.as_rule()) {
        let is_entry = |inner: &Pair<Rule>| entries.contains(&inner.as_rule());
        let mut listed: Vec<Pair<Rule>> = pair.clone().into_inner().filter(is_entry).collect();
        if pair.as_rule() == Rule::ports_of_zone {
            // The last word is the zone.
            listed.pop();
        }
        if !listed.is_empty() {
            parts.push(Parts::List(listed.iter().map(part).collect()));
        }
    }
    let of_list = entries(pair.as_rule()).unwrap_or_default();
    for inner in pair.clone().into_inner().filter(|inner| !of_list.contains(&inner.as_rule())) {
        if is_optional(pair.as_rule(), inner.as_rule()) {
            parts.push(Parts::Optional(part(&inner)));
        } else {
            parts.extend(part(&inner).parts);
        }
    }
    parts.sort_by_key(|parts| match parts {
        Parts::Optional(part) => part.range.start,
        Parts::List(parts) => parts.first().map_or(0, |part| part.range.start),
    });
    Part { range: range(pair), parts }
}

/// What the entries of a list are, for what begins with a list that commas join.
fn entries(rule: Rule) -> Option<&'static [Rule]> {
    Some(match rule {
        Rule::names | Rule::except | Rule::ports_of_zone => &[Rule::name],
        Rule::via => &[Rule::name, Rule::protocol_ports],
        Rule::protocol_arguments | Rule::source_ports => &[Rule::port],
        Rule::codes => &[Rule::word],
        Rule::storm => &[Rule::storm_level],
        _ => return None,
    })
}

fn is_optional(outer: Rule, inner: Rule) -> bool {
    let in_reach = matches!(outer, Rule::reaches | Rule::reached_by);
    match inner {
        Rule::except | Rule::source_ports | Rule::at_least | Rule::storm => true,
        Rule::log | Rule::during | Rule::reason | Rule::ticket | Rule::until | Rule::accepted => in_reach,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn the_parts_are_those_that_can_be_left_out() {
        let text = "allow a { from b, c except d # e\n to f }  # g\n{ }\nzone \"x";
        let mut sources = Sources::default();
        let parts = parts(sources.add("a.cordon".into(), text.into()).unwrap());
        let of = |part: &Part| text[part.range.clone()].to_owned();
        let texts: Vec<String> = parts.iter().map(of).collect();
        assert_eq!(texts[0], "allow a { from b, c except d # e\n to f }");
        let Parts::Optional(from) = &parts[0].parts[0] else { panic!("no clause") };
        assert_eq!(of(from), "from b, c except d");
        let [Parts::List(list), Parts::Optional(except)] = &from.parts[..] else { panic!("{from:?}") };
        assert_eq!(list.iter().map(of).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(of(except), "except d");
    }

    #[test]
    fn words_of_the_language_are_told_from_names() {
        for word in ["zone", "tcp", "owner", "from"] {
            assert!(is_reserved(word), "{word}");
        }
        for word in ["zones", "role", "tcpx", "file", "any"] {
            assert!(!is_reserved(word), "{word}");
        }
    }
}
