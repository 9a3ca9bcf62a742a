//! The matches of a rule: what it looks at, and what it compares that with.

use super::cursor::Cursor;
use super::elements::{Entry, Verdict, entries, verdict};
use super::field::{Field, Kind, field};
use super::flags::flag_match;
use super::interfaces::{self, Unclear};
use super::lookup::{Operand, Sets, implied, of_entry, words};
use super::packets::Scope;
use super::scan::{Piece, Token, render};
use super::value::{Value, value};
use crate::read::{Condition, Family, Interfaces, Match, PacketBox};

/// What a verdict map makes of a rule: for each element a match, a verdict, a line and a label.
pub(super) struct Mapped {
    /// The match.
    pub(super) matches: Match,
    /// The verdict.
    pub(super) verdict: Verdict,
    /// The element, for its line and comment.
    pub(super) entry: Entry,
}

/// The most matches that tests of several interfaces may make of one rule: each is about as large as a line of text, and a
/// rule that looks into two sets takes no more than one.
const MAX_COMBINATIONS: usize = 100_000;

/// A rule, as far as it was read.
pub(super) struct Draft {
    /// What is known of the packets that get so far.
    pub(super) scope: Scope,
    /// The rule holds where one of these does.
    pub(super) matches: Vec<Match>,
    /// True if something in the transport header is looked at.
    pub(super) reads_transport: bool,
    /// True if the state of the connection, or anything else of it, is looked at.
    pub(super) reads_connection: bool,
    /// What it looks at that the model has no field for.
    pub(super) reads: Vec<String>,
    /// Where the rule stands, for conditions that hold at some times only: the same words elsewhere may not.
    pub(super) place: String,
}

impl Draft {
    /// Demands more. With several matches on both sides, each is joined with each.
    pub(super) fn demand(&mut self, more: &[Match]) -> Result<(), String> {
        let (before, mut joined) = (std::mem::take(&mut self.matches), Vec::new());
        if before.len().saturating_mul(more.len()) > MAX_COMBINATIONS {
            return Err("the rule has too many combinations of interfaces".to_owned());
        }
        for one in &before {
            joined.extend(join(one, more)?);
        }
        self.matches = joined;
        Ok(())
    }

    /// Demands something that the model has no field for.
    pub(super) fn demand_opaque(&mut self, text: String) -> Result<(), String> {
        self.demand(&[Match { opaque: vec![text], ..Match::default() }])
    }

    /// Demands something that does not always hold, so that the same words elsewhere are another condition.
    pub(super) fn demand_at_times(&mut self, text: &str) -> Result<(), String> {
        self.demand_opaque(format!("{text} ({})", self.place))
    }

    /// Demands that packets have some fields.
    pub(super) fn demand_fields(&mut self, fields: &[Field]) -> Result<(), String> {
        self.note(fields);
        match implied(&self.scope, fields) {
            Some(condition) => self.demand(&[Match { conditions: vec![condition], ..Match::default() }]),
            None => Ok(()),
        }
    }

    /// Demands that packets are of a family, or of a protocol.
    pub(super) fn demand_only(&mut self, family: Option<Family>, protocol: Option<u8>) -> Result<(), String> {
        let reads_transport = self.reads_transport;
        let demanded = self.demand_fields(&[Field::Other { text: String::new(), family, protocol }]);
        self.reads_transport = reads_transport;
        demanded
    }

    fn note(&mut self, fields: &[Field]) {
        self.reads_transport |= fields.iter().any(Field::in_transport_header);
        for field in fields {
            let text = words(field);
            self.reads_connection |= *field == Field::State || text.starts_with("ct ");
            if !text.is_empty() {
                self.reads.push(if text == "mark" { "meta mark".to_owned() } else { text.to_owned() });
            }
        }
    }
}

/// What a match leaves of each of some others; nothing of those that no interface is left for.
pub(super) fn join(one: &Match, others: &[Match]) -> Result<Vec<Match>, String> {
    let joined = others.iter().map(|other| both(one, other));
    joined.filter(|joined| !joined.as_ref().is_ok_and(is_for_no_interface)).collect()
}

fn is_for_no_interface(matches: &Match) -> bool {
    let is_none = |side: &Interfaces| matches!(side, Interfaces::Only(names) if names.is_empty());
    is_none(&matches.arrives) || is_none(&matches.leaves)
}

/// What both of two matches demand.
fn both(one: &Match, other: &Match) -> Result<Match, String> {
    let side = |one, other| interfaces::both(one, other).map_err(|Unclear(what)| what);
    let mut opaque = one.opaque.clone();
    opaque.extend(other.opaque.iter().filter(|text| !one.opaque.contains(text)).cloned());
    let mut conditions = one.conditions.clone();
    conditions.extend(other.conditions.iter().filter(|more| !one.conditions.contains(more)).cloned());
    Ok(Match {
        arrives: side(&one.arrives, &other.arrives)?,
        leaves: side(&one.leaves, &other.leaves)?,
        states: one.states.intersection(other.states),
        later_fragments: one.later_fragments.or(other.later_fragments),
        conditions,
        opaque,
    })
}

