//! From text to statements.
//!
//! In: the text of a ruleset. Out: its statements and the braces of its blocks, in order, each with its lines. Nothing
//! is dropped but blank space and comments, and no text is refused: what fits nowhere comes out as [`Piece::Bad`].
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use std::borrow::Cow;
use std::rc::Rc;

use pest::Parser;
use pest::iterators::Pair;

use self::grammar::{Grammar, Rule};
use crate::read::place::LineIndex;
use crate::source::parse_flat;

/// The parser that is generated from the grammar. Kept apart since it cannot document its rules.
#[allow(missing_docs, reason = "the derive cannot document the rules that it generates")]
mod grammar {
    /// The generated parser.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/nftables.pest"]
    pub(super) struct Grammar;
}

/// A part of a statement.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Piece<'t> {
    /// A word: a keyword, a name, a number, an address, a range without spaces.
    Word(Cow<'t, str>),
    /// What stands between double quotes.
    Text(Cow<'t, str>),
    /// An operator or a separator.
    Symbol(&'t str),
    /// Elements between braces.
    List(Rc<[Element<'t>]>),
    /// Something else between braces.
    Lines(&'t str),
    /// What fits nowhere.
    Bad(&'t str),
}

/// A part of a statement and its line.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Token<'t> {
    /// The part.
    pub(super) piece: Piece<'t>,
    /// The line that it stands in, counted from one.
    pub(super) line: usize,
}

/// What stands between two commas of a list.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Element<'t> {
    /// Its text, without blanks around it.
    pub(super) text: Cow<'t, str>,
    /// The line that it starts in, counted from one.
    pub(super) line: usize,
}

/// A statement: what stands between two ends of lines or semicolons.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Statement<'t> {
    /// Its parts, at least one.
    pub(super) tokens: Vec<Token<'t>>,
    /// The first and the last line that it stands in, counted from one.
    pub(super) lines: (usize, usize),
}

/// What a ruleset consists of.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Item<'t> {
    /// What stands before the opening brace of a block.
    Open(Statement<'t>),
    /// A closing brace, and its line.
    Close(usize),
    /// A statement.
    Statement(Statement<'t>),
}

/// The items of a text; if it is too intricate, the line up to which it was read.
pub(super) fn scan<'t>(text: &'t str, lines: &LineIndex) -> Result<Vec<Item<'t>>, usize> {
    let pairs = parse_flat(|| Grammar::parse(Rule::file, text)).map_err(|error| {
        let (pest::error::InputLocation::Pos(place) | pest::error::InputLocation::Span((place, _))) =
            error.location;
        lines.line_of(place)
    })?;
    let items = pairs.flat_map(Pair::into_inner).filter_map(|pair| item(pair, lines));
    Ok(items.collect())
}

fn item<'t>(pair: Pair<'t, Rule>, lines: &LineIndex) -> Option<Item<'t>> {
    let span = pair.as_span();
    let (first, last) = (lines.line_of(span.start()), lines.line_of(span.end().saturating_sub(1)));
    let rule = pair.as_rule();
    let statement = |pair: Pair<'t, Rule>| {
        let tokens = pair.into_inner().filter_map(|part| token(part, lines)).collect();
        Statement { tokens, lines: (first, last) }
    };
    match rule {
        Rule::open => Some(Item::Open(statement(pair))),
        Rule::close => Some(Item::Close(first)),
        Rule::statement => Some(Item::Statement(statement(pair))),
        _ => None,
    }
}

fn token<'t>(pair: Pair<'t, Rule>, lines: &LineIndex) -> Option<Token<'t>> {
    let text = pair.as_str();
    let line = lines.line_of(pair.as_span().start());
    let piece = match pair.as_rule() {
        Rule::word | Rule::kind | Rule::verb => Piece::Word(Cow::Borrowed(text)),
        Rule::string => Piece::Text(Cow::Borrowed(unquoted(text))),
        Rule::symbol => Piece::Symbol(text),
        Rule::lines => Piece::Lines(text),
        Rule::bad => Piece::Bad(text),
        Rule::list => Piece::List(pair.into_inner().map(|part| element(&part, lines)).collect()),
        _ => return None,
    };
    Some(Token { piece, line })
}

fn element<'t>(pair: &Pair<'t, Rule>, lines: &LineIndex) -> Element<'t> {
    Element { text: Cow::Borrowed(pair.as_str().trim_end()), line: lines.line_of(pair.as_span().start()) }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

