//! As much of HTML as the tests need: tags with their attributes, and text. What is not well formed is a failure.

use std::collections::BTreeMap;

/// Elements without content.
const VOID: [&str; 5] = ["meta", "link", "br", "input", "rect"];

/// A piece of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// The start of an element, with its attributes.
    Start(String, BTreeMap<String, String>),
    /// Its end.
    End(String),
    /// Text, with its references resolved.
    Text(String),
}

/// The pieces of a page, in which every element is closed in its turn.
pub(super) fn pieces(page: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap_or(page);
    while let Some(start) = rest.find('<') {
        push_text(&mut found, &rest[..start]);
        let end = start
            + rest[start..]
                .find('>')
                .unwrap_or_else(|| panic!("a tag is not closed: {:.200}", &rest[start..]));
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "`</{name}>` closes another element");
            found.push(Piece::End(name.to_owned()));
            continue;
        }
        let (inner, closed) = tag.strip_suffix('/').map_or((tag, false), |inner| (inner, true));
        let (name, attributes) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "`<{tag}>`");
        found.push(Piece::Start(name.to_owned(), attributes_of(attributes)));
        if !closed && !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    push_text(&mut found, rest);
    assert!(open.is_empty(), "never closed: {open:?}");
    found
}

fn push_text(found: &mut Vec<Piece>, raw: &str) {
    assert!(!raw.contains('>'), "a stray `>`: {raw:.200}");
    if !raw.is_empty() {
        found.push(Piece::Text(resolved(raw)));
    }
}

fn attributes_of(text: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let name_end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(name_end);
        let (value, tail) = match tail.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap_or_else(|| panic!("`{text}`")),
            None => {
                assert!(!tail.starts_with('='), "an attribute without quotes: `{text}`");
                ("", tail)
            }
        };
        assert!(!name.contains(['"', '\'', '<']), "`{text}`");
        assert!(attributes.insert(name.to_owned(), resolved(value)).is_none(), "twice: `{text}`");
        rest = tail.trim_start();
    }
    attributes
}

/// Text with the references that cordon writes resolved; there is no other `&`.
fn resolved(raw: &str) -> String {
    const KNOWN: [(&str, char); 6] =
        [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"'), ("&#x27;", '\''), ("&#x2f;", '/')];
    let mut text = String::new();
    let mut rest = raw;
    while let Some(place) = rest.find('&') {
        text.push_str(&rest[..place]);
        let known = KNOWN.iter().find(|(name, _)| rest[place..].starts_with(name));
        let (name, character) = known.unwrap_or_else(|| panic!("a stray `&`: {:.80}", &rest[place..]));
        text.push(*character);
        rest = &rest[place + name.len()..];
    }
    text + rest
}

/// All text of a page.
pub(super) fn text_of(pieces: &[Piece]) -> String {
    let texts = pieces
        .iter()
        .filter_map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None });
    texts.collect()
}

/// The elements of a page with their attributes.
pub(super) fn elements(pieces: &[Piece]) -> Vec<(&str, &BTreeMap<String, String>)> {
    let starts = pieces.iter().filter_map(|piece| {
        if let Piece::Start(name, attributes) = piece { Some((name.as_str(), attributes)) } else { None }
    });
    starts.collect()
}

#[test]
#[should_panic(expected = "closes another element")]
fn elements_that_cross_are_found() {
    pieces("<p><b></p></b>");
}

#[test]
#[should_panic(expected = "without quotes")]
fn an_attribute_without_quotes_is_found() {
    pieces("<a href=x>y</a>");
}

#[test]
fn a_page_is_taken_apart() {
    let found = pieces("<a href=\"x&amp;y\" hidden>1 &lt; 2</a><br>");
    let attributes = [("href".to_owned(), "x&y".to_owned()), ("hidden".to_owned(), String::new())];
    assert_eq!(found[0], Piece::Start("a".to_owned(), attributes.into_iter().collect()));
    assert_eq!(text_of(&found), "1 < 2");
    assert_eq!(elements(&found).len(), 2);
}
