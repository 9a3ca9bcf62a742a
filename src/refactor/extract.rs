//! The least of a policy that still shows something, for a report of a bug.
//!
//! In: the text of a policy in one file, and the tables of its inventories. Out: what is left of them after statements,
//! then clauses, then entries of lists, then rows of tables were taken away, as long as a question that the caller answers
//! is answered by yes. Whatever is left stands in its old order. The same input and answers give the same result.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::reference::{Space, references};
use super::shrink::shrink;
use crate::diag::Diagnostics;
use crate::source::{SourceFile, Sources};
use crate::syntax::ast::{Members, Statement};
use crate::syntax::{Part, Parts, parse, parts};

/// A policy that may be less than the whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extraction {
    /// The text of the policy.
    pub policy: String,
    /// Where each statement starts in it, and which one that is in the whole policy.
    starts: Vec<(usize, usize)>,
    /// The tables and mappings, each by its path below the policy's directory.
    pub tables: BTreeMap<String, String>,
}

impl Extraction {
    /// Which statement of the whole policy a place of this one belongs to.
    pub fn statement_at(&self, offset: usize) -> Option<usize> {
        let behind = self.starts.partition_point(|(start, _)| *start <= offset);
        self.starts.get(behind.checked_sub(1)?).map(|(_, statement)| *statement)
    }

    /// How many statements, or lines, are left.
    pub fn statements(&self) -> usize {
        self.starts.len()
    }
}

/// A piece of the text that can be left out, by its number in the order of the text.
#[derive(Clone, Debug)]
struct Piece {
    range: Range<usize>,
    /// How deep it lies: 0 for statements.
    depth: usize,
    inner: Vec<Pieces>,
    number: usize,
}

#[derive(Clone, Debug)]
enum Pieces {
    Optional(Piece),
    List(Vec<Piece>),
}

/// What is taken apart.
pub struct Extract {
    text: String,
    statements: Vec<Piece>,
    /// For each statement, those that declare what it names.
    needs: Vec<BTreeSet<usize>>,
    tables: BTreeMap<String, Vec<String>>,
    is_tidy: bool,
}

/// What is kept of the whole.
#[derive(Clone)]
struct Kept {
    pieces: BTreeSet<usize>,
    tables: BTreeMap<String, Vec<String>>,
}

impl Extract {
    /// Takes a policy apart by its statements. Comments go.
    pub fn by_statements(policy: &str, tables: &BTreeMap<String, String>) -> Self {
        let mut sources = Sources::default();
        let text = tidy(policy);
        let Ok(file) = sources.add(String::new(), text.clone()).cloned() else {
            return Self::by_lines(policy, tables);
        };
        let (mut numbers, mut statements) = (0, Vec::new());
        for part in parts(&file) {
            statements.push(piece(&part, 0, &mut numbers));
        }
        let needs = needs(&file, &statements);
        Extract { text, statements, needs, tables: lines_of(tables), is_tidy: true }
    }

    /// Takes a policy apart by its lines, for findings that are about the form of the text.
    pub fn by_lines(policy: &str, tables: &BTreeMap<String, String>) -> Self {
        let mut start = 0;
        let lines = policy.split_inclusive('\n').enumerate().map(|(number, line)| {
            let range = start..start + line.len();
            start = range.end;
            Piece { range, depth: 0, inner: Vec::new(), number }
        });
        let statements: Vec<Piece> = lines.collect();
        let needs = vec![BTreeSet::new(); statements.len()];
        Extract { text: policy.to_owned(), statements, needs, tables: lines_of(tables), is_tidy: false }
    }

    fn all(&self) -> Kept {
        let mut pieces = BTreeSet::new();
        for statement in &self.statements {
            walk(statement, &mut |piece| {
                pieces.insert(piece.number);
                true
            });
        }
        Kept { pieces, tables: self.tables.clone() }
    }

