//! Where the statements and clauses of a file begin, for whoever lays its text out anew.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use pest::iterators::Pair;

use super::grammar::Rule;
use super::parse::grammar_pairs;
use crate::source::SourceFile;

/// A statement, by offsets into the text of its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementOutline {
    /// Where its keyword begins.
    pub start: usize,
    /// The clauses of its block, in their order; none if it has no block.
    pub clauses: Vec<ClauseOutline>,
}

/// A clause, by offsets into the text of its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClauseOutline {
    /// Where it begins.
    pub start: usize,
    /// Where the parts begin that a reader tells apart in it, in their order: where an interface leads, or what is said of
    /// a `reaches`.
    pub parts: Vec<usize>,
}

/// The outline of a file in whose form nothing is wrong; of any other it may lack statements and clauses. None if the file
/// is too intricate to be read.
pub fn outline(file: &SourceFile) -> Option<Vec<StatementOutline>> {
    let pairs = grammar_pairs(file).ok()?;
    let statements = pairs.flat_map(Pair::into_inner).filter(|pair| pair.as_rule() != Rule::EOI);
    Some(statements.map(statement).collect())
}

fn statement(pair: Pair<Rule>) -> StatementOutline {
    let start = pair.as_span().start();
    let body = pair.into_inner().skip_while(|part| part.as_rule() != Rule::opened).skip(1);
    let clauses = body.filter(|part| part.as_rule() != Rule::closed).map(|clause| {
        let start = clause.as_span().start();
        let mut parts = Vec::new();
        add_parts(&clause, &mut parts);
        ClauseOutline { start, parts }
    });
    StatementOutline { start, clauses: clauses.collect() }
}

/// Adds where the parts of a clause begin.
fn add_parts(clause: &Pair<Rule>, parts: &mut Vec<usize>) {
    let rule = clause.as_rule();
    for part in clause.clone().into_inner() {
        let inner = part.as_rule();
        let begins = match rule {
            Rule::reaches | Rule::reached_by => {
                !matches!(inner, Rule::kw_reaches | Rule::kw_reached | Rule::kw_by | Rule::names | Rule::via)
            }
            Rule::interface | Rule::uplink => matches!(inner, Rule::attached | Rule::leading),
            Rule::leading => matches!(inner, Rule::kw_cost | Rule::kw_backup),
            Rule::ports_of_zone => matches!(inner, Rule::kw_zone | Rule::storm),
            _ => false,
        };
        if begins {
            parts.push(part.as_span().start());
        }
        if inner == Rule::leading {
            add_parts(&part, parts);
        }
        if rule == Rule::isolate {
            let excepts = part.into_inner().filter(|inner| inner.as_rule() == Rule::except);
            parts.extend(excepts.map(|except| except.as_span().start()));
        }
    }
}