/// Operators, as symbols and as words (nft(8), expressions; `src/scanner.l`).
const OPERATORS: [(&str, &str); 6] =
    [("==", "eq"), ("!=", "ne"), ("<", "lt"), (">", "gt"), ("<=", "le"), (">=", "ge")];

/// Takes an operator.
pub(super) fn operator(cursor: &mut Cursor) -> Option<&'static str> {
    let found = OPERATORS.iter().find(|(symbol, _)| cursor.at_symbol(symbol)).or_else(|| {
        let word = cursor.peek_word()?;
        OPERATORS.iter().find(|(_, known)| *known == word)
    });
    let found = found.map(|(symbol, _)| *symbol).or_else(|| cursor.at_symbol("!").then_some("!"))?;
    cursor.skip();
    Some(found)
}

/// Takes fields that are joined by dots; `None` if the next word begins none.
pub(super) fn fields(cursor: &mut Cursor) -> Result<Option<Vec<Field>>, String> {
    let Some(first) = field(cursor)? else { return Ok(None) };
    let mut fields = vec![first];
    while cursor.eat_symbol(".") {
        let next = field(cursor)?.ok_or("what stands behind `.` is not understood")?;
        fields.push(next);
    }
    Ok(Some(fields))
}

/// Takes a match. A verdict map comes back with its elements; `None` if the next word begins no match.
pub(super) fn matching(
    cursor: &mut Cursor,
    draft: &mut Draft,
    sets: &mut Sets,
) -> Result<Option<Option<Vec<Mapped>>>, String> {
    let start = *cursor;
    let Some(fields) = fields(cursor)? else { return Ok(None) };
    draft.note(&fields);
    if cursor.eat("vmap") {
        return mapped(cursor, draft, sets, &fields).map(|mapped| Some(Some(mapped)));
    }
    if cursor.peek_word() == Some("map") {
        return Err("`map` in a match is not understood".to_owned());
    }
    if let [field @ (Field::State | Field::TcpFlags)] = fields.as_slice()
        && flag_match(cursor, draft, field)?
    {
        return Ok(Some(None));
    }
    let masked = ["&", "|", "^", "<<", ">>"].iter().any(|symbol| cursor.at_symbol(symbol));
    if masked || fields.iter().all(|field| matches!(field, Field::Other { .. } | Field::NextHeader)) {
        opaque_match(&start, cursor, draft, sets, &fields)?;
        return Ok(Some(None));
    }
    let operator = operator(cursor);
    let value = cursor.value(&["-"]);
    compare(draft, sets, &fields, operator, value, &start, cursor).map(|()| Some(None))
}

fn compare(
    draft: &mut Draft,
    sets: &mut Sets,
    fields: &[Field],
    operator: Option<&str>,
    value: &[Token],
    start: &Cursor,
    end: &Cursor,
) -> Result<(), String> {
    let negated = operator == Some("!=");
    let named;
    let listed;
    let operand = match value {
        [Token { piece: Piece::Word(word), .. }] if word.starts_with('@') => {
            let name = word.trim_start_matches('@');
            named = sets.get(name)?;
            let kinds: Vec<Kind> = fields.iter().map(Field::kind).collect();
            if named.kinds != kinds {
                return Err(format!("`{name}` holds something else than what it is looked up for"));
            }
            if named.is_verdict_map {
                return Err(format!("`{name}` maps to verdicts; `vmap` looks it up"));
            }
            let Some(content) = &named.content else {
                draft.demand_fields(fields)?;
                let words = start.rest().get(..start.rest().len() - end.rest().len()).unwrap_or_default();
                return draft.demand_at_times(&render(words));
            };
            if content.catch_all.is_some() {
                return Err(format!("`*` in `{name}`, which is no map, is not understood"));
            }
            Operand { name: Some(name), entries: &content.entries }
        }
        [Token { piece: Piece::List(elements), .. }] => {
            let kinds: Vec<Kind> = fields.iter().map(Field::kind).collect();
            let (content, wrong) = entries(&kinds, elements, false);
            if let Some((line, what)) = wrong.into_iter().next() {
                return Err(format!("{what} (line {line})"));
            }
            if content.catch_all.is_some() {
                return Err("`*` in a list, which is no map, is not understood".to_owned());
            }
            listed = content.entries;
            Operand { name: None, entries: &listed }
        }
        _ => {
            listed = single(fields, operator, value)?;
            Operand { name: None, entries: &listed }
        }
    };
    if !matches!(operator, None | Some("==" | "!=")) && operand.name.is_some() {
        return Err("a set is looked up without an operator or with `!=`".to_owned());
    }
    let matches = sets.matches(&draft.scope, fields, &operand, negated)?;
    if !negated {
        draft.scope.protocols = protocols(fields, operand.entries).or_else(|| draft.scope.protocols.take());
    }
    draft.demand(&matches)
}