    /// All of it.
    pub fn whole(&self) -> Extraction {
        self.render(&self.all()).unwrap_or(Extraction {
            policy: self.text.clone(),
            starts: Vec::new(),
            tables: BTreeMap::new(),
        })
    }

    /// The least that `shows` says yes to. It says so of the [whole](Self::whole).
    pub fn least(&self, shows: &mut dyn FnMut(&Extraction) -> bool) -> Extraction {
        let mut kept = self.all();
        self.shrink_with_needs(&mut kept, shows);
        loop {
            let before = (kept.pieces.clone(), kept.tables.clone());
            let deepest = self.deepest();
            for depth in 0..=deepest {
                self.shrink_depth(&mut kept, depth, shows);
            }
            self.shrink_tables(&mut kept, shows);
            if (&kept.pieces, &kept.tables) == (&before.0, &before.1) {
                return self.render(&kept).unwrap_or_else(|| self.whole());
            }
        }
    }

    fn deepest(&self) -> usize {
        let mut deepest = 0;
        for statement in &self.statements {
            walk(statement, &mut |piece| {
                deepest = deepest.max(piece.depth);
                true
            });
        }
        deepest
    }

    /// Takes statements away, each together with what nothing else names: most others name what would be missing.
    fn shrink_with_needs(&self, kept: &mut Kept, shows: &mut dyn FnMut(&Extraction) -> bool) {
        let all: Vec<usize> = (0..self.statements.len()).collect();
        let tables = kept.tables.clone();
        let with = |some: &[usize]| {
            let closed = self.closure(some);
            let mut pieces = BTreeSet::new();
            let chosen = closed.iter().filter_map(|place| self.statements.get(*place));
            chosen.for_each(|statement| {
                walk(statement, &mut |piece| {
                    pieces.insert(piece.number);
                    true
                });
            });
            Kept { pieces, tables: tables.clone() }
        };
        let least = shrink(all, &mut |some| self.render(&with(some)).is_some_and(|less| shows(&less)));
        *kept = with(&least);
    }

    /// The statements and all that they name.
    fn closure(&self, some: &[usize]) -> BTreeSet<usize> {
        let mut closed = BTreeSet::new();
        let mut waiting = some.to_vec();
        while let Some(place) = waiting.pop() {
            if closed.insert(place) {
                waiting.extend(self.needs.get(place).into_iter().flatten());
            }
        }
        closed
    }

    fn shrink_depth(&self, kept: &mut Kept, depth: usize, shows: &mut dyn FnMut(&Extraction) -> bool) {
        let mut here = Vec::new();
        for statement in &self.statements {
            walk(statement, &mut |piece| {
                let is_kept = kept.pieces.contains(&piece.number);
                if is_kept && piece.depth == depth {
                    let text = self.text.get(piece.range.clone()).unwrap_or_default();
                    here.push((text.starts_with("members from inventory"), piece.number));
                }
                is_kept
            });
        }
        // What is declared mostly stands before what names it, so the last go first; but before all others what needs a table.
        here.reverse();
        here.sort_by_key(|(needs_table, _)| !needs_table);
        let here: Vec<usize> = here.into_iter().map(|(_, number)| number).collect();
        let others: BTreeSet<usize> =
            kept.pieces.iter().copied().filter(|number| !here.contains(number)).collect();
        let tables = kept.tables.clone();
        let with = |some: &[usize]| Kept {
            pieces: others.iter().chain(some).copied().collect(),
            tables: tables.clone(),
        };
        let least = shrink(here, &mut |some| self.render(&with(some)).is_some_and(|less| shows(&less)));
        *kept = with(&least);
    }

