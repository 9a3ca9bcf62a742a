//! A line of sets, cut into the words that `ipset restore` makes of it.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use pest::Parser;

use super::super::line::readable;
use crate::source::parse_flat;

/// The parser that is generated from the grammar. Kept apart since it cannot document its rules.
#[allow(missing_docs, reason = "the derive cannot document the rules that it generates")]
mod grammar {
    /// The generated parser.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/ipset.pest"]
    pub(super) struct Grammar;
}

use grammar::{Grammar, Rule};

/// The longest line that the tool reads as one, in bytes; its buffer holds 1,024.
const MAX_LINE_BYTES: usize = 1_022;

/// The words of a line; none for a blank line or a comment.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<&str>, String> {
    readable(text, MAX_LINE_BYTES, "ipset")?;
    let pair = parse_flat(|| Grammar::parse(Rule::line, text)).ok().and_then(|mut pairs| pairs.next());
    let pair = pair.ok_or("a quote is not closed, or stands inside a word")?;
    let command = pair.into_inner().find(|item| item.as_rule() == Rule::command);
    Ok(command.map_or_else(Vec::new, |command| command.into_inner().map(|word| word.as_str()).collect()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn words_are_cut_as_the_tool_cuts_them() {
        assert_eq!(parse("  add a 1 comment \"x # \\\" "), Ok(vec!["add", "a", "1", "comment", "x # \\"]));
        assert_eq!(parse(" # add a 1"), Ok(vec![]));
        assert_eq!(parse(""), Ok(vec![]));
        for wrong in ["add a \"x", "add a \"x\"y", "add a\r", &"a".repeat(1_023)] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
