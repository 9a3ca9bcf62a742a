//! From the statements of a rule to rules of the model.

use std::sync::Arc;

use super::cursor::Cursor;
use super::elements::{Verdict, counted};
use super::ignorable::CHANGES;
use super::lookup::Sets;
use super::matching::{Draft, Mapped, fields, join, matching, rule_verdict};
use super::packets::Scope;
use super::scan::{Piece, Statement, Token, render};
use crate::read::{Action, Family, Match, Rule};

/// Statements that a rule must not have, by their first word, and why.
const REFUSED: [(&str, &str); 15] = [
    ("dnat", "it changes addresses, so that later chains see others"),
    ("dup", "it sends a copy of the packet elsewhere"),
    ("flow", "it takes packets of a connection past all chains"),
    ("fwd", "it sends the packet elsewhere, past all chains"),
    ("masquerade", "it changes addresses, so that later chains see others"),
    ("notrack", "it makes the packet untracked for all later chains"),
    ("numgen", "numbers that it draws are not understood"),
    ("jhash", "hashes are not understood"),
    ("symhash", "hashes are not understood"),
    ("queue", "a program decides on the packet"),
    ("redirect", "it changes addresses, so that later chains see others"),
    ("snat", "it changes addresses, so that later chains see others"),
    ("synproxy", "it answers in the place of the server"),
    ("tproxy", "it hands the packet to a program"),
    ("xt", "what iptables-nft puts here in its own form is not understood; read what `iptables-save` prints"),
];

/// What the rules of a chain need to know of its table.
pub(super) struct Surroundings<'c> {
    /// The families that the table sees.
    pub(super) families: &'c [Family],
    /// The place of a chain among those of the model, by its name in this table.
    pub(super) chain_id: &'c dyn Fn(&str) -> Option<crate::read::ChainId>,
    /// True if the table has a counter, a quota or a limit of a name.
    pub(super) has_object: &'c dyn Fn(&str, &str) -> bool,
}

/// The most rules that a text may come to: each look into a map is a rule for each of its elements, so that a short text
/// can be many.
pub(super) const MAX_RULES: usize = 1_000_000;

/// What comes of a rule.
#[derive(Default)]
pub(super) struct Lowered {
    /// Rules of the model; none if the rule can match nothing.
    pub(super) rules: Vec<Rule>,
    /// True if a rule looks at the transport header.
    pub(super) reads_transport: bool,
    /// True if it looks at the state of the connection or at anything else of it.
    pub(super) reads_connection: bool,
    /// What it looks at that the model has no field for.
    pub(super) reads: Vec<String>,
    /// What it changes that the model has no field for.
    pub(super) changes: Vec<String>,
}

/// Reads a rule. A mistake comes with its line.
pub(super) fn lower(
    around: &Surroundings,
    sets: &mut Sets,
    statement: &Statement,
    place: String,
) -> Result<Lowered, (usize, String)> {
    let mut cursor = Cursor::new(&statement.tokens);
    let mut reader = Reader {
        around,
        sets,
        draft: Draft {
            scope: Scope { families: around.families.to_vec(), protocols: None },
            matches: vec![Match::default()],
            reads_transport: false,
            reads_connection: false,
            reads: Vec::new(),
            place,
        },
        label: None,
        changes: Vec::new(),
        end: End::Open,
    };
    while !cursor.done() {
        let line = cursor.line().unwrap_or(statement.lines.0);
        reader.statement(&mut cursor).map_err(|what| (line, what))?;
    }
    reader.finish(statement.lines.0)
}

/// Whether a rule has decided.
enum End {
    /// Not yet.
    Open,
    /// By a verdict.
    Verdict(Verdict),
    /// By a verdict map.
    Map(Vec<Mapped>),
}

struct Reader<'r, 'c, 'a, 't> {
    around: &'r Surroundings<'c>,
    sets: &'r mut Sets<'a, 't>,
    draft: Draft,
    label: Option<Arc<str>>,
    changes: Vec<String>,
    end: End,
}

