//! The tokens of a file, comments among them: all of its text but blanks and line ends.
//!
//! The cut is that of `grammar/cordon.pest`: a word is as long as it can be, a text ends with its line at the latest.

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A word: a keyword, a name, an address, a port, a date.
    Word,
    /// A text in its quotes.
    Text,
    /// Anything else, such as `{`, `,` or `==`.
    Mark,
    /// From `#` to the end of the line, without blanks at the end.
    Comment,
}

/// A token, and how it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    /// Where it begins in the file, in bytes.
    pub(super) start: usize,
    /// The line ends between the token before and this one.
    pub(super) breaks: usize,
}

impl Token<'_> {
    pub(super) fn is_comment(&self) -> bool {
        self.kind == Kind::Comment
    }
}

/// Cuts text into tokens.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut breaks) = (text, 0);
    while let Some(first) = rest.chars().next() {
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            breaks += usize::from(first == '\n');
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let (kind, length) = measured(rest, first);
        let (token, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let shown = if kind == Kind::Comment { token.trim_end_matches([' ', '\t', '\r']) } else { token };
        tokens.push(Token { kind, text: shown, start: text.len() - rest.len(), breaks });
        (rest, breaks) = (behind, 0);
    }
    tokens
}

/// What the token at the start of `text` is, and how many bytes it has.
fn measured(text: &str, first: char) -> (Kind, usize) {
    match first {
        '#' => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
        '"' => text_length(text).map_or((Kind::Mark, 1), |length| (Kind::Text, length)),
        word if is_word(word) => (Kind::Word, text.find(|other| !is_word(other)).unwrap_or(text.len())),
        _ if text.starts_with("==") || text.starts_with("!=") => (Kind::Mark, 2),
        other => (Kind::Mark, other.len_utf8()),
    }
}

/// The length of a text with its quotes; none if the line ends before it does.
fn text_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (offset, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(character, '_' | '-' | '.' | ':' | '/' | '+' | '*' | '@' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_in_texts_and_comments_are_none() {
        let found: Vec<(Kind, &str, usize)> =
            tokens("a{\"# {\\\"\" # \"}\t\r\n\n==b,").iter().map(|t| (t.kind, t.text, t.breaks)).collect();
        let expected = [
            (Kind::Word, "a", 0),
            (Kind::Mark, "{", 0),
            (Kind::Text, "\"# {\\\"\"", 0),
            (Kind::Comment, "# \"}", 0),
            (Kind::Mark, "==", 2),
            (Kind::Word, "b", 0),
            (Kind::Mark, ",", 0),
        ];
        assert_eq!(found, expected);
    }
}
