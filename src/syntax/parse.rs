//! The entry of the parser: one file in, its statements out.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use std::num::NonZeroUsize;

use pest::Parser;
use pest::iterators::Pair;

use super::ast::{File, Statement};
use super::block::Ctx;
use super::error::SyntaxError;
use super::grammar::{Grammar, Rule};
use super::{lexical, statements};
use crate::diag::{Diagnostics, suggestion};
use crate::source::SourceFile;

/// The keywords that begin a statement.
const STATEMENTS: [&str; 16] = [
    "allow", "assert", "class", "firewall", "forbid", "group", "guard", "include", "manage", "peer",
    "policy", "posture", "schedule", "service", "switch", "zone",
];

/// Steps that the parser may take for a byte of input. The grammar looks ahead by a bounded number of words, so that
/// a file needs a bounded number of steps for each byte; this is a backstop, not a tuning value.
const CALLS_PER_BYTE: usize = 20_000;

/// Parses one file. All mistakes are reported; what could be read stands in the tree.
pub fn parse(file: &SourceFile, diagnostics: &mut Diagnostics) -> File {
    lexical::check_characters(file, diagnostics);
    if !lexical::check_depth(file, diagnostics) {
        return File::default();
    }
    pest::set_call_limit(NonZeroUsize::new(file.text().len().saturating_mul(CALLS_PER_BYTE).max(1_000_000)));
    let pairs = match Grammar::parse(Rule::file, file.text()) {
        Ok(pairs) => pairs,
        Err(error) => {
            let offset = match error.location {
                pest::error::InputLocation::Pos(offset) | pest::error::InputLocation::Span((offset, _)) => {
                    offset
                }
            };
            diagnostics.push(SyntaxError::TooIntricate { span: file.span(offset..offset + 1) });
            return File::default();
        }
    };
    let mut ctx = Ctx { file, diagnostics };
    let items: Vec<Pair<Rule>> = pairs.flat_map(Pair::into_inner).collect();
    let mut statements = Vec::new();
    let mut rest = items.as_slice();
    while let [item, following @ ..] = rest {
        rest = following;
        match item.as_rule() {
            Rule::stray => {
                let run = ctx.stray_run(item, &mut rest);
                ctx.unexpected(&run, "policy", &no_statement(item.as_str()));
            }
            Rule::unknown => unknown_statement(&mut ctx, item),
            Rule::closed => {
                let span = ctx.span(item);
                ctx.diagnostics.push(SyntaxError::StrayClose { span });
            }
            _ => statements.extend(statement(&mut ctx, item)),
        }
    }
    File { statements }
}

fn statement(ctx: &mut Ctx, pair: &Pair<Rule>) -> Option<Statement> {
    Some(match pair.as_rule() {
        Rule::policy => Statement::Policy(ctx.text(pair)),
        Rule::include => Statement::Include(ctx.text(pair)),
        Rule::zone => Statement::Zone(statements::zone(ctx, pair)),
        Rule::service => Statement::Service(statements::service(ctx, pair)),
        Rule::class => Statement::Class(statements::class(ctx, pair)),
        Rule::peer => Statement::Peer(statements::peer(ctx, pair)),
        Rule::group => Statement::Group(statements::group(ctx, pair)),
        Rule::access_rule => Statement::Rule(statements::rule(ctx, pair)),
        Rule::assertion => Statement::Assertion(statements::assertion(ctx, pair)),
        Rule::manage => Statement::Manage(statements::manage(ctx, pair)),
        Rule::schedule => Statement::Schedule(statements::schedule(ctx, pair)),
        Rule::guard => Statement::Guard(statements::guard(ctx, pair)),
        Rule::posture => Statement::Posture(statements::posture(ctx, pair)),
        Rule::device => Statement::Device(statements::device(ctx, pair)),
        _ => return None,
    })
}

/// The help for text that stands between statements.
fn no_statement(first: &str) -> String {
    let guess = suggestion(first, STATEMENTS);
    let form = if STATEMENTS.contains(&first) {
        format!("`{first}` needs a `{{ ... }}` block behind its name")
    } else {
        "a policy is a list of statements such as `zone NAME { ... }`".to_owned()
    };
    guess.filter(|_| !STATEMENTS.contains(&first)).map_or(form.clone(), |guess| format!("{guess} {form}"))
}

fn unknown_statement(ctx: &mut Ctx, pair: &Pair<Rule>) {
    let Some(first) = pair.clone().into_inner().find(|inner| inner.as_rule() == Rule::word) else { return };
    let known: Vec<String> = STATEMENTS.iter().map(|keyword| format!("`{keyword}`")).collect();
    let all = format!("statements are {}", known.join(", "));
    let help = match suggestion(first.as_str(), STATEMENTS) {
        Some(suggestion) => format!("{suggestion} {all}"),
        None => all,
    };
    let span = ctx.span(&first);
    ctx.diagnostics.push(SyntaxError::UnknownStatement { word: first.as_str().to_owned(), span, help });
}
