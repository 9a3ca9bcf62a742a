//! From statements to what they declare.
//!
//! In: the items of a text, in order. Out: its [`Ruleset`], in which commands have done their work: what is flushed or
//! deleted is gone, variables are replaced by their values. A text is read as if nothing had been loaded before it.

use std::rc::Rc;

use super::chain_head;
use super::cursor::Cursor;
use super::ignorable::{self, lists};
use super::report::Report;
use super::ruleset::{Ruleset, Set, Table, TableFamily, TableKey};
use super::scan::{Item, Piece, Statement};
use super::variables::Variables;

/// What can be flushed.
const FLUSHABLE: [&str; 5] = ["ruleset", "table", "chain", "set", "map"];

/// A block that is open.
enum Block {
    /// `table FAMILY NAME {`.
    Table(TableKey),
    /// `chain NAME {`.
    Chain(TableKey, String),
    /// `set NAME {` or `map NAME {`.
    Set(TableKey, String),
    /// One that stands on the list of what can be ignored; its first line.
    Ignored(usize),
    /// One that was not understood; its first line.
    Broken(usize),
}

/// What a text declares.
pub(super) fn declare<'t>(items: Vec<Item<'t>>, report: &mut Report) -> Ruleset<'t> {
    let mut ctx =
        Ctx { ruleset: Ruleset::default(), blocks: Vec::new(), variables: Variables::default(), report };
    let mut last = 1;
    for item in items {
        match item {
            Item::Open(head) => {
                last = head.lines.1;
                ctx.open(&head);
            }
            Item::Close(line) => {
                last = line;
                ctx.close(line);
            }
            Item::Statement(statement) => {
                last = statement.lines.1;
                ctx.statement(statement);
            }
        }
    }
    while !ctx.blocks.is_empty() {
        ctx.report.mistake(last, "the text ends within a block; a `}` is missing");
        ctx.close(last);
    }
    ctx.ruleset
}

struct Ctx<'t, 'r> {
    ruleset: Ruleset<'t>,
    blocks: Vec<Block>,
    variables: Variables<'t>,
    report: &'r mut Report,
}

