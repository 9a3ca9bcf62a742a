//! Words, names, texts and limits: what can be said of a token by itself.

use super::ast::Word;
use super::error::SyntaxError;
use crate::diag::{Diagnostics, suggestion};
use crate::source::{SourceFile, Spanned};

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
    let (problem, help) = if name.node.len() > MAX_NAME_BYTES {
        (format!("{} bytes long", name.node.len()), format!("use at most {MAX_NAME_BYTES}"))
    } else {
        let help = "a name is a letter, then letters, digits, `_` and `-`".to_owned();
        ("holds what a name may not".to_owned(), help)
    };
    diagnostics.push(SyntaxError::BadName {
        name: name.node.clone(),
        span: name.span,
        problem,
        help: Some(help),
    });
}

/// The help for a word that begins no clause: the nearest known one, and all of them.
pub(super) fn clause_help(word: &str, context: &str, usages: &[(&str, &str)]) -> String {
    if let Some((_, usage)) = usages.iter().find(|(keyword, _)| *keyword == word) {
        return format!("the form is `{usage}`");
    }
    let all: Vec<String> = usages.iter().map(|(keyword, _)| format!("`{keyword}`")).collect();
    let all = format!("a {context} takes {}", all.join(", "));
    match suggestion(word, usages.iter().map(|(keyword, _)| *keyword)) {
        Some(suggestion) => format!("{suggestion} {all}"),
        None => all,
    }
}

/// The content of a quoted text: its quotes taken off, its escapes resolved.
pub(super) fn unquote(raw: &Word, diagnostics: &mut Diagnostics) -> String {
    let inner = raw.node.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some(quoted @ ('"' | '\\')) => text.push(quoted),
            Some(escape) => {
                diagnostics.push(SyntaxError::UnknownEscape { escape, span: raw.span });
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
pub(super) fn absent(at: crate::source::Span) -> Word {
    Spanned { node: String::new(), span: at }
}
