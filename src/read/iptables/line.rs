//! A line of rules, cut into what `iptables-restore` makes of it.
//!
//! In: a line without its end. Out: its kind and words, quotes and backslashes resolved as the tool does it
//! (`add_param_to_argv`, iptables/xshared.c).
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use std::borrow::Cow;

use pest::Parser;
use pest::iterators::Pair;

use crate::source::parse_flat;

/// The parser that is generated from the grammar. Kept apart since it cannot document its rules.
#[allow(missing_docs, reason = "the derive cannot document the rules that it generates")]
mod grammar {
    /// The generated parser.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/iptables.pest"]
    pub(super) struct Grammar;
}

use grammar::{Grammar, Rule};

/// The longest line that the tool reads as one, in bytes (its buffer holds 10,240, the end of the line and a zero among
/// them). What is beyond is a line of its own to it, even in a comment.
const MAX_LINE_BYTES: usize = 10_238;

/// A line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Line<'t> {
    /// Nothing.
    Blank,
    /// A comment, with its `#`.
    Comment(&'t str),
    /// The start of a table.
    Table(&'t str),
    /// The end of a table.
    Commit,
    /// A chain, and its policy or `-`.
    Chain {
        /// Its name.
        name: &'t str,
        /// `ACCEPT`, `DROP` or `-`.
        policy: &'t str,
    },
    /// A command, as words; at least one.
    Rule(Vec<Cow<'t, str>>),
}

/// Cuts a line.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Line<'_>, String> {
    readable(text, MAX_LINE_BYTES, "iptables-restore")?;
    if text.is_empty() {
        return Ok(Line::Blank);
    }
    let pair = parse_flat(|| Grammar::parse(Rule::line, text)).ok().and_then(|mut pairs| pairs.next());
    let item = pair.and_then(|pair| pair.into_inner().next()).ok_or_else(|| unreadable(text))?;
    let line = match item.as_rule() {
        Rule::comment => Line::Comment(item.as_str()),
        Rule::table => Line::Table(names(item).next().unwrap_or_default()),
        Rule::commit => Line::Commit,
        Rule::rule if text.starts_with([':', '*']) => return Err(unreadable(text)),
        Rule::chain => {
            let mut names = names(item);
            Line::Chain { name: names.next().unwrap_or_default(), policy: names.next().unwrap_or_default() }
        }
        _ => Line::Rule(item.into_inner().filter(|part| part.as_rule() == Rule::word).map(word).collect()),
    };
    Ok(line)
}

/// Refuses what the tool does not read as one line of text.
///
/// # Errors
/// Why.
pub(super) fn readable(text: &str, max_bytes: usize, tool: &str) -> Result<(), String> {
    if text.len() > max_bytes {
        return Err(format!(
            "the line is longer than {max_bytes} bytes; {tool} takes what is beyond for a line of its own"
        ));
    }
    if text.contains('\0') {
        return Err("the line holds a zero byte, which ends it for the tool".to_owned());
    }
    if text.ends_with('\r') {
        return Err(
            "the line ends in a carriage return, which is part of its last word for the tool".to_owned()
        );
    }
    Ok(())
}

fn unreadable(text: &str) -> String {
    if text.trim_matches([' ', '\t']).is_empty() {
        "nothing but white space, which iptables-restore refuses; empty the line".to_owned()
    } else if text.starts_with(':') {
        "a chain is written `:NAME POLICY [PACKETS:BYTES]`".to_owned()
    } else if text.starts_with('*') {
        "a table is written `*NAME`".to_owned()
    } else {
        "a quote is opened and not closed".to_owned()
    }
}

fn names<'t>(item: Pair<'t, Rule>) -> impl Iterator<Item = &'t str> {
    item.into_inner().filter(|part| part.as_rule() == Rule::name).map(|part| part.as_str())
}

fn word(pair: Pair<'_, Rule>) -> Cow<'_, str> {
    let mut word = Cow::Borrowed("");
    for part in pair.into_inner() {
        let text = match part.as_rule() {
            Rule::quoted => unescaped(part.into_inner().next().map_or("", |inner| inner.as_str())),
            _ => Cow::Borrowed(part.as_str()),
        };
        word = if word.is_empty() { text } else { Cow::Owned(word.into_owned() + &text) };
    }
    word
}

/// A text between quotes: a backslash stands for what follows it.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::{Line, parse};

    fn words(text: &str) -> Vec<String> {
        let Ok(Line::Rule(words)) = parse(text) else { panic!("a rule: {text}") };
        words.into_iter().map(|word| word.into_owned()).collect()
    }

    #[test]
    fn words_are_cut_as_the_tool_cuts_them() {
        assert_eq!(words("[12:3] -A INPUT\t-j  ACCEPT "), ["-A", "INPUT", "-j", "ACCEPT"]);
        assert_eq!(words(r#"--comment "a \"b\\" -j"#), ["--comment", r#"a "b\"#, "-j"]);
        assert_eq!(words(r#"ab"c d"e "" f\ g"#), ["abc d", "e", "", "f\\", "g"]);
    }

    #[test]
    fn lines_have_their_kinds() {
        assert_eq!(parse("*filter "), Ok(Line::Table("filter")));
        assert_eq!(parse("COMMIT"), Ok(Line::Commit));
        assert_eq!(parse(":a/b - [0:0]"), Ok(Line::Chain { name: "a/b", policy: "-" }));
        assert_eq!(parse("# x"), Ok(Line::Comment("# x")));
        assert_eq!(parse(""), Ok(Line::Blank));
        assert_eq!(words("COMMIT "), ["COMMIT"]);
        for wrong in [" ", "-A \"x", ":x", "*", "*a b", "x\r", "x\0", &"#".repeat(10_239)] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