impl<'t> Ctx<'t, '_> {
    fn table(&mut self, key: &TableKey) -> &mut Table<'t> {
        self.ruleset.tables.entry(key.clone()).or_default()
    }

    fn open(&mut self, head: &Statement<'t>) {
        let line = head.lines.0;
        let block = match self.block(head) {
            Ok(block) => block,
            Err(what) => {
                self.report.mistake_in(head.lines, line, what);
                Block::Broken(line)
            }
        };
        self.blocks.push(block);
        self.variables.enter();
    }

    /// The block that a head opens, which is declared.
    fn block(&mut self, head: &Statement<'t>) -> Result<Block, String> {
        let line = head.lines.0;
        match self.blocks.last() {
            Some(Block::Ignored(_)) => return Ok(Block::Ignored(line)),
            Some(Block::Broken(_)) => return Ok(Block::Broken(line)),
            Some(Block::Chain(..) | Block::Set(..)) => {
                return Err("a block within a chain, a set or a map; is a `}` missing before it?".to_owned());
            }
            Some(Block::Table(_)) | None => {}
        }
        let mut cursor = Cursor::new(&head.tokens);
        let _ = cursor.eat("add") || cursor.eat("create");
        let kind = cursor.word().unwrap_or_default();
        if kind == "table" {
            if !self.blocks.is_empty() {
                return Err("a table within a table; is a `}` missing before it?".to_owned());
            }
            let key = table_key(&mut cursor)?;
            at_end(&cursor)?;
            self.table(&key);
            return Ok(if lists(&ignorable::FAMILIES, key.0.word()) {
                Block::Ignored(line)
            } else {
                Block::Table(key)
            });
        }
        let key = match self.blocks.last() {
            Some(Block::Table(key)) => key.clone(),
            _ => table_key(&mut cursor)?,
        };
        let name = cursor.name().ok_or("a name is missing before `{`")?.to_owned();
        at_end(&cursor)?;
        if lists(&ignorable::FAMILIES, key.0.word()) || lists(&ignorable::BLOCKS, &words(kind)) {
            return Ok(Block::Ignored(line));
        }
        match kind {
            "chain" => {
                self.table(&key).chain(&name, line);
                Ok(Block::Chain(key, name))
            }
            _ => {
                let is_map = kind == "map";
                self.table(&key).sets.entry(name.clone()).or_insert_with(|| Set::new(line, is_map));
                Ok(Block::Set(key, name))
            }
        }
    }

    fn close(&mut self, line: usize) {
        self.variables.leave();
        match self.blocks.pop() {
            Some(Block::Ignored(first)) => self.report.ignore((first, line)),
            Some(Block::Broken(first)) => {
                self.report.mistake_in(
                    (first, line),
                    first,
                    "the block is not understood, so it is not read",
                );
            }
            Some(Block::Table(_) | Block::Chain(..) | Block::Set(..)) => {}
            None => self.report.mistake(line, "a `}` that closes nothing"),
        }
    }

    fn statement(&mut self, statement: Statement<'t>) {
        let (lines, line) = (statement.lines, statement.lines.0);
        let opened = statement.tokens.iter().filter(|token| token.piece == Piece::Bad("{")).count();
        let ignored = matches!(self.blocks.last(), Some(Block::Ignored(_)));
        if !ignored
            && !matches!(self.blocks.last(), Some(Block::Broken(_)))
            && let Err(what) = self.checked(statement)
        {
            self.report.mistake_in(lines, line, what);
        }
        // A brace whose list could not be read would make its closing brace end the block around it.
        for _ in 0..opened {
            self.blocks.push(if ignored { Block::Ignored(line) } else { Block::Broken(line) });
            self.variables.enter();
        }
    }

    fn checked(&mut self, statement: Statement<'t>) -> Result<(), String> {
        for token in &statement.tokens {
            match &token.piece {
                Piece::Bad("{") => {
                    return Err("a list without an end, or with something else in it".to_owned());
                }
                Piece::Bad("\"") => return Err("a text without an end: a `\"` is missing".to_owned()),
                Piece::Bad(other) => return Err(format!("`{other}` has no place here")),
                Piece::Word(_) | Piece::Text(_) | Piece::Symbol(_) | Piece::List(_) | Piece::Lines(_) => {}
            }
        }
        if self.variables.define(&statement.tokens)? {
            return Ok(());
        }
        let lines = statement.lines;
        let tokens = self.variables.replace(statement.tokens)?;
        let statement = Statement { tokens, lines };
        match self.blocks.last() {
            None => self.command(statement),
            Some(Block::Table(key)) => {
                let key = key.clone();
                self.in_table(&key, &statement)
            }
            Some(Block::Chain(key, name)) => {
                let (key, name) = (key.clone(), name.clone());
                self.in_chain(&key, &name, statement)
            }
            Some(Block::Set(key, name)) => {
                let (key, name) = (key.clone(), name.clone());
                self.in_set(&key, &name, &statement)
            }
            Some(Block::Ignored(_) | Block::Broken(_)) => Ok(()),
        }
    }

    fn in_table(&mut self, key: &TableKey, statement: &Statement<'t>) -> Result<(), String> {
        let mut cursor = Cursor::new(&statement.tokens);
        let word = cursor.word().unwrap_or_default();
        if lists(&ignorable::OBJECTS, word)
            && let Some(name) = cursor.name()
        {
            let block = matches!(cursor.peek(), Some(Piece::List(_) | Piece::Lines(_)));
            cursor.skip();
            if !block || !cursor.done() {
                return Err(format!("`{word}` in a table is `{word} NAME {{ ... }}`"));
            }
            self.table(key).objects.insert((word.to_owned(), name.to_owned()));
            self.report.ignore(statement.lines);
            return Ok(());
        }
        match word {
            "comment" => self.report.ignore(statement.lines),
            "flags" => {
                let known = ["dormant", "owner", "persist"];
                let flags = flags(cursor, &known)?;
                self.table(key).dormant = flags.contains(&"dormant");
            }
            _ => return Err(format!("`{}` is not understood in a table", shown(statement))),
        }
        Ok(())
    }

    fn in_chain(&mut self, key: &TableKey, name: &str, statement: Statement<'t>) -> Result<(), String> {
        let line = statement.lines.0;
        let mut cursor = Cursor::new(&statement.tokens);
        match cursor.word().unwrap_or_default() {
            "comment" => self.report.ignore(statement.lines),
            "type" => {
                let base = chain_head::base(key.0, cursor)?;
                let chain = self.table(key).chain(name, line);
                if chain.base.as_ref().is_some_and(|known| *known != base) {
                    return Err(format!("the chain `{name}` already has another hook"));
                }
                (chain.base, chain.line) = (Some(base), line);
            }
            "policy" => {
                let drops = match cursor.word() {
                    Some("accept") => false,
                    Some("drop") => true,
                    _ => return Err("a policy is `accept` or `drop`".to_owned()),
                };
                at_end(&cursor)?;
                self.table(key).chain(name, line).policy_drop = drops;
            }
            "flags" => return Err("a chain that hardware works on is not understood".to_owned()),
            _ => self.table(key).chain(name, line).rules.push(Rc::new(statement)),
        }
        Ok(())
    }

    fn in_set(&mut self, key: &TableKey, name: &str, statement: &Statement<'t>) -> Result<(), String> {
        let mut cursor = Cursor::new(&statement.tokens);
        let word = cursor.word().unwrap_or_default();
        if lists(&ignorable::ATTRIBUTES, word) {
            self.report.ignore(statement.lines);
            return Ok(());
        }
        let Some(set) = self.table(key).sets.get_mut(name) else { return Ok(()) };
        match word {
            "type" | "typeof" => {
                if set.kind.as_ref().is_some_and(|known| !same(known, &statement.tokens)) {
                    return Err(format!("`{name}` already has another type"));
                }
                set.kind = Some(statement.tokens.clone());
            }
            "flags" => {
                let known = ["constant", "dynamic", "interval", "timeout"];
                let flags = flags(cursor, &known)?;
                set.is_dynamic |= flags.contains(&"dynamic") || flags.contains(&"timeout");
            }
            "timeout" => set.is_dynamic = true,
            "elements" => {
                let list = cursor.eat_symbol("=");
                match cursor.peek() {
                    Some(Piece::List(elements)) if list => set.elements.extend(elements.iter().cloned()),
                    Some(Piece::Lines(_)) => return Err("elements are separated by commas".to_owned()),
                    _ => return Err("elements are written `elements = { ..., ... }`".to_owned()),
                }
                cursor.skip();
                at_end(&cursor)?;
            }
            "counter" | "last" => {}
            "limit" | "quota" | "ct" => set.is_limited = true,
            _ => return Err(format!("`{}` is not understood in a set or a map", shown(statement))),
        }
        Ok(())
    }

    fn command(&mut self, statement: Statement<'t>) -> Result<(), String> {
        let mut cursor = Cursor::new(&statement.tokens);
        let verb = cursor.word().unwrap_or_default();
        match verb {
            "include" => {
                let what = "another file is included, which is not read; read what `nft list ruleset` prints";
                Err(what.to_owned())
            }
            "flush" => self.flush(cursor),
            "delete" | "destroy" if cursor.eat("table") => {
                let key = table_key(&mut cursor)?;
                self.ruleset.tables.remove(&key);
                at_end(&cursor)
            }
            "add" | "create" | "insert" => self.add(verb == "insert", &statement),
            "table" => {
                let key = table_key(&mut cursor)?;
                self.table(&key);
                at_end(&cursor)
            }
            _ if lists(&ignorable::COMMANDS, verb) => {
                self.report.ignore(statement.lines);
                Ok(())
            }
            _ => Err(format!("the command `{}` is not understood", shown(&statement))),
        }
    }

    fn flush(&mut self, mut cursor: Cursor<'_, 't>) -> Result<(), String> {
        let kind = cursor.word().unwrap_or_default();
        if !FLUSHABLE.contains(&kind) {
            return Err(format!("`flush {kind}` is not understood"));
        }
        if kind == "ruleset" {
            let family = cursor.peek_word().and_then(TableFamily::parse);
            if family.is_some() {
                cursor.skip();
            }
            self.ruleset.tables.retain(|key, _| family.is_some_and(|family| key.0 != family));
            return at_end(&cursor);
        }
        let key = table_key(&mut cursor)?;
        let name = if kind == "table" { None } else { Some(cursor.name().ok_or("a name is missing")?) };
        at_end(&cursor)?;
        let table = self.table(&key);
        match name {
            // Sets and maps stay (nft(8), tables).
            None => table.chains.values_mut().for_each(|chain| chain.rules.clear()),
            Some(name) if kind == "chain" => {
                table.chains.get_mut(name).ok_or_else(|| no_such(kind, name))?.rules.clear();
            }
            Some(name) => table.sets.get_mut(name).ok_or_else(|| no_such(kind, name))?.elements.clear(),
        }
        Ok(())
    }

    fn add(&mut self, in_front: bool, statement: &Statement<'t>) -> Result<(), String> {
        let mut cursor = Cursor::new(&statement.tokens);
        cursor.skip();
        let kind = cursor.word().unwrap_or_default();
        let key = table_key(&mut cursor)?;
        if lists(&ignorable::FAMILIES, key.0.word()) {
            self.report.ignore(statement.lines);
            return Ok(());
        }
        if kind == "table" {
            self.table(&key);
            return at_end(&cursor);
        }
        let name = cursor.name().ok_or("a name is missing")?.to_owned();
        let line = statement.lines.0;
        match kind {
            "chain" => {
                at_end(&cursor)?;
                self.table(&key).chain(&name, line);
            }
            "rule" => {
                if let Some("handle" | "index" | "position") = cursor.peek_word() {
                    return Err("a rule at a place of its own is not understood".to_owned());
                }
                let chains = &mut self.table(&key).chains;
                let chain = chains.get_mut(&name).ok_or_else(|| no_such("chain", &name))?;
                let rule = Rc::new(Statement { tokens: cursor.rest().to_vec(), lines: statement.lines });
                chain.rules.insert(if in_front { 0 } else { chain.rules.len() }, rule);
            }
            "element" => {
                let sets = &mut self.table(&key).sets;
                let set = sets.get_mut(&name).ok_or_else(|| no_such("set or map", &name))?;
                match cursor.peek() {
                    Some(Piece::List(elements)) => set.elements.extend(elements.iter().cloned()),
                    _ => return Err("elements are written `{ ..., ... }`".to_owned()),
                }
                cursor.skip();
                at_end(&cursor)?;
            }
            _ if lists(&ignorable::OBJECTS, kind) => {
                self.table(&key).objects.insert((kind.to_owned(), name));
                self.report.ignore(statement.lines);
            }
            _ => return Err(format!("the command `{}` is not understood", shown(statement))),
        }
        Ok(())
    }
}