/// The protocols that a match leaves.
fn protocols(fields: &[Field], entries: &[Entry]) -> Option<Vec<u8>> {
    let [field] = fields else { return None };
    if let Some(protocol) = field.protocol() {
        return Some(vec![protocol]);
    }
    if !matches!(field, Field::Protocol | Field::HeaderProtocol) {
        return None;
    }
    let mut found = std::collections::BTreeSet::new();
    for value in entries.iter().flat_map(|entry| &entry.values) {
        let Value::Range(low, high) = value else { return None };
        found.extend((*low..=(*high).min(u8::MAX.into())).filter_map(|number| u8::try_from(number).ok()));
    }
    Some(found.into_iter().collect())
}

/// One value, as elements; an operator such as `<` makes it a range.
fn single(fields: &[Field], operator: Option<&str>, tokens: &[Token]) -> Result<Vec<Entry>, String> {
    let [field] = fields else {
        return Err("fields that are joined by dots are compared with a list or a set".to_owned());
    };
    if tokens.is_empty() {
        return Err("what the field is compared with is missing".to_owned());
    }
    let kind = field.kind();
    let found = value(kind, tokens)?;
    let values = match (operator, found) {
        (None | Some("==" | "!="), value) => vec![value],
        (Some("<"), Value::Range(low, high)) if low == high => below(low).into_iter().collect(),
        (Some("<="), Value::Range(low, high)) if low == high => vec![Value::Range(0, low)],
        (Some(">"), Value::Range(low, high)) if low == high => above(kind, low).into_iter().collect(),
        (Some(">="), Value::Range(low, high)) if low == high => {
            vec![Value::Range(low, last(kind).max(low))]
        }
        (Some(operator), _) => return Err(format!("`{operator}` does not fit `{}`", render(tokens))),
    };
    let line = tokens.first().map_or(0, |token| token.line);
    let entry = |value| Entry { values: vec![value], verdict: None, line, label: None };
    Ok(values.into_iter().map(entry).collect())
}

fn below(number: u128) -> Option<Value> {
    number.checked_sub(1).map(|last| Value::Range(0, last))
}

fn above(kind: Kind, number: u128) -> Option<Value> {
    let last = last(kind);
    (number < last).then(|| Value::Range(number + 1, last))
}

/// The largest number that a field can hold.
fn last(kind: Kind) -> u128 {
    match kind {
        Kind::V4 => u32::MAX.into(),
        Kind::V6 => u128::MAX,
        Kind::Port | Kind::FrameFamily => u16::MAX.into(),
        Kind::Hour => super::value::LAST_SECOND_OF_DAY,
        Kind::Day => 6,
        Kind::Time => u32::MAX.into(),
        Kind::Protocol
        | Kind::Name
        | Kind::Number
        | Kind::State
        | Kind::StackFamily
        | Kind::IcmpType
        | Kind::IcmpCode
        | Kind::Icmpv6Type
        | Kind::Icmpv6Code
        | Kind::TcpFlags
        | Kind::Other => u8::MAX.into(),
    }
}

/// A match that the model has no field for, word for word.
fn opaque_match(
    start: &Cursor,
    cursor: &mut Cursor,
    draft: &mut Draft,
    sets: &mut Sets,
    fields: &[Field],
) -> Result<(), String> {
    while ["&", "|", "^", "<<", ">>"].iter().any(|symbol| cursor.eat_symbol(symbol)) {
        cursor.value(&[]);
    }
    let operator = operator(cursor);
    let value = cursor.value(&["-", ",", "|", "/", "."]);
    if value.is_empty() || matches!(value, [Token { piece: Piece::Word(word), .. }] if word == "set") {
        return Err("what the field is compared with is missing".to_owned());
    }
    let taken = start.rest().get(..start.rest().len() - cursor.rest().len()).unwrap_or_default();
    let text = render(taken);
    draft.demand_fields(fields)?;
    if matches!(fields, [Field::NextHeader]) && matches!(operator, None | Some("==")) {
        next_header(draft, value)?;
    }
    let mut at_times = fields.iter().any(|field| words(field) == "meta random");
    for token in value {
        if let Piece::Word(word) = &token.piece
            && let Some(name) = word.strip_prefix('@')
        {
            sets.get(name)?;
            at_times = true;
        }
    }
    if at_times { draft.demand_at_times(&text) } else { draft.demand_opaque(text) }
}

