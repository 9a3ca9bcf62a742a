//! How free text is written into an output, so that it means nothing there but itself.
//!
//! INVARIANT: what comes out is printable and one line, and for every kind of quoting an input that is chosen with ill
//! intent cannot end the text that it stands in.

use sha2::{Digest, Sha256};

use crate::emit::capability::Quote;
use crate::source::is_forbidden;

/// Free text of at most `max_bytes`, quoted. What is too long is cut and ends in `...`.
pub(super) fn quoted(text: &str, quote: Quote, max_bytes: usize) -> String {
    let text = cut(&one_line(text), max_bytes);
    match quote {
        Quote::Plain => text.chars().map(plain).collect(),
        Quote::Routeros => routeros(&text),
        Quote::Shell => format!("'{}'", text.replace('\'', r"'\''")),
        Quote::Xml => text.chars().map(xml).collect(),
    }
}

/// Text without line ends and without characters that are not printed, or that turn text around.
fn one_line(text: &str) -> String {
    let is_separator = |c: char| c.is_whitespace() || is_forbidden(c);
    text.chars().map(|c| if is_separator(c) { ' ' } else { c }).collect()
}

fn cut(text: &str, max_bytes: usize) -> String {
    const MARK: &str = "...";
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let mark = if max_bytes < MARK.len() { "" } else { MARK };
    let kept = text.floor_char_boundary(max_bytes - mark.len());
    text.get(..kept).unwrap_or_default().to_owned() + mark
}

fn plain(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | ',' | ':' | '_' | '-' | '/' | '(' | ')') {
        c
    } else {
        '_'
    }
}

/// A text of RouterOS: what could mean something is written as `\XX` in capital hexadecimal digits, one for each byte.
fn routeros(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b" .,:_-/()+=".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            quoted += &format!("\\{byte:02X}");
        }
    }
    quoted + "\""
}

/// Five characters have a meaning in XML, the others are themselves; characters that XML does not have are gone
/// already (Extensible Markup Language 1.0, 2.2 and 2.4).
fn xml(c: char) -> String {
    match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '\u{fffe}' | '\u{ffff}' => "?".to_owned(),
        other => other.to_string(),
    }
}

/// A name, shortened where it is too long: then eight digits of a digest of the whole name keep it apart from others.
pub(super) fn name(whole: &str, max_bytes: usize) -> String {
    if whole.len() <= max_bytes {
        return whole.to_owned();
    }
    let digest: String =
        Sha256::digest(whole.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept = whole.floor_char_boundary(max_bytes.saturating_sub(digest.len() + 1));
    format!("{}-{digest}", whole.get(..kept).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\"; b 'c' $d `e` \\ ]]> <x> & {{ y }}\n\u{202e}\r\u{7f}\u{fc}";

    #[test]
    fn text_cannot_leave_its_quotes() {
        let quote = |quote| quoted(HOSTILE, quote, 1_000);
        assert_eq!(quote(Quote::Plain), "a__ b _c_ _d _e_ _ ___ _x_ _ __ y __    _");
        assert_eq!(
            quote(Quote::Routeros),
            "\"a\\22\\3B b \\27c\\27 \\24d \\60e\\60 \\5C \\5D\\5D\\3E \\3Cx\\3E \\26 \\7B\\7B y \\7D\\7D    \\C3\\BC\""
        );
        assert_eq!(quote(Quote::Shell), "'a\"; b '\\''c'\\'' $d `e` \\ ]]> <x> & {{ y }}    \u{fc}'");
        assert_eq!(
            quote(Quote::Xml),
            "a&quot;; b &#39;c&#39; $d `e` \\ ]]&gt; &lt;x&gt; &amp; {{ y }}    \u{fc}"
        );
    }

    #[test]
    fn a_shell_reads_back_the_text() {
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("printf %s {}", quoted(HOSTILE, Quote::Shell, 1_000))])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), one_line(HOSTILE));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(quoted(&"\u{fc}".repeat(10), Quote::Xml, 10), "\u{fc}\u{fc}\u{fc}...");
        assert_eq!(quoted("abcdef", Quote::Xml, 2), "ab");
        assert_eq!(quoted("abcdef", Quote::Xml, 0), "");
    }

    #[test]
    fn a_long_name_is_shortened_and_stays_apart_from_others() {
        assert_eq!(name("data.from.v4", 24), "data.from.v4");
        let (one, other) = ("a".repeat(60), "a".repeat(59) + "b");
        let (one, other) = (name(&one, 24), name(&other, 24));
        assert_ne!(one, other);
        assert!(one.len() == 24 && other.len() == 24, "{one} {other}");
    }
}