    /// Takes rows away. The first line of a table names its columns.
    fn shrink_tables(&self, kept: &mut Kept, shows: &mut dyn FnMut(&Extraction) -> bool) {
        let csv: Vec<String> =
            kept.tables.keys().filter(|path| path.to_lowercase().ends_with(".csv")).cloned().collect();
        for path in csv {
            let Some(lines) = kept.tables.get(&path).cloned() else { continue };
            let Some((header, rows)) = lines.split_first() else { continue };
            let with = |rows: &[String]| {
                let mut fewer = kept.clone();
                let lines = std::iter::once(header).chain(rows).cloned().collect();
                fewer.tables.insert(path.clone(), lines);
                fewer
            };
            let least =
                shrink(rows.to_vec(), &mut |rows| self.render(&with(rows)).is_some_and(|less| shows(&less)));
            *kept = with(&least);
        }
    }

    /// What is kept as a policy; none if a list would be empty.
    fn render(&self, kept: &Kept) -> Option<Extraction> {
        let (mut policy, mut starts) = (String::new(), Vec::new());
        for (place, statement) in self.statements.iter().enumerate() {
            if !kept.pieces.contains(&statement.number) {
                continue;
            }
            let mut text = String::new();
            self.write(statement, kept, &mut text)?;
            starts.push((policy.len(), place));
            if self.is_tidy {
                policy += &tidy(&text);
            } else {
                policy += &text;
            }
        }
        // Tables that no statement names any more are no part of it.
        let is_named = |path: &String| policy.contains(&quoted(path));
        let tables = kept.tables.iter().filter(|(path, _)| is_named(path));
        let tables = tables.map(|(path, lines)| (path.clone(), lines.concat())).collect();
        Some(Extraction { policy, starts, tables })
    }

    fn write(&self, piece: &Piece, kept: &Kept, text: &mut String) -> Option<()> {
        let mut done = piece.range.start;
        for inner in &piece.inner {
            match inner {
                Pieces::Optional(one) => {
                    text.push_str(self.text.get(done..one.range.start)?);
                    done = one.range.end;
                    if kept.pieces.contains(&one.number) {
                        self.write(one, kept, text)?;
                    }
                }
                Pieces::List(entries) => {
                    let (first, last) = (entries.first()?, entries.last()?);
                    text.push_str(self.text.get(done..first.range.start)?);
                    done = last.range.end;
                    let mut left =
                        entries.iter().filter(|entry| kept.pieces.contains(&entry.number)).peekable();
                    left.peek()?;
                    while let Some(entry) = left.next() {
                        self.write(entry, kept, text)?;
                        text.push_str(if left.peek().is_some() { ", " } else { "" });
                    }
                }
            }
        }
        text.push_str(self.text.get(done..piece.range.end)?);
        Some(())
    }
}

/// A text as a policy writes it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn lines_of(tables: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let lines = |text: &String| text.split_inclusive('\n').map(str::to_owned).collect();
    tables.iter().map(|(path, text)| (path.clone(), lines(text))).collect()
}

fn piece(part: &Part, depth: usize, numbers: &mut usize) -> Piece {
    let number = *numbers;
    *numbers += 1;
    let inner = part.parts.iter().map(|parts| match parts {
        Parts::Optional(part) => Pieces::Optional(piece(part, depth + 1, numbers)),
        Parts::List(entries) => {
            Pieces::List(entries.iter().map(|entry| piece(entry, depth + 1, numbers)).collect())
        }
    });
    let inner = inner.collect();
    Piece { range: part.range.clone(), depth, inner, number }
}

/// Visits a piece, and what is in it as long as `visit` says yes.
fn walk(piece: &Piece, visit: &mut dyn FnMut(&Piece) -> bool) {
    if !visit(piece) {
        return;
    }
    for inner in &piece.inner {
        match inner {
            Pieces::Optional(one) => walk(one, visit),
            Pieces::List(entries) => entries.iter().for_each(|entry| walk(entry, visit)),
        }
    }
}