/// The protocol in the first header is that of the packet, unless it is that of an extension header.
fn next_header(draft: &mut Draft, tokens: &[Token]) -> Result<(), String> {
    let Ok(Value::Range(low, high)) = value(Kind::Protocol, tokens) else { return Ok(()) };
    let Ok(protocol) = u8::try_from(low) else { return Ok(()) };
    if low != high || EXTENSION_HEADERS.contains(&protocol) {
        return Ok(());
    }
    let families = draft.scope.families.iter().filter(|family| **family == Family::V6);
    let boxes: Vec<PacketBox> = families
        .map(|family| PacketBox { protocol: (protocol, protocol), ..PacketBox::all(*family) })
        .collect();
    draft.scope.protocols = Some(vec![protocol]);
    draft.demand(&[Match { conditions: vec![Condition::any_of(boxes)], ..Match::default() }])
}

/// Headers that stand before that of the transport protocol (RFC 8200, 4.1; RFC 4302, 6275, 7401, 5533).
const EXTENSION_HEADERS: [u8; 7] = [0, 43, 44, 51, 60, 135, 140];

/// The elements of a verdict map, in the order in which they can be tried.
fn mapped(
    cursor: &mut Cursor,
    draft: &Draft,
    sets: &mut Sets,
    fields: &[Field],
) -> Result<Vec<Mapped>, String> {
    let kinds: Vec<Kind> = fields.iter().map(Field::kind).collect();
    let named;
    let listed;
    let content = match cursor.value(&[]) {
        [Token { piece: Piece::Word(word), .. }] if word.starts_with('@') => {
            let name = word.trim_start_matches('@');
            named = sets.get(name)?;
            if named.kinds != kinds || !named.is_verdict_map {
                return Err(format!("`{name}` is no map from what it is looked up for to verdicts"));
            }
            let changes = || format!("`{name}` changes while it is in use, so its verdicts are not known");
            named.content.as_ref().ok_or_else(changes)?
        }
        [Token { piece: Piece::List(elements), .. }] => {
            let (content, wrong) = entries(&kinds, elements, true);
            if let Some((line, what)) = wrong.into_iter().next() {
                return Err(format!("{what} (line {line})"));
            }
            listed = content;
            &listed
        }
        [Token { piece: Piece::Lines(_), .. }] => return Err("elements are separated by commas".to_owned()),
        _ => return Err("`vmap` looks up `{ KEY : VERDICT, ... }` or `@MAP`".to_owned()),
    };
    let mut found = Vec::with_capacity(content.entries.len());
    for entry in &content.entries {
        let verdict = entry.verdict.clone().ok_or("the verdict of an element is missing")?;
        let matches = of_entry(&draft.scope, fields, entry)
            .map_err(|what| format!("{what} (the element of line {})", entry.line))?;
        found.push(Mapped { matches, verdict, entry: entry.clone() });
    }
    if let Some(entry) = &content.catch_all {
        // Where another element matches, this one is not tried, even if that element decides nothing.
        let decides = |mapped: &Mapped| !matches!(mapped.verdict, Verdict::Jump(_) | Verdict::Continue);
        if !found.iter().all(decides) {
            let what = "`*` beside elements that jump or continue is not understood";
            return Err(what.to_owned());
        }
        let verdict = entry.verdict.clone().ok_or("the verdict of an element is missing")?;
        let conditions = implied(&draft.scope, fields).into_iter().collect();
        let matches = Match { conditions, ..Match::default() };
        found.push(Mapped { matches, verdict, entry: entry.clone() });
    }
    Ok(found)
}

/// Takes a verdict of a rule: one of a map's, or one that rejects, which holds only for packets that it can answer.
pub(super) fn rule_verdict(cursor: &mut Cursor, draft: &mut Draft) -> Result<Option<Verdict>, String> {
    if cursor.peek_word() != Some("reject") {
        return verdict(cursor);
    }
    cursor.skip();
    if !cursor.eat("with") {
        return Ok(Some(Verdict::Drop));
    }
    // nft tests the family or the protocol first (measured with `nft --debug=netlink` 1.0.6).
    match cursor.word() {
        Some("tcp") if cursor.eat("reset") => {
            draft.demand_only(None, Some(6))?;
            return Ok(Some(Verdict::Drop));
        }
        Some("icmp") => draft.demand_only(Some(Family::V4), None)?,
        Some("icmpv6") => draft.demand_only(Some(Family::V6), None)?,
        Some("icmpx") => {}
        _ => return Err("what a packet is rejected with is not understood".to_owned()),
    }
    let _ = cursor.eat("type");
    cursor.word().ok_or("the code of the error message is missing")?;
    Ok(Some(Verdict::Drop))
}