/// Family and name of a table; without a family it is one of `ip` (nft(8), tables).
fn table_key(cursor: &mut Cursor) -> Result<TableKey, String> {
    let family = cursor.peek_word().and_then(TableFamily::parse);
    if family.is_some() {
        cursor.skip();
    }
    let name = cursor.name().ok_or("the name of a table is missing")?;
    Ok((family.unwrap_or(TableFamily::Ip), name.to_owned()))
}

fn at_end(cursor: &Cursor) -> Result<(), String> {
    if cursor.done() {
        return Ok(());
    }
    Err(format!("`{}` has no place here", super::scan::render(cursor.rest())))
}

/// Flags, all of which must be known.
fn flags<'a>(mut cursor: Cursor<'a, '_>, known: &[&str]) -> Result<Vec<&'a str>, String> {
    let mut flags = Vec::new();
    loop {
        let flag = cursor.word().ok_or("a flag is missing")?;
        if !known.contains(&flag) {
            return Err(format!("the flag `{flag}` is not understood"));
        }
        flags.push(flag);
        if cursor.done() {
            return Ok(flags);
        }
        if !cursor.eat_symbol(",") {
            return Err("flags are separated by commas".to_owned());
        }
    }
}

fn same(one: &[super::scan::Token], other: &[super::scan::Token]) -> bool {
    super::scan::render(one) == super::scan::render(other)
}

fn no_such(kind: &str, name: &str) -> String {
    format!("there is no {kind} `{name}`")
}

/// Words with one blank between them.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The start of a statement, for a message.
fn shown(statement: &Statement) -> String {
    super::scan::render(statement.tokens.get(..3).unwrap_or(&statement.tokens))
}