impl Reader<'_, '_, '_, '_> {
    fn statement(&mut self, cursor: &mut Cursor) -> Result<(), String> {
        if self.label.is_some() {
            return Err(format!("`{}` behind the comment that ends a rule", render(cursor.rest())));
        }
        let first = cursor.peek_word().unwrap_or_default();
        match first {
            "comment" => {
                cursor.skip();
                self.label = Some(Arc::from(cursor.name().ok_or("the text of the comment is missing")?));
                return Ok(());
            }
            "counter" if !matches!(self.end, End::Verdict(_)) => return self.counter(cursor),
            "log" if matches!(self.end, End::Open) => return log(cursor),
            _ => {}
        }
        match self.end {
            End::Open => {}
            End::Verdict(_) => return Err(format!("`{first}` behind a verdict is never reached")),
            End::Map(_) => return Err(format!("`{first}` behind a verdict map is not understood")),
        }
        if let Some((_, why)) = REFUSED.iter().find(|(word, _)| *word == first) {
            return Err(format!("`{first}` is not understood: {why}"));
        }
        if let Some(verdict) = rule_verdict(cursor, &mut self.draft)? {
            self.end = End::Verdict(verdict);
            return Ok(());
        }
        match first {
            "limit" => self.limit(cursor),
            "quota" => self.quota(cursor),
            "ct" if cursor.word_at(1) == Some("count") => self.connection_count(cursor),
            "add" | "update" | "delete" if at_set(cursor) => self.update(cursor),
            "meter" => self.meter(cursor),
            _ if self.change(cursor)? => Ok(()),
            _ => match matching(cursor, &mut self.draft, self.sets)? {
                Some(Some(mapped)) => {
                    self.end = End::Map(mapped);
                    Ok(())
                }
                Some(None) => Ok(()),
                None => {
                    let shown = cursor.rest().get(..3).unwrap_or(cursor.rest());
                    Err(format!("`{}` is not understood", render(shown)))
                }
            },
        }
    }

    fn counter(&self, cursor: &mut Cursor) -> Result<(), String> {
        cursor.skip();
        if cursor.eat("name") {
            return self.object("counter", cursor).map(|_| ());
        }
        counted(cursor)
    }

    /// Takes the name of a counter, a quota or a limit that the table has.
    fn object<'a>(&self, kind: &str, cursor: &mut Cursor<'a, '_>) -> Result<&'a str, String> {
        let name = cursor.name().ok_or_else(|| format!("the name of a {kind} is missing"))?;
        if (self.around.has_object)(kind, name) {
            return Ok(name);
        }
        Err(format!("there is no {kind} `{name}`"))
    }

    /// `limit rate [over] N/UNIT [burst N packets]`. A burst of five packets is the default, and not printed (measured).
    fn limit(&mut self, cursor: &mut Cursor) -> Result<(), String> {
        cursor.skip();
        if cursor.eat("name") {
            let name = self.object("limit", cursor)?;
            return self.draft.demand_at_times(&format!("limit name \"{name}\""));
        }
        let start = *cursor;
        rate(cursor)?;
        let words = taken(&start, cursor);
        let text = render(words);
        let text = text.strip_suffix(" burst 5 packets").unwrap_or(&text);
        self.draft.demand_at_times(&format!("limit {text}"))
    }

    /// `quota [over|until] N UNIT [used N UNIT]`; how much is used is not part of the condition.
    fn quota(&mut self, cursor: &mut Cursor) -> Result<(), String> {
        cursor.skip();
        if cursor.eat("name") {
            let name = self.object("quota", cursor)?;
            return self.draft.demand_at_times(&format!("quota name \"{name}\""));
        }
        let start = *cursor;
        let _ = cursor.eat("over") || cursor.eat("until");
        amount(cursor)?;
        let text = format!("quota {}", render(taken(&start, cursor)));
        if cursor.eat("used") {
            amount(cursor)?;
        }
        self.draft.demand_at_times(&text)
    }

    /// `ct count [over] N`.
    fn connection_count(&mut self, cursor: &mut Cursor) -> Result<(), String> {
        let start = *cursor;
        cursor.skip_all(2);
        let _ = cursor.eat("over");
        cursor.word().and_then(super::value::number).ok_or("a number of connections is missing")?;
        self.draft.reads_connection = true;
        self.draft.demand_at_times(&render(taken(&start, cursor)))
    }

    /// `add @SET { KEY ... }` and the like. The rule ends there if the set is full, or if a limit of the element does
    /// not hold (`nft_dynset_eval`, net/netfilter/nft_dynset.c), so it is a condition too.
    fn update(&mut self, cursor: &mut Cursor) -> Result<(), String> {
        let start = *cursor;
        cursor.skip();
        let name = cursor.word().unwrap_or_default().trim_start_matches('@');
        self.sets.get(name)?;
        self.element(cursor)?;
        self.draft.demand_at_times(&render(taken(&start, cursor)))
    }

    /// `meter NAME [size N] { KEY limit ... }`.
    fn meter(&mut self, cursor: &mut Cursor) -> Result<(), String> {
        let start = *cursor;
        cursor.skip();
        cursor.name().ok_or("the name of the meter is missing")?;
        if cursor.eat("size") {
            cursor.skip();
        }
        self.element(cursor)?;
        self.draft.demand_at_times(&render(taken(&start, cursor)))
    }

