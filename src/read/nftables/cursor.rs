//! A place in the parts of a statement.

use super::scan::{Piece, Token};

/// What is left of a statement.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a, 't> {
    rest: &'a [Token<'t>],
}

impl<'a, 't> Cursor<'a, 't> {
    /// The start of a statement.
    pub(super) fn new(tokens: &'a [Token<'t>]) -> Self {
        Cursor { rest: tokens }
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [Token<'t>] {
        self.rest
    }

    /// True if nothing is left.
    pub(super) fn done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next part.
    pub(super) fn peek(&self) -> Option<&'a Piece<'t>> {
        self.rest.first().map(|token| &token.piece)
    }

    /// The line of the next part.
    pub(super) fn line(&self) -> Option<usize> {
        self.rest.first().map(|token| token.line)
    }

    /// The next part, if it is a word.
    pub(super) fn peek_word(&self) -> Option<&'a str> {
        match self.peek() {
            Some(Piece::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The word at a distance, 0 being the next part.
    pub(super) fn word_at(&self, distance: usize) -> Option<&'a str> {
        match self.rest.get(distance).map(|token| &token.piece) {
            Some(Piece::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Goes on by one part.
    pub(super) fn skip(&mut self) {
        self.skip_all(1);
    }

    /// Goes on by some parts.
    pub(super) fn skip_all(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// Takes a word.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        let word = self.peek_word()?;
        self.skip();
        Some(word)
    }

    /// Takes a word or a text.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let name = match self.peek()? {
            Piece::Word(name) | Piece::Text(name) => name,
            Piece::Symbol(_) | Piece::List(_) | Piece::Lines(_) | Piece::Bad(_) => return None,
        };
        self.skip();
        Some(name)
    }

    /// Takes one word, if it is the next part.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.peek_word() == Some(word);
        if found {
            self.skip();
        }
        found
    }

    /// Takes words, if all of them are next.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(place, word)| self.word_at(place) == Some(*word));
        if found {
            self.skip_all(words.len());
        }
        found
    }

    /// True if a symbol is next.
    pub(super) fn at_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Piece::Symbol(found)) if *found == symbol)
    }

    /// Takes a symbol, if it is next.
    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        if found {
            self.skip();
        }
        found
    }

    /// Takes the value of an expression: a list, or terms that are joined by `joints`.
    pub(super) fn value(&mut self, joints: &[&str]) -> &'a [Token<'t>] {
        let start = self.rest;
        if matches!(self.peek(), Some(Piece::List(_) | Piece::Lines(_))) {
            self.skip();
            return start.get(..1).unwrap_or_default();
        }
        loop {
            self.term();
            match self.peek() {
                Some(Piece::Symbol(symbol)) if joints.contains(symbol) => self.skip(),
                _ => break,
            }
        }
        start.get(..start.len() - self.rest.len()).unwrap_or_default()
    }

    /// Goes past a word, a text, or what stands between parentheses.
    fn term(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(Piece::Symbol("(")) => depth += 1,
                Some(Piece::Symbol(")")) if depth > 0 => depth -= 1,
                Some(Piece::Word(_) | Piece::Text(_)) => {}
                Some(Piece::Symbol(_)) if depth > 0 => {}
                _ => return,
            }
            self.skip();
            if depth == 0 {
                return;
            }
        }
    }
}
