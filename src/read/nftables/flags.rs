//! Matches of flags: states of connections, and the bits of a TCP header.

use super::cursor::Cursor;
use super::field::{Field, Kind};
use super::matching::{Draft, operator};
use super::scan::{Piece, Token};
use super::value::{Value, flags, states_where};
use crate::read::{Condition, Match};

/// A match of flags, whose operators mean bits; false if it is a list or a set, which compares whole values.
///
/// Measured with nft 1.0.6: without an operator one of the flags is enough; `!` asks that none is set; `==` and `!=`
/// compare all bits at once; `a / b` asks that of the flags `b` those of `a` are set.
pub(super) fn flag_match(cursor: &mut Cursor, draft: &mut Draft, field: &Field) -> Result<bool, String> {
    let kind = field.kind();
    let mut ahead = *cursor;
    let mut mask = None;
    if ahead.eat_symbol("&") {
        mask = Some(flags(kind, ahead.value(&[]))?);
    }
    let operator = operator(&mut ahead);
    let tokens = ahead.value(&[",", "|", "/"]);
    match tokens {
        [] => return Err("the flags are missing".to_owned()),
        [Token { piece: Piece::List(_) | Piece::Lines(_), .. }] => return Ok(false),
        [Token { piece: Piece::Word(word), .. }] if word.starts_with('@') => return Ok(false),
        _ => {}
    }
    let mut operator = operator;
    let mut wanted = tokens;
    if let Some(place) = tokens.iter().position(|token| token.piece == Piece::Symbol("/")) {
        if mask.is_some() {
            return Err("`&` and `/` in one match".to_owned());
        }
        mask = Some(flags(kind, tokens.get(place + 1..).unwrap_or_default())?);
        wanted = tokens.get(..place).unwrap_or_default();
        operator = operator.or(Some("=="));
    }
    let bits = flags(kind, wanted)?;
    let by_value = mask.is_none() && matches!(operator, Some("==" | "!="));
    let comma = wanted.iter().any(|token| token.piece == Piece::Symbol(","));
    if by_value && (comma || kind == Kind::State && bits.count_ones() != 1) {
        return Err(
            "`==` and `!=` compare with all of the flags at once; a list in braces compares with each"
                .to_owned(),
        );
    }
    if mask.is_some() && operator.is_none() {
        return Err("what the masked flags are compared with is missing".to_owned());
    }
    *cursor = ahead;
    let mask = mask.unwrap_or(u16::MAX);
    let holds = |packet: u16| {
        let left = packet & mask;
        match operator {
            None => left & bits != 0,
            Some("==") => left == bits,
            Some("!=") => left != bits,
            Some("!") => left & bits == 0,
            Some("<") => left < bits,
            Some(">") => left > bits,
            Some("<=") => left <= bits,
            Some(_) => left >= bits,
        }
    };
    let found = if kind == Kind::State {
        Match { states: states_where(holds), ..Match::default() }
    } else {
        draft.scope.protocols = Some(vec![6]);
        tcp_flags(draft, field, holds)?
    };
    draft.demand(&[found])?;
    Ok(true)
}

/// The TCP packets whose flags fulfil something.
fn tcp_flags(draft: &Draft, field: &Field, holds: impl Fn(u16) -> bool) -> Result<Match, String> {
    let mut boxes = Vec::new();
    let mut runs: Vec<(u128, u128)> = Vec::new();
    for bits in (0..=u8::MAX).filter(|bits| holds((*bits).into())) {
        let bits = u128::from(bits);
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == bits => *end = bits,
            _ => runs.push((bits, bits)),
        }
    }
    for (low, high) in runs {
        boxes.extend(super::packets::boxes(&draft.scope, &[(field, &Value::Range(low, high))])?);
    }
    Ok(Match { conditions: vec![Condition::any_of(boxes)], ..Match::default() })
}
