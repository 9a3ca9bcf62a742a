//! From sets and maps to entries: keys as values, verdicts, labels.
//!
//! The keys of a set are read once, by the types that its declaration names; what they are compared with is up to the
//! rules that look into it.

use std::sync::Arc;

use super::cursor::Cursor;
use super::field::{Kind, field};
use super::ruleset::Set;
use super::scan::{Element, Piece, Token, render, split};
use super::value::{Value, value};

/// A verdict as it is written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Verdict {
    /// `accept`.
    Accept,
    /// `drop` or `reject`.
    Drop,
    /// `continue`.
    Continue,
    /// `return`.
    Return,
    /// `jump`, with the name of a chain.
    Jump(String),
    /// `goto`, with the name of a chain.
    Goto(String),
}

/// An element.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Entry {
    /// A value for each part of the key.
    pub(super) values: Vec<Value>,
    /// The verdict, if the element belongs to a verdict map.
    pub(super) verdict: Option<Verdict>,
    /// The line that it stands in.
    pub(super) line: usize,
    /// Its comment.
    pub(super) label: Option<Arc<str>>,
}

/// What a set or a map holds.
#[derive(Default)]
pub(super) struct Entries {
    /// Its elements.
    pub(super) entries: Vec<Entry>,
    /// The element `*`, which stands for all keys that no other element holds.
    pub(super) catch_all: Option<Entry>,
}

/// A set or a map whose declaration was read.
#[derive(Default)]
pub(super) struct Declared {
    /// The type of each part of a key.
    pub(super) kinds: Vec<Kind>,
    /// True if its values are verdicts.
    pub(super) is_verdict_map: bool,
    /// What it holds. Without, it cannot be known: it changes while it is in use.
    pub(super) content: Option<Entries>,
}

/// A mistake and its line.
pub(super) type Wrong = (usize, String);

/// Reads the declaration of a set or a map, and its elements.
pub(super) fn declared(name: &str, set: &Set) -> (Declared, Vec<Wrong>) {
    let mut wrong = Vec::new();
    let (kinds, values) = match set.kind.as_deref().map(types) {
        Some(Ok(types)) => types,
        Some(Err(what)) => {
            let line =
                set.kind.as_ref().and_then(|tokens| tokens.first()).map_or(set.line, |token| token.line);
            return (Declared::default(), vec![(line, what)]);
        }
        None => return (Declared::default(), vec![(set.line, format!("`{name}` has no type"))]),
    };
    if set.is_map != values.is_some() {
        let what =
            if set.is_map { "a map maps to something: `type KEY : VALUE`" } else { "a set maps to nothing" };
        wrong.push((set.line, what.to_owned()));
    }
    let is_verdict_map = values.as_deref() == Some("verdict");
    let mut declared = Declared { kinds, is_verdict_map, content: None };
    // Values that are no verdicts are only used by statements that are mistakes, or that change what nothing reads.
    if set.is_dynamic || values.is_some() && !is_verdict_map {
        return (declared, wrong);
    }
    if set.is_limited {
        wrong.push((
            set.line,
            format!("elements of `{name}` have limits of their own, so they match at times"),
        ));
    }
    let (content, more) = entries(&declared.kinds, &set.elements, is_verdict_map);
    wrong.extend(more);
    declared.content = Some(content);
    (declared, wrong)
}

/// The types of keys, and what the values of a map are.
fn types(tokens: &[Token]) -> Result<(Vec<Kind>, Option<String>), String> {
    let mut cursor = Cursor::new(tokens);
    let by_expression = cursor.word() == Some("typeof");
    let mut kinds = Vec::new();
    loop {
        let kind = if by_expression {
            field(&mut cursor)?.map(|field| field.kind())
        } else {
            cursor.word().map(Kind::parse)
        };
        match kind {
            Some(kind) => kinds.push(kind),
            None => return Err(format!("`{}` is not understood as a type", render(tokens))),
        }
        if !cursor.eat_symbol(".") {
            break;
        }
    }
    if !cursor.eat_symbol(":") {
        return if cursor.done() {
            Ok((kinds, None))
        } else {
            Err(format!("`{}` is not understood as a type", render(tokens)))
        };
    }
    let _ = cursor.eat("interval");
    Ok((kinds, Some(render(cursor.rest()))))
}

/// Reads elements.
pub(super) fn entries(kinds: &[Kind], elements: &[Element], verdicts: bool) -> (Entries, Vec<Wrong>) {
    let mut content = Entries::default();
    let mut wrong = Vec::new();
    content.entries.reserve(elements.len());
    for element in elements {
        match entry(kinds, element, verdicts) {
            Ok((entry, false)) => content.entries.push(entry),
            Ok((entry, true)) => {
                if content.catch_all.replace(entry).is_some() {
                    wrong.push((element.line, "`*` stands here twice".to_owned()));
                }
            }
            Err(what) => wrong.push((element.line, what)),
        }
    }
    wrong.extend(conflicts(&content.entries));
    (content, wrong)
}

