//! Variables: `define NAME = VALUE`, and `$NAME` where the value is meant.
//!
//! A variable holds in the block that defines it and in the blocks therein (nft(8), symbolic variables). Values are put
//! in where the variable is used, in the order of the text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::cursor::Cursor;
use super::scan::{Element, Piece, Token, render, split};

/// The most parts and elements that values may come to in all; lists of lists double with each line.
const MAX_PARTS: usize = 4_000_000;

/// What variables stand for, for each open block.
#[derive(Default)]
pub(super) struct Variables<'t> {
    text: BTreeMap<String, Vec<Token<'t>>>,
    blocks: Vec<BTreeMap<String, Vec<Token<'t>>>>,
    parts: usize,
}

impl<'t> Variables<'t> {
    /// A block begins.
    pub(super) fn enter(&mut self) {
        self.blocks.push(BTreeMap::new());
    }

    /// A block ends.
    pub(super) fn leave(&mut self) {
        self.blocks.pop();
    }

    /// Takes a definition; false if a statement is none.
    pub(super) fn define(&mut self, tokens: &[Token<'t>]) -> Result<bool, String> {
        let mut cursor = Cursor::new(tokens);
        match cursor.word() {
            Some("define") => {}
            Some(word @ ("redefine" | "undefine")) => {
                return Err(format!("`{word}` is not understood; give each value a name of its own"));
            }
            _ => return Ok(false),
        }
        let name = cursor.word().ok_or("the name of the variable is missing")?.to_owned();
        if !cursor.eat_symbol("=") || cursor.done() {
            return Err("a variable is defined by `define NAME = VALUE`".to_owned());
        }
        let value = self.replace(cursor.rest().to_vec())?;
        let scope = self.blocks.last_mut().unwrap_or(&mut self.text);
        if scope.insert(name.clone(), value).is_some() {
            return Err(format!("the variable `{name}` is already defined"));
        }
        Ok(true)
    }

    /// Parts of a statement with values in the place of variables.
    pub(super) fn replace(&mut self, tokens: Vec<Token<'t>>) -> Result<Vec<Token<'t>>, String> {
        if !tokens.iter().any(uses_variables) {
            return Ok(tokens);
        }
        let mut replaced = Vec::with_capacity(tokens.len());
        for token in tokens {
            match &token.piece {
                Piece::Word(word) if word.starts_with('$') => {
                    let value = self.value(word)?.iter();
                    replaced.extend(value.map(|part| Token { piece: part.piece.clone(), line: token.line }));
                    self.spend(1)?;
                    if replaced.len() > MAX_PARTS / 100 {
                        return Err("variables make the statement too long".to_owned());
                    }
                }
                Piece::List(elements) => {
                    let piece = Piece::List(self.elements(elements)?);
                    replaced.push(Token { piece, line: token.line });
                }
                Piece::Word(_) | Piece::Text(_) | Piece::Symbol(_) | Piece::Lines(_) | Piece::Bad(_) => {
                    replaced.push(token);
                }
            }
        }
        Ok(replaced)
    }

    fn spend(&mut self, parts: usize) -> Result<(), String> {
        self.parts = self.parts.saturating_add(parts);
        if self.parts > MAX_PARTS { Err("variables make the text too long".to_owned()) } else { Ok(()) }
    }

    fn value(&self, word: &str) -> Result<&[Token<'t>], String> {
        let name = word.trim_start_matches('$');
        let mut scopes = self.blocks.iter().rev().chain([&self.text]);
        let value = scopes.find_map(|scope| scope.get(name));
        value.map(Vec::as_slice).ok_or_else(|| format!("the variable `{word}` is not defined"))
    }

    /// Elements with values in the place of variables; a variable that stands for a list gives its elements.
    fn elements(&mut self, elements: &[Element<'t>]) -> Result<Rc<[Element<'t>]>, String> {
        let mut replaced = Vec::with_capacity(elements.len());
        for element in elements {
            self.spend(1)?;
            if !element.text.contains('$') {
                replaced.push(element.clone());
                continue;
            }
            if element.text.starts_with('$')
                && let Ok([Token { piece: Piece::List(inner), .. }]) = self.value(&element.text)
            {
                let inner = Rc::clone(inner);
                self.spend(inner.len())?;
                let inner = inner.iter().map(|part| Element { text: part.text.clone(), line: element.line });
                replaced.extend(inner);
                continue;
            }
            let mut text = Vec::new();
            for token in split(&element.text, element.line) {
                match &token.piece {
                    Piece::Word(word) if word.starts_with('$') => match self.value(word)? {
                        [Token { piece: Piece::List(_), .. }] => {
                            return Err(format!("`{word}` is a list, and only a part of an element here"));
                        }
                        value => text.push(render(value)),
                    },
                    Piece::Word(_)
                    | Piece::Text(_)
                    | Piece::Symbol(_)
                    | Piece::List(_)
                    | Piece::Lines(_)
                    | Piece::Bad(_) => text.push(render(std::slice::from_ref(&token))),
                }
            }
            replaced.push(Element { text: Cow::Owned(text.join(" ")), line: element.line });
        }
        Ok(replaced.into())
    }
}

fn uses_variables(token: &Token) -> bool {
    match &token.piece {
        Piece::Word(word) => word.starts_with('$'),
        Piece::List(elements) => elements.iter().any(|element| element.text.contains('$')),
        Piece::Text(_) | Piece::Symbol(_) | Piece::Lines(_) | Piece::Bad(_) => false,
    }
}