    /// The element that a rule puts into a set: a key that packets have, and what belongs to the element.
    fn element(&mut self, cursor: &mut Cursor) -> Result<(), String> {
        let Some(Piece::List(elements)) = cursor.peek() else {
            return Err("the element is written `{ KEY ... }`".to_owned());
        };
        let [element] = elements.as_ref() else {
            return Err("a rule puts in one element at a time".to_owned());
        };
        let tokens = super::scan::split(&element.text, element.line);
        let mut inner = Cursor::new(&tokens);
        let fields = fields(&mut inner)?.ok_or("the key of the element is not understood")?;
        self.draft.demand_fields(&fields)?;
        // A key of which some bits only are looked at: the element is opaque, whatever its key.
        if inner.eat("&") || inner.eat_symbol("&") {
            inner.word().and_then(super::value::number).ok_or("the mask of the key is missing")?;
        }
        while let Some(word) = inner.word() {
            match word {
                "timeout" | "expires" => inner.skip(),
                "counter" => counted(&mut inner)?,
                "comment" => inner.skip(),
                "limit" => rate(&mut inner)?,
                "quota" => {
                    let _ = inner.eat("over") || inner.eat("until");
                    amount(&mut inner)?;
                }
                "ct" if inner.eat("count") => {
                    let _ = inner.eat("over");
                    inner.skip();
                }
                _ => return Err(format!("`{word}` is not understood in an element")),
            }
        }
        if !inner.done() {
            return Err(format!("`{}` is not understood in an element", render(inner.rest())));
        }
        cursor.skip();
        Ok(())
    }

    /// Statements that change something; false if the next is none.
    fn change(&mut self, cursor: &mut Cursor) -> Result<bool, String> {
        let mut ahead = *cursor;
        // The size of segments that a connection agrees on: no field shows it (nft(8), extension header statement).
        if ahead.eat_all(&["tcp", "option", "maxseg", "size", "set"]) {
            if !ahead.eat_all(&["rt", "mtu"]) {
                ahead.word().and_then(super::value::number).ok_or("the size of segments is missing")?;
            }
            *cursor = ahead;
            self.draft.demand_only(None, Some(6))?;
            self.draft.reads_transport = true;
            return Ok(true);
        }
        let Some((words, _)) = CHANGES.iter().find(|(words, _)| {
            let mut ahead = *cursor;
            ahead.eat_all(words) && ahead.peek_word() == Some("set")
        }) else {
            let set = cursor.word_at(2) == Some("set") && cursor.word_at(0).is_some();
            if set || cursor.word_at(1) == Some("set") {
                return Err(format!(
                    "`{}` is not understood: it changes the packet",
                    render(cursor.rest().get(..3).unwrap_or(cursor.rest()),)
                ));
            }
            return Ok(false);
        };
        let mut ahead = *cursor;
        ahead.skip_all(words.len() + 1);
        let family = match words {
            ["ip", ..] => Some(Family::V4),
            ["ip6", ..] => Some(Family::V6),
            _ => None,
        };
        new_value(&mut ahead)?;
        *cursor = ahead;
        self.draft.demand_only(family, None)?;
        self.changes.push(words.join(" "));
        Ok(true)
    }

    fn finish(self, line: usize) -> Result<Lowered, (usize, String)> {
        let Reader { around, draft, label, changes, end, .. } = self;
        let mut lowered = Lowered {
            rules: Vec::new(),
            reads_transport: draft.reads_transport,
            reads_connection: draft.reads_connection,
            reads: draft.reads,
            changes,
        };
        match end {
            End::Map(mapped) => {
                for Mapped { matches, verdict, entry } in mapped {
                    let action = action(around, &verdict).map_err(|what| (entry.line, what))?;
                    let label = entry.label.or_else(|| label.clone());
                    for before in &draft.matches {
                        let joined =
                            join(before, std::slice::from_ref(&matches)).map_err(|what| (line, what))?;
                        let rule = |matches| Rule { line: entry.line, matches, action, label: label.clone() };
                        lowered.rules.extend(joined.into_iter().map(rule));
                    }
                    if lowered.rules.len() > MAX_RULES {
                        return Err((line, "the rule has too many combinations of interfaces".to_owned()));
                    }
                }
            }
            End::Verdict(_) | End::Open => {
                let action = match &end {
                    End::Verdict(verdict) => action(around, verdict).map_err(|what| (line, what))?,
                    End::Open | End::Map(_) => Action::Continue,
                };
                let rule = |matches| Rule { line, matches, action, label: label.clone() };
                lowered.rules = draft.matches.into_iter().map(rule).collect();
            }
        }
        Ok(lowered)
    }
}

