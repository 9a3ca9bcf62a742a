//! Tokens as text: on one line, or on as many as they need.

use super::MAX_WIDTH;
use super::piece::Piece;
use super::token::Token;

/// The number of characters of a text.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// The blanks before a clause, or before a part of one, by the word that it begins with: few where it goes on with what
/// stands before, more where something else begins.
pub(super) fn gap(keyword: &str) -> &'static str {
    match keyword {
        "from" | "to" | "via" | "then" | "except" => "  ",
        _ => "   ",
    }
}

/// The blanks before a part of a clause.
pub(super) fn part_gap(keyword: &str) -> &'static str {
    match keyword {
        "zone" | "to" => " ",
        other => gap(other),
    }
}

/// Tokens without comments, on one line. `first` is the place of the first of them in its piece.
pub(super) fn on_one_line(tokens: &[Token], first: usize, parts: &[usize]) -> String {
    let mut text = String::new();
    let mut before: Option<&Token> = None;
    for (place, token) in (first..).zip(tokens) {
        if let Some(before) = before {
            text.push_str(space(before, token, parts.binary_search(&place).is_ok()));
        }
        text.push_str(token.text);
        before = Some(token);
    }
    text
}

/// What stands between two tokens on one line.
fn space(before: &Token, token: &Token, begins_part: bool) -> &'static str {
    match (before.text, token.text) {
        (_, "," | ")") | ("(", _) => "",
        _ if begins_part => part_gap(token.text),
        _ => " ",
    }
}

/// A piece on as many lines as it needs: broken behind commas, before parts, before `and` and `or`, and where comments
/// stand. Lines behind the first begin with `indent`. Texts and words stay whole, however long.
pub(super) fn filled(piece: &Piece, start: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    // What the line holds, its width, and whether it is still without a token.
    let (mut line, mut used, mut is_blank) = (start.to_owned(), width(start), true);
    let mut next_line = |line: &mut String, used: &mut usize| {
        lines.push(std::mem::replace(line, indent.to_owned()));
        *used = width(indent);
    };
    let mut before: Option<&Token> = None;
    for (place, chunk) in chunks(piece) {
        let Some(first) = chunk.first() else { continue };
        let blanks = before.map_or("", |before| {
            let begins_part = piece.parts.binary_search(&place).is_ok();
            if first.is_comment() { "  " } else { space(before, first, begins_part) }
        });
        let text = on_one_line(chunk, place, &piece.parts);
        let needed = blanks.len() + width(&text);
        let breaks = match before {
            None => false,
            Some(before) if before.is_comment() => true,
            Some(_) if first.is_comment() => first.breaks > 0,
            Some(_) => used + needed > MAX_WIDTH,
        };
        if breaks && !is_blank {
            next_line(&mut line, &mut used);
            is_blank = true;
        }
        if !is_blank {
            line.push_str(blanks);
            used += blanks.len();
        }
        line.push_str(&text);
        used += width(&text);
        is_blank = false;
        before = chunk.last();
    }
    lines.push(line);
    lines
}

/// The tokens that stay together, each with the place of the first.
fn chunks<'p, 't>(piece: &'p Piece<'t>) -> Vec<(usize, &'p [Token<'t>])> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut previous: Option<&Token> = None;
    for (place, token) in piece.tokens.iter().enumerate() {
        let parts = previous.is_some_and(|previous| {
            let is_break = previous.text == "," || matches!(token.text, "and" | "or");
            let is_comment = previous.is_comment() || token.is_comment();
            is_comment || (is_break && token.text != ",") || piece.parts.binary_search(&place).is_ok()
        });
        if parts {
            chunks.push((start, piece.tokens.get(start..place).unwrap_or_default()));
            start = place;
        }
        previous = Some(token);
    }
    chunks.push((start, piece.tokens.get(start..).unwrap_or_default()));
    chunks
}
