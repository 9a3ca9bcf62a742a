//! Words, names, texts and limits: what can be said of a token by itself.

use super::ast::Word;
use super::block::Form;
use super::error::SyntaxError;
use crate::diag::Diagnostics;
use crate::source::{SourceFile, Span, Spanned};

/// The longest name of a statement, in bytes. Every target can carry a name of this length in a comment.
pub const MAX_NAME_BYTES: usize = 63;

/// The deepest nesting of parentheses in a condition.
const MAX_DEPTH: usize = 64;

/// True if `name` can name a statement: a letter, then letters, digits, `_` and `-`, 63 in all.
pub fn valid_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// Reports a name that no statement may have.
pub(super) fn check_name(name: &Word, diagnostics: &mut Diagnostics) {
    if valid_name(&name.node) {
        return;
    }
    let too_long = name.node.len() > MAX_NAME_BYTES;
    let odd = name.node.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'));
    let (problem, help) = match (name.node.chars().next(), odd) {
        (Some(first), _) if !first.is_ascii_alphabetic() => {
            (format!("begins with `{first}`"), NAME_FORM.to_owned())
        }
        (_, Some(odd)) => (format!("holds `{odd}`"), NAME_FORM.to_owned()),
        _ if too_long => (format!("{} bytes long", name.node.len()), format!("use at most {MAX_NAME_BYTES}")),
        _ => return,
    };
    let (name, span, help) = (name.node.clone(), name.span, Some(help));
    diagnostics.push(SyntaxError::BadName { name, span, problem, help });
}

/// What a name is made of.
const NAME_FORM: &str = "a name is a letter, then letters, digits, `_` and `-`";

/// The mistake of a token where a name belongs, and that is none.
pub(super) fn not_a_name(token: &str, span: Span) -> SyntaxError {
    let (name, problem, help) = if let Some(quoted) = token.strip_prefix('"') {
        let name = quoted.trim_end_matches('"').to_owned();
        (name, "a text in quotes", format!("{NAME_FORM}; a full name can stand in a `note`"))
    } else if token.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let help = format!("choose another name, such as `{token}_1`");
        (token.to_owned(), "a word of the language", help)
    } else {
        (token.to_owned(), "not a word", NAME_FORM.to_owned())
    };
    SyntaxError::BadName { name, span, problem: problem.to_owned(), help: Some(help) }
}

/// The help for a word that begins no clause: the nearest known one, and all of them.
pub(super) fn clause_help(word: &str, form: &Form) -> String {
    let all: Vec<String> = form.usages.iter().map(|(keyword, _)| format!("`{keyword}`")).collect();
    let all = format!("a {} takes {}{}", form.context, form.also, all.join(", "));
    match form.usage_like(word) {
        Some(keyword) => format!("did you mean `{keyword}`? {all}"),
        None => all,
    }
}

/// The help for a character that people write out of habit, or that an office program made of another.
pub(super) fn symbol_help(symbol: &str) -> Option<&'static str> {
    match symbol {
        "\u{2018}" | "\u{2019}" | "\u{201a}" | "\u{201c}" | "\u{201d}" | "\u{201e}" | "\u{ab}" | "\u{bb}"
        | "'" => Some("a text stands in straight double quotes: `\"text\"`"),
        "\u{2010}" | "\u{2011}" | "\u{2012}" | "\u{2013}" | "\u{2014}" | "\u{2212}" => {
            Some("this is another sign than `-`, which belongs here")
        }
        ";" => Some("write no `;`: clauses and statements follow each other without a mark"),
        "," => {
            Some("a `,` joins the entries of a list; clauses and statements follow each other without a mark")
        }
        blank if blank.trim().is_empty() => Some("it looks like a blank, and is none; write a plain blank"),
        _ => None,
    }
}

/// The content of a quoted text: its quotes taken off, its escapes resolved.
pub(super) fn unquote(raw: &Word, diagnostics: &mut Diagnostics) -> String {
    let inner = raw.node.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.char_indices();
    while let Some((offset, character)) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next().map(|(_, escape)| escape) {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some(quoted @ ('"' | '\\')) => text.push(quoted),
            Some(escape) => {
                // The quote before the text is one byte.
                let start = raw.span.start() + 1 + offset;
                let span = Span::from_offsets(start, character.len_utf8() + escape.len_utf8());
                diagnostics.push(SyntaxError::UnknownEscape { escape, span });
            }
            None => {}
        }
    }
    text
}

/// Reports each character that may not stand in a policy.
pub(super) fn check_characters(file: &SourceFile, diagnostics: &mut Diagnostics) {
    for (offset, character) in file.forbidden() {
        diagnostics.push(SyntaxError::ForbiddenCharacter {
            character: format!("U+{:04X}", u32::from(*character)),
            span: file.span(*offset..*offset + character.len_utf8()),
        });
    }
}

/// Reports parentheses that nest too deep for the parser, which descends into each.
pub(super) fn check_depth(file: &SourceFile, diagnostics: &mut Diagnostics) -> bool {
    let (mut depth, mut in_text, mut in_comment, mut escaped) = (0_usize, false, false, false);
    for (offset, byte) in file.text().bytes().enumerate() {
        match byte {
            b'\n' => (in_text, in_comment, escaped) = (false, false, false),
            _ if in_comment => {}
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'#' => in_comment = true,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let span = file.span(offset..offset + 1);
            diagnostics.push(SyntaxError::TooDeep { limit: MAX_DEPTH, span });
            return false;
        }
    }
    true
}

/// A word that is absent: used where an error was reported and the tree still wants one.
pub(super) fn absent(at: Span) -> Word {
    Spanned { node: String::new(), span: at }
}
