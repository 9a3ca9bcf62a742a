//! The entry of the parser: one file in, its statements out.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use pest::Parser;
use pest::iterators::Pair;

use super::ast::{File, Group, Service, Statement, Zone};
use super::block::Ctx;
use super::error::SyntaxError;
use super::grammar::{Grammar, Rule};
use super::{lexical, statements};
use crate::diag::{Diagnostics, did_you_mean};
use crate::source::{SourceFile, parse_bounded};

/// The keywords that begin a statement, each with the form of the statement.
const STATEMENTS: [(&str, &str); 17] = [
    ("allow", "allow NAME { ... }"),
    ("assert", "assert denied { ... }` or `assert allowed { ... }"),
    ("class", "class NAME in ZONE { ... }"),
    ("firewall", "firewall NAME { ... }"),
    ("forbid", "forbid NAME { ... }"),
    ("group", "group NAME { NAME, NAME }"),
    ("guard", "guard NAME { ... }"),
    ("include", "include \"PATH\""),
    ("inventory", "inventory NAME { ... }"),
    ("manage", "manage NAME { ... }"),
    ("peer", "peer NAME in ZONE { ... }"),
    ("policy", "policy \"NAME\""),
    ("posture", "posture NAME { ... }"),
    ("schedule", "schedule NAME { ... }"),
    ("service", "service NAME { ... }"),
    ("switch", "switch NAME { ... }"),
    ("zone", "zone NAME { ... }"),
];

/// Words of other policy languages, and the keyword that says the same here.
const SYNONYMS: [(&str, &str); 10] = [
    ("accept", "allow"),
    ("block", "forbid"),
    ("deny", "forbid"),
    ("drop", "forbid"),
    ("network", "zone"),
    ("pass", "allow"),
    ("permit", "allow"),
    ("reject", "forbid"),
    ("router", "firewall"),
    ("subnet", "zone"),
];

/// Steps that the parser may take for a byte of input. The grammar looks ahead by a bounded number of words, so that
/// a file needs a bounded number of steps for each byte; this is a backstop, not a tuning value.
const CALLS_PER_BYTE: usize = 20_000;

/// The steps that the parser may take for a file.
pub(super) fn calls_for(file: &SourceFile) -> usize {
    file.text().len().saturating_mul(CALLS_PER_BYTE).max(1_000_000)
}

/// Parses one file. All mistakes are reported; what could be read stands in the tree.
pub fn parse(file: &SourceFile, diagnostics: &mut Diagnostics) -> File {
    lexical::check_characters(file, diagnostics);
    if !lexical::check_depth(file, diagnostics) {
        return File::default();
    }
    let pairs = match parse_bounded(calls_for(file), || Grammar::parse(Rule::file, file.text())) {
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
            Rule::stray => statements.extend(stray_words(&mut ctx, item, &mut rest)),
            Rule::unknown => statements.extend(unknown_statement(&mut ctx, item)),
            Rule::closed => {
                // Several in a row are one mistake.
                while let [next, following @ ..] = rest
                    && next.as_rule() == Rule::closed
                {
                    rest = following;
                }
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
        Rule::require => Statement::Require(statements::require(ctx, pair)),
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
        Rule::inventory => Statement::Inventory(statements::inventory(ctx, pair)),
        _ => return None,
    })
}

/// The keyword that may be meant by a word.
fn guess(word: &str) -> Option<&'static str> {
    let synonym = SYNONYMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    let keywords = || STATEMENTS.iter().map(|(keyword, _)| *keyword);
    synonym.map(|(_, keyword)| *keyword).or_else(|| did_you_mean(word, keywords()))
}

/// What a statement that could not be read would have declared, so that what names it is not reported too.
fn stand_in(ctx: &Ctx, keyword: &str, words: &[Pair<Rule>]) -> Option<Statement> {
    let [_, name, ..] = words else { return None };
    let name = ctx.word(name);
    if !lexical::valid_name(&name.node) {
        return None;
    }
    let attributes = Vec::new();
    match keyword {
        "zone" => {
            let (nets, acceptances) = (Vec::new(), Vec::new());
            Some(Statement::Zone(Zone { name, nets, rest: None, attributes, acceptances, broken: true }))
        }
        "class" | "peer" | "group" => {
            Some(Statement::Group(Group { name, members: Vec::new(), attributes, broken: true }))
        }
        "service" => {
            let (protocols, encrypted) = (Vec::new(), None);
            Some(Statement::Service(Service { name, protocols, encrypted, attributes, broken: true }))
        }
        _ => None,
    }
}

/// Reports words between statements. What is left of the statement that they may have been meant to begin, its block
/// or its last `}`, is the same mistake.
fn stray_words<'i>(ctx: &mut Ctx, first: &Pair<'i, Rule>, rest: &mut &[Pair<'i, Rule>]) -> Option<Statement> {
    let word = first.as_str();
    let run = ctx.stray_run(first, rest, |word| guess(word).is_some());
    match STATEMENTS.iter().find(|(keyword, _)| *keyword == word) {
        Some((_, form)) => ctx.unreadable(&run, form),
        None => {
            let form = "a policy is a list of statements such as `zone NAME { ... }`";
            let help = guess(word).map(|keyword| format!("did you mean `{keyword}`? {form}"));
            ctx.unexpected(&run, "between statements", &help.unwrap_or_else(|| form.to_owned()));
        }
    }
    if let [next, following @ ..] = *rest {
        let belongs = match next.as_rule() {
            Rule::closed => guess(word).is_some(),
            Rule::unknown => run.last().is_some_and(|last| ctx.on_one_line(last, next)),
            _ => false,
        };
        if belongs {
            *rest = following;
        }
    }
    stand_in(ctx, guess(word)?, &run)
}

fn unknown_statement(ctx: &mut Ctx, pair: &Pair<Rule>) -> Option<Statement> {
    let words: Vec<Pair<Rule>> =
        pair.clone().into_inner().take_while(|p| p.as_rule() == Rule::word).collect();
    let first = words.first()?;
    let span = ctx.span(first);
    let guess = guess(first.as_str());
    if !ctx.hides(span) {
        let known: Vec<String> = STATEMENTS.iter().map(|(keyword, _)| format!("`{keyword}`")).collect();
        let all = format!("statements are {}", known.join(", "));
        let help = guess.map(|keyword| format!("did you mean `{keyword}`? {all}")).unwrap_or(all);
        ctx.diagnostics.push(SyntaxError::UnknownStatement { word: first.as_str().to_owned(), span, help });
    }
    stand_in(ctx, guess?, &words)
}
