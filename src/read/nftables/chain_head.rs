//! The statement that makes a chain a base chain: its type, hook, devices and priority.

use super::cursor::Cursor;
use super::ruleset::{Base, TableFamily};
use super::scan::Piece;

/// Names of priorities (nft(8), table 6).
const PRIORITIES: [(&str, i64); 6] =
    [("raw", -300), ("mangle", -150), ("dstnat", -100), ("filter", 0), ("security", 50), ("srcnat", 100)];

/// Names of priorities in tables of `bridge` (nft(8), table 7).
const BRIDGE_PRIORITIES: [(&str, i64); 4] =
    [("dstnat", -300), ("filter", -200), ("out", 100), ("srcnat", 300)];

const TYPES: [&str; 3] = ["filter", "nat", "route"];

const HOOKS: [&str; 7] = ["prerouting", "input", "forward", "output", "postrouting", "ingress", "egress"];

/// What stands behind `type` in a chain.
pub(super) fn base(family: TableFamily, mut cursor: Cursor) -> Result<Base, String> {
    let kind = cursor.word().filter(|kind| TYPES.contains(kind));
    let kind = kind.ok_or("the type of a chain is `filter`, `nat` or `route`")?;
    let hook = cursor.eat("hook").then(|| cursor.word()).flatten();
    let hook = hook.filter(|hook| HOOKS.contains(hook)).ok_or("the hook of the chain is not known")?;
    let mut devices = false;
    if cursor.eat("device") {
        cursor.name().ok_or("the name of a device is missing")?;
        devices = true;
    } else if cursor.eat("devices") {
        let list = cursor.eat_symbol("=") && matches!(cursor.peek(), Some(Piece::List(_)));
        if !list {
            return Err("devices are written `devices = { ..., ... }`".to_owned());
        }
        cursor.skip();
        devices = true;
    }
    let priority = cursor.eat("priority").then(|| priority(family, &mut cursor)).flatten();
    let priority = priority.ok_or("the priority of a chain is a number, or a name and a distance from it")?;
    if !cursor.done() {
        return Err(format!("`{}` has no place here", super::scan::render(cursor.rest())));
    }
    Ok(Base { kind: kind.to_owned(), hook: hook.to_owned(), priority, devices })
}

fn priority(family: TableFamily, cursor: &mut Cursor) -> Option<i64> {
    let word = cursor.name()?;
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    let names: &[(&str, i64)] = if family == TableFamily::Bridge { &BRIDGE_PRIORITIES } else { &PRIORITIES };
    let (_, value) = names.iter().find(|(name, _)| *name == word)?;
    let sign = match cursor.peek() {
        Some(Piece::Symbol("+")) => 1,
        Some(Piece::Symbol("-")) => -1,
        // `filter -5` is a distance too.
        Some(Piece::Word(word)) => {
            let distance: i64 = word.parse().ok()?;
            cursor.skip();
            return value.checked_add(distance);
        }
        _ => return Some(*value),
    };
    cursor.skip();
    let distance: u16 = cursor.word()?.parse().ok()?;
    Some(value + sign * i64::from(distance))
}