/// What verdicts of elements start with.
const VERDICTS: [&str; 6] = ["accept", "drop", "continue", "return", "jump", "goto"];

/// The parts of an element.
pub(super) fn split<'t>(text: &'t str, line: usize) -> Vec<Token<'t>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (piece, length) = match first {
            '"' => match rest.get(1..).and_then(|behind| behind.find('"')) {
                Some(end) => (Piece::Text(Cow::Borrowed(rest.get(1..=end).unwrap_or_default())), end + 2),
                None => (Piece::Bad(rest), rest.len()),
            },
            _ => {
                let end = rest.find([' ', '\t', '\r', '"', '|', '(', ')']).unwrap_or(rest.len());
                let length = end.max(first.len_utf8());
                let word = rest.get(..length).unwrap_or(rest);
                split_word(word)
            }
        };
        tokens.push(Token { piece, line });
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    tokens
}

/// The first piece of what holds no blank, and its length. A colon behind a key may touch it, and a verdict may touch
/// the colon; addresses and times hold colons too.
fn split_word(word: &str) -> (Piece<'_>, usize) {
    if let Some(symbol) = [".", ":", "-", "|", "(", ")"].into_iter().find(|symbol| *symbol == word) {
        return (Piece::Symbol(symbol), word.len());
    }
    for symbol in ["-", ":"] {
        if let Some(behind) = word.strip_prefix(symbol)
            && !behind.starts_with(':')
            && (symbol == ":" || behind.is_empty())
        {
            return (Piece::Symbol(symbol), 1);
        }
    }
    let key = word.rsplit_once(':').filter(|(before, behind)| {
        !before.is_empty()
            && (behind.is_empty() && !before.ends_with(':')
                || VERDICTS.iter().any(|verdict| verdict == behind))
    });
    match key {
        Some((before, _)) => (Piece::Word(Cow::Borrowed(before)), before.len()),
        None => (Piece::Word(Cow::Borrowed(word)), word.len()),
    }
}

/// Parts of a statement as one text, in the form in which conditions that the model has no field for are kept: one
/// blank between words, numbers in decimal.
pub(super) fn render(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        if !text.is_empty() && token.piece != Piece::Symbol(",") {
            text.push(' ');
        }
        match &token.piece {
            Piece::Word(word) => text.push_str(&canonical_word(word)),
            Piece::Text(string) => text.push_str(&format!("\"{string}\"")),
            Piece::Symbol(symbol) => text.push_str(symbol),
            Piece::Lines(other) | Piece::Bad(other) => text.push_str(other),
            Piece::List(elements) => {
                let mut elements: Vec<String> =
                    elements.iter().map(|element| render(&split(&element.text, element.line))).collect();
                elements.sort();
                text.push_str(&format!("{{ {} }}", elements.join(", ")));
            }
        }
    }
    text
}

fn canonical_word(word: &str) -> Cow<'_, str> {
    match word.strip_prefix("0x").map(|digits| u128::from_str_radix(digits, 16)) {
        Some(Ok(number)) => Cow::Owned(number.to_string()),
        _ => Cow::Borrowed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::{render, split};

    fn parts(text: &str) -> String {
        split(text, 1).iter().map(|token| format!("[{}]", render(std::slice::from_ref(token)))).collect()
    }

    #[test]
    fn elements_are_taken_apart() {
        assert_eq!(parts("10.0.0.0/8 . tcp . 22 : accept"), "[10.0.0.0/8][.][tcp][.][22][:][accept]");
        assert_eq!(parts("\"a b\".\"c\":jump x"), "[\"a b\"][.][\"c\"][:][jump][x]");
        assert_eq!(parts("22: drop"), "[22][:][drop]");
        assert_eq!(parts("22:accept"), "[22][:][accept]");
        assert_eq!(parts("2001:db8:: : drop"), "[2001:db8::][:][drop]");
        assert_eq!(parts("::1-::2 counter"), "[::1-::2][counter]");
        assert_eq!(parts("\"06:00\"-\"08:00\""), "[\"06:00\"][-][\"08:00\"]");
        assert_eq!(parts("syn|ack : accept"), "[syn][|][ack][:][accept]");
        assert_eq!(parts("\"open"), "[\"open]");
    }
}