/// True if a set is changed here: `add @SET ...`.
fn at_set(cursor: &Cursor) -> bool {
    cursor.word_at(1).is_some_and(|word| word.starts_with('@'))
}

fn taken<'a, 't>(start: &Cursor<'a, 't>, end: &Cursor<'a, 't>) -> &'a [Token<'t>] {
    start.rest().get(..start.rest().len() - end.rest().len()).unwrap_or_default()
}

fn action(around: &Surroundings, verdict: &Verdict) -> Result<Action, String> {
    let chain = |name: &str| (around.chain_id)(name).ok_or_else(|| format!("there is no chain `{name}`"));
    Ok(match verdict {
        Verdict::Accept => Action::Accept,
        Verdict::Drop => Action::Drop,
        Verdict::Continue => Action::Continue,
        Verdict::Return => Action::Return,
        Verdict::Jump(name) => Action::Jump(chain(name)?),
        Verdict::Goto(name) => Action::Goto(chain(name)?),
    })
}

/// `rate [over] N/UNIT [burst N packets]`, or with units of bytes.
fn rate(cursor: &mut Cursor) -> Result<(), String> {
    let unit = |cursor: &mut Cursor| ["bytes", "kbytes", "mbytes"].iter().any(|unit| cursor.eat(unit));
    let per = |word: &str| {
        let (number, unit) = word.split_once('/').unwrap_or(("0", word));
        let known = ["second", "minute", "hour", "day", "week"].contains(&unit);
        known && (number.is_empty() || super::value::number(number).is_some())
    };
    let form = || "a limit is `limit rate N/second`".to_owned();
    if !cursor.eat("rate") {
        return Err(form());
    }
    let _ = cursor.eat("over");
    let word = cursor.word().ok_or_else(form)?;
    let known = if super::value::number(word).is_some() {
        // `10 mbytes/second`, `10 /second`: the unit stands apart.
        let unit = cursor.word().unwrap_or_default();
        unit.split_once('/')
            .is_some_and(|(bytes, unit)| ["bytes", "kbytes", "mbytes"].contains(&bytes) && per(unit))
    } else {
        per(word)
    };
    if !known {
        return Err(form());
    }
    if cursor.eat("burst") {
        let number = cursor.word().and_then(super::value::number);
        if number.is_none() || !(cursor.eat("packets") || unit(cursor)) {
            return Err("a burst is `burst N packets`".to_owned());
        }
    }
    Ok(())
}

/// `N bytes` and the like.
fn amount(cursor: &mut Cursor) -> Result<(), String> {
    let number = cursor.word().and_then(super::value::number);
    let unit = matches!(cursor.word(), Some("bytes" | "kbytes" | "mbytes"));
    if number.is_some() && unit { Ok(()) } else { Err("an amount is `N bytes`".to_owned()) }
}

/// What something is set to: a number, a name, or something of the packet.
fn new_value(cursor: &mut Cursor) -> Result<(), String> {
    match super::field::field(cursor)? {
        Some(super::field::Field::Other { .. }) => {}
        Some(_) => return Err("what is set here is not understood".to_owned()),
        None => {
            cursor.name().ok_or("what is set is missing")?;
            if cursor.eat_symbol(":") {
                cursor.skip();
            }
        }
    }
    while ["&", "|", "^", "<<", ">>"].iter().any(|symbol| cursor.eat_symbol(symbol)) {
        cursor.value(&[]);
    }
    if matches!(cursor.peek_word(), Some("map")) {
        return Err("`map` is not understood".to_owned());
    }
    Ok(())
}

/// What a log says and how; none of it decides.
fn log(cursor: &mut Cursor) -> Result<(), String> {
    cursor.skip();
    loop {
        match cursor.peek_word() {
            Some("prefix" | "level" | "group" | "snaplen" | "queue-threshold") => {
                cursor.skip();
                cursor.name().ok_or("what stands behind `log` is not complete")?;
            }
            Some("flags") => {
                cursor.skip();
                match cursor.word() {
                    Some("all" | "skuid" | "ether") => {}
                    Some("ip") if cursor.eat("options") => {}
                    Some("tcp") if cursor.eat("sequence") || cursor.eat("options") => {
                        if cursor.eat_symbol(",") {
                            cursor.word().ok_or("a flag of the log is missing")?;
                        }
                    }
                    _ => return Err("the flags of the log are not understood".to_owned()),
                }
            }
            _ => return Ok(()),
        }
    }
}