/// Elements with the same key and another verdict, which the kernel refuses.
fn conflicts(entries: &[Entry]) -> Vec<Wrong> {
    let mut sorted: Vec<&Entry> = entries.iter().filter(|entry| entry.verdict.is_some()).collect();
    sorted.sort();
    let neighbours = sorted.iter().zip(sorted.iter().skip(1));
    let differ = neighbours.filter(|(one, other)| one.values == other.values && one.verdict != other.verdict);
    differ
        .map(|(one, other)| (other.line, format!("the element of line {} has the same key", one.line)))
        .collect()
}

/// One element, and whether it is the one for all other keys.
fn entry(kinds: &[Kind], element: &Element, verdicts: bool) -> Result<(Entry, bool), String> {
    let tokens = split(&element.text, element.line);
    let keyword = |token: &Token| match &token.piece {
        Piece::Word(word) => OPTIONS.contains(&word.as_ref()),
        Piece::Symbol(symbol) => *symbol == ":",
        Piece::Text(_) | Piece::List(_) | Piece::Lines(_) | Piece::Bad(_) => false,
    };
    let end = tokens.iter().position(keyword).unwrap_or(tokens.len());
    let (key, rest) = tokens.split_at_checked(end).unwrap_or_default();
    let catch_all = matches!(key, [Token { piece: Piece::Word(word), .. }] if word == "*");
    let values = if catch_all { Vec::new() } else { key_values(kinds, key)? };
    let mut cursor = Cursor::new(rest);
    let mut label = options(&mut cursor)?;
    let verdict = match (cursor.eat_symbol(":"), verdicts) {
        (true, true) => Some(
            verdict(&mut cursor)?.ok_or_else(|| format!("`{}` is not a verdict", render(cursor.rest())))?,
        ),
        (false, false) => None,
        (true, false) => return Err("an element of a set maps to nothing".to_owned()),
        (false, true) => return Err("the verdict of the element is missing".to_owned()),
    };
    label = options(&mut cursor)?.or(label);
    if !cursor.done() {
        return Err(format!("`{}` has no place in an element", render(cursor.rest())));
    }
    Ok((Entry { values, verdict, line: element.line, label }, catch_all))
}

/// What may stand behind a key.
const OPTIONS: [&str; 8] = ["comment", "counter", "timeout", "expires", "last", "limit", "quota", "ct"];

fn key_values(kinds: &[Kind], key: &[Token]) -> Result<Vec<Value>, String> {
    let parts: Vec<&[Token]> = key.split(|token| token.piece == Piece::Symbol(".")).collect();
    if parts.len() != kinds.len() || key.is_empty() {
        return Err(format!("`{}` does not have {} parts", render(key), kinds.len()));
    }
    kinds.iter().zip(parts).map(|(kind, part)| value(*kind, part)).collect()
}

/// Goes past what may stand behind a key; gives the comment.
fn options(cursor: &mut Cursor) -> Result<Option<Arc<str>>, String> {
    let mut label = None;
    loop {
        match cursor.peek_word() {
            Some("comment") => {
                cursor.skip();
                label = Some(Arc::from(cursor.name().ok_or("the text of the comment is missing")?));
            }
            Some("counter") => {
                cursor.skip();
                counted(cursor)?;
            }
            Some("last") => {
                cursor.skip();
                if cursor.eat("used") {
                    cursor.skip();
                }
            }
            Some(word @ ("timeout" | "expires")) => {
                return Err(format!(
                    "`{word}`: the element ends by itself, but the set does not say so in its flags"
                ));
            }
            Some(word @ ("limit" | "quota" | "ct")) => {
                return Err(format!("`{word}`: the element matches at times, which is not understood"));
            }
            _ => return Ok(label),
        }
    }
}

/// Goes past the numbers of a counter.
pub(super) fn counted(cursor: &mut Cursor) -> Result<(), String> {
    for word in ["packets", "bytes"] {
        if cursor.eat(word) {
            let number = cursor.word().and_then(super::value::number);
            number.ok_or_else(|| format!("a number of {word} is missing"))?;
        }
    }
    Ok(())
}

/// Takes a verdict, if one is next. What rejects is read by rules.
pub(super) fn verdict(cursor: &mut Cursor) -> Result<Option<Verdict>, String> {
    let plain = match cursor.peek_word() {
        Some("accept") => Verdict::Accept,
        Some("drop") => Verdict::Drop,
        Some("continue") => Verdict::Continue,
        Some("return") => Verdict::Return,
        Some(word @ ("jump" | "goto")) => {
            cursor.skip();
            let name = cursor.name().ok_or("the name of a chain is missing")?.to_owned();
            return Ok(Some(if word == "jump" { Verdict::Jump(name) } else { Verdict::Goto(name) }));
        }
        _ => return Ok(None),
    };
    cursor.skip();
    Ok(Some(plain))
}
