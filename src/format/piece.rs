//! The tokens of a file, sorted into statements and clauses, each with the comments behind it.

use super::token::{Token, tokens};
use crate::syntax::{ClauseOutline, StatementOutline};

/// Tokens that stand together, and the comments behind the last of them.
#[derive(Default, Debug)]
pub(super) struct Piece<'t> {
    /// From its first token to the last that is no comment; comments may stand between.
    pub(super) tokens: Vec<Token<'t>>,
    /// Where in `tokens` its parts begin.
    pub(super) parts: Vec<usize>,
    /// The comments behind.
    pub(super) after: Vec<Token<'t>>,
}

/// A statement.
#[derive(Debug)]
pub(super) struct Statement<'t> {
    /// What stands before its block, with the `{`; all of it if it has none.
    pub(super) head: Piece<'t>,
    /// Its block, if it has one.
    pub(super) clauses: Option<Vec<Piece<'t>>>,
    /// The comments behind it.
    pub(super) after: Vec<Token<'t>>,
}

/// A file.
pub(super) struct Pieces<'t> {
    /// The comments before the first statement.
    pub(super) before: Vec<Token<'t>>,
    pub(super) statements: Vec<Statement<'t>>,
}

impl<'t> Piece<'t> {
    fn new(mut tokens: Vec<Token<'t>>, parts: &[usize]) -> Self {
        let last = tokens.iter().rposition(|token| !token.is_comment()).map_or(0, |last| last + 1);
        let after = tokens.split_off(last);
        let position = |start: &usize| tokens.binary_search_by_key(start, |token| token.start).ok();
        let parts = parts.iter().filter_map(position).collect();
        Piece { tokens, parts, after }
    }

    /// The word that it begins with.
    pub(super) fn keyword(&self) -> &'t str {
        self.tokens.first().map_or("", |token| token.text)
    }

    /// How many line ends stand before it.
    pub(super) fn breaks(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.breaks)
    }

    /// True if no comment stands in it or behind it.
    pub(super) fn is_plain(&self) -> bool {
        self.after.is_empty() && !self.holds_comments()
    }

    /// True if a comment stands between two of its tokens.
    pub(super) fn holds_comments(&self) -> bool {
        self.tokens.iter().any(Token::is_comment)
    }
}

/// Sorts the tokens of a text.
pub(super) fn pieces<'t>(text: &'t str, outline: &[StatementOutline]) -> Pieces<'t> {
    let mut tokens = tokens(text).into_iter().peekable();
    let before = take(&mut tokens, outline.first().map_or(usize::MAX, |first| first.start));
    let ends = outline.iter().skip(1).map(|next| next.start).chain([usize::MAX]);
    let statements = outline.iter().zip(ends).map(|(statement, end)| {
        let own = take(&mut tokens, end);
        if own.iter().any(|token| token.text == "{") {
            with_block(own, &statement.clauses)
        } else {
            let mut head = Piece::new(own, &[]);
            let after = std::mem::take(&mut head.after);
            Statement { head, clauses: None, after }
        }
    });
    Pieces { statements: statements.collect(), before }
}

/// The tokens before an offset.
fn take<'t>(tokens: &mut std::iter::Peekable<impl Iterator<Item = Token<'t>>>, end: usize) -> Vec<Token<'t>> {
    std::iter::from_fn(|| tokens.next_if(|token| token.start < end)).collect()
}

fn with_block<'t>(mut own: Vec<Token<'t>>, outline: &[ClauseOutline]) -> Statement<'t> {
    let closed = own.iter().rposition(|token| token.text == "}").unwrap_or(own.len());
    let after: Vec<Token> = own.split_off(closed).into_iter().skip(1).collect();
    let opened = own.iter().position(|token| token.text == "{").map_or(0, |opened| opened + 1);
    let mut body = own.split_off(opened).into_iter().peekable();
    // Comments at the start of the block belong to the `{`; a `,` there begins the first clause.
    own.extend(std::iter::from_fn(|| body.next_if(Token::is_comment)));
    let ends = outline.iter().skip(1).map(|next| next.start).chain([usize::MAX]);
    let mut clauses: Vec<Piece> = outline
        .iter()
        .zip(ends)
        .map(|(clause, end)| Piece::new(take(&mut body, end), &clause.parts))
        .collect();
    let rest: Vec<Token> = body.collect();
    if !rest.is_empty() {
        clauses.push(Piece::new(rest, &[]));
    }
    Statement { head: Piece::new(own, &[]), clauses: Some(clauses), after }
}