/// For each statement, those that declare what it names. A class with devices of inventories needs all of these.
fn needs(file: &SourceFile, statements: &[Piece]) -> Vec<BTreeSet<usize>> {
    let tree = parse(file, &mut Diagnostics::default());
    let base = file.span(0..0).start();
    let place = |offset: usize| -> Option<usize> {
        let behind = statements.partition_point(|piece| piece.range.start <= offset.saturating_sub(base));
        behind.checked_sub(1)
    };
    let all = references(std::slice::from_ref(&tree));
    let mut declared: BTreeMap<(Space, &str), usize> = BTreeMap::new();
    for one in all.iter().filter(|one| one.declares.is_some()) {
        declared.extend(place(one.span.start()).map(|place| ((one.space, one.name.as_str()), place)));
    }
    let mut needs = vec![BTreeSet::new(); statements.len()];
    let mut need = |user: Option<usize>, needed: &[usize]| {
        let own = user.and_then(|user| needs.get_mut(user));
        own.into_iter().for_each(|own| own.extend(needed));
    };
    for one in &all {
        if let Some(needed) = declared.get(&(one.space, one.name.as_str())) {
            need(place(one.span.start()), &[*needed]);
        }
    }
    let inventories: Vec<usize> = declared
        .iter()
        .filter(|((space, _), _)| *space == Space::Inventory)
        .map(|(_, place)| *place)
        .collect();
    for statement in &tree.statements {
        let Statement::Class(class) = statement else { continue };
        if class.members.iter().any(|members| matches!(members, Members::Inventory { .. })) {
            need(place(class.name.span.start()), &inventories);
        }
    }
    needs
}

/// A text without comments, empty lines and more than one blank between words.
fn tidy(text: &str) -> String {
    let mut tidied = String::new();
    for line in text.lines() {
        // The end of a block stands at the margin, also where a clause went that it stood behind.
        let indent = if line.trim() == "}" { 0 } else { line.len() - line.trim_start().len() };
        let mut kept = line.get(..indent).unwrap_or_default().to_owned();
        let (mut in_text, mut escaped) = (false, false);
        for character in line.trim().chars() {
            match character {
                _ if in_text => {
                    in_text = escaped || character != '"';
                    escaped = character == '\\' && !escaped;
                    kept.push(character);
                    continue;
                }
                '#' => break,
                '"' => in_text = true,
                ' ' | '\t' if kept.ends_with([' ', '\t']) => continue,
                _ => {}
            }
            kept.push(character);
        }
        if !kept.trim().is_empty() {
            tidied += kept.trim_end();
            tidied.push('\n');
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "# of a hospital\nzone a { net 10.1.0.0/24, 10.1.1.0/24   note \"# no comment\" } # why\n\
                          zone b { net 10.2.0.0/24 }\nzone c { rest }\ngroup g { a, b }\n\
                          allow r {\n  from a, c # both\n  to b except c   via tcp 1, 2\n}\n";

    #[test]
    fn what_is_left_is_what_is_asked_for() {
        let extract = Extract::by_statements(POLICY, &BTreeMap::new());
        let whole = extract.whole();
        assert_eq!(whole.statements(), 5);
        assert!(!whole.policy.contains("why") && whole.policy.contains("# no comment"), "{}", whole.policy);
        let least = extract.least(&mut |less| {
            ["allow r", "zone a", "10.1.1.0", "tcp 1", "to b"].iter().all(|text| less.policy.contains(text))
        });
        assert_eq!(least.policy, "zone a { net 10.1.1.0/24 }\nallow r {\n  to b via tcp 1\n}\n");
        assert_eq!(least.statement_at(least.policy.find("to b").unwrap()), Some(4));
    }

    #[test]
    fn lines_are_kept_as_they_are() {
        let extract = Extract::by_lines(POLICY, &BTreeMap::new());
        assert_eq!(extract.whole().policy, POLICY);
        assert_eq!(extract.least(&mut |less| less.policy.contains("both")).policy, "  from a, c # both\n");
    }
}
